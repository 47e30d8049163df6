#include "fasta_index.hpp"

#include "reads_testing.hpp"

#include <fmt/format.h>
#include <htslib/faidx.h>

#include <cstring>
#include <random>

namespace aceso::genomics {
namespace {

class FastaIndex : public ::testing::Test {
 protected:
  /// Makes the index of `bytes` into a folder of its own, and returns that.
  std::filesystem::path make(std::string_view bytes, const std::stop_token& stop = {}) {
    const std::filesystem::path file = folder.write("genome", bytes);
    const std::filesystem::path made = folder.path(fmt::format("index{}", ++count));
    std::filesystem::create_directory(made);
    Progress progress([this](const ProgressEvent& event) { last = event; });
    fasta_index().make({.file = file,
                        .file_name = "genome.fa",
                        .folder = made,
                        .progress = progress,
                        .stop = stop});
    return made;
  }

  std::string fai(std::string_view bytes) { return read_file(make(bytes) / "fai"); }

  /// htslib's entries, and one for the end.
  static void expect_blocks(const std::filesystem::path& ours, const std::string& theirs,
                            std::uint64_t end, std::uint64_t text_end) {
    std::vector<std::uint64_t> expected = numbers(theirs);
    ++expected.front();
    expected.insert(expected.end(), {end, text_end});
    EXPECT_EQ(numbers(ours), expected);
  }
  static std::vector<std::uint64_t> numbers(const std::filesystem::path& path) {
    const std::string bytes = read_file(path);
    EXPECT_EQ(bytes.size() % 8, 0U);
    std::vector<std::uint64_t> out(bytes.size() / 8);
    std::memcpy(out.data(), bytes.data(), out.size() * 8);
    return out;
  }

  void refuses(std::string_view bytes, Errc code, const std::string& message) {
    try {
      static_cast<void>(make(bytes));
      ADD_FAILURE() << "expected: " << message;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code);
      EXPECT_TRUE(contains(error.what(), message));
    }
  }

  Folder folder;
  int count = 0;
  ProgressEvent last;
};

/// Contigs of any length, in lines of one of a few lengths each.
std::string random_fasta(unsigned seed, std::string_view line_end) {
  ReadMaker maker(seed);
  std::string out;
  for (std::size_t c = 0; c < 12; ++c) {
    const std::string bases = maker.bases(1 + maker.below(c == 5 ? 400'000 : 3000));
    const std::size_t width = c % 4 == 3 ? bases.size() : 20 + maker.below(80);
    out += fmt::format(">contig{} of seed {}{}", c, seed, line_end);
    for (std::size_t at = 0; at < bases.size(); at += width)
      out.append(bases, at, width).append(line_end);
    if (c % 5 == 4) out += line_end;
  }
  return out;
}

TEST_F(FastaIndex, IsThatOfHtslib) {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    std::string text = random_fasta(seed, seed % 3 == 0 ? "\r\n" : "\n");
    if (seed % 2 == 0) text.pop_back();
    const auto theirs = folder.write("theirs.fa", text);
    const std::string plain = folder.path("plain.fai").string();
    ASSERT_EQ(fai_build3(theirs.c_str(), plain.c_str(), nullptr), 0);
    EXPECT_EQ(fai(text), read_file(plain)) << seed;

    const std::string packed = bgzf(text, static_cast<int>(seed % 4));
    const auto their_packed = folder.write("theirs.fa.gz", packed);
    const std::string packed_fai = folder.path("packed.fai").string();
    const std::string gzi = folder.path("packed.gzi").string();
    ASSERT_EQ(fai_build3(their_packed.c_str(), packed_fai.c_str(), gzi.c_str()), 0);
    const auto ours = make(packed);
    EXPECT_EQ(read_file(ours / "fai"), read_file(packed_fai)) << seed;
    expect_blocks(ours / "gzi", gzi, packed.size() - bgzf_end_marker().size(), text.size());
  }
}

TEST_F(FastaIndex, FindsEachBase) {
  const std::string text = random_fasta(7, "\n");
  const auto ours = make(bgzf(text));
  const auto file = folder.write("found.fa.gz", bgzf(text));
  faidx_t* index = fai_load3(file.c_str(), (ours / "fai").c_str(), (ours / "gzi").c_str(), 0);
  ASSERT_NE(index, nullptr);
  const std::size_t begin = text.find('\n', text.find(">contig5 ")) + 1;
  std::string bases = text.substr(begin, text.find('>', begin) - begin);
  std::erase(bases, '\n');
  std::mt19937 random(1);
  for (int i = 0; i < 200; ++i) {
    const auto at = static_cast<hts_pos_t>(random() % (bases.size() - 100));
    hts_pos_t length = 0;
    char* found = faidx_fetch_seq64(index, "contig5", at, at + 99, &length);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(std::string(found), bases.substr(static_cast<std::size_t>(at), 100));
    free(found);
  }
  hts_pos_t length = 0;
  char* found = faidx_fetch_seq64(index, "contig11", 0, 1'000'000, &length);
  std::string last_contig = text.substr(text.find('\n', text.find(">contig11 ")) + 1);
  std::erase(last_contig, '\n');
  EXPECT_EQ(std::string(found), last_contig);
  free(found);
  fai_destroy(index);
}

TEST_F(FastaIndex, TellsHowFarItIs) {
  const std::string text = random_fasta(3, "\n");
  static_cast<void>(make(text));
  EXPECT_EQ(last.done, text.size());
  EXPECT_EQ(last.total, text.size());
  EXPECT_EQ(last.unit, "bytes");
}

TEST_F(FastaIndex, EndsWhenItIsTold) {
  std::stop_source stop;
  stop.request_stop();
  try {
    static_cast<void>(make(">a\nACGT\n", stop.get_token()));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::Cancelled);
  }
}

TEST_F(FastaIndex, TakesWhatCanBeFound) {
  EXPECT_EQ(fai(">a\nACGT"), "a\t4\t3\t4\t5\n");
  EXPECT_EQ(fai("\n>a b\n\nACGT\nAC\n\n\n>c\nA\n"), "a\t6\t7\t4\t5\nc\t1\t20\t1\t2\n");
  EXPECT_EQ(fai(">a\nMKV*\n>b\nACGT  \nACGT  \n"), "a\t4\t3\t4\t5\nb\t8\t11\t4\t7\n");
}

TEST_F(FastaIndex, DefectsAreNamedWithFileAndRecord) {
  const auto bad = [this](std::string_view bytes, const std::string& message) {
    refuses(bytes, Errc::CorruptData, "genome.fa: " + message);
    refuses(bgzf(bytes), Errc::CorruptData, "genome.fa: " + message);
    refuses(gzip(bytes), Errc::CorruptData, "genome.fa: " + message);
  };
  bad("", "expected FASTA, found no contig");
  bad("\n\n", "expected FASTA, found no contig");
  bad("ACGT\n", "line 1: expected FASTA, found no '>' before it");
  bad(">a\nACGT\nAC\nACGT\n",
      "contig a, line 3: has 2 bases in 3 bytes, the lines before it 4 in 5");
  bad(">x\nA\n>a\nACGT\nACGTA\n",
      "contig a, line 5: has 5 bases in 6 bytes, the lines before it 4 in 5");
  bad(">a\nACGT\n\nACGT\n", "contig a, line 3: has 0 bases in 1 bytes");
  bad(">a\nACGT\nACGT\r\nA\n", "contig a, line 3: has 4 bases in 6 bytes");
  bad(">a\nACGT\n>b\nA\n>a\nA\n", "line 5: two contigs are called 'a'");
  bad(">a\n>b\nA\n", "line 1: contig a has no bases");
  bad(">a\nA\n>b\n\n", "line 3: contig b has no bases");
  bad(">a\nA\n> b\nA\n", "line 3: contig 2 has no name");
  bad(">a\nAC GT\n", "contig a, line 2: expected letters only, found a blank among them");
  bad(">a\nAC\x80\n", "contig a, line 2: expected letters only, found byte 128");
  bad(std::string(">a\nA\0\n", 6), "contig a, line 2: expected letters only, found byte 0");
  bad(">" + std::string(3'000'000, 'a'), "line 1: contig 1 has a name of more than 65535 letters");
}

TEST_F(FastaIndex, OfGzipInOnePieceHasACopyInBlocks) {
  const std::string text = random_fasta(5, "\n");
  for (const std::string& packed :
       {gzip(text), gzip(text.substr(0, 999)) + gzip(text.substr(999))}) {
    const auto ours = make(packed);
    EXPECT_EQ(gunzip(read_file(ours / "bgz")), text);
    const std::string fai = folder.path("copy.fai").string(),
                      gzi = folder.path("copy.gzi").string();
    ASSERT_EQ(fai_build3((ours / "bgz").c_str(), fai.c_str(), gzi.c_str()), 0);
    EXPECT_EQ(read_file(ours / "fai"), read_file(fai));
    expect_blocks(ours / "gzi", gzi,
                  std::filesystem::file_size(ours / "bgz") - bgzf_end_marker().size(), text.size());
  }
  EXPECT_FALSE(std::filesystem::exists(make(bgzf(text)) / "bgz"));
  EXPECT_FALSE(std::filesystem::exists(make(text) / "gzi"));
}

TEST_F(FastaIndex, OfDamagedFilesIsRefused) {
  const std::string text = random_fasta(1, "\n"), packed = bgzf(text);
  refuses(packed.substr(0, packed.size() / 2), Errc::CorruptData,
          "genome.fa: ends inside the BGZF block at byte");
  refuses(gzip(text).substr(0, 2000), Errc::CorruptData, "genome.fa: ends inside gzip data");
  refuses("BZh91AY", Errc::Unsupported, "genome.fa: this is bzip2, expected FASTA");
  std::string damaged = packed;
  damaged[packed.size() / 3] ^= 0x55;
  refuses(damaged, Errc::CorruptData, "genome.fa: ");
  refuses(packed + gzip(text), Errc::CorruptData, "expected a BGZF block");
}

}  // namespace
}  // namespace aceso::genomics
