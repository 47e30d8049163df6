// Looks for a mate in a window of the reference, where the other mate says it should be.
#pragma once

#include "extension.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace aceso::genomics {

class MateRescue {
 public:
  explicit MateRescue(const Reference& reference)
      : reference_(reference), kernels_(align_kernels()) {}

  /// The diagonals in [first, last] on which most 10-mers of `read` lie, at most kMostFound and
  /// further than kMostGap from each other: in a tandem repeat the mate may be at several. None has
  /// fewer than kLeastVotes, or a third of the best one's. A `repetitive` read, whose words say
  /// little, is compared on each diagonal instead, which finds it without gaps only.
  [[nodiscard]] std::span<const std::int64_t> find(const Strand& read, std::int64_t first,
                                                   std::int64_t last, bool repetitive);

  static constexpr std::uint32_t kLeastVotes = 10;
  static constexpr std::size_t kMostFound = 3;

 private:
  static constexpr std::uint32_t kWord = 10, kTableBits = 12;
  void note_words(const Strand& read);
  void count_words(const Strand& read, std::int64_t first);
  void count_matches(const Strand& read, std::int64_t first);
  void find_best(std::int64_t first);

  const Reference& reference_;
  const AlignKernels& kernels_;
  std::array<std::int16_t, 1U << kTableBits> place_{};  ///< of a word in the read; -1: none
  std::vector<std::uint32_t> words_;                    ///< of the read, by place
  std::vector<std::uint16_t> votes_;                    ///< for each diagonal of the window
  std::vector<std::uint64_t> mask_;
  std::vector<std::int64_t> found_;
};

}  // namespace aceso::genomics
