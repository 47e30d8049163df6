// Families: who is whose child, from a PED file (PLINK's .fam).
#pragma once

#include "aceso/core/warnings.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace aceso::genomics {

/// A child and both its parents, as indices of samples.
struct Trio {
  std::size_t child = 0, father = 0, mother = 0;
};

/// Reads the trios among `samples`. Lines: family, child, father, mother, and columns that are not
/// looked at; 0 or '.' is nobody. Trios of which someone is no sample are warned of.
/// \throws Error CorruptData naming the file and line: fewer than four columns, or no trio at all;
///         NotFound, Io.
[[nodiscard]] std::vector<Trio> read_pedigree(const std::filesystem::path& path,
                                              const std::vector<std::string>& samples,
                                              Warnings& warnings);

/// Whether a child can have these two alleles, one of each parent's.
[[nodiscard]] constexpr bool is_mendelian(std::size_t child1, std::size_t child2,
                                          std::size_t father1, std::size_t father2,
                                          std::size_t mother1, std::size_t mother2) noexcept {
  const auto gives = [](std::size_t allele, std::size_t one, std::size_t two) {
    return allele == one || allele == two;
  };
  return (gives(child1, father1, father2) && gives(child2, mother1, mother2)) ||
         (gives(child2, father1, father2) && gives(child1, mother1, mother2));
}

}  // namespace aceso::genomics
