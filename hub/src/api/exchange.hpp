/// \file
/// The way of a request: whom it is for, who sent it, whether it may, what answers.
#pragma once

#include "api/metrics.hpp"
#include "api/route.hpp"
#include "auth/auth.hpp"
#include "http/server.hpp"

#include "aceso/core/log.hpp"

#include <memory>

namespace aceso::hub {

/// What all exchanges share; outlives them.
struct ExchangeContext {
  const Router& router;
  Auth& auth;
  const HostCheck& hosts;
  Metrics& metrics;
  Log log;
};

/// Never throws; what goes wrong becomes an answer.
[[nodiscard]] std::unique_ptr<Exchange> make_exchange(const ExchangeContext& context,
                                                      Request request);

inline constexpr std::size_t kMaxJsonBytes = 4 * 1024 * 1024;

}  // namespace aceso::hub
