// What `genomics germline` does: in one pass, or in steps that are kept.
#pragma once

#include "germline_job.hpp"

#include "aceso/app/app.hpp"

namespace aceso::genomics {

void run_germline(const GermlineJob& job, app::RunContext& context);

}  // namespace aceso::genomics
