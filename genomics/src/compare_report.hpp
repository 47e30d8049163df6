// What a comparison tells: figures for people and programs.
#pragma once

#include "compare_pipeline.hpp"

namespace aceso::genomics {

void report_compare(const CompareResult& result, app::RunContext& context);

/// The curves as a table, at most 10,000 points of each.
[[nodiscard]] std::string roc_table(const CompareCounts& counts);

}  // namespace aceso::genomics
