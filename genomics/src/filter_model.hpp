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

  [[nodiscard]] bool pass(double score, bool is_indel) const {
    return score >= (is_indel ? indel : snp);
  }
  /// The header line of the filter LowScore.
  [[nodiscard]] std::string filter_line() const;
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

  /// Natural logarithm of the odds that a call with these features (see feature_names()) is right.
  [[nodiscard]] double log_odds(std::span<const float> features) const {
    return trees_.log_odds(features);
  }
  [[nodiscard]] const ScoreLimits& limits() const noexcept { return limits_; }

 private:
  BoostedTrees trees_;
  ScoreLimits limits_;
  std::unique_ptr<Json> origin_;

 public:
  ~FilterModel();
};

/// The score that log odds of being right make: phred of the chance to be wrong, 0 to 99.
[[nodiscard]] double score_of_log_odds(double log_odds);

}  // namespace aceso::genomics
