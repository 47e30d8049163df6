// What reads must show for the caller to look at an allele.
#include "pileup.hpp"
#include "kernels/band.hpp"

#include "aceso/core/random.hpp"

#include <gtest/gtest.h>

#include <array>

namespace aceso::genomics {
namespace {

constexpr std::uint32_t kSize = 200, kPlace = 100;

std::vector<std::uint8_t> random_codes() {
  Random random(5, 0);
  std::vector<std::uint8_t> out(kSize + kCodeMargin, kCodeN);
  for (std::size_t i = 0; i < kSize; ++i) out[i] = static_cast<std::uint8_t>(random.below(4));
  // So that the deletion of the second base cannot be moved.
  out[kPlace - 1] = 0;
  out[kPlace] = 1;
  out[kPlace + 1] = 2;
  return out;
}

enum class Shows { Nothing, Base, Deletion };

/// A read of 60 bases around kPlace.
void add_read(CallReads& all, const std::vector<std::uint8_t>& reference, Shows what) {
  static const std::array plain{cigar(CigarOp::Match, 60)};
  static const std::array shorter{cigar(CigarOp::Match, 30), cigar(CigarOp::Deletion, 1),
                                  cigar(CigarOp::Match, 30)};
  CallRead read;
  read.position = kPlace - 30;
  read.cigar = what == Shows::Deletion ? std::span<const std::uint32_t>(shorter) : plain;
  read.end = read.position + (what == Shows::Deletion ? 61 : 60);
  read.begin = all.codes.size();
  for (std::uint32_t i = read.position; i < read.end; ++i) {
    if (what == Shows::Deletion && i == kPlace) continue;
    const bool other = what == Shows::Base && i == kPlace;
    all.codes.push_back(other ? 3 : reference[i]);
  }
  all.qualities.resize(all.codes.size(), 37);
  all.codes.resize(all.codes.size() + kCodeMargin, kCodeN);
  all.qualities.resize(all.codes.size());
  all.reads.push_back(read);
}

/// Alleles that `depth` reads make candidates if the first `showing` show it.
std::size_t candidates(int depth, int showing, Shows what) {
  const std::vector<std::uint8_t> codes = random_codes();
  const Reference reference({{"one", 0, kSize}}, codes);
  CallReads reads;
  for (int i = 0; i < depth; ++i) add_read(reads, codes, i < showing ? what : Shows::Nothing);
  Pileup pileup;
  PileupBuilder(reference, {}).build(reads, 10, kSize - 10, pileup);
  for (const CandidateAllele& candidate : pileup.candidates) {
    EXPECT_EQ(candidate.allele.position, kPlace);
    EXPECT_EQ(candidate.support, static_cast<std::uint32_t>(showing));
  }
  return pileup.candidates.size();
}

TEST(Pileup, OneReadOfFewIsEnoughForAnIndelButNotForABase) {
  EXPECT_EQ(candidates(1, 1, Shows::Deletion), 1U);
  EXPECT_EQ(candidates(16, 1, Shows::Deletion), 1U);
  EXPECT_EQ(candidates(17, 1, Shows::Deletion), 0U);
  EXPECT_EQ(candidates(17, 2, Shows::Deletion), 1U);
  EXPECT_EQ(candidates(16, 1, Shows::Base), 0U);
  EXPECT_EQ(candidates(16, 2, Shows::Base), 1U);
}

TEST(Pileup, ATenthOfTheReadsMustShowAnAllele) {
  for (const Shows what : {Shows::Deletion, Shows::Base}) {
    EXPECT_EQ(candidates(30, 3, what), 1U);
    EXPECT_EQ(candidates(31, 3, what), 0U);
    EXPECT_EQ(candidates(30, 0, what), 0U);
  }
}

}  // namespace
}  // namespace aceso::genomics
