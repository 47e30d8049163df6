/// \file
/// What is done to molecules before they are compared, modelled or bought.
#pragma once

#include "aceso/molecules/chemistry.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::molecules {

/// The largest piece (so without salts and solvents), with charges taken off where a proton can be
/// added or lost.
[[nodiscard]] Molecule standardised(const Molecule& molecule);

/// The rings and what links them (Bemis and Murcko 1996) as SMILES; empty for chains.
[[nodiscard]] std::string murcko_scaffold(const Molecule& molecule);

/// Substructures that one would rather not have. Immutable; thread-safe.
class FilterSet {
 public:
  /// Names: "pains" (Baell and Holloway 2010), "brenk" (Brenk et al. 2008), "nih" (Jadhav et al.
  /// 2010). \throws Error InvalidArgument naming those that there are.
  explicit FilterSet(const std::vector<std::string>& names);
  ~FilterSet();
  /// Names of the filters that match.
  [[nodiscard]] std::vector<std::string> matches(const Molecule& molecule) const;
  /// Whether one matches.
  [[nodiscard]] bool any(const Molecule& molecule) const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

/// An ECFP4 fingerprint of up to 2,048 bits: a feature's bit is its number modulo their number.
using BitFingerprint = std::array<std::uint64_t, 32>;

/// \pre 0 < size <= 2048.
[[nodiscard]] BitFingerprint bit_fingerprint(const Molecule& molecule, std::size_t size = 2048);

/// Bits that both have over bits that one has; 0 for two empty ones.
[[nodiscard]] inline double tanimoto(const BitFingerprint& a, const BitFingerprint& b) noexcept {
  int both = 0, either = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    both += std::popcount(a[i] & b[i]);
    either += std::popcount(a[i] | b[i]);
  }
  return either > 0 ? static_cast<double>(both) / either : 0.0;
}

/// Butina's clusters (1999): each molecule belongs to the first centre at least `similarity` alike,
/// centres being taken by their number of neighbours. Returns each one's cluster, from 0 for the
/// largest. Costs size^2 comparisons; the same for any number of threads.
[[nodiscard]] std::vector<std::int32_t> butina_clusters(std::span<const BitFingerprint> molecules,
                                                        double similarity, unsigned threads);

}  // namespace aceso::molecules
