// From a file of aligned reads to sums.
#pragma once

#include "metrics_job.hpp"

#include "aceso/app/app.hpp"

namespace aceso::genomics {

/// \throws Error as SortedAlignments, read_reference and read_bed do; Cancelled.
[[nodiscard]] MetricsResult run_metrics(const MetricsJob& job, app::RunContext& context);

}  // namespace aceso::genomics
