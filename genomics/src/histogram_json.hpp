// Histograms in files that go from one process to another.
#pragma once

#include "histogram.hpp"

#include "aceso/core/json.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <utility>

namespace aceso::genomics {

/// [[value, count], ...], rising.
[[nodiscard]] inline Json bins_json(const Histogram& histogram) { return histogram.bins(); }

/// \throws Json::exception unless bins_json() wrote it.
[[nodiscard]] inline Histogram histogram_of(const Json& json) {
  Histogram out;
  for (const Json& bin : json)
    out.add(bin.at(0).get<std::uint64_t>(), bin.at(1).get<std::uint64_t>());
  return out;
}

}  // namespace aceso::genomics
