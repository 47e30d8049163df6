#include "assembly.hpp"

#include <algorithm>
#include <array>

namespace aceso::genomics {
namespace {

std::string text_of(const std::uint8_t* codes, std::size_t size) {
  return {reinterpret_cast<const char*>(codes), size};
}

bool has_n(std::string_view word) {
  return std::ranges::any_of(word, [](char code) { return code > 3; });
}

// Global alignment with affine gaps (Gotoh 1982), three states.
enum State : std::uint8_t { kPaired, kRemoved, kAdded };

struct GlobalCell {
  std::array<int, 3> score;
  std::array<std::uint8_t, 3> from;
};

class GlobalAlignment {
 public:
  GlobalAlignment(std::string_view reference, std::string_view bases)
      : reference_(reference), bases_(bases), width_(bases.size() + 1) {
    cells_.resize((reference.size() + 1) * width_);
    fill();
  }

  /// Calls `changed(place in reference, bases removed, place in bases, bases added)` for each
  /// change, from the last to the first.
  template <typename Changed>
  void trace(const Changed& changed) const {
    std::size_t i = reference_.size(), j = bases_.size();
    std::uint8_t state = best_state(at(i, j));
    while (i > 0 || j > 0) {
      if (state == kPaired) {
        state = at(i, j).from[kPaired];
        --i;
        --j;
        if (reference_[i] != bases_[j]) changed(i, 1U, j, 1U);
        continue;
      }
      const std::uint8_t gap = state;
      std::size_t length = 0;
      while (state == gap && (gap == kRemoved ? i : j) > 0) {
        state = at(i, j).from[gap];
        --(gap == kRemoved ? i : j);
        ++length;
      }
      if (gap == kRemoved)
        changed(i, static_cast<std::uint32_t>(length), j, 0U);
      else
        changed(i, 0U, j, static_cast<std::uint32_t>(length));
    }
  }

 private:
  using S = AlignScores;
  static constexpr int kNever = -1'000'000;

  static std::uint8_t best_state(const GlobalCell& cell) {
    // Of equal paths the one that pairs bases, then the one that removes, as everywhere.
    return static_cast<std::uint8_t>(std::ranges::max_element(cell.score) - cell.score.begin());
  }

  [[nodiscard]] const GlobalCell& at(std::size_t i, std::size_t j) const {
    return cells_[i * width_ + j];
  }

  static void gap(const GlobalCell& before, State state, GlobalCell& cell) {
    const State other = state == kRemoved ? kAdded : kRemoved;
    const int open = std::max(before.score[kPaired], before.score[other]);
    const int longer = before.score[state];
    const bool extends = longer > open - S::kGapOpen;
    cell.score[state] = (extends ? longer : open - S::kGapOpen) - S::kGapExtend;
    cell.from[state] = state;
    if (!extends) cell.from[state] = before.score[kPaired] >= before.score[other] ? kPaired : other;
  }

  void fill() {
    for (std::size_t i = 0; i <= reference_.size(); ++i) {
      for (std::size_t j = 0; j < width_; ++j) {
        GlobalCell& cell = cells_[i * width_ + j];
        cell = {{kNever, kNever, kNever}, {}};
        if (i == 0 && j == 0) cell.score[kPaired] = 0;
        if (i > 0) gap(at(i - 1, j), kRemoved, cell);
        if (j > 0) gap(at(i, j - 1), kAdded, cell);
        if (i == 0 || j == 0) continue;
        const GlobalCell& before = at(i - 1, j - 1);
        cell.from[kPaired] = best_state(before);
        cell.score[kPaired] = before.score[cell.from[kPaired]] +
                              (reference_[i - 1] == bases_[j - 1] ? S::kMatch : S::kMismatch);
      }
    }
  }

  std::string_view reference_, bases_;
  std::size_t width_;
  std::vector<GlobalCell> cells_;
};

}  // namespace

std::vector<Allele> decompose(const Reference& reference, std::uint32_t from, std::uint32_t to,
                              std::string_view bases) {
  const std::string window = text_of(reference.codes().data() + from, to - from);
  std::vector<Allele> out;
  GlobalAlignment(window, bases)
      .trace(
          [&](std::size_t place, std::uint32_t removed, std::size_t added_at, std::uint32_t added) {
            out.push_back({from + static_cast<std::uint32_t>(place), removed,
                           std::string(bases.substr(added_at, added))});
          });
  std::ranges::reverse(out);
  return out;
}

bool Assembler::add_reference(std::uint32_t begin, std::uint32_t end, std::uint32_t length) {
  words_.clear();
  if (end - begin < length) return false;
  const std::uint8_t* codes = reference_.codes().data();
  for (std::uint32_t at = begin; at + length <= end; ++at) {
    const std::string word = text_of(codes + at, length);
    if (has_n(word)) return false;
    Word& entry = words_[word];
    if (entry.place >= 0) return false;  // a repeat: a path through it would not be one path
    entry.place = static_cast<std::int32_t>(at - begin);
  }
  return true;
}

void Assembler::add_read(const CallReads& all, const CallRead& read, std::uint32_t number,
                         std::uint32_t length) {
  const std::uint8_t *codes = all.codes_of(read), *qualities = all.qualities_of(read);
  std::uint32_t good = 0;
  std::string word;
  for (std::uint32_t i = 0; i < read.length; ++i) {
    good = codes[i] > 3 || qualities[i] < options_.least_quality ? 0 : good + 1;
    if (good < length) continue;
    word.assign(reinterpret_cast<const char*>(codes + i + 1 - length), length);
    Word& entry = words_[word];
    if (entry.last_read == number) continue;
    entry.last_read = number;
    ++entry.count;
  }
}

void Assembler::find_detours(const Window& window, std::vector<Allele>& out) {
  steps_ = 0;
  // In the order of the reference, so that the search does the same everywhere.
  std::vector<std::pair<std::int32_t, std::string>> anchors;
  for (const auto& [word, entry] : words_) {
    if (entry.place >= 0) anchors.emplace_back(entry.place, word);
  }
  std::ranges::sort(anchors);
  for (const auto& [place, word] : anchors)
    follow(window, word, static_cast<std::uint32_t>(place), out);
}

/// Walks from a word of the reference through words that it does not have, until one that it has.
void Assembler::follow(const Window& window, const std::string& from, std::uint32_t place,
                       std::vector<Allele>& out) {
  struct Step {
    std::string path;  ///< of bases behind `from`
    char next = 0;     ///< base to be tried
  };
  const std::uint32_t length = window.length;
  std::vector<Step> stack{{{}, 0}};
  std::string word;
  while (!stack.empty() && steps_ < options_.most_steps) {
    Step& top = stack.back();
    if (top.next > 3 || top.path.size() >= options_.longest_detour) {
      stack.pop_back();
      continue;
    }
    const char base = top.next++;
    ++steps_;
    word = from + top.path + base;
    word.erase(0, word.size() - length);
    const auto found = words_.find(word);
    if (found == words_.end()) continue;
    const Word& entry = found->second;
    if (entry.place < 0) {
      if (entry.count >= least_) stack.push_back({top.path + base, 0});
      continue;
    }
    const auto to = static_cast<std::uint32_t>(entry.place);
    // From word to word of the reference: along it, or from copy to copy of a tandem repeat.
    if (top.path.empty() && (to == place + 1 || !jumps(window, from + base))) continue;
    add_detour(window, place + length, to + length, top.path + base, out);
  }
}

/// Whether enough reads have a word that is one base longer than the others.
bool Assembler::jumps(const Window& window, const std::string& word) const {
  const auto has = [&](std::uint32_t number) {
    const CallRead& read = window.all.reads[number];
    const auto* codes = reinterpret_cast<const char*>(window.all.codes_of(read));
    return std::string_view(codes, read.length).find(word) != std::string_view::npos;
  };
  return static_cast<std::uint32_t>(std::ranges::count_if(window.reads, has)) >= least_;
}

/// Behind base `from` of the window stand `bases`, and then what stands behind base `to`.
void Assembler::add_detour(const Window& window, std::uint32_t from, std::uint32_t to,
                           std::string bases, std::vector<Allele>& out) {
  // The word that was come back to holds the last base of `bases`.
  const std::uint32_t begin = window.begin;
  std::vector<Allele> alleles;
  if (to >= from) {
    alleles = decompose(reference_, begin + from, begin + to, bases);
  } else {
    // Back to an earlier place: what lies between stands there again.
    bases += text_of(reference_.codes().data() + begin + to, from - to);
    alleles = {{begin + from, 0, bases}, {begin + from, 0, bases + bases}};
  }
  for (Allele& allele : alleles) {
    normalise(allele, reference_, begin);
    out.push_back(std::move(allele));
  }
}

std::vector<Allele> Assembler::assemble(const CallReads& all, std::span<const std::uint32_t> reads,
                                        std::uint32_t begin, std::uint32_t end) {
  std::vector<Allele> out;
  least_ = std::max(
      options_.least_support,
      static_cast<std::uint32_t>(options_.least_share * static_cast<double>(reads.size())));
  for (const std::uint32_t length : options_.word_lengths) {
    // Words must reach out of the window's interesting part on both sides.
    const std::uint32_t first = begin - std::min(begin, length), last = end + length;
    if (!add_reference(first, last, length)) continue;
    for (const std::uint32_t number : reads) add_read(all, all.reads[number], number, length);
    find_detours({all, reads, first, length}, out);
    break;
  }
  std::ranges::sort(out);
  const auto same = std::ranges::unique(out);
  out.erase(same.begin(), same.end());
  std::erase_if(out, [&](const Allele& a) { return a.position < begin || a.position >= end; });
  return out;
}

}  // namespace aceso::genomics
