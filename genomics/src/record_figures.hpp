// What aligned reads look like on their way to the file: fragments, mapping qualities, and how
// deep each stretch of the genome is read.
#pragma once

#include "histogram.hpp"
#include "sorted_reads.hpp"

#include "aceso/app/report.hpp"
#include "aceso/core/json.hpp"
#include "aceso/genomics/reference.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace aceso::genomics {

class RecordFigures {
 public:
  void add(const SortedBucket& bucket);
  void merge(const RecordFigures& other);
  /// For a file that another process reads.
  [[nodiscard]] Json to_json() const;
  /// \throws Error CorruptData naming `path` unless to_json() wrote it.
  [[nodiscard]] static RecordFigures from_json(const Json& json, const std::string& path);
  /// Adds plots to the section begun last; none without mapped reads.
  void report(const Reference& reference, app::Report& report) const;

 private:
  static constexpr std::int32_t kLongestFragment = 2000;

  Histogram fragments_, mapping_qualities_;
  std::vector<std::uint64_t> bases_;  ///< of mapped reads that are no duplicates, by bucket
};

}  // namespace aceso::genomics
