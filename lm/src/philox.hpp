/// \file
/// Random numbers by counter: Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy
/// as 1, 2, 3"). A number depends on its key and counter alone, not on what was drawn before.
#pragma once

#include <array>
#include <cstdint>

namespace aceso::lm {

using PhiloxBlock = std::array<std::uint32_t, 4>;

[[nodiscard]] constexpr PhiloxBlock philox(std::array<std::uint32_t, 2> key,
                                           PhiloxBlock counter) noexcept {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53U} * counter[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57U} * counter[2];
    counter = {
        static_cast<std::uint32_t>(b >> 32U) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(b),
        static_cast<std::uint32_t>(a >> 32U) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key = {key[0] + 0x9E3779B9U, key[1] + 0xBB67AE85U};
  }
  return counter;
}

/// In [0, 1), for the `place`th choice of sequence `number`.
[[nodiscard]] constexpr double uniform(std::uint64_t seed, std::uint64_t number,
                                       std::uint64_t place) noexcept {
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32U); };
  const PhiloxBlock block =
      philox({low(seed), high(seed)}, {low(place), high(place), low(number), high(number)});
  const std::uint64_t bits = (std::uint64_t{block[1]} << 32U) | block[0];
  return static_cast<double>(bits >> 11U) * 0x1p-53;
}

}  // namespace aceso::lm
