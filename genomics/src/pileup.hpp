// Where reads differ from the reference, and how: candidate alleles and places that alignments
// alone do not explain.
#pragma once

#include "allele.hpp"
#include "call_reads.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace aceso::genomics {

/// An allele that some reads show.
struct CandidateAllele {
  Allele allele;
  std::uint32_t support = 0;  ///< reads that show it as they are aligned
  std::uint32_t depth = 0;    ///< reads there
};

struct PileupOptions {
  std::uint32_t least_support = 2;
  double least_share = 0.10;        ///< of the depth
  std::uint8_t least_quality = 10;  ///< bases below do not speak
  /// Among so few reads a single one with an insertion or deletion is enough: machines make these a
  /// hundred times less often than wrong bases, and fewer reads than two may stand across.
  std::uint32_t few_reads = 16;
  bool keep_columns = false;
};

/// A stretch whose reads should be assembled: ends are clipped there, or gaps stand near.
struct Puzzle {
  std::uint32_t begin = 0, end = 0;  ///< global
};

/// How many reads stand over a base, and how many of them say something else than the reference.
struct ColumnDepth {
  std::uint16_t reads = 0, others = 0;
};

struct Pileup {
  std::vector<ColumnDepth> columns;         ///< by position, if they were asked for
  std::vector<CandidateAllele> candidates;  ///< by position
  std::vector<Puzzle> puzzles;              ///< by position, apart from each other
};

/// Looks through the reads that reach into [begin, end) (global, within one contig's gaps).
class PileupBuilder {
 public:
  PileupBuilder(const Reference& reference, PileupOptions options)
      : reference_(reference), options_(options) {}

  void build(const CallReads& reads, std::uint32_t begin, std::uint32_t end, Pileup& out);

 private:
  void add_read(const CallReads& reads, const CallRead& read);
  void add_match(const CallReads& reads, const CallRead& read, std::uint32_t in_read,
                 std::uint32_t position, std::uint32_t length);
  void add_clip(std::uint32_t position);
  void add_indel(Allele allele);
  void emit_snvs(Pileup& out);
  void emit_indels(Pileup& out);
  void emit_puzzles(Pileup& out);
  void emit_columns(Pileup& out) const;
  [[nodiscard]] bool inside(std::uint32_t position) const noexcept {
    return position >= begin_ && position < end_;
  }
  [[nodiscard]] bool enough(std::uint32_t support, std::uint32_t depth) const noexcept {
    return support >= options_.least_support && support >= options_.least_share * depth;
  }

  const Reference& reference_;
  PileupOptions options_;
  std::uint32_t begin_ = 0, end_ = 0;
  std::vector<std::int32_t> depth_;                  ///< first as differences
  std::vector<std::array<std::uint16_t, 4>> bases_;  ///< of mismatching bases
  std::vector<std::uint16_t> clips_, gaps_;
  std::vector<Allele> indels_;
  std::vector<std::uint64_t> mask_;
};

}  // namespace aceso::genomics
