// Looks for a mate in a window of the reference, where the other mate says it should be.
#pragma once

#include "extension.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace aceso::genomics {

class MateRescue {
 public:
  explicit MateRescue(const Reference& reference) : reference_(reference) {}

  /// The diagonal in [first, last] on which most 10-mers of `read` lie; nothing if fewer than
  /// kLeastVotes do.
  [[nodiscard]] std::optional<std::int64_t> find(const Strand& read, std::int64_t first,
                                                 std::int64_t last);

  static constexpr std::uint32_t kLeastVotes = 10;

 private:
  static constexpr std::uint32_t kWord = 10, kTableBits = 12;
  void note_words(const Strand& read);

  const Reference& reference_;
  std::array<std::int16_t, 1U << kTableBits> place_{};  ///< of a word in the read; -1: none
  std::vector<std::uint32_t> words_;                    ///< of the read, by place
  std::vector<std::uint16_t> votes_;
};

}  // namespace aceso::genomics
