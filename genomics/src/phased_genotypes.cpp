#include "phased_genotypes.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <algorithm>
#include <charconv>

namespace aceso::genomics {
namespace {

constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

/// The `index`-th part of `text`; empty if there are fewer.
std::string_view part(std::string_view text, char separator, std::size_t index) {
  for (; index > 0; --index) {
    const std::size_t end = text.find(separator);
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find(separator));
}

std::size_t index_of(std::string_view format, std::string_view key) {
  std::size_t index = 0, found = kNowhere;
  for_each_part(format, ':', [&](std::string_view one) {
    if (one == key && found == kNowhere) found = index;
    ++index;
  });
  return found;
}

/// An allele in front of `text`, which is taken off; -1 for '.'.
int take_allele(std::string_view& text) {
  int allele = -1;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    return allele;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), allele);
  if (error != std::errc{} || allele < 0) fail(Errc::CorruptData, "not a number");
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return allele;
}

/// Alternatives for the reference's allele, by what the mode says of a genotype without phase.
void replace_reference(std::span<int> alleles) {
  const auto other = std::ranges::find_if(alleles, [](int a) { return a > 0; });
  if (other == alleles.end()) return;
  const int allele = *other;
  std::ranges::replace(alleles, 0, allele);
}

}  // namespace

void PhasedGenotypes::read(const VcfLine& line, PhaseMode mode) {
  alleles_.clear();
  samples_.clear();
  std::string_view rest = line.rest();
  const std::string_view format = rest.substr(0, rest.find('\t'));
  const std::size_t genotype = index_of(format, "GT"), set = index_of(format, "PS");
  if (genotype == kNowhere || format.size() == rest.size()) return;
  rest.remove_prefix(format.size() + 1);
  for_each_part(rest, '\t', [&](std::string_view sample) {
    const std::string_view told = set == kNowhere ? "" : part(sample, ':', set);
    add(part(sample, ':', genotype), told == "." ? "" : told, mode);
  });
}

void PhasedGenotypes::add(std::string_view genotype, std::string_view set, PhaseMode mode) {
  const std::string_view whole = genotype;
  const auto begin = alleles_.size();
  bool phased = true;
  // (VCF 4.4 may put a phase in front of the first allele.)
  if (genotype.starts_with('|') || genotype.starts_with('/')) genotype.remove_prefix(1);
  try {
    alleles_.push_back(take_allele(genotype));
    while (!genotype.empty()) {
      if (genotype[0] != '|' && genotype[0] != '/') fail(Errc::CorruptData, "not a separator");
      phased &= genotype[0] == '|';
      genotype.remove_prefix(1);
      alleles_.push_back(take_allele(genotype));
    }
  } catch (const Error&) {
    fail(Errc::CorruptData, "sample {}: expected a genotype such as 0|1, found \"{}\"",
         samples_.size() + 1, printable(whole, 40));
  }
  const std::span<int> mine(alleles_.data() + begin, alleles_.size() - begin);
  const bool same = std::ranges::adjacent_find(mine, std::ranges::not_equal_to{}) == mine.end();
  if (mode == PhaseMode::Merge) {
    const auto other = std::ranges::find_if(mine, [](int a) { return a > 0; });
    if (other != mine.end()) mine[0] = *other;
    alleles_.resize(begin + 1);
  } else if (!same && !phased) {
    if (mode == PhaseMode::Require)
      fail(Errc::CorruptData,
           "sample {}: the genotype {} is not phased; phase says what to do with such",
           samples_.size() + 1, printable(whole, 40));
    if (mode == PhaseMode::NotReference) replace_reference(mine);
    if (mode == PhaseMode::Skip) std::ranges::fill(mine, -1);
  }
  // Without phase there is no set either, whatever PS says.
  const bool everywhere = same || !phased || mode == PhaseMode::Merge;
  samples_.push_back({static_cast<std::uint32_t>(begin),
                      static_cast<std::uint32_t>(alleles_.size()), everywhere, set});
}

SampleHaplotypes PhasedGenotypes::of(std::size_t sample) const noexcept {
  const Sample& s = samples_[sample];
  return {{alleles_.data() + s.begin, s.end - s.begin}, s.everywhere, s.set};
}

}  // namespace aceso::genomics
