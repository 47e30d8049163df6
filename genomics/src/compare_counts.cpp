#include "compare_counts.hpp"

#include <algorithm>
#include <cstdlib>

namespace aceso::genomics {
namespace {

std::optional<double> share(std::uint64_t part, std::uint64_t rest) {
  if (part + rest == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(part + rest);
}

Subtype subtype_of_indel(std::int64_t gained) {
  const std::int64_t size = std::abs(gained);
  if (size == 0) return Subtype::Complex;
  const int step = size <= 5 ? 0 : size <= 15 ? 1 : 2;
  const Subtype first = gained > 0 ? Subtype::I1_5 : Subtype::D1_5;
  return static_cast<Subtype>(static_cast<int>(first) + step);
}

/// A and G, C and T: codes that differ by 2.
bool is_transition(std::uint8_t from, std::uint8_t to) {
  return from < kCodeN && to < kCodeN && (from ^ to) == 2;
}

}  // namespace

PieceType type_of(std::span<const std::uint8_t> contig, const VariantPiece& piece) {
  PieceType type;
  type.zygosity = piece.homozygous()             ? Zygosity::HomAlt
                  : piece.several_alternatives() ? Zygosity::HetAlt
                                                 : Zygosity::Het;
  const auto size = static_cast<std::int64_t>(piece.end - piece.begin);
  std::int64_t gained = 0;
  bool single = size == 1, transition = true;
  for (std::size_t h = 0; h < piece.copies(); ++h) {
    if (!piece.alters[h]) continue;
    const auto change = static_cast<std::int64_t>(piece.alleles[h].size()) - size;
    if (std::abs(change) > std::abs(gained)) gained = change;
    single = single && change == 0;
    if (single)
      transition = transition && is_transition(contig[piece.begin],
                                               static_cast<std::uint8_t>(piece.alleles[h][0]));
  }
  type.variant_class = single ? VariantClass::Snp : VariantClass::Indel;
  type.subtype = !single ? subtype_of_indel(gained) : transition ? Subtype::Ti : Subtype::Tv;
  return type;
}

void VariantTally::add(bool is_truth, const Judgement& judgement) {
  if (judgement.outcome == CompareOutcome::Outside) return;
  const bool match = judgement.outcome == CompareOutcome::Match;
  if (is_truth) {
    ++(match ? tp : fn);
    return;
  }
  ++(match ? query_tp : fp);
  if (match) return;
  fp_gt += judgement.nearness == Nearness::Allele;
  fp_al += judgement.nearness == Nearness::Place;
}

std::optional<double> VariantTally::recall() const { return share(tp, fn); }
std::optional<double> VariantTally::precision() const { return share(query_tp, fp); }
std::optional<double> VariantTally::f1() const {
  const auto p = precision(), r = recall();
  if (!p && !r) return std::nullopt;
  if (p.value_or(0) + r.value_or(0) == 0) return 0;
  return 2 * p.value_or(0) * r.value_or(0) / (p.value_or(0) + r.value_or(0));
}

void CompareCounts::add(bool is_truth, const Judgement& judgement) {
  if (judgement.outcome == CompareOutcome::Outside) {
    ++(is_truth ? outside_truth : outside_calls);
    return;
  }
  const PieceType& type = judgement.type;
  classes_[index(type.variant_class)].add(is_truth, judgement);
  subtypes_[index(type.subtype)].add(is_truth, judgement);
  zygosities_[index(type.variant_class)][index(type.zygosity)].add(is_truth, judgement);
  const bool match = judgement.outcome == CompareOutcome::Match;
  if (!is_truth || match)
    scored_[index(type.variant_class)].push_back(
        {static_cast<float>(judgement.score), is_truth, match});
}

std::vector<RocPoint> CompareCounts::roc(VariantClass c) const {
  std::vector<Scored> sorted = scored_[index(c)];
  std::ranges::stable_sort(sorted, std::greater<>{}, &Scored::score);
  const std::uint64_t all = of(c).tp + of(c).fn;
  std::vector<RocPoint> out;
  VariantTally tally;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    ++(sorted[i].is_truth ? tally.tp : sorted[i].match ? tally.query_tp : tally.fp);
    if (i + 1 < sorted.size() && sorted[i + 1].score == sorted[i].score) continue;
    tally.fn = all - tally.tp;
    out.push_back({sorted[i].score, tally});
  }
  return out;
}

std::optional<RocPoint> best_point(const std::vector<RocPoint>& points) {
  const auto best = std::ranges::max_element(
      points, {}, [](const RocPoint& point) { return point.tally.f1().value_or(0); });
  if (best == points.end()) return std::nullopt;
  return *best;
}

}  // namespace aceso::genomics
