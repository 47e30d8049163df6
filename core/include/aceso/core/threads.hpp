/// \file
/// How many threads work may use.
#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>

namespace aceso {

/// Returns the number of CPUs this process may use: its affinity mask, cut by a cgroup
/// (v1 or v2) quota. At least 1.
[[nodiscard]] unsigned available_cpus() noexcept;

/// Returns `requested`, or available_cpus() when it is 0; at least 1, at most 1024.
[[nodiscard]] unsigned thread_budget(unsigned requested) noexcept;

/// Runs `body(begin, end)` over [0, size) in blocks of at most `grain`, on at most `threads`
/// threads, the caller's among them. Blocks are the same for any number of threads; each is
/// handed out once, in rising order. The first error by block order is raised again.
/// \throws Error Cancelled if `stop` was requested before all blocks were done.
void parallel_for(std::size_t size, std::size_t grain, unsigned threads,
                  const std::function<void(std::size_t begin, std::size_t end)>& body,
                  const std::stop_token& stop = {});

}  // namespace aceso
