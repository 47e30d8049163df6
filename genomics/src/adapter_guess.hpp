// Finding out which adapter single reads carry.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace aceso::genomics {

/// An adapter sequence that many kits use.
struct KnownAdapter {
  std::string_view name;
  std::string_view bases;
};

[[nodiscard]] std::span<const KnownAdapter> known_adapters() noexcept;
/// The name of the known adapter that begins like `bases`, or "".
[[nodiscard]] std::string_view adapter_name(std::string_view bases) noexcept;

inline constexpr std::size_t kGuessLeastReads = 10'000;
inline constexpr std::size_t kGuessMostReads = 64'000;

/// Guesses the adapter in `reads`, the first ones of a file: a known one that is in more
/// than 1 read of 50, else one pieced together from letters that occur far too often. Returns ""
/// if there is none or there are fewer than kGuessLeastReads. `tail`: bases that are cut anyway.
[[nodiscard]] std::string guess_adapter(std::span<const std::string_view> reads, int tail);

}  // namespace aceso::genomics
