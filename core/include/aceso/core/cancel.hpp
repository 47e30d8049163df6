/// \file
/// Asking long work to stop, and noticing that one was asked.
#pragma once

#include <stop_token>

namespace aceso {

/// Raises Error Cancelled if a stop was requested. Cheap: one atomic load.
void throw_if_stopped(const std::stop_token& stop);

}  // namespace aceso
