#include "mapping_quality.hpp"

#include "kernels/band.hpp"

#include <algorithm>
#include <cmath>

namespace aceso::genomics {
namespace {

// A point of score is worth 6 phred: the odds of a mismatch (score 5 below a match) under an error
// rate of about 0.1 % at full length. The same scale as bwa mem's, so that thresholds users have
// (MAPQ 20, 30) mean about the same.
constexpr double kPhredPerScore = 6.02;

double rivals_penalty(std::uint32_t rivals) {
  return rivals == 0 ? 0 : 4.343 * std::log(rivals + 1.0);
}

int limited(double quality) {
  return static_cast<int>(std::clamp(quality + 0.5, 0.0, static_cast<double>(kMostMappingQuality)));
}

}  // namespace

int single_quality(const Alignment& best, std::uint32_t read_length, std::uint32_t rivals,
                   double unknown_share) {
  if (!best.mapped) return 0;
  // Some place of a seed's length is found nearly everywhere in a large genome.
  constexpr int kChance = 20;
  const int second = std::max(best.second_score, std::min(kChance, best.score - 1));
  if (best.second_score >= best.score) return 0;
  const auto aligned =
      static_cast<double>(read_length - best.clipped_front() - best.clipped_back());
  // Differences and clips make a place less sure, and so does a longer read's greater room for
  // them.
  const double identity =
      1.0 - (aligned * AlignScores::kMatch - best.score) /
                ((AlignScores::kMatch - AlignScores::kMismatch) * std::max(aligned, 1.0));
  const double length_share = aligned < 50 ? 1.0 : std::log(50.0) / std::log(aligned);
  const double share = length_share * identity * identity;
  const double quality =
      kPhredPerScore * (best.score - second) * share * share - rivals_penalty(rivals);
  // Up to half of the seeds unknown, the others are as many as a shorter read has.
  return limited(std::min<double>(quality, kMostMappingQuality) *
                 std::min(1.0, 2 * (1 - unknown_share)));
}

int paired_quality(int single, int margin, std::uint32_t rivals, double unknown_share) {
  // The mate tells copies of a repeat apart, but only so far as its own place can be trusted.
  constexpr int kMostGain = 40;
  const double sure = kPhredPerScore * margin - rivals_penalty(rivals);
  const int together = limited(std::min<double>(sure, kMostMappingQuality) * (1 - unknown_share));
  return std::max(single, std::min(together, single + kMostGain));
}

}  // namespace aceso::genomics
