#include "variant_pieces.hpp"

#include "genotype_order.hpp"

#include <algorithm>
#include <array>

namespace aceso::genomics {
namespace {

/// Above so many cells alleles are not aligned but kept whole.
constexpr std::size_t kMaxAlignment = 4'000'000;

std::string codes_of(std::string_view letters) {
  std::string out(letters.size(), '\0');
  std::ranges::transform(letters, out.begin(),
                         [](char letter) { return static_cast<char>(code_of_base(letter)); });
  return out;
}

bool is_sequence(std::string_view allele) {
  return !allele.empty() && std::ranges::all_of(allele, [](char letter) {
    return (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z');
  });
}

/// The alleles of all copies against the reference's, all as codes.
struct Alleles {
  std::string reference;
  std::vector<std::string> on;
  std::vector<bool> alters;
};

void trim(Alleles& a, std::uint32_t& begin) {
  const auto shortest = [&] {
    std::size_t size = a.reference.size();
    for (std::size_t h = 0; h < a.on.size(); ++h)
      size = std::min(size, a.alters[h] ? a.on[h].size() : size);
    return size;
  };
  const auto all_have = [&](auto base_of) {
    for (std::size_t h = 0; h < a.on.size(); ++h) {
      if (a.alters[h] && base_of(a.on[h]) != base_of(a.reference)) return false;
    }
    return true;
  };
  const auto drop = [&](bool front, std::size_t count) {
    const auto shorten = [&](std::string& text) {
      if (text.size() >= count) text.erase(front ? 0 : text.size() - count, count);
    };
    shorten(a.reference);
    std::ranges::for_each(a.on, shorten);
  };
  std::size_t room = shortest(), back = 0, front = 0;
  while (back < room && all_have([&](const std::string& s) { return s[s.size() - 1 - back]; }))
    ++back;
  drop(false, back);
  room -= back;
  while (front < room && all_have([&](const std::string& s) { return s[front]; })) ++front;
  drop(true, front);
  begin += static_cast<std::uint32_t>(front);
}

/// How an allele lies on the reference: what stands for each base, and what comes before it.
struct Placed {
  std::vector<std::string> inserted;  ///< one more than bases
  std::vector<std::string> instead;   ///< one per base
};

Placed place_whole(const std::string& reference) {
  Placed out{std::vector<std::string>(reference.size() + 1),
             std::vector<std::string>(reference.size())};
  for (std::size_t i = 0; i < reference.size(); ++i) out.instead[i] = reference[i];
  return out;
}

/// Global alignment with affine gaps (Gotoh 1982, J Mol Biol 162:705): a substitution costs 1, a
/// gap 1 and 1 for each base. Among equals the gap that lies furthest left.
class Alignment {
 public:
  Alignment(const std::string& reference, const std::string& allele)
      : r_(reference), a_(allele), width_(allele.size() + 1) {
    const std::size_t cells = (reference.size() + 1) * width_;
    for (auto& layer : cost_) layer.assign(cells, kFar);
    fill();
  }

  Placed trace() const {
    Placed out = place_whole(r_);
    std::size_t i = r_.size(), j = a_.size();
    int layer = best(i, j);
    while (i > 0 || j > 0) {
      const int came_from = before(layer, i, j);
      if (layer == kPair) {
        out.instead[--i] = a_[--j];
      } else if (layer == kDeletion) {
        out.instead[--i].clear();
      } else {
        out.inserted[i].insert(out.inserted[i].begin(), a_[--j]);
      }
      layer = came_from;
    }
    return out;
  }

 private:
  enum Layer { kPair, kDeletion, kInsertion };
  static constexpr std::int32_t kFar = 1 << 29;

  [[nodiscard]] std::int32_t at(int layer, std::size_t i, std::size_t j) const {
    return cost_[static_cast<std::size_t>(layer)][i * width_ + j];
  }
  std::int32_t& at(int layer, std::size_t i, std::size_t j) {
    return cost_[static_cast<std::size_t>(layer)][i * width_ + j];
  }
  /// The layer of least cost; pairs before gaps, which leaves gaps to the left.
  [[nodiscard]] int best(std::size_t i, std::size_t j) const {
    int layer = kPair;
    for (const int other : {kDeletion, kInsertion}) {
      if (at(other, i, j) < at(layer, i, j)) layer = other;
    }
    return layer;
  }
  [[nodiscard]] std::int32_t least(std::size_t i, std::size_t j) const {
    return at(best(i, j), i, j);
  }
  void fill() {
    at(kPair, 0, 0) = 0;
    for (std::size_t i = 0; i <= r_.size(); ++i) {
      for (std::size_t j = 0; j <= a_.size(); ++j) {
        if (i > 0 && j > 0) at(kPair, i, j) = least(i - 1, j - 1) + (r_[i - 1] != a_[j - 1]);
        if (i > 0) at(kDeletion, i, j) = std::min(least(i - 1, j) + 2, at(kDeletion, i - 1, j) + 1);
        if (j > 0)
          at(kInsertion, i, j) = std::min(least(i, j - 1) + 2, at(kInsertion, i, j - 1) + 1);
      }
    }
  }
  [[nodiscard]] int before(int layer, std::size_t i, std::size_t j) const {
    if (layer == kPair) return best(i - 1, j - 1);
    const std::size_t pi = layer == kDeletion ? i - 1 : i, pj = layer == kDeletion ? j : j - 1;
    return at(layer, pi, pj) + 1 == at(layer, i, j) ? layer : best(pi, pj);
  }

  const std::string& r_;
  const std::string& a_;
  std::size_t width_;
  std::array<std::vector<std::int32_t>, 3> cost_;
};

/// Cuts one genotype of trimmed alleles.
class Cutter {
 public:
  Cutter(const Alleles& alleles, std::uint32_t begin, const VariantPiece& like,
         std::vector<VariantPiece>& out)
      : alleles_(alleles), begin_(begin), like_(like), out_(out) {}

  void cut() {
    if (!is_complex()) {
      emit(0, alleles_.reference.size(), alleles_.on);
      return;
    }
    for (std::size_t h = 0; h < alleles_.on.size(); ++h)
      placed_.push_back(alleles_.alters[h] ? place(alleles_.on[h])
                                           : place_whole(alleles_.reference));
    cut_placed();
  }

 private:
  /// Whether there may be bases inside that all alleles share with the reference.
  [[nodiscard]] bool is_complex() const {
    const std::size_t size = alleles_.reference.size();
    std::size_t cells = 0;
    for (std::size_t h = 0; h < alleles_.on.size(); ++h) {
      if (alleles_.alters[h]) cells = std::max(cells, size * alleles_.on[h].size());
    }
    const bool all_short = size == 0 || (size == 1 && cells <= 1);
    return !all_short && cells > 0 && (same_sizes() || cells <= kMaxAlignment);
  }
  [[nodiscard]] bool same_sizes() const {
    for (std::size_t h = 0; h < alleles_.on.size(); ++h) {
      if (alleles_.alters[h] && alleles_.on[h].size() != alleles_.reference.size()) return false;
    }
    return true;
  }
  [[nodiscard]] Placed place(const std::string& allele) const {
    if (!same_sizes()) return Alignment(alleles_.reference, allele).trace();
    Placed out = place_whole(allele);
    return out;
  }

  [[nodiscard]] bool base_changes(std::size_t i) const {
    return std::ranges::any_of(placed_, [&](const Placed& p) {
      return p.instead[i] != std::string_view(&alleles_.reference[i], 1);
    });
  }
  [[nodiscard]] bool inserts(std::size_t i) const {
    return std::ranges::any_of(placed_, [&](const Placed& p) { return !p.inserted[i].empty(); });
  }

  void cut_placed() {
    const std::size_t size = alleles_.reference.size();
    for (std::size_t i = 0; i < size || (i == size && inserts(i));) {
      if (!inserts(i) && !base_changes(i)) {
        ++i;
        continue;
      }
      std::size_t end = i;
      while (end < size && base_changes(end)) ++end;
      emit_run(i, end);
      // (An insertion behind the run was part of it.)
      i = end == size ? size + 1 : end;
      if (end < size && !base_changes(end)) ++i;
    }
  }

  /// [begin, end) with the insertions on both its sides.
  void emit_run(std::size_t begin, std::size_t end) {
    if (substitutes_only(begin, end)) {
      std::vector<std::string> bases(placed_.size());
      for (std::size_t i = begin; i < end; ++i) {
        for (std::size_t h = 0; h < placed_.size(); ++h) bases[h] = placed_[h].instead[i];
        emit(i, i + 1, bases);
      }
      return;
    }
    std::vector<std::string> bases(placed_.size());
    for (std::size_t h = 0; h < placed_.size(); ++h) {
      for (std::size_t i = begin; i < end; ++i)
        bases[h] += placed_[h].inserted[i] + placed_[h].instead[i];
      bases[h] += placed_[h].inserted[end];
    }
    emit(begin, end, bases);
  }
  [[nodiscard]] bool substitutes_only(std::size_t begin, std::size_t end) const {
    for (std::size_t i = begin; i <= end; ++i) {
      if (inserts(i)) return false;
      if (i < end &&
          std::ranges::any_of(placed_, [&](const Placed& p) { return p.instead[i].empty(); }))
        return false;
    }
    return true;
  }

  void emit(std::size_t begin, std::size_t end, const std::vector<std::string>& bases) {
    VariantPiece piece = like_;
    piece.alleles.resize(bases.size());
    piece.alters.resize(bases.size());
    piece.begin = begin_ + static_cast<std::uint32_t>(begin);
    piece.end = begin_ + static_cast<std::uint32_t>(end);
    const std::string_view before(alleles_.reference.data() + begin, end - begin);
    for (std::size_t h = 0; h < bases.size(); ++h) {
      piece.alters[h] = alleles_.alters[h] && bases[h] != before;
      piece.alleles[h] = piece.alters[h] ? bases[h] : std::string(before);
    }
    if (std::ranges::count(piece.alters, true) > 0) out_.push_back(std::move(piece));
  }

  const Alleles& alleles_;
  std::uint32_t begin_;
  const VariantPiece& like_;
  std::vector<VariantPiece>& out_;
  std::vector<Placed> placed_;
};

}  // namespace

std::size_t VariantPiece::first_alike(std::size_t h) const {
  std::size_t first = 0;
  while (alleles[first] != alleles[h]) ++first;
  return first;
}

bool VariantPiece::homozygous() const {
  return alters[0] &&
         std::ranges::all_of(alleles, [&](const std::string& a) { return a == alleles[0]; });
}

bool VariantPiece::several_alternatives() const {
  std::size_t count = 0;
  for (std::size_t h = 0; h < copies(); ++h) count += brings_alternative(h) ? 1 : 0;
  return count > 1;
}

bool VariantPiece::same_as(const VariantPiece& other) const {
  if (begin != other.begin || end != other.end) return false;
  const auto count = [](const VariantPiece& piece, const std::string& allele) {
    return static_cast<std::size_t>(std::ranges::count(piece.alleles, allele));
  };
  return std::ranges::all_of(alleles, [&](const std::string& allele) {
    return count(*this, allele) * other.copies() == count(other, allele) * copies();
  });
}

ShiftedAllele shift_left(std::span<const std::uint8_t> contig, const VariantPiece& piece,
                         std::size_t copy) {
  ShiftedAllele out{piece.begin, piece.end, piece.end, piece.alleles[copy]};
  const auto base = [&](std::uint32_t at) { return static_cast<char>(contig[at]); };
  while (out.begin < out.end && !out.bases.empty() && out.bases.back() == base(out.end - 1)) {
    out.bases.pop_back();
    --out.end;
  }
  std::size_t front = 0;
  while (out.begin < out.end && front < out.bases.size() && out.bases[front] == base(out.begin)) {
    ++front;
    ++out.begin;
  }
  out.bases.erase(0, front);
  if (out.begin < out.end && !out.bases.empty()) return out;  // no pure insertion or deletion

  // A pure one is a window that slides as long as the base which enters equals that which leaves.
  std::string unit = out.bases;
  if (unit.empty()) {
    for (std::uint32_t i = out.begin; i < out.end; ++i) unit += base(i);
  }
  const std::size_t size = unit.size();
  if (size == 0) return out;
  std::uint32_t right = 0, left = 0;
  while (right < kMaxShift && out.end + right < contig.size() &&
         base(out.end + right) == unit[right % size])
    ++right;
  out.reach = std::max(out.reach, out.end + right);
  while (left < kMaxShift && left < out.begin &&
         base(out.begin - 1 - left) == unit[size - 1 - left % size])
    ++left;
  out.begin -= left;
  out.end -= left;
  if (!out.bases.empty()) {
    const auto turn = static_cast<std::ptrdiff_t>((size - left % size) % size);
    std::rotate(out.bases.begin(), out.bases.begin() + turn, out.bases.end());
  }
  return out;
}

Unused cut_to_pieces(std::span<const std::uint8_t> contig, const GenotypeRecord& record,
                     std::vector<VariantPiece>& out) {
  std::vector<int> genotype = record.genotype;
  if (genotype.empty() || std::ranges::all_of(genotype, [](int a) { return a < 0; }))
    return Unused::NoGenotype;
  if (std::ranges::all_of(genotype, [](int a) { return a <= 0; })) return Unused::ReferenceGenotype;
  if (genotype.size() > kMostPloidy) return Unused::Polyploid;
  if (record.position >= contig.size()) return Unused::NoPlace;
  if (genotype.size() == 1) genotype.push_back(genotype[0]);

  Alleles alleles{.reference = codes_of(record.alleles[0]),
                  .on = std::vector<std::string>(genotype.size()),
                  .alters = std::vector<bool>(genotype.size())};
  for (std::size_t h = 0; h < genotype.size(); ++h) {
    const std::string& text = record.alleles[static_cast<std::size_t>(std::max(genotype[h], 0))];
    if (genotype[h] > 0 && text != "*") {
      if (!is_sequence(text)) return Unused::Symbolic;
      alleles.on[h] = codes_of(text);
      alleles.alters[h] = alleles.on[h] != alleles.reference;
    }
  }
  if (std::ranges::count(alleles.alters, true) == 0) return Unused::ReferenceGenotype;
  std::uint32_t begin = record.position;
  trim(alleles, begin);
  VariantPiece like;
  like.record = record.number;
  like.quality = record.quality;
  like.score = record.score;
  Cutter(alleles, begin, like, out).cut();
  return Unused::No;
}

}  // namespace aceso::genomics
