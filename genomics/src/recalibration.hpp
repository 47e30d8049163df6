// Recalibration of base qualities: how often bases are wrong, by what is known of them when they
// are read, and the qualities that follow. After the covariates of GATK's BaseRecalibrator:
// read group, reported quality, machine cycle, and the base with the one read before it. The reads
// that a run aligns are one read group; those of a file may be of several.
#pragma once

#include "packed_record.hpp"

#include "aceso/core/json.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace aceso::genomics {

/// Phreds from 0 to the most that SAM holds.
inline constexpr std::size_t kPhreds = 94;
/// Lower qualities stand for no estimate (Illumina's 2), and are neither counted nor changed.
inline constexpr std::uint8_t kLeastRecalibrated = 6;

/// What the error of one base may depend on.
struct BaseCovariates {
  static constexpr std::uint8_t kNoContext = 16;     ///< the first base, or one beside an N
  static constexpr std::uint32_t kMostCycles = 500;  ///< later ones are taken together
  static constexpr std::size_t kContexts = 17;

  std::uint8_t quality = 0;
  std::uint8_t context = kNoContext;  ///< 4 x the base read before it + its own, as sequenced
  std::uint32_t cycle = 0;  ///< 2 x its number from the read's 5' end, + 1 in second mates
  std::uint16_t group = 0;  ///< read group
};

/// The bases of a record in the order of the reference, with their covariates.
class RecordBases {
 public:
  explicit RecordBases(const PackedRecord& record) noexcept;

  [[nodiscard]] std::uint32_t size() const noexcept { return record_.read_length; }
  /// 0 to 3, or kCodeN.
  [[nodiscard]] std::uint8_t code(std::uint32_t i) const noexcept;
  /// Whether a base's quality can be counted and changed.
  [[nodiscard]] bool has_estimate(std::uint32_t i) const noexcept;
  [[nodiscard]] BaseCovariates covariates(std::uint32_t i) const noexcept;

 private:
  const PackedRecord& record_;
  bool reversed_;
  std::uint32_t second_mate_;
  std::uint16_t group_;
};

/// Bases seen, and how many of them were wrong.
struct ErrorCount {
  std::uint64_t bases = 0, errors = 0;

  void add(const ErrorCount& other) noexcept {
    bases += other.bases;
    errors += other.errors;
  }
};

/// Counts by reported quality, of one set of qualities.
using QualityCounts = std::array<ErrorCount, kPhreds>;

/// Phred of the rate of errors seen; one of each kind is added, so that it is finite.
[[nodiscard]] double empirical_quality(const ErrorCount& count) noexcept;
/// Mean distance of reported from empirical quality, each base counting alike; 0 without bases.
[[nodiscard]] double quality_error(const QualityCounts& counts) noexcept;

/// Counts by all covariates at once. Whole numbers only: sums do not depend on their order.
class ErrorTable {
 public:
  void add(const BaseCovariates& base, bool error);
  void merge(const ErrorTable& other);

  [[nodiscard]] ErrorCount total() const noexcept;
  /// Calls `use(covariates, count)` for each cell with bases, in a fixed order.
  template <typename Use>
  void for_each(const Use& use) const {
    for (std::size_t group = 0; group < groups_.size(); ++group) for_each_of(group, use);
  }
  /// Likewise of one read group.
  template <typename Use>
  void for_each_of(std::size_t group, const Use& use) const {
    for (std::size_t q = 0; q < kPhreds; ++q) {
      const std::vector<ErrorCount>& cells = groups_[group][q];
      for (std::size_t i = 0; i < cells.size(); ++i) {
        if (cells[i].bases == 0) continue;
        use(BaseCovariates{static_cast<std::uint8_t>(q),
                           static_cast<std::uint8_t>(i % BaseCovariates::kContexts),
                           static_cast<std::uint32_t>(i / BaseCovariates::kContexts),
                           static_cast<std::uint16_t>(group)},
            cells[i]);
      }
    }
  }
  /// One more than the highest number of a read group.
  [[nodiscard]] std::size_t group_count() const noexcept { return groups_.size(); }

  [[nodiscard]] Json to_json() const;
  /// \throws Error CorruptData naming `name` if it is not what to_json() made.
  [[nodiscard]] static ErrorTable from_json(const Json& json, const std::string& name);

 private:
  ErrorCount& cell(const BaseCovariates& base);

  /// By read group and quality: [cycle][context], as far as seen.
  std::vector<std::array<std::vector<ErrorCount>, kPhreds>> groups_;
};

/// The qualities that a table of errors gives, each read group by itself.
///
/// The rate of a cell is that of the cell around it unless its own counts speak against it: from
/// all bases to those of one reported quality, and from there to each cycle and each context, whose
/// differences are added (as phreds). Each step is the mean of a Gamma distribution: a prior at the
/// rate expected, worth as many errors as cells of its kind are alike, updated with what was seen
/// (the errors are Poisson's; Gelman et al., Bayesian Data Analysis, 2.6). What it is worth follows
/// from how much more than by chance the cells' errors scatter: variance = mean + mean^2 / worth,
/// that of the negative binomial distribution; at least kPriorErrors. GATK has a Gaussian prior of
/// half a phred here.
class Recalibration {
 public:
  static constexpr double kPriorErrors = 10;

  explicit Recalibration(ErrorTable table);

  [[nodiscard]] std::uint8_t quality(const BaseCovariates& base) const noexcept;
  [[nodiscard]] const ErrorTable& table() const noexcept { return table_; }
  /// The bases counted by their quality as reported, and as it becomes.
  [[nodiscard]] QualityCounts before() const;
  [[nodiscard]] QualityCounts after() const;

 private:
  struct OneQuality {
    double phred = 0;
    std::vector<double> cycles;  ///< differences
    std::array<double, BaseCovariates::kContexts> contexts{};
  };

  using Qualities = std::array<OneQuality, kPhreds>;

  [[nodiscard]] static Qualities qualities_of(const ErrorTable& table, std::size_t group);

  ErrorTable table_;
  std::vector<Qualities> groups_;
};

}  // namespace aceso::genomics
