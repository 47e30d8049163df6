// The inputs, outputs and options of `genomics germline`.
#pragma once

#include "align_job.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace aceso::genomics {

struct GermlineJob : AlignJob {
  std::optional<std::filesystem::path> aligned, regions;
  std::optional<std::filesystem::path> variants, gvcf, pileups;
  int least_mapping_quality = 20;
  int ploidy = 2;
  std::optional<std::filesystem::path> ploidy_file;
  std::string sex = "unknown";
  std::string haploid_contigs = "chrM,chrMT,MT,M";
  double least_quality = 3;
  double pass_quality = 20;
  bool hard_filter = false;
  std::string repeat_errors = "learn";
  std::string net = "off";
  std::optional<std::filesystem::path> filter_model, filter_net;

  bool resume = false;
  std::optional<std::filesystem::path> work;
  std::string shard = "1/1";
  std::string step = "all";
};

}  // namespace aceso::genomics
