// Seeds: canonical open syncmers (Edgar 2021, doi:10.7717/peerj.10805). A k-mer is chosen if the
// smallest of its s-mers stands in its middle; which k-mers are chosen depends on nothing else, so
// that one base changed in a read costs only the seeds that hold it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace aceso::genomics {

inline constexpr std::uint32_t kSeedLength = 20;     ///< k
inline constexpr std::uint32_t kSeedSubLength = 16;  ///< s
/// One k-mer in this many is a seed, on average.
inline constexpr std::uint32_t kSeedSpacing = kSeedLength - kSeedSubLength + 1;

struct Syncmer {
  std::uint64_t hash = 0;  ///< of the k-mer or its reverse complement, whichever code is smaller
  std::uint32_t position = 0;  ///< of its first base
  bool reversed = false;       ///< the reverse complement has the smaller code
};

/// The seed behind `first` with which it is linked (a strobe, Sahlin 2021,
/// doi:10.1101/gr.275648.121): of the seeds kLinkFirst to kLinkLast places on, the one whose hash
/// mixes with the first's to the smallest number. Linked seeds are looked up where one alone is
/// too common.
inline constexpr std::size_t kLinkFirst = 5, kLinkLast = 11;

/// Mixes 64 bits (the finaliser of SplitMix64).
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// Finds the seeds of a run of base codes; k-mers with an N are none. Keeps its memory. One per
/// thread.
class SyncmerFinder {
 public:
  /// Appends the seeds of `codes` to `out`, in rising order; positions count from `offset`.
  void find(std::span<const std::uint8_t> codes, std::uint32_t offset, std::vector<Syncmer>& out);

 private:
  std::vector<std::uint64_t> forward_, reverse_;  ///< k-mers by their first base
  std::vector<std::uint32_t> sub_;                ///< hashes of canonical s-mers
  std::vector<std::uint8_t> chosen_;
};

/// The hash of the seed linked to `hash` among `next` (the seeds behind it, by distance from
/// kLinkFirst on; at least one).
[[nodiscard]] std::uint64_t link_of(std::uint64_t hash, std::span<const Syncmer> next) noexcept;

}  // namespace aceso::genomics
