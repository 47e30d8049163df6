// `genomics simulate`: reads of a sample whose variants are known.
#pragma once

#include "simulate_job.hpp"

#include "aceso/app/app.hpp"

namespace aceso::genomics {

[[nodiscard]] app::App simulate_app();

/// Writes what `job` asks for.
/// \throws Error as read_reference and read_variants do; OutOfResources, Io.
void run_simulate(const SimulateJob& job, app::RunContext& context);

}  // namespace aceso::genomics
