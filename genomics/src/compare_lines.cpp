#include "compare_lines.hpp"

#include "aceso/core/process.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace aceso::genomics {
namespace {

std::string letters_of(std::string_view codes) {
  std::string out(codes.size(), '\0');
  std::ranges::transform(codes, out.begin(),
                         [](char code) { return base_of_code(static_cast<std::uint8_t>(code)); });
  return out;
}

std::string score_text(double score) { return score < 0 ? "." : fmt::format("{:g}", score); }

std::string_view decision(const CompareError& piece) {
  switch (piece.judgement.outcome) {
    case Outcome::Match:
      return "TP";
    case Outcome::Miss:
      return piece.is_truth ? "FN" : "FP";
    case Outcome::Outside:
      break;
  }
  return "N";
}

/// hap.py's kinds of match: of the genotype, of an allele, of the place.
std::string_view match_kind(const Judgement& judgement) {
  if (judgement.outcome == Outcome::Match) return "gm";
  switch (judgement.nearness) {
    case Nearness::Allele:
      return "am";
    case Nearness::Place:
      return "lm";
    case Nearness::None:
      break;
  }
  return ".";
}

}  // namespace

CompareError describe_piece(const Reference& reference, std::uint32_t contig,
                            const VariantPiece& piece, bool is_truth, const Judgement& judgement) {
  CompareError out{.is_truth = is_truth,
                   .contig = reference.contigs()[contig].name,
                   .position = piece.begin + 1,
                   .reference = {},
                   .alternatives = {},
                   .genotype = {},
                   .judgement = judgement};
  const auto codes = reference.codes(contig);
  bool needs_anchor = piece.begin == piece.end;
  for (std::size_t h = 0; h < 2; ++h) needs_anchor |= piece.alters[h] && piece.alleles[h].empty();
  std::string before, after;
  if (needs_anchor && piece.begin > 0) {
    before = base_of_code(codes[piece.begin - 1]);
    --out.position;
  } else if (needs_anchor && piece.end < codes.size()) {
    after = base_of_code(codes[piece.end]);
  }
  out.reference = before;
  for (std::uint32_t i = piece.begin; i < piece.end; ++i) out.reference += base_of_code(codes[i]);
  out.reference += after;
  int indices[2] = {0, 0}, count = 0;
  for (std::size_t h = 0; h < 2; ++h) {
    if (!piece.alters[h]) continue;
    indices[h] = h == 1 && piece.homozygous() ? indices[0] : ++count;
    if (h == 1 && piece.homozygous()) continue;
    out.alternatives += (count > 1 ? "," : "") + before + letters_of(piece.alleles[h]) + after;
  }
  out.genotype =
      fmt::format("{}/{}", std::min(indices[0], indices[1]), std::max(indices[0], indices[1]));
  return out;
}

std::string annotated_header(const Reference& reference) {
  std::string out = fmt::format(
      "##fileformat=VCFv4.2\n##source=aceso {}\n"
      "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">\n"
      "##FORMAT=<ID=BD,Number=1,Type=String,Description=\"Decision: TP, FP, FN; N is outside the "
      "regions\">\n"
      "##FORMAT=<ID=BK,Number=1,Type=String,Description=\"Match of the genotype (gm), of an allele "
      "(am), of the place (lm)\">\n"
      "##FORMAT=<ID=BVT,Number=1,Type=String,Description=\"SNP or INDEL\">\n"
      "##FORMAT=<ID=BI,Number=1,Type=String,Description=\"Subtype\">\n"
      "##FORMAT=<ID=QQ,Number=1,Type=Float,Description=\"Score of the call\">\n",
      version());
  for (const Contig& contig : reference.contigs())
    out += fmt::format("##contig=<ID={},length={}>\n", contig.name, contig.length);
  return out + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tTRUTH\tQUERY\n";
}

std::string annotated_line(const CompareError& piece) {
  const VariantType& type = piece.judgement.type;
  const std::string told = fmt::format(
      "{}:{}:{}:{}:{}:{}", piece.genotype, decision(piece), match_kind(piece.judgement),
      type.variant_class == VariantClass::Snp ? "SNP" : "INDEL",
      kSubtypeNames[static_cast<std::size_t>(type.subtype)], score_text(piece.judgement.score));
  constexpr std::string_view kNothing = "./.:.:.:.:.:.";
  return fmt::format("{}\t{}\t.\t{}\t{}\t.\t.\t.\tGT:BD:BK:BVT:BI:QQ\t{}\t{}\n", piece.contig,
                     piece.position, piece.reference, piece.alternatives,
                     piece.is_truth ? told : kNothing, piece.is_truth ? kNothing : told);
}

std::string_view name_of(Nearness nearness) noexcept {
  switch (nearness) {
    case Nearness::Allele:
      return "genotype";
    case Nearness::Place:
      return "allele";
    case Nearness::None:
      break;
  }
  return "alone";
}

std::string errors_header() {
  return "decision\tcontig\tposition\treference\talternatives\tgenotype\ttype\tsubtype\tscore\t"
         "differs_in\n";
}

std::string errors_line(const CompareError& error) {
  const Judgement& judgement = error.judgement;
  return fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n", decision(error), error.contig,
                     error.position, error.reference, error.alternatives, error.genotype,
                     kClassNames[static_cast<std::size_t>(judgement.type.variant_class)],
                     kSubtypeNames[static_cast<std::size_t>(judgement.type.subtype)],
                     score_text(error.is_truth ? -1 : judgement.score),
                     name_of(judgement.nearness));
}

}  // namespace aceso::genomics
