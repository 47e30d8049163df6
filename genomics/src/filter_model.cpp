#include "filter_model.hpp"

#include "call_figures.hpp"
#include "model_assets.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace aceso::genomics {
namespace {

constexpr std::string_view kFormat = "aceso variant filter";
constexpr int kVersion = 1;
constexpr std::uint64_t kMostBytes = 256 << 20;

std::shared_ptr<const FilterModel> from_text(std::string_view text, const std::string& where) {
  const Json json = parse_json(text, where);
  const auto refuse = [&](std::string_view what) {
    fail(Errc::CorruptData, "{}: {}", where, what);
  };
  try {
    if (!json.is_object() || json.value("format", "") != kFormat)
      refuse("expected a filter made by genomics train-filter");
    if (json.value("version", 0) != kVersion)
      refuse(fmt::format("version {} of the format; this program reads {}",
                         json.value("version", 0), kVersion));
    if (json.at("features").get<std::vector<std::string>>() != feature_names())
      refuse("it was trained on other figures than this program writes; train it again");
    const ScoreLimits limits{json.at("limits").at("snp").get<double>(),
                             json.at("limits").at("indel").get<double>()};
    return std::make_shared<const FilterModel>(
        BoostedTrees::from_json(json, feature_names().size(), where), limits,
        json.value("origin", Json::object()));
  } catch (const Json::exception& error) {
    fail(Errc::CorruptData, "{}: {}", where, error.what());
  }
}

}  // namespace

FilterModel::FilterModel(BoostedTrees trees, ScoreLimits limits, Json origin)
    : trees_(std::move(trees)),
      limits_(limits),
      origin_(std::make_unique<Json>(std::move(origin))) {}
FilterModel::~FilterModel() = default;

std::shared_ptr<const FilterModel> FilterModel::built_in() {
  static const std::shared_ptr<const FilterModel> model = [] {
    for (const assets::Asset& asset : assets::genomics_models()) {
      if (asset.path == "germline-filter.json")
        return from_text(asset.bytes, "the built-in filter");
    }
    fail(Errc::Internal, "the built-in filter is missing");
  }();
  return model;
}

std::shared_ptr<const FilterModel> FilterModel::open(const std::filesystem::path& path) {
  return from_text(read_file(path, kMostBytes), path.string());
}

void FilterModel::save(const std::filesystem::path& path) const {
  Json json{{"format", kFormat},
            {"version", kVersion},
            {"origin", *origin_},
            {"features", feature_names()},
            {"limits", {{"snp", limits_.snp}, {"indel", limits_.indel}}}};
  json.update(trees_.to_json());
  write_file(path, json.dump() + "\n");
}

double score_of_log_odds(double log_odds) {
  // -10 log10 of 1 / (1 + e^x), without overflow.
  const double phred =
      10 / std::log(10.0) *
      (log_odds > 0 ? log_odds + std::log1p(std::exp(-log_odds)) : std::log1p(std::exp(log_odds)));
  return std::clamp(phred, 0.0, 99.0);
}

std::string ScoreLimits::filter_line() const {
  return fmt::format(
      "##FILTER=<ID=LowScore,Description=\"SCORE is below {:g}, or {:g} for an indel\">\n", snp,
      indel);
}

}  // namespace aceso::genomics
