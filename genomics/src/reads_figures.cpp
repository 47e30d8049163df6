#include "reads_figures.hpp"

#include "report_figures.hpp"

#include "adapter_guess.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace aceso::genomics {
namespace {

// Enough for every short read; curves of long ones would make the file huge.
constexpr std::uint32_t kMostCurve = 2000;

StageFigures stage(const ReadTotals& one, const ReadTotals& two) {
  StageFigures out;
  std::size_t m = 0;
  for (const ReadTotals* mate : {&one, &two}) {
    out.reads += mate->reads;
    out.bases += mate->bases;
    out.q20 += mate->q20;
    out.q30 += mate->q30;
    out.gc += mate->gc;
    out.mean_length[m++] = mate->reads == 0 ? 0 : mate->bases / mate->reads;
  }
  return out;
}

Json summary_of(const StageFigures& stage, bool paired) {
  Json out = {{"total_reads", stage.reads},
              {"total_bases", stage.bases},
              {"q20_bases", stage.q20},
              {"q30_bases", stage.q30},
              {"q20_rate", stage.share(stage.q20)},
              {"q30_rate", stage.share(stage.q30)},
              {"read1_mean_length", stage.mean_length[0]}};
  if (paired) out["read2_mean_length"] = stage.mean_length[1];
  out["gc_content"] = stage.share(stage.gc);
  return out;
}

/// Beginnings seen more than once in a thousand of the sampled reads.
Json frequent_starts(const MateTally& mate) {
  std::vector<std::pair<std::string, std::uint64_t>> often;
  for (const auto& [bases, count] : mate.starts) {
    if (count >= kStartFewest && count * 1000 > mate.starts_sampled)
      often.emplace_back(bases, count);
  }
  std::ranges::sort(often);
  Json out = Json::object();
  for (const auto& [bases, count] : often) out[bases] = count;
  return out;
}

Json mate_members(const ReadTotals& totals, const CycleTable& cycles) {
  Json quality, content;
  // The order of fastp's members, not of our letters.
  static constexpr std::pair<const char*, std::size_t> kOrder[] = {
      {"A", 0}, {"T", 3}, {"C", 1}, {"G", 2}};
  for (const auto& [letter, index] : kOrder) {
    quality[letter] = quality_curve(cycles, index, 1, kMostCurve);
    content[letter] = content_curve(cycles, 1U << index, 1, kMostCurve);
  }
  quality["mean"] = quality_curve(cycles, kLetters, 1, kMostCurve);
  content["N"] = content_curve(cycles, 1U << 4, 1, kMostCurve);
  content["GC"] = content_curve(cycles, 0b0110, 1, kMostCurve);
  return {{"total_reads", totals.reads},     {"total_bases", totals.bases},
          {"q20_bases", totals.q20},         {"q30_bases", totals.q30},
          {"total_cycles", cycles.cycles()}, {"quality_curves", quality},
          {"content_curves", content}};
}

Json adapter_counts(const CountTable& table) {
  constexpr double kWorthNaming = 0.01;
  std::uint64_t total = 0, others = 0;
  const auto all = table.sorted();
  for (const auto& [key, count] : all) total += count;
  std::vector<std::pair<std::string, std::uint64_t>> named;
  for (const auto& [key, count] : all) {
    if (ratio(count, total) >= kWorthNaming)
      named.emplace_back(prefix_of_key(key), count);
    else
      others += count;
  }
  std::ranges::sort(named);
  Json out = Json::object();
  for (const auto& [bases, count] : named) out[bases] = count;
  if (others > 0) out["others"] = others;
  return out;
}

Json adapter_members(const ReadsResult& result) {
  const auto shown = [&](std::size_t m) {
    return result.rules.adapter[m].empty() ? "unspecified" : result.rules.adapter[m];
  };
  Json out = {{"adapter_trimmed_reads", result.tally.adapter_reads},
              {"adapter_trimmed_bases", result.tally.adapter_bases},
              {"read1_adapter_sequence", shown(0)}};
  if (result.rules.paired) out["read2_adapter_sequence"] = shown(1);
  out["read1_adapter_counts"] = adapter_counts(result.tally.mates[0].adapters);
  if (result.rules.paired)
    out["read2_adapter_counts"] = adapter_counts(result.tally.mates[1].adapters);
  return out;
}

Json filtering_members(const Tally& tally, bool correct) {
  const auto reads = [&](Verdict verdict) {
    return tally.reads_by_verdict[static_cast<std::size_t>(verdict)];
  };
  Json out = {{"passed_filter_reads", reads(Verdict::Passed)},
              {"low_quality_reads", reads(Verdict::LowQuality)},
              {"too_many_N_reads", reads(Verdict::TooManyN)},
              {"low_complexity_reads", reads(Verdict::LowComplexity)},
              {"too_short_reads", reads(Verdict::TooShort)},
              {"too_long_reads", reads(Verdict::TooLong)}};
  if (correct) {
    out["corrected_reads"] = tally.corrected_reads;
    out["corrected_bases"] = tally.corrected_bases;
  }
  return out;
}

}  // namespace

std::vector<double> quality_curve(const CycleTable& cycles, std::size_t letter, std::uint32_t step,
                                  std::uint32_t most) {
  std::vector<double> curve;
  const std::uint32_t end = std::min(cycles.cycles(), most);
  for (std::uint32_t begin = 0; begin < end; begin += step) {
    std::uint64_t sum = 0, count = 0, sum_all = 0, count_all = 0;
    for (std::uint32_t c = begin; c < std::min(begin + step, end); ++c) {
      for (std::size_t l = 0; l < kLetters; ++l) {
        sum_all += cycles.quality_sum(l, c);
        count_all += cycles.count(l, c);
        if (l != letter) continue;
        sum += cycles.quality_sum(l, c);
        count += cycles.count(l, c);
      }
    }
    // A letter that never occurs here would leave a hole in its curve.
    curve.push_back(count == 0 ? ratio(sum_all, count_all) : ratio(sum, count));
  }
  return curve;
}

std::vector<double> content_curve(const CycleTable& cycles, unsigned letters, std::uint32_t step,
                                  std::uint32_t most) {
  std::vector<double> curve;
  const std::uint32_t end = std::min(cycles.cycles(), most);
  for (std::uint32_t begin = 0; begin < end; begin += step) {
    std::uint64_t part = 0, all = 0;
    for (std::uint32_t c = begin; c < std::min(begin + step, end); ++c) {
      for (std::size_t l = 0; l < kLetters; ++l) {
        all += cycles.count(l, c);
        if ((letters >> l & 1) != 0) part += cycles.count(l, c);
      }
    }
    curve.push_back(ratio(part, all));
  }
  return curve;
}

ReadsFigures figures_of(const ReadsResult& result) {
  const auto& mates = result.tally.mates;
  ReadsFigures out;
  out.before = stage(mates[0].before, mates[1].before);
  out.after = stage(mates[0].after, mates[1].after);
  for (std::size_t m = 0; m < 2; ++m) {
    out.cycles_after[m] = mates[m].cycles_before;
    out.cycles_after[m].add(mates[m].added);
    out.cycles_after[m].subtract(mates[m].removed);
  }
  out.duplication = result.tally.duplicates.result();
  const auto& inserts = result.tally.inserts;
  const auto most = std::max_element(inserts.begin(), inserts.end() - 1);
  if (*most > 0) out.insert_peak = static_cast<std::uint32_t>(most - inserts.begin());
  return out;
}

Json fastp_members(const ReadsResult& result, const ReadsFigures& figures) {
  const bool paired = result.rules.paired;
  const Tally& tally = result.tally;
  Json out;
  out["summary"] = {{"sequencing", paired ? "paired end" : "single end"},
                    {"before_filtering", summary_of(figures.before, paired)},
                    {"after_filtering", summary_of(figures.after, paired)}};
  out["filtering_result"] = filtering_members(tally, result.rules.correct);
  out["duplication"] = {{"rate", figures.duplication.rate}};
  if (paired) {
    const std::vector<std::uint64_t> histogram(tally.inserts.begin(), tally.inserts.end() - 1);
    out["insert_size"] = {
        {"peak", figures.insert_peak}, {"unknown", tally.inserts.back()}, {"histogram", histogram}};
  }
  if (result.rules.trim_adapters) out["adapter_cutting"] = adapter_members(result);
  for (std::size_t m = 0; m < (paired ? 2U : 1U); ++m) {
    const std::string mate = m == 0 ? "read1" : "read2";
    out[mate + "_before_filtering"] =
        mate_members(tally.mates[m].before, tally.mates[m].cycles_before);
    out[mate + "_before_filtering"]["overrepresented_sequences"] = frequent_starts(tally.mates[m]);
    out[mate + "_after_filtering"] = mate_members(tally.mates[m].after, figures.cycles_after[m]);
  }
  return out;
}

}  // namespace aceso::genomics
