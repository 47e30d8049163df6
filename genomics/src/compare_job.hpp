// The inputs, outputs and options of `genomics compare`.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace aceso::genomics {

struct CompareJob {
  std::filesystem::path truth, calls, reference;
  std::optional<std::filesystem::path> regions;
  std::optional<std::filesystem::path> annotated, errors, roc;

  double min_quality = 0;
  bool use_filtered = false;
  std::optional<std::string> sample, truth_sample;
  std::string score_field = "QUAL";
};

}  // namespace aceso::genomics
