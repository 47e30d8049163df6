// Reads the gVCF of one sample: what it says of each variant, and of the stretches between.
#pragma once

#include "vcf_lines.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace aceso::genomics {

/// A contig as headers of VCF declare it.
struct DeclaredContig {
  std::string name;
  std::uint64_t length = 0;  ///< 0: not told
};

/// Those of a header, in its order.
[[nodiscard]] std::vector<DeclaredContig> declared_contigs(const VcfLines& lines);

/// A variant of a sample, or a block without one.
struct GvcfRecord {
  std::uint32_t contig = 0;  ///< index in the order that all files share
  std::uint32_t begin = 0, end = 0;
  /// Of a variant: REF first, then the alternatives, without the allele that stands for all others.
  std::vector<std::string> alleles;
  bool block = false;            ///< no variant: alleles has REF only
  bool filtered_strand = false;  ///< FILTER names StrandBias
  int ploidy = 2;                ///< 1 to kMostPloidy
  std::vector<int> genotype;     ///< of alleles; empty: missing
  bool phased = false;
  std::uint32_t phase_set = 0;  ///< 0: none
  std::uint32_t depth = 0;
  std::vector<std::uint32_t> depths;  ///< by allele; empty: not told
  /// Phred by genotype in VCF's order, of `alleles` and one more, which stands for all others.
  std::vector<double> likelihoods;

  [[nodiscard]] std::size_t other() const noexcept { return alleles.size(); }
};

class GvcfRecords {
 public:
  /// \throws Error as VcfLines does; CorruptData unless it has one sample and declares the allele
  ///         <NON_REF> or <*>.
  GvcfRecords(const std::filesystem::path& path, Warnings& warnings);

  [[nodiscard]] const std::string& sample() const { return lines_.samples().front(); }
  [[nodiscard]] const std::string& path() const noexcept { return lines_.path(); }
  [[nodiscard]] const std::vector<DeclaredContig>& contigs() const noexcept { return contigs_; }
  /// Says which order of contigs all files share. \throws Error CorruptData if this one's differ.
  void use_contigs(const std::vector<DeclaredContig>& shared, const std::string& whose);

  /// The next record; false behind the last. Records that say nothing are left out.
  /// \throws Error CorruptData naming file and record.
  [[nodiscard]] bool next(GvcfRecord& out);
  [[nodiscard]] std::uint64_t take_source_bytes() noexcept { return lines_.take_source_bytes(); }

 private:
  [[nodiscard]] bool fill(GvcfRecord& out);
  [[nodiscard]] bool read_alleles(GvcfRecord& out, std::vector<std::size_t>& kept);
  [[nodiscard]] bool read_sample(GvcfRecord& out, const std::vector<std::size_t>& kept);
  void read_genotype(std::string_view text, const std::vector<std::size_t>& kept, GvcfRecord& out);
  [[nodiscard]] bool read_likelihoods(std::string_view text, std::string_view quality,
                                      const std::vector<std::size_t>& kept, GvcfRecord& out);
  void pick_likelihoods(const std::vector<std::string_view>& list,
                        const std::vector<std::size_t>& numbers, GvcfRecord& out) const;
  [[nodiscard]] std::uint32_t parse_number(std::string_view text, std::string_view what) const;

  VcfLines lines_;
  Warnings& warnings_;
  std::vector<DeclaredContig> contigs_;
  std::vector<std::pair<std::string, std::uint32_t>> order_;  ///< sorted by name
  VcfLine line_;
  std::string contig_name_;
  std::uint32_t contig_ = 0;
  bool any_contig_ = false;
  std::size_t file_alleles_ = 0;  ///< of the current line
  bool has_other_ = false;        ///< the current line names the allele that stands for others
  std::size_t other_ = 0;         ///< its number in the file
};

}  // namespace aceso::genomics
