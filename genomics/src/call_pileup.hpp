// What the reads show around a call, as the image of one axis that the net of call_net.hpp looks at
// (as Clair's pileups: Luo et al. 2020, doi:10.1038/s42256-020-0167-4).
#pragma once

#include "call_evidence.hpp"

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace aceso::genomics {

inline constexpr std::size_t kPileupReach = 16;  ///< bases on each side of the call
inline constexpr std::size_t kPileupPlaces = 2 * kPileupReach + 1;

/// Four groups of reads: those without an alternative, forward and reverse, then those that speak
/// clearly for one. Channels, each over all places, 255 for 1:
///
///   0 to 3    the reference's base is A, C, G, T
///   4 to 27   for each group six counts by the depth of the call: reads with A, C, G, T, with a
///             deletion there, with an insertion behind it
///   28, 29    mean base quality of the reads without and with an alternative, of 42.5
///   30, 31    mean mapping quality of the same, of 63.75
///   32        the depth, of 127.5
inline constexpr std::size_t kPileupChannels = 33;
inline constexpr std::size_t kPileupBytes = kPileupChannels * kPileupPlaces;

/// [kPileupChannels][kPileupPlaces]. Whole numbers of one byte: what is kept in a file is, to the
/// last bit, what a call is judged by.
using CallPileup = std::vector<std::uint8_t>;

/// The image around the global position `place`, of the reads `numbers` of `all` with their votes.
[[nodiscard]] CallPileup pileup_of(const Reference& reference, const CallReads& all,
                                   std::span<const std::uint32_t> numbers,
                                   std::span<const Vote> votes, std::uint32_t place);

/// The image of the other strand: the places in reverse, bases as their complements, groups of
/// reads exchanged.
[[nodiscard]] CallPileup reversed(std::span<const std::uint8_t> image);

/// Images of many calls, in the order of their lines in a file.
struct CallPileups {
  std::vector<std::int32_t> positions;  ///< 0-based, of the line, on its contig
  std::vector<std::uint8_t> bytes;      ///< kPileupBytes each

  [[nodiscard]] std::size_t size() const noexcept { return positions.size(); }
  [[nodiscard]] std::span<const std::uint8_t> at(std::size_t i) const {
    return std::span(bytes).subspan(i * kPileupBytes, kPileupBytes);
  }
  void add(std::uint32_t position, std::span<const std::uint8_t> image);
  void append(const CallPileups& other);
};

/// A safetensors file of "pileups" u8 [calls, channels, places] and "positions" i32 [calls].
void write_pileups(const std::filesystem::path& path, const CallPileups& pileups);
/// Whether a file is one, by its header. \throws Error NotFound, Io; CorruptData if it is none.
void check_pileups(const std::filesystem::path& path);
/// \throws Error as check_pileups(); CorruptData if it is of other channels.
[[nodiscard]] CallPileups read_pileups(const std::filesystem::path& path);

}  // namespace aceso::genomics
