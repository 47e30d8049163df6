#include "recalibration.hpp"

#include "read_group_tag.hpp"

#include "aceso/core/error.hpp"
#include "aceso/genomics/reference.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace aceso::genomics {
namespace {

constexpr const char* kTableFormat = "aceso base errors 2";
constexpr std::uint64_t kMostGroup = 0xffff;
constexpr int kLowestResult = 2, kHighestResult = 93;
constexpr double kLeastRate = 1e-9, kMostRate = 0.75;  // three of four letters are wrong

double phred(double rate) { return -10 * std::log10(std::clamp(rate, kLeastRate, kMostRate)); }
double rate_of(double quality) {
  return std::clamp(std::pow(10.0, -quality / 10), kLeastRate, kMostRate);
}

/// The quality of what was counted, where `expected` was expected by a prior worth `errors`.
double shrunk(const ErrorCount& count, double expected,
              double errors = Recalibration::kPriorErrors) {
  return phred((static_cast<double>(count.errors) + errors) /
               (static_cast<double>(count.bases) + errors / rate_of(expected)));
}

/// How many errors a prior of cells is worth, from how they scatter around what is expected.
class PriorWorth {
 public:
  void add(const ErrorCount& count, double expected) {
    const double mean = static_cast<double>(count.bases) * rate_of(expected);
    const double off = static_cast<double>(count.errors) - mean;
    squares_ += mean * mean;
    beyond_chance_ += off * off - mean;
  }
  [[nodiscard]] double errors() const {
    constexpr double kMost = 1e9;
    if (beyond_chance_ * kMost <= squares_) return kMost;
    return std::max(squares_ / beyond_chance_, Recalibration::kPriorErrors);
  }

 private:
  double squares_ = 0, beyond_chance_ = 0;
};

constexpr std::array<std::uint8_t, 16> unpacked_bases() {
  std::array<std::uint8_t, 16> table{};
  table.fill(kCodeN);
  for (std::uint8_t code = 0; code < kCodeN; ++code) table[std::size_t{1} << code] = code;
  return table;
}
constexpr std::array<std::uint8_t, 16> kUnpacked = unpacked_bases();

/// Sums over some of the covariates, of one read group.
struct Margins {
  ErrorCount all;
  double expected_errors = 0;  ///< by the qualities as reported
  QualityCounts qualities{};
  std::array<std::vector<ErrorCount>, kPhreds> cycles;
  std::array<std::array<ErrorCount, BaseCovariates::kContexts>, kPhreds> contexts{};

  Margins(const ErrorTable& table, std::size_t group) {
    table.for_each_of(group, [this](const BaseCovariates& base, const ErrorCount& count) {
      std::vector<ErrorCount>& by_cycle = cycles[base.quality];
      if (by_cycle.size() <= base.cycle) by_cycle.resize(base.cycle + 1);
      by_cycle[base.cycle].add(count);
      contexts[base.quality][base.context].add(count);
      qualities[base.quality].add(count);
      all.add(count);
    });
    for (std::size_t q = 0; q < kPhreds; ++q)
      expected_errors += static_cast<double>(qualities[q].bases) * rate_of(static_cast<double>(q));
  }
};

}  // namespace

RecordBases::RecordBases(const PackedRecord& record) noexcept
    : record_(record),
      reversed_((record.flags & kReversed) != 0),
      second_mate_((record.flags & kLast) != 0 ? 1 : 0),
      group_(read_group_of_record(record)) {}

std::uint8_t RecordBases::code(std::uint32_t i) const noexcept {
  return kUnpacked[record_.bases()[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15U];
}

bool RecordBases::has_estimate(std::uint32_t i) const noexcept {
  const std::uint8_t quality = record_.qualities()[i];
  return quality >= kLeastRecalibrated && quality < kPhreds && code(i) < kCodeN;
}

BaseCovariates RecordBases::covariates(std::uint32_t i) const noexcept {
  const std::uint32_t from_start = reversed_ ? size() - 1 - i : i;
  BaseCovariates out;
  out.group = group_;
  out.quality = record_.qualities()[i];
  out.cycle = 2 * std::min(from_start, BaseCovariates::kMostCycles - 1) + second_mate_;
  if (from_start == 0) return out;
  const std::uint8_t before = code(reversed_ ? i + 1 : i - 1), own = code(i);
  if (before >= kCodeN || own >= kCodeN) return out;
  out.context = reversed_ ? static_cast<std::uint8_t>(4 * complement(before) + complement(own))
                          : static_cast<std::uint8_t>(4 * before + own);
  return out;
}

double empirical_quality(const ErrorCount& count) noexcept {
  return phred((static_cast<double>(count.errors) + 1) / (static_cast<double>(count.bases) + 2));
}

double quality_error(const QualityCounts& counts) noexcept {
  double sum = 0, bases = 0;
  for (std::size_t q = 0; q < kPhreds; ++q) {
    if (counts[q].bases == 0) continue;
    const auto weight = static_cast<double>(counts[q].bases);
    sum += weight * std::abs(empirical_quality(counts[q]) - static_cast<double>(q));
    bases += weight;
  }
  return bases > 0 ? sum / bases : 0;
}

ErrorCount& ErrorTable::cell(const BaseCovariates& base) {
  if (groups_.size() <= base.group) groups_.resize(base.group + 1U);
  std::vector<ErrorCount>& cells = groups_[base.group][base.quality];
  const std::size_t at = base.cycle * BaseCovariates::kContexts + base.context;
  if (cells.size() <= at) cells.resize((base.cycle + 1) * BaseCovariates::kContexts);
  return cells[at];
}

void ErrorTable::add(const BaseCovariates& base, bool error) {
  cell(base).add({1, error ? 1U : 0U});
}

void ErrorTable::merge(const ErrorTable& other) {
  other.for_each(
      [this](const BaseCovariates& base, const ErrorCount& count) { cell(base).add(count); });
}

ErrorCount ErrorTable::total() const noexcept {
  ErrorCount out;
  for_each([&](const BaseCovariates&, const ErrorCount& count) { out.add(count); });
  return out;
}

Json ErrorTable::to_json() const {
  Json cells = Json::array();
  for_each([&](const BaseCovariates& base, const ErrorCount& count) {
    cells.push_back(
        {base.quality, base.cycle, base.context, count.bases, count.errors, base.group});
  });
  return {{"format", kTableFormat}, {"cells", std::move(cells)}};
}

ErrorTable ErrorTable::from_json(const Json& json, const std::string& name) {
  const auto refuse = [&] {
    fail(Errc::CorruptData, "{}: not a table of base errors; remove it to count them again", name);
  };
  if (!json.is_object() || json.value("format", "") != kTableFormat || !json.contains("cells") ||
      !json["cells"].is_array())
    refuse();
  ErrorTable out;
  for (const Json& cell : json["cells"]) {
    const auto whole = [](const Json& value) { return value.is_number_unsigned(); };
    if (!cell.is_array() || cell.size() != 6 || !std::ranges::all_of(cell, whole)) refuse();
    const auto quality = cell[0].get<std::uint64_t>(), cycle = cell[1].get<std::uint64_t>(),
               context = cell[2].get<std::uint64_t>(), group = cell[5].get<std::uint64_t>();
    const ErrorCount count{cell[3].get<std::uint64_t>(), cell[4].get<std::uint64_t>()};
    if (quality >= kPhreds || cycle >= 2 * BaseCovariates::kMostCycles ||
        context >= BaseCovariates::kContexts || group > kMostGroup || count.errors > count.bases)
      refuse();
    out.cell({static_cast<std::uint8_t>(quality), static_cast<std::uint8_t>(context),
              static_cast<std::uint32_t>(cycle), static_cast<std::uint16_t>(group)})
        .add(count);
  }
  return out;
}

Recalibration::Recalibration(ErrorTable table) : table_(std::move(table)) {
  for (std::size_t group = 0; group < table_.group_count(); ++group)
    groups_.push_back(qualities_of(table_, group));
}

Recalibration::Qualities Recalibration::qualities_of(const ErrorTable& table, std::size_t group) {
  Qualities out;
  const Margins margins(table, group);
  double shift = 0;  // of all qualities
  if (margins.all.bases > 0) {
    const double reported = phred(margins.expected_errors / static_cast<double>(margins.all.bases));
    shift = shrunk(margins.all, reported) - reported;
  }
  PriorWorth of_qualities, of_cycles, of_contexts;
  for (std::size_t q = 0; q < kPhreds; ++q)
    of_qualities.add(margins.qualities[q], static_cast<double>(q) + shift);
  for (std::size_t q = 0; q < kPhreds; ++q) {
    const double phred =
        shrunk(margins.qualities[q], static_cast<double>(q) + shift, of_qualities.errors());
    out[q].phred = phred;
    for (const ErrorCount& count : margins.cycles[q]) of_cycles.add(count, phred);
    for (const ErrorCount& count : margins.contexts[q]) of_contexts.add(count, phred);
  }
  for (std::size_t q = 0; q < kPhreds; ++q) {
    OneQuality& one = out[q];
    for (const ErrorCount& count : margins.cycles[q])
      one.cycles.push_back(shrunk(count, one.phred, of_cycles.errors()) - one.phred);
    for (std::size_t c = 0; c < one.contexts.size(); ++c)
      one.contexts[c] = shrunk(margins.contexts[q][c], one.phred, of_contexts.errors()) - one.phred;
  }
  return out;
}

std::uint8_t Recalibration::quality(const BaseCovariates& base) const noexcept {
  if (base.group >= groups_.size()) return base.quality;  // nothing was counted of it
  const OneQuality& one = groups_[base.group][base.quality];
  double out = one.phred + one.contexts[base.context];
  if (base.cycle < one.cycles.size()) out += one.cycles[base.cycle];
  return static_cast<std::uint8_t>(
      std::clamp(static_cast<int>(std::lround(out)), kLowestResult, kHighestResult));
}

QualityCounts Recalibration::before() const {
  QualityCounts out{};
  table_.for_each(
      [&](const BaseCovariates& base, const ErrorCount& count) { out[base.quality].add(count); });
  return out;
}

QualityCounts Recalibration::after() const {
  QualityCounts out{};
  table_.for_each(
      [&](const BaseCovariates& base, const ErrorCount& count) { out[quality(base)].add(count); });
  return out;
}

}  // namespace aceso::genomics
