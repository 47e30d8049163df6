#include "haplotype_match.hpp"

#include "genotype_order.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <numeric>
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
  friend bool operator==(const HaplotypePair& a, const HaplotypePair& b) {
    return a.end[0] == b.end[0] && a.end[1] == b.end[1] && a.pending == b.pending &&
           (a.pending.empty() || a.ahead == b.ahead);
  }

  /// What its future depends on.
  [[nodiscard]] std::string key(std::uint32_t position) const {
    std::string out;
    for (const Side side : {kTruth, kCalls}) out += std::to_string(end[side] - position) + ",";
    out += pending.empty() ? '=' : static_cast<char>('t' + ahead);
    return out + pending;
  }
};

/// The choices made for all variants so far.
struct State {
  std::vector<HaplotypePair> pairs;  ///< one per copy of the genome
  std::int64_t settled = 0;          ///< score of what lies before the last common point
  std::int32_t open[2] = {};         ///< variants kept since then, per set
  std::uint32_t node = 0;

  [[nodiscard]] std::int64_t open_score() const {
    // More variants first; among equals those who match one to one.
    return (static_cast<std::int64_t>(open[0] + open[1]) << 16) - std::abs(open[0] - open[1]);
  }
  [[nodiscard]] std::int64_t score() const { return settled + open_score(); }

  /// States of one key have the same future.
  [[nodiscard]] std::string key(std::uint32_t position) const {
    std::vector<std::string> keys;
    for (const HaplotypePair& pair : pairs) keys.push_back(pair.key(position));
    std::ranges::sort(keys);  // haplotypes have no names
    std::string out{open[0] > 0 ? '1' : '0', open[1] > 0 ? '1' : '0'};
    for (const std::string& key : keys) out += std::to_string(key.size()) + ":" + key;
    return out;
  }
  [[nodiscard]] bool together_at(std::uint32_t position) const {
    return std::ranges::all_of(
        pairs, [&](const HaplotypePair& pair) { return pair.together_at(position); });
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

using CopyList = std::array<std::uint8_t, kMostPloidy>;

/// How many haplotypes all genotypes of a superlocus are written over, each copy standing for as
/// many as it takes: the least common multiple of their copies, or the greatest number if that
/// multiple is above kMostPloidy. Genotypes of one allele can be written over any number.
std::size_t common_copies(const Superlocus& locus) {
  std::size_t multiple = 1, most = 1;
  for (const auto& pieces : {locus.truth, locus.calls}) {
    for (const VariantPiece& piece : pieces) {
      if (piece.homozygous()) continue;
      multiple = std::lcm(multiple, piece.copies());
      most = std::max(most, piece.copies());
    }
  }
  return multiple <= kMostPloidy ? multiple : most;
}

/// Tries all ways to put the alleles of one variant on the haplotypes of a state. Ways that differ
/// only by haplotypes that are equal so far count as one.
class Placing {
 public:
  Placing(std::string_view contig, const State& state, const VariantPiece& piece, Side side)
      : contig_(contig), state_(state), piece_(piece), side_(side), way_(state) {
    const std::size_t copies = state.pairs.size();
    for (std::size_t h = 0; h < piece.copies(); ++h) {
      if (piece.first_alike(h) == h) allele_.push_back(h);
      const auto number = static_cast<std::size_t>(
          std::ranges::find(allele_, piece.first_alike(h)) - allele_.begin());
      left_[number] += static_cast<std::uint8_t>(piece.homozygous() ? (h == 0 ? copies : 0)
                                                                    : copies / piece.copies());
    }
    for (std::size_t p = 0; p < copies; ++p) {
      alike_[p] = static_cast<std::uint8_t>(p);
      for (std::size_t q = 0; q < p; ++q) {
        if (state.pairs[q] == state.pairs[p]) alike_[p] = static_cast<std::uint8_t>(q);
      }
    }
  }

  /// Calls `use` with each state that comes of it. Returns how many places were tried.
  template <typename Use>
  std::size_t run(const Use& use) {
    place(0, use);
    return tries_;
  }

 private:
  template <typename Use>
  void place(std::size_t copy, const Use& use) {
    if (copy == state_.pairs.size()) {
      use(way_);
      return;
    }
    for (std::size_t number = 0; number < allele_.size(); ++number) {
      if (left_[number] == 0 || (alike_[copy] < copy && number < chosen_[alike_[copy]])) continue;
      ++tries_;
      if (put(way_.pairs[copy], allele_[number])) {
        --left_[number];
        chosen_[copy] = static_cast<std::uint8_t>(number);
        place(copy + 1, use);
        ++left_[number];
      }
      way_.pairs[copy] = state_.pairs[copy];
    }
  }

  /// False if two changes would have the same bases of one haplotype, or the sets differ.
  [[nodiscard]] bool put(HaplotypePair& pair, std::size_t h) const {
    if (!piece_.alters[h]) return true;
    std::uint32_t& end = pair.end[side_];
    if (end > piece_.begin || !pair.append(side_, contig_.substr(end, piece_.begin - end)) ||
        !pair.append(side_, piece_.alleles[h]))
      return false;
    end = piece_.end;
    return true;
  }

  std::string_view contig_;
  const State& state_;
  const VariantPiece& piece_;
  Side side_;
  State way_;
  std::vector<std::size_t> allele_;  ///< a copy of the piece that has it, by number
  CopyList left_{};                  ///< haplotypes that still need it
  CopyList alike_{};                 ///< the last haplotype before that is equal, or itself
  CopyList chosen_{};
  std::size_t tries_ = 0;
};

class Matcher {
 public:
  Matcher(std::span<const std::uint8_t> contig, const Superlocus& locus, std::size_t max_states)
      : contig_(reinterpret_cast<const char*>(contig.data()), contig.size()),
        locus_(locus),
        copies_(common_copies(locus)),
        max_states_(max_states) {
    order_steps();
  }

  /// False if the ways became too many.
  bool run(SuperlocusMatch& out) {
    nodes_.push_back({});
    State first;
    const std::uint32_t begin = piece(steps_[0]).begin;
    first.pairs.resize(copies_);
    for (HaplotypePair& pair : first.pairs) pair.end[0] = pair.end[1] = begin;
    std::vector<State> states{first};
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      std::vector<State> next;
      std::size_t tries = 0;
      for (const State& state : states) {
        tries += branch(state, steps_[i], next);
        if (tries > max_states_ * kTriesPerState || next.size() > max_states_ * kWaysPerState)
          return false;
      }
      states = settle(next, i + 1 < steps_.size() ? piece(steps_[i + 1]).begin : end_of_locus());
      if (states.size() > max_states_) return false;
    }
    // Only ways whose haplotypes all meet at the end are left; their key is one, so there is one.
    const auto found = std::ranges::find_if(
        states, [&](const State& state) { return state.together_at(end_of_locus()); });
    trace(found->node, out);
    return true;
  }

 private:
  /// Limits of one step, so that many copies do not take much more time and memory than two.
  static constexpr std::size_t kTriesPerState = 256, kWaysPerState = 16;

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

  /// Appends the ways to go on without and with a variant; returns how many places were tried.
  std::size_t branch(const State& state, const Step& step, std::vector<State>& next) {
    next.push_back(state);
    add_node(next.back(), false);
    const VariantPiece& change = piece(step);
    if (!change.homozygous() && copies_ % change.copies() != 0) return 1;
    return Placing(contig_, state, change, step.side).run([&](const State& way) {
      next.push_back(way);
      ++next.back().open[step.side];
      add_node(next.back(), true);
    });
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
      if (!std::ranges::all_of(
              state.pairs, [&](HaplotypePair& pair) { return pair.advance(contig_, position); }))
        continue;
      if (state.together_at(position)) meet(state);
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
  std::size_t copies_;
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

/// Whether the variants of one set could all be on its haplotypes, one behind the other.
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
