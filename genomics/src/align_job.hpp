// The inputs, outputs and options of `genomics align`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace aceso::genomics {

struct AlignJob {
  std::vector<std::filesystem::path> reads, reads2;
  std::filesystem::path reference;
  std::optional<std::filesystem::path> alignments;

  bool interleaved = false;
  std::string sample = "sample";
  std::optional<std::string> read_group;  ///< a whole @RG line, with \t written or as tabs
  bool keep_duplicates_unmarked = false;
  int secondary = 0;
  int optical_distance = 100;
  bool tag_duplicates = false;
  bool recalibrate = false, original_qualities = false;
  std::uint64_t memory = 4ULL << 30;
  int compression_level = 5;
};

}  // namespace aceso::genomics
