// Reads the genotypes of one sample from VCF and BCF. htslib, kept in one file.
#pragma once

#include "aceso/genomics/reference.hpp"

#include "aceso/core/warnings.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aceso::genomics {

/// An allele in a genotype. Others are indices: 0 the reference, 1 the first alternative.
inline constexpr int kMissingAllele = -1;

/// One line of a file, as far as the sample asked for is concerned.
struct GenotypeRecord {
  std::uint64_t number = 0;  ///< from 1
  int contig = -1;           ///< of the reference; -1: it lacks this one
  std::string contig_name;
  std::uint32_t position = 0;        ///< 0-based
  std::vector<std::string> alleles;  ///< as written; the reference's first
  std::vector<int> genotype;         ///< empty: there is none
  bool phased = false;
  bool passed = true;          ///< FILTER is PASS or '.'
  double quality = -1;         ///< -1: missing
  double score = -1;           ///< of the field asked for; -1: missing
  std::vector<float> numbers;  ///< of the INFO fields asked for; NaN: missing
};

struct VcfRecordsOptions {
  std::optional<std::string> sample;     ///< needed when there are several
  std::string score_field = "QUAL";      ///< or a FORMAT or INFO field with one number
  std::string sample_option = "sample";  ///< the option's name, for messages
  std::vector<std::string> numbers;      ///< INFO fields with one number each
  bool sites_do = false;                 ///< a file without samples is read, without genotypes
};

/// Records in order. Checks that they are sorted.
class VcfRecords {
 public:
  /// \throws Error NotFound, Io; CorruptData if it is neither VCF nor BCF; InvalidArgument if the
  ///         sample cannot be told or the score's field is not declared.
  VcfRecords(const std::filesystem::path& path, const Reference& reference, Warnings& warnings,
             const VcfRecordsOptions& options);
  ~VcfRecords();
  VcfRecords(VcfRecords&&) noexcept;

  /// The next record into `out`; false behind the last.
  /// \throws Error CorruptData naming the file and record.
  [[nodiscard]] bool next(GenotypeRecord& out);
  [[nodiscard]] const std::string& sample() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aceso::genomics
