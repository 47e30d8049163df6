// The inputs, outputs and results of `genomics metrics`.
#pragma once

#include "coverage.hpp"
#include "read_metrics.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace aceso::genomics {

struct MetricsJob {
  std::filesystem::path alignments, reference;
  std::optional<std::filesystem::path> regions;
  std::optional<std::filesystem::path> folder, metrics;
};

/// All sums of a file.
struct MetricsResult {
  std::string input;              ///< the file's name
  std::string library;            ///< of its reads; "All Libraries" if there are several
  std::uint64_t territory = 0;    ///< bases of the contigs that are not N
  std::uint64_t genome_size = 0;  ///< all bases of the contigs
  std::array<std::uint64_t, kGcBins> gc_windows{};
  ReadMetrics reads;
  CoverageSums coverage;
  bool has_targets = false;
  std::string target_name;  ///< of the file of targets
  std::uint64_t target_territory = 0, target_count = 0, covered_targets = 0, uncovered_bases = 0;
  TargetSums targets;
};

}  // namespace aceso::genomics
