// Genotypes of any number of copies: how many there are, and where each stands in VCF's lists.
//
// A genotype of p copies over n alleles is a multiset: numbers a1 <= a2 <= ... <= ap below n. VCF
// 4.3 (samtools.github.io/hts-specs/VCFv4.3.pdf, section 1.6.2, GL) puts them in the order in which
// the last allele changes slowest: with two copies 00, 01, 11, 02, 12, 22.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace aceso::genomics {

inline constexpr int kMostPloidy = 8;

/// n over k. Exact as long as the result times k fits.
[[nodiscard]] constexpr std::size_t binomial(std::size_t n, std::size_t k) noexcept {
  if (k > n) return 0;
  std::size_t out = 1;
  for (std::size_t i = 1; i <= k; ++i) out = out * (n - k + i) / i;
  return out;
}

/// Genotypes of `ploidy` copies over `alleles`: binomial(alleles + ploidy - 1, ploidy).
[[nodiscard]] constexpr std::size_t genotype_count(int ploidy, std::size_t alleles) noexcept {
  return binomial(alleles + static_cast<std::size_t>(ploidy) - 1, static_cast<std::size_t>(ploidy));
}

/// Place of a genotype in VCF's order: the sum over i of binomial(a_i + i - 1, i), i from 1.
/// \pre the numbers do not fall.
template <typename Number>
[[nodiscard]] constexpr std::size_t genotype_place(std::span<const Number> numbers) noexcept {
  std::size_t out = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i)
    out += binomial(static_cast<std::size_t>(numbers[i]) + i, i + 1);
  return out;
}

/// Makes the genotype that comes next in VCF's order; false behind the last of `alleles`.
template <typename Number>
constexpr bool next_genotype(std::span<Number> numbers, std::size_t alleles) noexcept {
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::size_t most =
        i + 1 < numbers.size() ? static_cast<std::size_t>(numbers[i + 1]) : alleles - 1;
    if (static_cast<std::size_t>(numbers[i]) >= most) continue;
    ++numbers[i];
    std::ranges::fill(numbers.first(i), Number{0});
    return true;
  }
  return false;
}

/// Calls `use(place, numbers)` for each genotype in VCF's order.
template <typename Use>
constexpr void for_genotypes(int ploidy, std::size_t alleles, const Use& use) {
  std::array<std::size_t, kMostPloidy> room{};
  const std::span<std::size_t> numbers = std::span(room).first(static_cast<std::size_t>(ploidy));
  std::size_t place = 0;
  do use(place++, std::span<const std::size_t>(numbers));
  while (next_genotype(numbers, alleles));
}

}  // namespace aceso::genomics
