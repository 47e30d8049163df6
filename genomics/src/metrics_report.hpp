// What `genomics metrics` tells: figures, tables and plots.
#pragma once

#include "metric_tables.hpp"

#include "aceso/app/app.hpp"

namespace aceso::genomics {

void report_metrics(const MetricsResult& result, const std::vector<MetricTable>& tables,
                    app::RunContext& context);

}  // namespace aceso::genomics
