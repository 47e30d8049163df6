#include "vcf_allele_rules.hpp"

#include "field_rules.hpp"

#include <algorithm>

namespace aceso::genomics {
namespace {

constexpr std::string_view kBases = "ACGTNacgtn";

/// CHR:POS or <CHR>:POS, or an ID of an assembly alone in <>.
bool is_mate_place(std::string_view text) {
  if (text.find_first_of(" \t,[]\"") != text.npos) return false;
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos || colon == 0)
    return text.size() > 2 && text[0] == '<' && text.back() == '>';
  const std::string_view contig = text.substr(0, colon);
  const bool bracketed = contig.size() > 2 && contig[0] == '<' && contig.back() == '>';
  return all_digits(text.substr(colon + 1)) &&
         (bracketed || contig.find_first_of("<>") == contig.npos);
}

/// t[p[, t]p], ]p]t or [p[t.
bool is_breakend(std::string_view text) {
  const std::size_t first = text.find_first_of("[]");
  const std::size_t last = text.find_last_of("[]");
  if (first == text.npos || first == last || text[first] != text[last]) return false;
  const std::string_view before = text.substr(0, first), behind = text.substr(last + 1);
  if (before.empty() == behind.empty()) return false;
  const std::string_view bases = before.empty() ? behind : before;
  return (are_vcf_bases(bases) || bases == ".") &&
         is_mate_place(text.substr(first + 1, last - first - 1));
}

}  // namespace

bool are_vcf_bases(std::string_view text) noexcept {
  return !text.empty() && text.find_first_not_of(kBases) == text.npos;
}

bool is_vcf_alternative(std::string_view text) noexcept {
  if (text.empty()) return false;
  if (text == "*" || are_vcf_bases(text)) return true;
  if (text[0] == '<')
    return text.size() > 2 && text.back() == '>' &&
           text.substr(1, text.size() - 2).find_first_of("<> \t") == text.npos;
  if (text.find_first_of("[]") != text.npos) return is_breakend(text);
  // A breakend without a mate.
  if (text.size() < 2) return false;
  return (text[0] == '.' && are_vcf_bases(text.substr(1))) ||
         (text.back() == '.' && are_vcf_bases(text.substr(0, text.size() - 1)));
}

std::optional<GenotypeShape> try_parse_genotype(std::string_view text, int minor) noexcept {
  GenotypeShape out;
  if (minor >= 4 && text.size() > 1 && (text[0] == '/' || text[0] == '|')) text.remove_prefix(1);
  while (true) {
    const std::size_t end = std::min(text.find_first_of("/|"), text.size());
    const std::string_view allele = text.substr(0, end);
    if (allele != ".") {
      if (!all_digits(allele)) return std::nullopt;
      const auto number = try_parse_integer(allele);
      if (!number) return std::nullopt;
      out.highest = std::max(out.highest, *number);
    }
    ++out.ploidy;
    if (end == text.size()) return out;
    text.remove_prefix(end + 1);
  }
}

std::int64_t genotype_count(std::int64_t alleles, int ploidy) noexcept {
  constexpr std::int64_t kMost = 1LL << 31;
  std::int64_t count = 1;  // binomial(alleles + ploidy - 1, ploidy)
  for (int k = 1; k <= ploidy; ++k) {
    count = count * (alleles + k - 1) / k;
    if (count >= kMost) return kMost;
  }
  return count;
}

}  // namespace aceso::genomics
