// How often sequencing changes the length of a tandem repeat, learnt from the reads of a sample,
// and the costs of gaps that follow. In the manner of DRAGEN's and GATK's calibration of short
// tandem repeats (doi:10.1101/2021.01.18.427113), by a model of our own.
//
// Each repeat of the reference is seen by n reads, of which k have another length. With e the
// chance that a read of repeats of this kind (unit and copies) errs, k is drawn from
//
//   Binomial(n, e)                  where the sample has the reference's length on all copies,
//   Binomial(n, f + (1 - f) e)      where a share f of the copies differs,
//   Binomial(n, 1 - e)              where all do,
//
// and e and the shares of these cases are those of most likelihood (expectation maximisation;
// Dempster, Laird, Rubin 1977) with priors worth a fifth of an error, and ten repeats, at the
// standard rates. Longer repeats neither err nor vary less (isotonic regression; Barlow et al.
// 1972).
#pragma once

#include "gap_costs.hpp"
#include "packed_record.hpp"

#include "aceso/core/json.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace aceso::genomics {

/// Rates of repeats, by unit - 1 and copies.
using RepeatRates = std::array<std::array<double, GapCosts::kMostCopies + 1>, GapCosts::kMostUnit>;

/// What is known of repeats: how often a read has another length than the sample, and how often the
/// sample has another one than the reference.
struct RepeatModel {
  RepeatRates errors{}, variants{};
};

/// How many repeats of each kind were seen by n reads of which k have another length. Whole numbers
/// only: sums do not depend on their order.
class RepeatTable {
 public:
  static constexpr std::uint32_t kLeastReads = 4, kMostReads = 500;

  /// Adds a repeat; one with fewer than kLeastReads reads tells nothing, one with more than
  /// kMostReads may be several repeats in one. \pre copies above GapCosts::free_copies(unit).
  void add(std::uint32_t unit, std::uint32_t copies, std::uint32_t reads, std::uint32_t changed);
  void merge(const RepeatTable& other);

  [[nodiscard]] std::uint64_t repeats() const noexcept;
  /// The reads that saw repeats of one kind.
  [[nodiscard]] std::uint64_t reads(std::uint32_t unit, std::uint32_t copies) const noexcept;
  /// \pre the sample has 1 to kMostPloidy copies of the genome.
  [[nodiscard]] RepeatModel model(int ploidy) const;

  [[nodiscard]] Json to_json() const;
  /// \throws Error CorruptData naming `name` if it is not what to_json() made.
  [[nodiscard]] static RepeatTable from_json(const Json& json, const std::string& name);

 private:
  using Seen = std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t>;  // (n, k)

  [[nodiscard]] static std::uint64_t count_of(const Seen& cell) noexcept;
  struct Rates {
    double error, variant;
  };
  [[nodiscard]] static Rates rates_of(const Seen& seen, const Rates& prior, int ploidy);

  std::array<std::array<Seen, GapCosts::kMostCopies + 1>, GapCosts::kMostUnit> cells_;
};

/// What the standard costs and priors stand for, and the costs and priors that a model gives: of a
/// change by one unit, one way, which is half of all.
[[nodiscard]] RepeatModel standard_model();
[[nodiscard]] GapCosts costs_of(const RepeatModel& model);
[[nodiscard]] Priors priors_of(const RepeatModel& model);

/// The repeats of a stretch [begin, end) of the reference, and what reads show of their lengths.
class RepeatSites {
 public:
  /// A read must reach so many bases beyond a repeat on both sides.
  static constexpr std::uint32_t kFlank = 10;

  RepeatSites(const Reference& reference, std::uint32_t begin, std::uint32_t end);

  /// Records in any order.
  void add(const PackedRecord& record);
  void add_to(RepeatTable& table) const;

 private:
  struct Site {
    std::uint32_t begin = 0, end = 0, unit = 0, copies = 0;
    std::uint32_t reads = 0, changed = 0;
  };

  std::vector<Site> sites_;  ///< by begin
};

}  // namespace aceso::genomics
