#include "call_plots.hpp"

#include "histogram_json.hpp"

#include "aceso/core/error.hpp"
#include "aceso/genomics/reference.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace aceso::genomics {
namespace {

using app::Plot;

constexpr std::uint64_t kQualityStep = 10, kShareStep = 5;

/// Bars or a line of a histogram's counts, `step` values a point, up to `last`.
Plot plot_of(const Histogram& histogram, std::uint64_t step, std::uint64_t last, Plot plot) {
  plot.series = {{"calls", std::vector<double>(last / step + 1)}};
  for (std::uint64_t value = 0; value <= last; value += step)
    plot.x.push_back(static_cast<double>(value));
  for (const auto& [value, count] : histogram.bins())
    plot.series[0].values[std::min(value, last) / step] += static_cast<double>(count);
  return plot;
}

}  // namespace

void CallPlots::add(const VariantCall& call, bool passed) {
  qualities_.add(static_cast<std::uint64_t>(std::clamp(call.quality, 0.0, 1e6)));
  if (!passed) return;
  depths_.add(call.depth);
  const std::string& other = call.alternatives.front();
  if (call.depths.size() > 1 && call.heterozygous() && call.depth > 0)
    shares_.add(std::uint64_t{100} * call.depths[1] / std::max(call.depth, call.depths[1]));
  if (call.reference.size() != other.size()) {
    const auto more =
        static_cast<std::int64_t>(other.size()) - static_cast<std::int64_t>(call.reference.size());
    ++indels_[static_cast<std::size_t>(
        std::clamp<std::int64_t>(more, -kLongestIndel, kLongestIndel) + kLongestIndel)];
    return;
  }
  const std::uint8_t from = code_of_base(call.reference[0]), to = code_of_base(other[0]);
  if (from < kCodeN && to < kCodeN) ++substitutions_[from * 4U + to];
}

void CallPlots::merge(const CallPlots& other) {
  qualities_.merge(other.qualities_);
  depths_.merge(other.depths_);
  shares_.merge(other.shares_);
  for (std::size_t i = 0; i < indels_.size(); ++i) indels_[i] += other.indels_[i];
  for (std::size_t i = 0; i < substitutions_.size(); ++i)
    substitutions_[i] += other.substitutions_[i];
}

Json CallPlots::to_json() const {
  return {{"qualities", bins_json(qualities_)},
          {"depths", bins_json(depths_)},
          {"shares", bins_json(shares_)},
          {"indels", indels_},
          {"substitutions", substitutions_}};
}

CallPlots CallPlots::from_json(const Json& json, const std::string& path) {
  try {
    CallPlots out;
    out.qualities_ = histogram_of(json.at("qualities"));
    out.depths_ = histogram_of(json.at("depths"));
    out.shares_ = histogram_of(json.at("shares"));
    json.at("indels").get_to(out.indels_);
    json.at("substitutions").get_to(out.substitutions_);
    return out;
  } catch (const Json::exception&) {
    fail(Errc::CorruptData, "{}: expected figures of calls; remove it to call this piece again",
         path);
  }
}

void CallPlots::report(app::Report& report) const {
  if (qualities_.count() == 0) return;
  report.plot(plot_of(qualities_, kQualityStep, 1000,
                      {.title = "Calls by quality",
                       .type = Plot::Type::Bar,
                       .x_label = "quality (phred)",
                       .y_label = "calls",
                       .x = {},
                       .series = {},
                       .log_y = true,
                       .note = "Those above 1,000 are in the last bar."}));
  const std::uint64_t deepest = std::max<std::uint64_t>(depths_.percentile(0.995) * 3 / 2, 20);
  report.plot(
      plot_of(depths_, deepest / 200 + 1, deepest,
              {.title = "Calls by depth",
               .type = Plot::Type::Area,
               .x_label = "reads",
               .y_label = "calls that passed",
               .x = {},
               .series = {},
               .note = "A hill at twice the usual depth points to copies that the reference "
                       "has only once."}));
  if (shares_.count() > 0)
    report.plot(plot_of(shares_, kShareStep, 100,
                        {.title = "Heterozygous calls by share of reads",
                         .type = Plot::Type::Bar,
                         .x_label = "reads with the alternative (%)",
                         .y_label = "calls that passed",
                         .x = {},
                         .series = {},
                         .note = "A hill around 50 % is good; one near 20 % points to errors or a "
                                 "second sample."}));
  Plot lengths{.title = "Insertions and deletions by length",
               .type = Plot::Type::Bar,
               .x_label = "bases more (insertions) or less (deletions)",
               .y_label = "calls that passed",
               .x = {},
               .series = {{"calls", {}}},
               .log_y = true,
               .note = "Few at lengths that are no multiple of three is usual within genes."};
  for (std::size_t i = 0; i < indels_.size(); ++i) {
    lengths.x.push_back(static_cast<double>(i) - kLongestIndel);
    lengths.series[0].values.push_back(static_cast<double>(indels_[i]));
  }
  report.plot(std::move(lengths));
  Plot bases{.title = "Single-base variants by substitution",
             .type = Plot::Type::Bar,
             .x_label = "substitution",
             .y_label = "calls that passed",
             .x = {},
             .x_names = {},
             .series = {{"calls", {}}},
             .note =
                 "A and G, and C and T, for each other (transitions) are about twice as common as "
                 "all others together in a human genome."};
  for (std::size_t i = 0; i < substitutions_.size(); ++i) {
    if (i % 5 == 0) continue;  // a base for itself
    bases.x.push_back(static_cast<double>(bases.x.size()));
    bases.x_names.push_back({base_of_code(static_cast<std::uint8_t>(i / 4)), '>',
                             base_of_code(static_cast<std::uint8_t>(i % 4))});
    bases.series[0].values.push_back(static_cast<double>(substitutions_[i]));
  }
  report.plot(std::move(bases));
}

}  // namespace aceso::genomics
