// What the alignment of a sample tells: figures for people and programs.
#pragma once

#include "sorted_reads.hpp"

namespace aceso::genomics {

void report_alignment(const AlignFigures& figures, app::RunContext& context);

}  // namespace aceso::genomics
