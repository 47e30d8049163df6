// What is counted when calls are compared with a truth set.
#pragma once

#include "variant_pieces.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::genomics {

enum class VariantClass : std::uint8_t { Snp, Indel };
inline constexpr std::array<std::string_view, 2> kClassNames{"snp", "indel"};

/// hap.py's names, by bases gained or lost; Complex changes bases but not their number.
enum class Subtype : std::uint8_t { Ti, Tv, I1_5, I6_15, I16, D1_5, D6_15, D16, Complex };
inline constexpr std::array<std::string_view, 9> kSubtypeNames{
    "ti", "tv", "I1_5", "I6_15", "I16_PLUS", "D1_5", "D6_15", "D16_PLUS", "complex"};

enum class Zygosity : std::uint8_t { Het, HomAlt, HetAlt };
inline constexpr std::array<std::string_view, 3> kZygosityNames{"het", "homalt", "hetalt"};

struct PieceType {
  VariantClass variant_class = VariantClass::Snp;
  Subtype subtype = Subtype::Ti;
  Zygosity zygosity = Zygosity::Het;
};
[[nodiscard]] PieceType type_of(std::span<const std::uint8_t> contig, const VariantPiece& piece);

enum class CompareOutcome : std::uint8_t {
  Outside,  ///< of the regions, or matched only by variants outside: not counted
  Match,    ///< a true positive
  Miss,     ///< a false negative of the truth, a false positive of the calls
};

/// How near a miss was.
enum class Nearness : std::uint8_t {
  None,
  Place,   ///< the other set has a missed variant at this place
  Allele,  ///< which has the allele, in another genotype
};

struct Judgement {
  PieceType type;
  CompareOutcome outcome = CompareOutcome::Outside;
  Nearness nearness = Nearness::None;
  double score = -1;  ///< of a call; of a matched true variant the least of its counterparts
};

/// Counts of one kind of variant.
struct VariantTally {
  std::uint64_t tp = 0, fn = 0;        ///< variants of the truth
  std::uint64_t query_tp = 0, fp = 0;  ///< calls
  std::uint64_t fp_gt = 0, fp_al = 0;  ///< of fp: right allele, right place

  void add(bool is_truth, const Judgement& judgement);
  /// Nothing if there was nothing to find, or to be right about.
  [[nodiscard]] std::optional<double> recall() const;
  [[nodiscard]] std::optional<double> precision() const;
  [[nodiscard]] std::optional<double> f1() const;
};

/// Calls with at least the score `threshold`.
struct RocPoint {
  double threshold = 0;
  VariantTally tally;
};

/// All counts of a comparison.
class CompareCounts {
 public:
  void add(bool is_truth, const Judgement& judgement);

  [[nodiscard]] const VariantTally& of(VariantClass c) const { return classes_[index(c)]; }
  [[nodiscard]] const VariantTally& of(Subtype s) const { return subtypes_[index(s)]; }
  [[nodiscard]] const VariantTally& of(VariantClass c, Zygosity z) const {
    return zygosities_[index(c)][index(z)];
  }
  /// One point for each score, from the highest; what has none comes last, at -1.
  [[nodiscard]] std::vector<RocPoint> roc(VariantClass c) const;

  std::uint64_t outside_truth = 0, outside_calls = 0;
  std::uint64_t superloci = 0, superloci_too_complex = 0;

 private:
  template <typename Enum>
  static std::size_t index(Enum value) {
    return static_cast<std::size_t>(value);
  }
  struct Scored {
    float score;
    bool is_truth, match;
  };

  std::array<VariantTally, 2> classes_;
  std::array<VariantTally, 9> subtypes_;
  std::array<std::array<VariantTally, 3>, 2> zygosities_;
  std::array<std::vector<Scored>, 2> scored_;
};

/// The point of best F1, the highest score among equals; nothing without points.
[[nodiscard]] std::optional<RocPoint> best_point(const std::vector<RocPoint>& points);

}  // namespace aceso::genomics
