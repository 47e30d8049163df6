/// \file
/// Recoverable defects in data: counted per kind, a few kept as examples.
#pragma once

#include "aceso/core/error.hpp"

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace aceso {

/// All that was warned of under one kind.
struct WarningCount {
  std::string kind;                   ///< stable, e.g. "fastq.lower_case"
  std::uint64_t count = 0;            ///< how often it happened
  std::vector<std::string> examples;  ///< the first messages, at most Warnings::kExamples
};

/// Where a reader reports defects that it can live with. Passed by the caller; thread-safe.
///
/// In strict mode the first warning is raised as Error CorruptData instead.
class Warnings {
 public:
  static constexpr std::size_t kExamples = 5;

  explicit Warnings(bool strict = false) : strict_(strict) {}

  /// Counts one defect of `kind`. \throws Error CorruptData with `message` in strict mode.
  void add(std::string_view kind, std::string_view message);

  /// Returns what was counted so far, sorted by kind.
  [[nodiscard]] std::vector<WarningCount> counts() const;

 private:
  bool strict_;
  mutable std::mutex mutex_;
  std::vector<WarningCount> counts_;
};

}  // namespace aceso
