/// \file
/// Facts about this process and machine, and settings that only an executable may make.
#pragma once

#include <string>

namespace aceso {

/// User plus system time of this process so far, all threads.
[[nodiscard]] double cpu_seconds() noexcept;

/// Largest resident set of this process so far, in MB (10^6 bytes).
[[nodiscard]] double peak_rss_mb() noexcept;

/// The model name of the CPU as the system tells it, e.g. for provenance.
[[nodiscard]] std::string cpu_model();

/// The instruction sets this CPU offers among those that our kernels choose by,
/// e.g. "sse4.2 avx2 avx512 amx".
[[nodiscard]] std::string cpu_features();

/// The version of this build, e.g. "0.1.0".
[[nodiscard]] const char* version() noexcept;

/// For main() only, before any thread starts: lets malloc keep large blocks instead of giving
/// them back to the system at each free, and names the right OpenBLAS kernels for CPUs that
/// OpenBLAS 0.3.21 does not know (see OpenBLAS issue 4267), unless the user has chosen.
void tune_process();

/// The OpenBLAS core type for this CPU ("SKYLAKEX", "HASWELL"), or "" to leave the choice to it.
[[nodiscard]] const char* openblas_core_type() noexcept;

}  // namespace aceso
