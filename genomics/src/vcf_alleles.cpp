#include "vcf_alleles.hpp"

#include <algorithm>

namespace aceso::genomics {
namespace {

std::string letters_of(std::string_view codes) {
  std::string out(codes.size(), '\0');
  std::ranges::transform(codes, out.begin(),
                         [](char code) { return base_of_code(static_cast<std::uint8_t>(code)); });
  return out;
}

}  // namespace

VcfAlleles vcf_alleles(std::span<const std::uint8_t> contig, const VariantPiece& piece) {
  VcfAlleles out{.position = piece.begin + 1,
                 .reference = {},
                 .alternatives = {},
                 .genotype = std::vector<int>(piece.copies())};
  bool needs_anchor = piece.begin == piece.end;
  for (std::size_t h = 0; h < piece.copies(); ++h)
    needs_anchor |= piece.alters[h] && piece.alleles[h].empty();
  std::string before, after;
  if (needs_anchor && piece.begin > 0) {
    before = base_of_code(contig[piece.begin - 1]);
    --out.position;
  } else if (needs_anchor && piece.end < contig.size()) {
    after = base_of_code(contig[piece.end]);
  }
  out.reference = before;
  for (std::uint32_t i = piece.begin; i < piece.end; ++i) out.reference += base_of_code(contig[i]);
  out.reference += after;
  int count = 0;
  for (std::size_t h = 0; h < piece.copies(); ++h) {
    if (!piece.alters[h]) continue;
    const std::size_t first = piece.first_alike(h);
    out.genotype[h] = first < h ? out.genotype[first] : ++count;
    if (first == h)
      out.alternatives += (count > 1 ? "," : "") + before + letters_of(piece.alleles[h]) + after;
  }
  return out;
}

}  // namespace aceso::genomics
