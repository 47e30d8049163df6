// A learnt filter: the chance that a call is wrong, from the figures in its line.
#pragma once

#include "boosted_trees.hpp"

#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace aceso::genomics {

/// The least SCORE that passes.
struct ScoreLimits {
  double snp = 0, indel = 0;
};

class FilterModel {
 public:
  /// `origin` tells what it was trained on.
  FilterModel(BoostedTrees trees, ScoreLimits limits, Json origin);

  /// The one that comes with the program, trained on simulated samples.
  [[nodiscard]] static std::shared_ptr<const FilterModel> built_in();
  /// \throws Error NotFound, Io; CorruptData if it is none, or was made for other figures.
  [[nodiscard]] static std::shared_ptr<const FilterModel> open(const std::filesystem::path& path);
  void save(const std::filesystem::path& path) const;

  /// Phred of the chance that a call with these features (see feature_names()) is wrong, 0 to 99.
  [[nodiscard]] double score(std::span<const float> features) const;
  [[nodiscard]] bool passes(double score, bool indel) const {
    return score >= (indel ? limits_.indel : limits_.snp);
  }
  [[nodiscard]] const ScoreLimits& limits() const noexcept { return limits_; }
  /// The header line of the filter LowScore.
  [[nodiscard]] std::string filter_line() const;

 private:
  BoostedTrees trees_;
  ScoreLimits limits_;
  std::unique_ptr<Json> origin_;

 public:
  ~FilterModel();
};

/// The score that log odds of being right make.
[[nodiscard]] double score_of_log_odds(double log_odds);

}  // namespace aceso::genomics
