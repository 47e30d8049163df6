// The inputs, outputs and options of `genomics annotate`.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace aceso::genomics {

struct AnnotateJob {
  std::filesystem::path variants;
  std::optional<std::filesystem::path> reference, genes;
  std::vector<std::filesystem::path> tracks;
  std::optional<std::filesystem::path> output;

  std::string columns, phase = "s";
  bool local = false, hgvs = false;
};

}  // namespace aceso::genomics
