#include "aceso/genomics/seed_index.hpp"

#include "genome_testing.hpp"
#include "syncmers.hpp"

namespace aceso::genomics {
namespace {

std::string letters_of(std::span<const std::uint8_t> codes) {
  std::string out;
  for (const std::uint8_t code : codes) out += base_of_code(code);
  return out;
}

TEST(Reference, TakesWhatFastaFilesHold) {
  const Folder folder;
  const std::string text = ">chr1 the first\r\nACGTacgtNn\r\nRYU\r\n\r\n>HLA*01:01\n>chrM\nGATTACA";
  for (const std::string& bytes : {text, gzip(text), bgzf(text)}) {
    const OwnedReference owned = read_reference(folder.write("a.fa", bytes));
    const Reference& reference = owned.reference;
    ASSERT_EQ(reference.contigs().size(), 3U);
    EXPECT_EQ(reference.contigs()[1].name, "HLA*01:01");
    EXPECT_EQ(reference.contigs()[1].length, 0U);
    EXPECT_EQ(letters_of(reference.codes(0)), "ACGTACGTNNNNT");
    EXPECT_EQ(reference.letters(0), "ACGTACGTNNRYU");
    EXPECT_EQ(letters_of(reference.codes(2)), "GATTACA");
    EXPECT_EQ(reference.find("chrM"), 2);
    EXPECT_EQ(reference.find("chr"), -1);
    EXPECT_EQ(reference.base_count(), 20U);
    const Place place = reference.place(reference.contigs()[2].begin + 3);
    EXPECT_EQ(place.contig, 2U);
    EXPECT_EQ(place.position, 3U);
    // md5sum of "GATTACA"
    EXPECT_EQ(reference.contigs()[2].md5, "61966c86d7c3bb28fff946c52eefff0b");
  }
}

TEST(Reference, RefusesWhatIsNoReference) {
  const Folder folder;
  const auto refused = [&](const std::string& text, const std::string& part) {
    const auto path = folder.write("bad.fa", text);
    expect_error(Errc::CorruptData, {path.string(), part}, [&] { return read_reference(path); });
  };
  refused("", "no contig");
  refused("ACGT\n", "no '>'");
  refused("@read\nACGT\n+\nIIII\n", "no '>'");
  refused(">a\nAC\n>a\nGT\n", "two contigs");
  refused(">\nAC\n", "no name");
  refused(">chr7\nACG!T\n", "contig chr7, base 4");
  expect_error(Errc::NotFound, {"missing.fa"},
               [&] { return read_reference(folder.path("missing.fa")); });
}

TEST(Syncmers, AreTheSameOnBothStrands) {
  ReadMaker maker(7);
  const std::string bases = maker.bases(5000);
  std::vector<Syncmer> forward, backward;
  SyncmerFinder finder;
  finder.find(codes_of(bases), 0, forward);
  finder.find(codes_of(ReadMaker::reverse_complement(bases)), 0, backward);
  ASSERT_EQ(forward.size(), backward.size());
  ASSERT_GT(forward.size(), 400U);
  std::ranges::reverse(backward);
  for (std::size_t i = 0; i < forward.size(); ++i) {
    EXPECT_EQ(forward[i].hash, backward[i].hash);
    EXPECT_EQ(forward[i].position, bases.size() - kSeedLength - backward[i].position);
    EXPECT_NE(forward[i].reversed, backward[i].reversed);
  }
}

class Index : public ::testing::Test {
 protected:
  Index() {
    ReadMaker maker(8);
    contig = random_genome(maker, 300'000);
    reference = reference_of(folder, {{"one", contig}, {"two", random_genome(maker, 1000)}});
  }
  Folder folder;
  std::string contig;
  std::shared_ptr<const OwnedReference> reference;
};

TEST_F(Index, FindsEverySeedOfTheReference) {
  const SeedIndex index = SeedIndex::build(reference, 2);
  std::vector<Syncmer> seeds;
  SyncmerFinder finder;
  finder.find(codes_of(contig), 0, seeds);
  for (const Syncmer& seed : seeds) {
    const auto found = index.find(seed.hash);
    const auto here = [&](const SeedEntry& e) { return e.position == seed.position + kContigGap; };
    EXPECT_TRUE(std::ranges::any_of(found, here));
    EXPECT_LT(found.size(), 4U);
  }
}

TEST_F(Index, IsTheSameForAnyNumberOfThreadsAndFromItsFile) {
  const auto source = folder.path("genome.fa");
  std::string first;
  for (const unsigned threads : {1U, 2U, 3U}) {
    const auto path = folder.path("index" + std::to_string(threads));
    SeedIndex::build(reference, threads).save(path, source);
    SeedIndex::verify(path);
    const std::string bytes = read_file(path);
    if (first.empty()) first = bytes;
    EXPECT_TRUE(bytes == first);
    const SeedIndex opened = SeedIndex::open(path);
    EXPECT_EQ(opened.reference().contigs()[1].name, "two");
    EXPECT_EQ(letters_of(opened.reference().codes(0)), contig);
    EXPECT_TRUE(SeedIndex::is_current(path, source));
  }
  folder.write("genome.fa", ">other\nACGT\n");
  EXPECT_FALSE(SeedIndex::is_current(folder.path("index1"), source));
}

TEST(IndexFile, KeepsLettersThatAreNoBase) {
  const Folder folder;
  const auto source = folder.write("a.fa", ">one\nRRRACGTNM\n>two\nACGU\n>three\nACGT\n");
  const auto owned = std::make_shared<OwnedReference>(read_reference(source));
  SeedIndex::build(owned, 1).save(folder.path("index"), source);
  const SeedIndex opened = SeedIndex::open(folder.path("index"));
  const std::vector<LetterRun> expected{{0, 3, 'R'}, {8, 1, 'M'}};
  EXPECT_EQ(opened.reference().contigs()[0].other_letters, expected);
  EXPECT_EQ(opened.reference().letters(0), "RRRACGTNM");
  EXPECT_EQ(opened.reference().letters(1), "ACGU");
  EXPECT_TRUE(opened.reference().contigs()[2].other_letters.empty());
  // A run that reaches out of its contig.
  std::string bytes = read_file(folder.path("index"));
  const std::size_t run = bytes.find(std::string("\3\0\0\0R", 5));
  ASSERT_NE(run, std::string::npos);
  bytes[run] = 10;
  folder.write("broken", bytes);
  expect_error(Errc::CorruptData, {"broken", "contig one"},
               [&] { return SeedIndex::open(folder.path("broken")); });
}

TEST_F(Index, RefusesABrokenFile) {
  const auto path = folder.path("index");
  SeedIndex::build(reference, 1).save(path, folder.path("genome.fa"));
  const std::string good = read_file(path);
  const auto refused = [&](std::string bytes, Errc code) {
    folder.write("broken", bytes);
    expect_error(code, {folder.path("broken").string()},
                 [&] { return SeedIndex::open(folder.path("broken")); });
  };
  refused("", Errc::CorruptData);
  refused(good.substr(0, 100), Errc::CorruptData);
  refused(good.substr(0, good.size() - 1000), Errc::CorruptData);
  refused("x" + good.substr(1), Errc::CorruptData);
  std::string version = good;
  version[8] = 99;
  refused(version, Errc::Unsupported);
  // Every size in the head may lie.
  for (std::size_t at = 12; at < 56; ++at) {
    std::string lie = good;
    lie[at] = static_cast<char>(lie[at] ^ 0x55);
    folder.write("broken", lie);
    EXPECT_THROW(static_cast<void>(SeedIndex::open(folder.path("broken"))), Error) << at;
  }
  std::string flipped = good;
  flipped[good.size() / 2] = static_cast<char>(flipped[good.size() / 2] ^ 1);
  folder.write("broken", flipped);
  expect_error(Errc::CorruptData, {"checksum"}, [&] { SeedIndex::verify(folder.path("broken")); });
}

}  // namespace
}  // namespace aceso::genomics
