#include "compare_lines.hpp"

#include "vcf_alleles.hpp"

#include "aceso/core/process.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace aceso::genomics {
namespace {

std::string score_text(double score) { return score < 0 ? "." : fmt::format("{:g}", score); }

std::string_view decision(const CompareError& piece) {
  switch (piece.judgement.outcome) {
    case CompareOutcome::Match:
      return "TP";
    case CompareOutcome::Miss:
      return piece.is_truth ? "FN" : "FP";
    case CompareOutcome::Outside:
      break;
  }
  return "N";
}

/// hap.py's kinds of match: of the genotype, of an allele, of the place.
std::string_view match_kind(const Judgement& judgement) {
  if (judgement.outcome == CompareOutcome::Match) return "gm";
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
  VcfAlleles told = vcf_alleles(reference.codes(contig), piece);
  std::ranges::sort(told.genotype);
  return {.is_truth = is_truth,
          .contig = reference.contigs()[contig].name,
          .position = told.position,
          .reference = told.reference,
          .alternatives = told.alternatives,
          .genotype = fmt::format("{}", fmt::join(told.genotype, "/")),
          .judgement = judgement};
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
  const PieceType& type = piece.judgement.type;
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
