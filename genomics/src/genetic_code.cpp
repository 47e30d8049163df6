#include "genetic_code.hpp"

#include "contig_names.hpp"

namespace aceso::genomics {
namespace {

// By 16 first + 4 second + third base in the order A, C, G, T.
constexpr std::string_view kStandard =
    "KNKNTTTTRSRSIIMIQHQHPPPPRRRRLLLLEDEDAAAAGGGGVVVV*Y*YSSSS*CWCLFLF";
// AGA and AGG stop, ATA is M, TGA is W.
constexpr std::string_view kMitochondrial =
    "KNKNTTTT*S*SMIMIQHQHPPPPRRRRLLLLEDEDAAAAGGGGVVVV*Y*YSSSSWCWCLFLF";
static_assert(kStandard.size() == 64 && kMitochondrial.size() == 64);

}  // namespace

GeneticCode genetic_code_of(std::string_view contig) noexcept {
  return contig == "chrM" || contig == "M" || contig == "MT" || contig == "chrMT"
             ? GeneticCode::VertebrateMitochondrial
             : GeneticCode::Standard;
}

char amino_acid(std::string_view codon, GeneticCode code) noexcept {
  std::size_t index = 0;
  for (const char base : codon.substr(0, 3)) {
    if (static_cast<std::uint8_t>(base) >= kCodeN) return 'X';
    index = 4 * index + static_cast<std::uint8_t>(base);
  }
  return (code == GeneticCode::Standard ? kStandard : kMitochondrial)[index];
}

std::string translate(std::string_view bases, GeneticCode code) {
  std::string out;
  for (std::size_t i = 0; i + 3 <= bases.size(); i += 3) {
    out += amino_acid(bases.substr(i, 3), code);
    if (out.back() == '*') break;
  }
  return out;
}

}  // namespace aceso::genomics
