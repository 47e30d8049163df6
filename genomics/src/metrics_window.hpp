// A stretch of a contig with all records that reach into it: the piece of work of `genomics
// metrics`.
#pragma once

#include "sorted_alignments.hpp"

#include "aceso/core/progress.hpp"
#include "aceso/core/warnings.hpp"
#include "aceso/graph/ports.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace aceso::genomics {

struct MetricsWindow {
  std::int32_t contig = -1;  ///< index in the reference; -1: reads without a place
  std::uint32_t begin = 0, end = 0;
  std::vector<AlignmentPointer> before;  ///< began in earlier windows, in their order
  std::vector<AlignmentPointer> own;     ///< begin here; each record is one window's own
};

/// Whether a record can give depth at all. (Secondary ones and those that failed the sequencer's
/// own checks are not looked at.)
[[nodiscard]] bool may_cover(const bam1_t& record) noexcept;

/// Cuts a sorted file into windows. Memory is bounded: where more than kMostDeep reads lie over a
/// place or begin there, the rest count as reads and give no depth.
struct MakeWindows {
  static constexpr std::uint32_t kSpan = 1 << 20;
  static constexpr std::size_t kMostRecords = 1 << 14, kMostDeep = 100'000;

  graph::Out<std::shared_ptr<const MetricsWindow>> out{"windows"};
  SortedAlignments* file = nullptr;
  Warnings* warnings = nullptr;
  Progress* progress = nullptr;

  auto ports() { return std::tie(out); }
  graph::Flow compute(const graph::Tick& tick);

  // The rest is the operator's own.
  struct State;

  void advance();
  void send(MetricsWindow window);
  void collect(MetricsWindow& window, std::vector<AlignmentPointer>& surplus);
  void carry(MetricsWindow& window);
  void unplaced();

  // (Behind a pointer: operators are copied when they have several copies; this one has one.)
  std::shared_ptr<State> state = {};
};

}  // namespace aceso::genomics
