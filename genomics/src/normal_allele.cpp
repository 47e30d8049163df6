#include "normal_allele.hpp"

#include <algorithm>

namespace aceso::genomics {
namespace {

std::string upper(std::string_view letters) {
  std::string out(letters);
  for (char& letter : out) {
    if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
  }
  return out;
}

void trim_begin(NormalAllele& allele) {
  const auto [one, two] = std::ranges::mismatch(allele.removed, allele.added);
  const auto same = static_cast<std::size_t>(one - allele.removed.begin());
  allele.removed.erase(0, same);
  allele.added.erase(0, same);
  allele.position += static_cast<std::uint32_t>(same);
}

void trim_end(NormalAllele& allele) {
  while (!allele.removed.empty() && !allele.added.empty() &&
         allele.removed.back() == allele.added.back()) {
    allele.removed.pop_back();
    allele.added.pop_back();
  }
}

void move_left(NormalAllele& allele, std::span<const std::uint8_t> contig) {
  std::string& gap = allele.removed.empty() ? allele.added : allele.removed;
  // The gap's letters go round instead of being moved each time.
  std::size_t last = gap.size() - 1, steps = 0;
  while (allele.position > 0 && steps < kAlleleReach && allele.position <= contig.size() &&
         contig[allele.position - 1] < kCodeN &&
         base_of_code(contig[allele.position - 1]) == gap[last]) {
    --allele.position;
    ++steps;
    last = last == 0 ? gap.size() - 1 : last - 1;
  }
  std::ranges::rotate(gap, gap.begin() + static_cast<std::ptrdiff_t>((last + 1) % gap.size()));
}

}  // namespace

bool is_spelled(std::string_view allele) noexcept {
  return !allele.empty() && std::ranges::all_of(allele, [](char letter) {
    return (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z');
  });
}

std::optional<NormalAllele> normal_allele(std::uint32_t position, std::string_view reference,
                                          std::string_view alternative,
                                          std::span<const std::uint8_t> contig) {
  if (!is_spelled(reference) || !is_spelled(alternative)) return std::nullopt;
  NormalAllele out{position, upper(reference), upper(alternative)};
  trim_end(out);
  trim_begin(out);
  if (out.removed.empty() && out.added.empty()) return std::nullopt;
  if (out.removed.empty() || out.added.empty()) move_left(out, contig);
  return out;
}

std::optional<NormalAllele> trimmed_allele(std::uint32_t position, std::string_view reference,
                                           std::string_view alternative) {
  if (!is_spelled(reference) || !is_spelled(alternative)) return std::nullopt;
  NormalAllele out{position, upper(reference), upper(alternative)};
  trim_begin(out);
  trim_end(out);
  if (out.removed.empty() && out.added.empty()) return std::nullopt;
  return out;
}

bool agrees(std::uint32_t position, std::string_view letters,
            std::span<const std::uint8_t> contig) noexcept {
  if (position + letters.size() > contig.size()) return false;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    const std::uint8_t here = contig[position + i], told = code_of_base(letters[i]);
    if (here != told && here < kCodeN && told < kCodeN) return false;
  }
  return true;
}

}  // namespace aceso::genomics
