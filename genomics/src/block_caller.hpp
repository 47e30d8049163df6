// Calls the variants of one bucket of the genome: pileup, assembly, blocks of alleles, genotypes.
#pragma once

#include "assembly.hpp"
#include "call_evidence.hpp"
#include "call_reads.hpp"
#include "gap_costs.hpp"
#include "genotype.hpp"
#include "pileup.hpp"
#include "ploidy.hpp"
#include "reference_blocks.hpp"
#include "variant_call.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace aceso::genomics {

struct CallOptions {
  ReadFilter filter;
  PileupOptions pileup;
  AssemblyOptions assembly;
  Priors priors;
  GapCosts gaps;
  double least_quality = 10;  ///< calls below are not told of
  /// Phred: what is not called is told of in gVCF if a genotype with it costs no more than this.
  double weak_likelihood = 60;
  std::size_t most_haplotypes = 64;
  std::size_t most_alleles = 16;  ///< of a block
  std::uint32_t most_reads =
      600;  ///< of a block; of more, some are taken by a hash of their number
  /// Calls whose pileup is wanted; empty: none.
  std::function<bool(const VariantCall&)> wants_pileup;
};

/// What is known of a bucket.
struct BucketCalls {
  std::vector<VariantCall> variants;  ///< by position
  /// If columns were kept: alleles that some reads show clearly and that are not called, with the
  /// reference as genotype. By position, apart from each other and from `variants`.
  std::vector<VariantCall> weak;
  std::vector<ReferenceBlock> blocks;  ///< if columns were kept; by position
};

class BlockCaller {
 public:
  BlockCaller(const Reference& reference, CallOptions options);

  /// Calls all variants whose line begins in [begin, end). `reads` holds all reads that reach into
  /// [begin - kMargin, end + kMargin). A block of neighbouring alleles has
  /// the copies of the place of its first one; where there are none nothing is called.
  [[nodiscard]] BucketCalls call(const CallReads& reads, std::uint32_t begin, std::uint32_t end,
                                 const PloidyMap& ploidy);

  static constexpr std::uint32_t kMargin = 1200;

 private:
  struct Block {
    std::uint32_t begin = 0, end = 0;
    std::vector<CandidateAllele> alleles;
  };

  [[nodiscard]] std::vector<ReferenceBlock> blocks_between(std::span<const ColumnDepth> columns,
                                                           std::span<const VariantCall> calls,
                                                           std::uint32_t begin, std::uint32_t end,
                                                           const PloidyMap& ploidy) const;
  void add_assembled(const CallReads& reads, Pileup& pileup);
  [[nodiscard]] std::vector<Block> blocks_of(const Pileup& pileup) const;
  [[nodiscard]] std::vector<std::uint32_t> reads_over(const CallReads& reads, std::uint32_t begin,
                                                      std::uint32_t end) const;
  [[nodiscard]] static std::vector<CandidateAllele> chosen(const Block& block, std::size_t most);
  [[nodiscard]] ReadTable cost_reads(const CallReads& all, const Block& block,
                                     std::span<const Allele> alleles,
                                     std::span<const AlleleSet> sets) const;
  void call_block(const CallReads& reads, const Block& block, int ploidy, BucketCalls& out);

  void add_weak(std::vector<VariantCall> found, std::span<const VariantCall> calls,
                BucketCalls& out) const;

  const Reference& reference_;
  CallOptions options_;
  PileupBuilder pileup_builder_;
  Assembler assembler_;
};

}  // namespace aceso::genomics
