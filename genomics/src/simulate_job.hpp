// The inputs, outputs and options of `genomics simulate`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace aceso::genomics {

struct SimulateJob {
  std::filesystem::path reference;
  std::optional<std::filesystem::path> variants;
  std::optional<std::filesystem::path> reads, reads2, truth;

  double snp_rate = 0.001, indel_rate = 0.0002;
  double heterozygous = 0.6;
  double share = 0.35;
  std::optional<std::string> sample;

  std::uint32_t length = 150;
  double coverage = 30;
  double insert_mean = 400, insert_sd = 80;
  double quality = 36;
  double indel_error_rate = 1e-5;
  double artifact_rate = 0, stutter_rate = 0;
  double duplicate_rate = 0;
  std::uint64_t seed = 1;
  int compression_level = 1;
};

}  // namespace aceso::genomics
