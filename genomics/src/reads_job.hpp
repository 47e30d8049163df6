// The inputs, outputs and options of `genomics reads`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace aceso::genomics {

struct ReadsJob {
  std::vector<std::filesystem::path> reads, reads2;
  std::optional<std::filesystem::path> adapter_fasta;
  std::optional<std::filesystem::path> output, output2, unpaired, failed;

  bool interleaved = false;
  int compression_level = 1;

  bool keep_adapters = false;
  std::optional<std::string> adapter, adapter2;
  bool guess_pair_adapters = false;
  int overlap_min_length = 30;
  int overlap_max_mismatches = 5;
  int overlap_max_mismatch_percent = 20;
  bool correct_overlap = false;

  int trim_front = 0, trim_tail = 0, crop_length = 0;
  std::optional<int> trim_front2, trim_tail2, crop_length2;

  std::string poly_g = "auto";
  int poly_g_min_length = 10;
  bool trim_poly_x = false;
  int poly_x_min_length = 10;

  bool cut_front = false, cut_tail = false, cut_right = false;
  int cut_window = 4;
  int cut_mean_quality = 20;
  std::optional<int> cut_front_window, cut_front_mean_quality;
  std::optional<int> cut_tail_window, cut_tail_mean_quality;
  std::optional<int> cut_right_window, cut_right_mean_quality;

  bool keep_low_quality = false;
  int qualified_quality = 15;
  int max_unqualified_percent = 40;
  int max_n_bases = 5;
  int min_mean_quality = 0;
  bool keep_any_length = false;
  int min_length = 15;
  int max_length = 0;
  bool drop_low_complexity = false;
  int min_complexity_percent = 30;

  std::string umi_location = "none";
  int umi_length = 0;
  int umi_skip = 0;
  std::optional<std::string> umi_prefix;
};

}  // namespace aceso::genomics
