#include "aceso/genomics/aligner.hpp"

#include "bucket_store.hpp"
#include "duplicates.hpp"
#include "genome_testing.hpp"
#include "kernels/band.hpp"
#include "record_builder.hpp"

#include <set>

namespace aceso::genomics {
namespace {

class Aligning : public ::testing::Test {
 protected:
  Aligning() {
    ReadMaker maker(9);
    genome = random_genome(maker, 40'000);
    // A stretch that stands twice.
    genome += genome.substr(5000, 1000);
    reference = reference_of(folder, {{"one", genome}, {"two", random_genome(maker, 2000)}});
    index = std::make_unique<SeedIndex>(SeedIndex::build(reference, 1));
    aligner = std::make_unique<Aligner>(*index);
  }

  [[nodiscard]] Alignment align(const std::string& read) const {
    return aligner->align(codes_of(read)).primary;
  }
  [[nodiscard]] static std::uint32_t global(std::size_t position) {
    return kContigGap + static_cast<std::uint32_t>(position);
  }

  Folder folder;
  std::string genome;
  std::shared_ptr<const OwnedReference> reference;
  std::unique_ptr<SeedIndex> index;
  std::unique_ptr<Aligner> aligner;
};

TEST_F(Aligning, FindsReadsWhereTheyAreFrom) {
  ReadMaker maker(10);
  for (int round = 0; round < 300; ++round) {
    const std::size_t length = 60 + maker.below(200), at = 8000 + maker.below(30'000);
    std::string read = genome.substr(at, length);
    for (std::size_t i = 0; i < maker.below(3); ++i)
      read[20 + maker.below(length - 40)] = "ACGT"[maker.below(4)];
    const bool reversed = maker.below(2) == 1;
    const Alignment found = align(reversed ? ReadMaker::reverse_complement(read) : read);
    ASSERT_TRUE(found.mapped);
    EXPECT_EQ(found.position, global(at));
    EXPECT_EQ(found.end, global(at + length));
    EXPECT_EQ(found.reversed, reversed);
    EXPECT_EQ(cigar_text(found.cigar), std::to_string(length) + "M");
    EXPECT_GE(found.mapping_quality, length < 100 ? 30 : 50);
  }
}

TEST_F(Aligning, SpansGapsAndClipsWhatIsForeign) {
  ReadMaker maker(11);
  const std::string front = genome.substr(10'000, 70);
  EXPECT_EQ(cigar_text(align(front + "ACGTTGCA" + genome.substr(10'070, 72)).cigar), "70M8I72M");
  const Alignment deletion = align(front + genome.substr(10'080, 80));
  EXPECT_EQ(cigar_text(deletion.cigar), "70M10D80M");
  EXPECT_EQ(deletion.score, 150 - 6 - 10);
  const Alignment clipped = align(random_genome(maker, 40) + genome.substr(10'000, 110));
  EXPECT_EQ(clipped.unclipped_start(), global(9960));
  EXPECT_GE(clipped.clipped_front(), 35U);
  // Beyond the end of a contig there is nothing.
  const Alignment over = align(genome.substr(genome.size() - 100) + random_genome(maker, 50));
  EXPECT_LE(over.end, global(genome.size()));
}

TEST_F(Aligning, JoinsTheEndsAtALargeGap) {
  ReadMaker maker(13);
  for (int round = 0; round < 100; ++round) {
    const std::size_t gap = 30 + maker.below(35), at = 8000 + maker.below(30'000);
    const bool deleted = maker.below(2) == 1, reversed = maker.below(2) == 1;
    const std::string inserted = deleted ? "" : random_genome(maker, gap);
    const std::size_t behind = at + 80 + (deleted ? gap : 0);
    const std::string read = genome.substr(at, 80) + inserted + genome.substr(behind, 85);
    const Alignment found = align(reversed ? ReadMaker::reverse_complement(read) : read);
    ASSERT_TRUE(found.mapped);
    EXPECT_EQ(found.position, global(at));
    EXPECT_EQ(found.end, global(behind + 85));
    EXPECT_EQ(found.score, 165 - 6 - static_cast<int>(gap));
    EXPECT_EQ(found.clipped_front() + found.clipped_back(), 0U);
    EXPECT_GE(found.mapping_quality, 50) << cigar_text(found.cigar);
  }
  // A gap that costs more than the shorter end earns stays a clip.
  const Alignment far = align(genome.substr(12'000, 100) + genome.substr(12'200, 50));
  EXPECT_EQ(cigar_text(far.cigar), "100M50S");
}

TEST_F(Aligning, IsNotSureOfACopyInATandemRepeat) {
  ReadMaker maker(14);
  const std::string unit = random_genome(maker, 9);
  std::string array;
  while (array.size() < 3000) array += unit;
  // One copy in three hundred differs, so that nothing but the mate tells where a read is from.
  array[1500] = array[1500] == 'A' ? 'C' : 'A';
  const std::string tandem = genome.substr(10'000, 3000) + array + genome.substr(20'000, 3000);
  const auto own = reference_of(folder, {{"tandem", tandem}});
  const SeedIndex seeds = SeedIndex::build(own, 1);
  Aligner inside(seeds);
  const InsertModel model{400, 50, 150, 700, 1000};
  const PairPlaces pair =
      inside.align_pair(codes_of(tandem.substr(3800, 100)),
                        codes_of(ReadMaker::reverse_complement(tandem.substr(4100, 100))), model);
  for (const ReadPlaces& mate : pair.reads) EXPECT_LT(mate.primary.mapping_quality, 20);
  // With its mate outside, a read is found where the mate says.
  const PairPlaces edge =
      inside.align_pair(codes_of(tandem.substr(2800, 100)),
                        codes_of(ReadMaker::reverse_complement(tandem.substr(3100, 100))), model);
  EXPECT_EQ(edge.reads[0].primary.position, global(2800));
  EXPECT_NEAR(edge.reads[1].primary.position, global(3100), 150);
  EXPECT_LT(edge.reads[1].primary.mapping_quality, 30);
}

TEST_F(Aligning, SaysWhenAPlaceIsNotSure) {
  const Alignment twice = align(genome.substr(5300, 150));
  ASSERT_TRUE(twice.mapped);
  EXPECT_EQ(twice.mapping_quality, 0);
  EXPECT_EQ(twice.second_score, 150);
  // Its mate stands outside the repeat and tells the copies apart.
  InsertModel model{400, 50, 150, 700, 1000};
  const PairPlaces pair =
      aligner->align_pair(codes_of(genome.substr(5900, 150)),
                          codes_of(ReadMaker::reverse_complement(genome.substr(6150, 150))), model);
  EXPECT_TRUE(pair.proper);
  EXPECT_EQ(pair.reads[0].primary.position, global(5900));
  EXPECT_GE(pair.reads[0].primary.mapping_quality, 20);
}

TEST_F(Aligning, SplitsReadsThatJump) {
  const ReadPlaces places =
      aligner->align(codes_of(genome.substr(12'000, 90) + genome.substr(30'000, 60)));
  EXPECT_EQ(cigar_text(places.primary.cigar), "90M60S");
  ASSERT_EQ(places.supplementary.size(), 1U);
  EXPECT_EQ(cigar_text(places.supplementary[0].cigar), "90S60M");
  EXPECT_EQ(places.supplementary[0].position, global(30'000));
}

TEST_F(Aligning, LivesWithOddReads) {
  ReadMaker maker(12);
  for (const std::string& read :
       {std::string(), std::string("A"), std::string(150, 'N'), std::string(150, 'A'),
        random_genome(maker, 150), std::string(9000, 'C')})
    EXPECT_FALSE(align(read).mapped) << read.size();
  EXPECT_FALSE(align(genome.substr(0, kMostReadLength + 1)).mapped);
  EXPECT_TRUE(align(genome.substr(100, kMostReadLength)).mapped);
  EXPECT_TRUE(align(genome.substr(0, 100)).mapped);
}

TEST(InsertModel, LearnsDespiteOutliers) {
  ReadMaker maker(13);
  std::vector<std::int32_t> lengths;
  for (int i = 0; i < 5000; ++i)
    lengths.push_back(350 + static_cast<std::int32_t>(maker.below(100)));
  for (int i = 0; i < 200; ++i) lengths.push_back(50'000);
  const InsertModel model = InsertModel::learn(lengths);
  EXPECT_NEAR(model.mean, 400, 3);
  EXPECT_LT(model.most, 1000);
  EXPECT_TRUE(InsertModel::learn({}).known());
}

DuplicateKey key(std::uint64_t first, std::uint64_t second, std::uint64_t number,
                 std::uint32_t quality) {
  return {first, second, number, quality, 0, {}, 0};
}

TEST(Duplicates, KeepTheBestOfEachFragment) {
  const Folder folder;
  BucketStore store(4, 1 << 20, folder.path("."));
  const std::vector<DuplicateKey> keys = {key(10, 90, 0, 50),
                                          key(10, 90, 1, 70),
                                          key(10, 91, 2, 10),
                                          key(10, 90, 3, 70),
                                          {90, 0, 1, 0, 1, {}, 0},  // pair 1's higher end
                                          key(90, DuplicateKey::kNoMate, 4, 99),
                                          key(200, DuplicateKey::kNoMate, 5, 20),
                                          key(200, DuplicateKey::kNoMate, 6, 30)};
  for (const DuplicateKey& k : keys)
    store.add(duplicate_bucket(k, 4), std::as_bytes(std::span(&k, 1)));
  const Duplicates duplicates = find_duplicates(store, 7, 100, {});
  const DuplicateSet& found = duplicates.all;
  EXPECT_EQ(duplicates.counts.pairs, 4U);
  EXPECT_EQ(duplicates.counts.pair_duplicates, 2U);
  EXPECT_EQ(duplicates.counts.optical_pairs, 0U);
  EXPECT_EQ(duplicates.counts.unpaired, 3U);
  EXPECT_EQ(duplicates.counts.unpaired_duplicates, 2U);
  const std::vector<bool> expected = {true, false, false, true, true, true, false};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(found.contains(i), expected[i]) << i;
}

TEST(BucketStore, HandsOutTheSameBytesFromMemoryAndDisk) {
  const Folder folder;
  ReadMaker maker(14);
  BucketStore large(8, 1 << 24, folder.path(".")), small(8, 2000, folder.path("."));
  for (int i = 0; i < 2000; ++i) {
    const std::string bytes = maker.bases(1 + maker.below(60));
    const std::size_t bucket = maker.below(8);
    large.add(bucket, std::as_bytes(std::span(bytes)));
    small.add(bucket, std::as_bytes(std::span(bytes)));
  }
  EXPECT_EQ(large.spilled_bytes(), 0U);
  EXPECT_GT(small.spilled_bytes(), 10'000U);
  for (std::size_t b = 0; b < 8; ++b) EXPECT_TRUE(large.take(b) == small.take(b));
}

TEST(ClusterPlace, IsReadFromNames) {
  const ClusterPlace seven = cluster_place("A00:12:HX3:2:1101:1234:5678");
  EXPECT_NE(seven.tile, 0U);
  EXPECT_EQ(seven.x, 1234);
  EXPECT_EQ(seven.y, 5678);
  EXPECT_EQ(cluster_place("A00:12:HX3:2:1101:1:2:ACGT+TTGA").tile, seven.tile);
  EXPECT_NE(cluster_place("A00:12:HX3:3:1101:1234:5678").tile, seven.tile) << "another lane";
  EXPECT_EQ(cluster_place("HWUSI:6:73:941:1973#0").y, 1973);
  for (const char* name : {"", "read1", "a:b:c", "A:1:B:2:tile:3:4", "A:1:B:2:1101:x:4",
                           "::::::", "A:1:B:2:1101:3:99999999999", "sim.1:1:+:100:400:chr1"})
    EXPECT_EQ(cluster_place(name).tile, 0U) << name;
}

/// Pairs with the same ends, and where their clusters stand.
std::vector<DuplicateKey> copies_at(const std::vector<ClusterPlace>& places) {
  std::vector<DuplicateKey> out;
  for (const ClusterPlace& place : places)
    out.push_back({10, 90, out.size(), static_cast<std::uint32_t>(100 - out.size()), 0, place, 2});
  return out;
}

std::vector<std::uint64_t> optical_among(const std::vector<DuplicateKey>& keys,
                                         std::int64_t distance) {
  const Folder folder;
  BucketStore store(1, 1 << 20, folder.path("."));
  store.add(0, std::as_bytes(std::span(keys)));
  const Duplicates found = find_duplicates(store, keys.size(), distance, {});
  std::vector<std::uint64_t> out;
  for (std::uint64_t i = 0; i < keys.size(); ++i) {
    if (found.optical.contains(i)) out.push_back(i);
    EXPECT_TRUE(!found.optical.contains(i) || found.all.contains(i));
  }
  EXPECT_EQ(found.counts.optical_pairs, out.size());
  return out;
}

using Numbers = std::vector<std::uint64_t>;

TEST(Duplicates, OpticalOnesStandSideBySide) {
  // In a chain: the first and the last are joined by those between them.
  auto keys = copies_at({{7, 0, 0}, {7, 100, 100}, {7, 200, 0}, {8, 0, 0}, {7, 500, 0}, {0, 0, 0}});
  EXPECT_EQ(optical_among(keys, 100), (Numbers{1, 2}));
  EXPECT_EQ(optical_among(keys, 99), Numbers{});
  EXPECT_EQ(optical_among(keys, 300), (Numbers{1, 2, 4}));
  EXPECT_EQ(optical_among(keys, 0), Numbers{});
  // A group without the pair that is kept has one that is no optical duplicate as well.
  EXPECT_EQ(optical_among(copies_at({{7, 0, 0}, {7, 5000, 0}, {7, 5000, 1}, {7, 5000, 1}}), 100),
            (Numbers{2, 3}));
  keys = copies_at({{7, 0, 0}, {7, 1, 1}});
  keys[1].strands = 1;  // the mates are the other way round
  EXPECT_EQ(optical_among(keys, 100), Numbers{});
}

TEST(Duplicates, OpticalOnesAreThoseOfAllPairsCompared) {
  ReadMaker maker(31);
  for (int round = 0; round < 50; ++round) {
    std::vector<ClusterPlace> places;
    for (int i = 0; i < 60; ++i)
      places.push_back({static_cast<std::uint32_t>(1 + maker.below(2)),
                        static_cast<std::int32_t>(maker.below(900)),
                        static_cast<std::int32_t>(maker.below(300))});
    // Slow and obvious: the lowest number spreads to neighbours until nothing changes.
    std::vector<std::size_t> lowest(places.size());
    for (std::size_t i = 0; i < lowest.size(); ++i) lowest[i] = i;
    for (bool changed = true; changed;) {
      changed = false;
      for (std::size_t i = 0; i < places.size(); ++i) {
        for (std::size_t j = 0; j < places.size(); ++j) {
          if (!places[i].near(places[j], 50) || lowest[j] >= lowest[i]) continue;
          lowest[i] = lowest[j];
          changed = true;
        }
      }
    }
    Numbers expected;
    for (std::size_t i = 0; i < lowest.size(); ++i)
      if (lowest[i] != i) expected.push_back(i);
    EXPECT_EQ(optical_among(copies_at(places), 50), expected);
  }
}

TEST_F(Aligning, TellsOfOtherPlacesWhenAsked) {
  Aligner more(*index, 3);
  const std::string read = genome.substr(5300, 150);
  const ReadPlaces without = aligner->align(codes_of(read)), with = more.align(codes_of(read));
  EXPECT_TRUE(without.secondary.empty());
  EXPECT_EQ(with.primary.position, without.primary.position);
  EXPECT_EQ(with.primary.mapping_quality, without.primary.mapping_quality);
  ASSERT_EQ(with.secondary.size(), 1U);
  EXPECT_EQ(with.secondary[0].score, 150);
  const std::set<std::uint32_t> places = {with.primary.position, with.secondary[0].position};
  EXPECT_EQ(places, (std::set<std::uint32_t>{global(5300), global(40'300)}));
  EXPECT_TRUE(more.align(codes_of(genome.substr(12'000, 150))).secondary.empty());
  // A part of a split read is no other place.
  EXPECT_TRUE(more.align(codes_of(genome.substr(12'000, 90) + genome.substr(30'000, 60)))
                  .secondary.empty());
}

}  // namespace
}  // namespace aceso::genomics
