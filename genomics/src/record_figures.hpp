// What aligned reads look like on their way to the file: fragments, mapping qualities, and how
// deep each stretch of the genome is read.
#pragma once

#include "histogram.hpp"
#include "sorted_reads.hpp"

#include "aceso/app/report.hpp"
#include "aceso/genomics/reference.hpp"

#include <cstdint>
#include <vector>

namespace aceso::genomics {

class RecordFigures {
 public:
  void add(const SortedBucket& bucket);
  /// Adds plots to the section begun last; none without mapped reads.
  void report(const Reference& reference, app::Report& report) const;

 private:
  static constexpr std::int32_t kLongestFragment = 2000;

  Histogram fragments_, mapping_qualities_;
  std::vector<std::uint64_t> bases_;  ///< of mapped reads that are no duplicates, by bucket
};

}  // namespace aceso::genomics
