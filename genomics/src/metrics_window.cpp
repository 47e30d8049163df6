#include "metrics_window.hpp"

#include <fmt/format.h>
#include <htslib/sam.h>

#include <algorithm>

namespace aceso::genomics {
namespace {

std::uint32_t end_of(const bam1_t& record) {
  return static_cast<std::uint32_t>(bam_endpos(&record));
}

}  // namespace

bool may_cover(const bam1_t& record) noexcept {
  return (record.core.flag & (BAM_FUNMAP | BAM_FSECONDARY | BAM_FQCFAIL)) == 0 &&
         record.core.l_qseq > 0;
}

struct MakeWindows::State {
  AlignmentPointer pending;  ///< the next record
  bool ended = false;
  std::vector<AlignmentPointer> carried;
  std::int32_t tid = -1;    ///< of `carried`
  std::uint32_t begin = 0;  ///< of the window that `carried` reaches into
};

void MakeWindows::advance() {
  state->pending = file->next();
  state->ended = state->pending == nullptr;
}

void MakeWindows::send(MetricsWindow window) {
  progress->advance(window.own.size());
  out.send(std::make_shared<const MetricsWindow>(std::move(window)));
}

graph::Flow MakeWindows::compute(const graph::Tick&) {
  if (!state) {
    state = std::make_shared<State>();
    advance();
  }
  State& s = *state;
  if (s.carried.empty()) {
    if (s.ended) return graph::Flow::Done;
    if (s.pending->core.tid < 0) {
      unplaced();
      return graph::Flow::Continue;
    }
    s.tid = s.pending->core.tid;
    s.begin = static_cast<std::uint32_t>(std::max<hts_pos_t>(s.pending->core.pos, 0));
  }
  MetricsWindow window;
  window.contig = static_cast<std::int32_t>(file->contigs()[static_cast<std::size_t>(s.tid)]);
  window.begin = s.begin;
  window.before = std::move(s.carried);
  s.carried.clear();
  MetricsWindow rest{
      .contig = window.contig, .begin = s.begin, .end = s.begin, .before = {}, .own = {}};
  collect(window, rest.own);
  carry(window);
  send(std::move(window));
  if (!rest.own.empty()) send(std::move(rest));
  return graph::Flow::Continue;
}

/// Takes the records that begin in the window; says where it ends.
void MakeWindows::collect(MetricsWindow& window, std::vector<AlignmentPointer>& surplus) {
  State& s = *state;
  hts_pos_t last = -1;
  const auto belongs = [&] {
    return !s.ended && s.pending->core.tid == s.tid && s.pending->core.pos < window.begin + kSpan &&
           (window.own.size() < kMostRecords || s.pending->core.pos == last);
  };
  while (belongs()) {
    last = s.pending->core.pos;
    if (window.own.size() < kMostDeep) {
      window.own.push_back(std::move(s.pending));
    } else {
      if (surplus.empty())
        warnings->add(
            "metrics.depth",
            fmt::format("more than {} reads at one place; the rest give no depth", kMostDeep));
      surplus.push_back(std::move(s.pending));
      if (surplus.size() >= kMostRecords) {
        send({.contig = window.contig,
              .begin = 0,
              .end = 0,
              .before = {},
              .own = std::move(surplus)});
        surplus.clear();
      }
    }
    advance();
  }
  std::uint32_t reach = window.begin;
  for (const auto* records : {&window.before, &window.own}) {
    for (const AlignmentPointer& record : *records) reach = std::max(reach, end_of(*record));
  }
  const bool more_here = !s.ended && s.pending->core.tid == s.tid;
  const std::uint32_t span = window.begin + kSpan;
  const std::uint32_t next =
      more_here ? std::min<std::uint32_t>(static_cast<std::uint32_t>(s.pending->core.pos), span)
                : span;
  window.end = std::min(reach, next);
}

/// Keeps copies of what reaches beyond the window.
void MakeWindows::carry(MetricsWindow& window) {
  State& s = *state;
  s.begin = window.end;
  for (const auto* records : {&window.before, &window.own}) {
    for (const AlignmentPointer& record : *records) {
      if (!may_cover(*record) || end_of(*record) <= window.end) continue;
      if (s.carried.size() >= kMostDeep) {
        warnings->add("metrics.depth",
                      fmt::format("more than {} reads over one place; the rest give "
                                  "no depth",
                                  kMostDeep));
        return;
      }
      s.carried.emplace_back(bam_dup1(record.get()));
    }
  }
}

void MakeWindows::unplaced() {
  MetricsWindow window;
  while (!state->ended && window.own.size() < kMostRecords) {
    window.own.push_back(std::move(state->pending));
    advance();
  }
  send(std::move(window));
}

}  // namespace aceso::genomics
