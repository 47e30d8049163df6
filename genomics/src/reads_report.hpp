// What `genomics reads` tells: figures, plots, metrics, and the members that readers of fastp's
// JSON know.
#pragma once

#include "reads_pipeline.hpp"

namespace aceso::genomics {

void report_reads(const ReadsResult& result, app::RunContext& context);

}  // namespace aceso::genomics
