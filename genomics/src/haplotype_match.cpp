#include "haplotype_match.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <unordered_map>

namespace aceso::genomics {
namespace {

enum Side : std::uint8_t { kTruth, kCalls };

/// One haplotype of both sets, compared base by base as far as both are known.
struct HaplotypePair {
  std::string pending;  ///< bases of the set that is ahead
  Side ahead = kTruth;
  std::uint32_t end[2] = {};  ///< bases of the reference used up by each set

  /// Appends bases to one set's haplotype; false if the other has different ones there.
  bool append(Side side, std::string_view bases) {
    if (pending.empty() || ahead == side) {
      pending += bases;
      ahead = side;
      return true;
    }
    const std::size_t shared = std::min(pending.size(), bases.size());
    if (bases.substr(0, shared) != std::string_view(pending).substr(0, shared)) return false;
    pending.erase(0, shared);
    if (shared < bases.size()) {
      pending = bases.substr(shared);
      ahead = side;
    }
    return true;
  }

  bool advance(std::string_view contig, std::uint32_t to) {
    if (pending.empty() && end[0] == end[1]) {
      end[0] = end[1] = std::max(end[0], to);
      return true;
    }
    for (const Side side : {kTruth, kCalls}) {
      if (end[side] >= to) continue;
      if (!append(side, contig.substr(end[side], to - end[side]))) return false;
      end[side] = to;
    }
    return true;
  }

  [[nodiscard]] bool together_at(std::uint32_t position) const {
    return pending.empty() && end[0] == position && end[1] == position;
  }
};

/// The choices made for all variants so far.
struct State {
  HaplotypePair pair[2];
  std::int64_t settled = 0;   ///< score of what lies before the last common point
  std::int32_t open[2] = {};  ///< variants kept since then, per set
  std::uint32_t node = 0;

  [[nodiscard]] std::int64_t open_score() const {
    // More variants first; among equals those who match one to one.
    return (static_cast<std::int64_t>(open[0] + open[1]) << 16) - std::abs(open[0] - open[1]);
  }
  [[nodiscard]] std::int64_t score() const { return settled + open_score(); }

  /// States of one key have the same future.
  [[nodiscard]] std::string key(std::uint32_t position) const {
    std::string halves[2];
    for (int p = 0; p < 2; ++p) {
      for (const Side side : {kTruth, kCalls})
        halves[p] += std::to_string(pair[p].end[side] - position) + ",";
      halves[p] += pair[p].pending.empty() ? '=' : static_cast<char>('t' + pair[p].ahead);
      halves[p] += pair[p].pending;
    }
    if (halves[1] < halves[0]) halves[0].swap(halves[1]);  // haplotypes have no names
    std::string out{open[0] > 0 ? '1' : '0', open[1] > 0 ? '1' : '0'};
    out += std::to_string(halves[0].size()) + ":";
    return out + halves[0] + halves[1];
  }
};

/// How a state came to be, for the way back.
struct Node {
  std::uint32_t parent = 0;
  bool kept = false;     ///< the variant of this step
  bool common = false;   ///< all haplotypes met behind it
  bool counted = false;  ///< and both sets had variants since the last such point
};

struct Step {
  Side side;
  std::uint32_t index;
};

class Matcher {
 public:
  Matcher(std::span<const std::uint8_t> contig, const Superlocus& locus, std::size_t max_states)
      : contig_(reinterpret_cast<const char*>(contig.data()), contig.size()),
        locus_(locus),
        max_states_(max_states) {
    order_steps();
  }

  /// False if the ways became too many.
  bool run(SuperlocusMatch& out) {
    nodes_.push_back({});
    State first;
    const std::uint32_t begin = piece(steps_[0]).begin;
    for (HaplotypePair& pair : first.pair) pair.end[0] = pair.end[1] = begin;
    std::vector<State> states{first};
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      std::vector<State> next;
      for (const State& state : states) branch(state, steps_[i], next);
      states = settle(next, i + 1 < steps_.size() ? piece(steps_[i + 1]).begin : end_of_locus());
      if (states.size() > max_states_) return false;
    }
    // Only ways whose haplotypes all meet at the end are left; their key is one, so there is one.
    const auto found = std::ranges::find_if(states, [&](const State& state) {
      return state.pair[0].together_at(end_of_locus()) && state.pair[1].together_at(end_of_locus());
    });
    trace(found->node, out);
    return true;
  }

 private:
  [[nodiscard]] const VariantPiece& piece(const Step& step) const {
    return (step.side == kTruth ? locus_.truth : locus_.calls)[step.index];
  }

  void order_steps() {
    for (std::uint32_t i = 0; i < locus_.truth.size(); ++i) steps_.push_back({kTruth, i});
    for (std::uint32_t i = 0; i < locus_.calls.size(); ++i) steps_.push_back({kCalls, i});
    std::ranges::stable_sort(steps_, [&](const Step& a, const Step& b) {
      const VariantPiece &one = piece(a), &two = piece(b);
      return one.begin != two.begin ? one.begin < two.begin : one.end < two.end;
    });
  }

  [[nodiscard]] std::uint32_t end_of_locus() const {
    std::uint32_t end = 0;
    for (const Step& step : steps_) end = std::max(end, piece(step).end);
    return end;
  }

  void branch(const State& state, const Step& step, std::vector<State>& next) {
    next.push_back(state);
    add_node(next.back(), false);
    const VariantPiece& change = piece(step);
    keep(state, step, false, next);
    if (!change.homozygous()) keep(state, step, true, next);
  }

  void keep(const State& state, const Step& step, bool swapped, std::vector<State>& next) {
    const VariantPiece& change = piece(step);
    State kept = state;
    for (std::size_t h = 0; h < 2; ++h) {
      if (!change.alters[h]) continue;
      HaplotypePair& pair = kept.pair[swapped ? 1 - h : h];
      std::uint32_t& end = pair.end[step.side];
      // Two changes of the same bases cannot both be on one haplotype.
      if (end > change.begin || !pair.append(step.side, contig_.substr(end, change.begin - end)) ||
          !pair.append(step.side, change.alleles[h]))
        return;
      end = change.end;
    }
    ++kept.open[step.side];
    add_node(kept, true);
    next.push_back(std::move(kept));
  }

  void add_node(State& state, bool kept) {
    nodes_.push_back({.parent = state.node, .kept = kept});
    state.node = static_cast<std::uint32_t>(nodes_.size() - 1);
  }

  /// Moves all states on to `position`, drops those whose haplotypes differ, and keeps the best of
  /// those with the same future.
  std::vector<State> settle(std::vector<State>& states, std::uint32_t position) {
    std::vector<State> out;
    std::unordered_map<std::string, std::size_t> known;
    for (State& state : states) {
      if (!state.pair[0].advance(contig_, position) || !state.pair[1].advance(contig_, position))
        continue;
      if (state.pair[0].together_at(position) && state.pair[1].together_at(position)) meet(state);
      const auto [place, fresh] = known.emplace(state.key(position), out.size());
      if (fresh)
        out.push_back(std::move(state));
      else if (state.score() > out[place->second].score())
        out[place->second] = std::move(state);
    }
    return out;
  }

  /// Variants of one set that cancel each other out match nothing.
  void meet(State& state) {
    Node& node = nodes_[state.node];
    node.common = true;
    node.counted = state.open[0] > 0 && state.open[1] > 0;
    if (node.counted) state.settled += state.open_score();
    state.open[0] = state.open[1] = 0;
  }

  void trace(std::uint32_t node, SuperlocusMatch& out) const {
    std::uint32_t stretch = 0;
    bool counted = false;
    for (std::size_t i = steps_.size(); i-- > 0; node = nodes_[node].parent) {
      const Node& at = nodes_[node];
      if (at.common) {
        counted = at.counted;
        stretch += counted ? 1 : 0;
      }
      SideMatch& side = steps_[i].side == kTruth ? out.truth : out.calls;
      side.stretch[steps_[i].index] = at.kept && counted ? stretch : 0;
    }
  }

  std::string_view contig_;
  const Superlocus& locus_;
  std::size_t max_states_;
  std::vector<Step> steps_;
  std::vector<Node> nodes_;
};

/// Equal variants of both sets, each used once.
void match_equal(const Superlocus& locus, SuperlocusMatch& out) {
  std::uint32_t stretch = 0;
  for (std::size_t t = 0; t < locus.truth.size(); ++t) {
    for (std::size_t c = 0; c < locus.calls.size(); ++c) {
      if (out.calls.stretch[c] != 0 || !locus.truth[t].same_as(locus.calls[c])) continue;
      out.truth.stretch[t] = out.calls.stretch[c] = ++stretch;
      break;
    }
  }
}

/// Whether the variants of one set could all be on its two haplotypes, one behind the other.
bool in_line(std::span<const VariantPiece> pieces) {
  for (std::size_t i = 1; i < pieces.size(); ++i) {
    if (pieces[i].begin < pieces[i - 1].end || pieces[i].begin == pieces[i - 1].begin) return false;
  }
  return true;
}

}  // namespace

SuperlocusMatch match_superlocus(std::span<const std::uint8_t> contig, const Superlocus& locus,
                                 std::size_t max_states) {
  SuperlocusMatch out;
  out.truth.stretch.assign(locus.truth.size(), 0);
  out.calls.stretch.assign(locus.calls.size(), 0);
  if (locus.truth.empty() || locus.calls.empty()) return out;
  const bool same = std::ranges::equal(locus.truth, locus.calls,
                                       [](const auto& a, const auto& b) { return a.same_as(b); });
  if (same && in_line(locus.truth)) {
    match_equal(locus, out);
    return out;
  }
  if (!Matcher(contig, locus, max_states).run(out)) {
    out.too_complex = true;
    match_equal(locus, out);
  }
  return out;
}

}  // namespace aceso::genomics
