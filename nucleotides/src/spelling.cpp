#include "spelling.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <algorithm>
#include <array>

namespace aceso::nucleotides {
namespace {

constexpr std::string_view kCodes = "ACGTURYSWKMBDHVN";
constexpr std::string_view kPartners = "TGCAAYRSWMKVHDBN";

/// Words are sorted, so that a look at the first few usually tells.
bool has_uracil(const nn::Tokenizer& tokenizer) {
  for (nn::Token token = 0; token < tokenizer.size(); ++token) {
    if (!tokenizer.is_plain(token)) continue;
    const std::string& text = tokenizer.text(token);
    if (text.find('T') != std::string::npos) return false;
    if (text.find('U') != std::string::npos) return true;
  }
  return false;
}

/// Glutamate is no nucleotide: a model of proteins reads ACGT too, and would answer with nonsense.
void refuse_proteins(const nn::Tokenizer& tokenizer, std::string_view place) {
  if (tokenizer.find("E") >= 0)
    fail(Errc::Unsupported, "{}: expected a model of nucleotides, found one with amino acids",
         place);
}

/// What stands for each code in a vocabulary; '\0' for other characters.
std::array<char, 256> spelling_of(const nn::Tokenizer& tokenizer) {
  std::array<char, 256> spelling{};
  const char thymine = has_uracil(tokenizer) ? 'U' : 'T';
  for (const char code : kCodes) {
    const bool one_base = std::string_view("ACG").find(code) != std::string_view::npos;
    const bool known = tokenizer.find(std::string(1, code)) >= 0;
    spelling[static_cast<unsigned char>(code)] = one_base || known ? code : 'N';
  }
  spelling['T'] = spelling['U'] = thymine;
  return spelling;
}

}  // namespace

std::string spelt(std::string sequence, const nn::Tokenizer& tokenizer, std::string_view place) {
  refuse_proteins(tokenizer, place);
  const std::array<char, 256> spelling = spelling_of(tokenizer);
  for (std::size_t i = 0; i < sequence.size(); ++i) {
    const char written = sequence[i];
    // Tables of labelled sequences keep their case.
    const char upper =
        written >= 'a' && written <= 'z' ? static_cast<char>(written - 'a' + 'A') : written;
    sequence[i] = spelling[static_cast<unsigned char>(upper)];
    if (sequence[i] == '\0')
      fail(Errc::CorruptData, "{}: expected nucleotides (IUPAC codes {}), found \"{}\" at {}",
           place, kCodes, printable(std::string_view(&written, 1)), i + 1);
  }
  return sequence;
}

std::string reverse_complement(std::string_view sequence) {
  std::string other(sequence.rbegin(), sequence.rend());
  for (char& letter : other)
    if (const auto found = kCodes.find(letter); found != std::string_view::npos)
      letter = kPartners[found];
  return other;
}

}  // namespace aceso::nucleotides
