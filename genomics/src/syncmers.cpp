#include "syncmers.hpp"

#include "aceso/genomics/reference.hpp"

#include <algorithm>
#include <limits>

namespace aceso::genomics {
namespace {

constexpr std::uint64_t kSeedMask = (1ULL << (2 * kSeedLength)) - 1;
constexpr std::uint32_t kMiddle = (kSeedSpacing - 1) / 2;
static_assert(kSeedSubLength == 16, "an s-mer's code fills 32 bits");

/// One-to-one on 32 bits, and cheap in vector registers.
constexpr std::uint32_t mix_sub(std::uint32_t x) noexcept {
  x = (x ^ (x >> 16)) * 0x7feb352dU;
  return (x ^ (x >> 15)) * 0x846ca68bU;
}

}  // namespace

void SyncmerFinder::find(std::span<const std::uint8_t> codes, std::uint32_t offset,
                         std::vector<Syncmer>& out) {
  if (codes.size() < kSeedLength) return;
  const std::size_t seeds = codes.size() - kSeedLength + 1;
  const std::size_t subs = codes.size() - kSeedSubLength + 1;
  forward_.resize(seeds);
  reverse_.resize(seeds);
  sub_.resize(subs);
  chosen_.assign(seeds, 0);

  std::uint64_t forward = 0, reverse = 0;
  std::size_t behind_n = 0;  // place behind the last N
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const std::uint64_t code = codes[i] & 3U;
    if (codes[i] >= kCodeN) behind_n = i + 1;
    forward = ((forward << 2) | code) & kSeedMask;
    reverse = (reverse >> 2) | ((3 - code) << (2 * (kSeedLength - 1)));
    if (i + 1 >= kSeedSubLength) {
      const auto f = static_cast<std::uint32_t>(forward);
      const auto r = static_cast<std::uint32_t>(reverse >> (2 * (kSeedLength - kSeedSubLength)));
      sub_[i + 1 - kSeedSubLength] = std::min(f, r);
    }
    if (i + 1 >= kSeedLength) {
      const std::size_t at = i + 1 - kSeedLength;
      forward_[at] = forward;
      reverse_[at] = reverse;
      chosen_[at] = behind_n <= at ? 1 : 0;
    }
  }
  for (std::uint32_t& sub : sub_) sub = mix_sub(sub);
  for (std::size_t i = 0; i < seeds; ++i) {
    std::uint32_t least = std::numeric_limits<std::uint32_t>::max();
    for (std::uint32_t j = 0; j < kSeedSpacing; ++j) least = std::min(least, sub_[i + j]);
    chosen_[i] = static_cast<std::uint8_t>(chosen_[i] & (sub_[i + kMiddle] == least ? 1 : 0));
  }
  for (std::size_t i = 0; i < seeds; ++i) {
    if (chosen_[i] == 0) continue;
    const bool reversed = reverse_[i] < forward_[i];
    out.push_back({mix(reversed ? reverse_[i] : forward_[i]),
                   offset + static_cast<std::uint32_t>(i), reversed});
  }
}

std::uint64_t link_of(std::uint64_t hash, std::span<const Syncmer> next) noexcept {
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  for (const Syncmer& seed : next) least = std::min(least, mix(hash ^ seed.hash));
  return least;
}

}  // namespace aceso::genomics
