// What a set of calls looks like: qualities, depths, lengths of indels, kinds of substitutions.
#pragma once

#include "histogram.hpp"
#include "variant_call.hpp"

#include "aceso/app/report.hpp"
#include "aceso/core/json.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace aceso::genomics {

/// Sums over calls; of those that passed but for the qualities, which are of all.
class CallPlots {
 public:
  void add(const VariantCall& call, bool passed);
  void merge(const CallPlots& other);
  /// For a file that another process reads.
  [[nodiscard]] Json to_json() const;
  /// \throws Error CorruptData naming `path` unless to_json() wrote it.
  [[nodiscard]] static CallPlots from_json(const Json& json, const std::string& path);
  /// Adds plots to the section begun last; none without calls.
  void report(app::Report& report) const;

 private:
  static constexpr int kLongestIndel = 50;  ///< longer ones count as this long

  Histogram qualities_, depths_, shares_;
  std::array<std::uint64_t, 2 * kLongestIndel + 1>
      indels_{};                                   ///< by bases more, from the longest loss
  std::array<std::uint64_t, 16> substitutions_{};  ///< by reference and alternative
};

}  // namespace aceso::genomics
