#include "aceso/genomics/fastq.hpp"

#include "reads_testing.hpp"

namespace aceso::genomics {
namespace {

struct Read {
  std::string name, bases, qualities;
  bool operator==(const Read&) const = default;
};

std::vector<Read> read_all(std::vector<std::filesystem::path> files, Warnings& warnings,
                           std::uint32_t records = 64) {
  std::vector<Read> reads;
  //! [read all]
  FastqReader reader(std::move(files), warnings, records);
  ParsedChunk chunk;
  while (reader.next(chunk)) {
    for (const FastqRecord& record : chunk.records)
      reads.push_back({std::string(record.name_view()), std::string(record.bases_view()),
                       std::string(record.qualities_view())});
  }
  //! [read all]
  return reads;
}

std::vector<Read> read_text(std::string_view text, Warnings& warnings) {
  const Folder folder;
  return read_all({folder.write("x.fq", text)}, warnings);
}

std::vector<Read> read_text(std::string_view text) {
  Warnings warnings;
  const auto reads = read_text(text, warnings);
  EXPECT_TRUE(warnings.counts().empty()) << warnings.counts().front().kind;
  return reads;
}

void expect_refused(std::string_view text, const std::vector<std::string>& parts,
                    const std::string& file = "x.fq") {
  const Folder folder;
  const auto path = folder.write(file, text);
  std::vector<std::string> all = parts;
  all.push_back(path.string());
  expect_error(Errc::CorruptData, all, [&] {
    Warnings warnings;
    (void)read_all({path}, warnings);
  });
}

std::string many_reads(std::size_t count) {
  ReadMaker maker(3);
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t length = i % 7 == 0 ? 0 : 1 + maker.below(300);
    text += "@r" + std::to_string(i) + " c\n" + maker.bases(length) + "\n+\n" +
            maker.qualities(length) + "\n";
  }
  return text;
}

// What is accepted.

TEST(Fastq, PlainGzipManyMembersAndBgzfHoldTheSameReads) {
  const Folder folder;
  const std::string text = many_reads(5000), half = text.substr(0, text.size() / 2);
  Warnings warnings;
  const auto expected = read_all({folder.write("a.fq", text)}, warnings);
  ASSERT_EQ(expected.size(), 5000U);
  EXPECT_EQ(read_all({folder.write("b.fq.gz", gzip(text))}, warnings), expected);
  EXPECT_EQ(
      read_all({folder.write("c.fq.gz", gzip(half) + gzip("") + gzip(text.substr(half.size())))},
               warnings),
      expected);
  EXPECT_EQ(read_all({folder.write("d.fq.gz", bgzf(text))}, warnings), expected);
  EXPECT_EQ(read_all({folder.write("e.fq.gz", gzip(text) + std::string(512, '\0'))}, warnings),
            expected);
  EXPECT_TRUE(warnings.counts().empty());
}

TEST(Fastq, ReadsDoNotDependOnTheSizeOfChunks) {
  const Folder folder;
  const auto path = folder.write("a.fq", many_reads(300));
  Warnings warnings;
  const auto expected = read_all({path}, warnings, 1);
  for (const std::uint32_t records : {2U, 3U, 64U, 299U, 300U, 301U, 4096U})
    EXPECT_EQ(read_all({path}, warnings, records), expected);
}

TEST(Fastq, FilesAreReadInTheirOrder) {
  const Folder folder;
  Warnings warnings;
  const auto reads =
      read_all({folder.write("1.fq", "@a\nA\n+\nI"), folder.write("2.fq.gz", gzip("@b\nC\n+\nI\n")),
                folder.write("3.fq", "@c\nG\n+\nI\n\n")},
               warnings);
  EXPECT_EQ(reads, (std::vector<Read>{{"a", "A", "I"}, {"b", "C", "I"}, {"c", "G", "I"}}));
}

TEST(Fastq, CarriageReturnsAndAMissingLastNewlineAreNoDefects) {
  EXPECT_EQ(read_text("@a x\r\nACGT\r\n+\r\nIIII"), (std::vector<Read>{{"a x", "ACGT", "IIII"}}));
}

TEST(Fastq, BlankLinesAtTheEndAreNoDefect) {
  for (const std::size_t blanks : {1U, 2U, 3U, 4U, 5U, 8U, 1000U, 700000U}) {
    EXPECT_EQ(read_text("@a\nA\n+\nI\n" + std::string(blanks, '\n')).size(), 1U) << blanks;
    EXPECT_EQ(read_text("@a\n\n+\n\n" + std::string(blanks, '\n')).size(), 1U) << blanks;
  }
  EXPECT_EQ(read_text("@a\r\nA\r\n+\r\nI\r\n\r\n\r\n").size(), 1U);
}

TEST(Fastq, ARepeatedNameBehindThePlusIsNoDefect) {
  EXPECT_EQ(read_text("@a b\nAC\n+a b\nII\n").size(), 1U);
}

TEST(Fastq, ReadsOfLengthZeroOneAndManyAreRead) {
  const std::string longest(100'000, 'G'), quality(100'000, 'J');
  const auto reads = read_text("@a\n\n+\n\n@b\nN\n+\n!\n@c\n" + longest + "\n+\n" + quality +
                               "\n@d\nNNNN\n+\n~~~~\n");
  ASSERT_EQ(reads.size(), 4U);
  EXPECT_EQ(reads[0].bases, "");
  EXPECT_EQ(reads[2].bases, longest);
  EXPECT_EQ(reads[3].qualities, "~~~~");
}

TEST(Fastq, QualitiesThatBeginWithAtAreNoNames) {
  EXPECT_EQ(read_text("@a\nAC\n+\n@@\n@b\nAC\n+\n+@\n").size(), 2U);
}

TEST(Fastq, LettersAreMadeUniformWithAWarning) {
  Warnings warnings;
  EXPECT_EQ(
      read_text("@a\nacgtn\n+\nIIIII\n@b\nA.CU\n+\nIIII\n@c\nACRY\n+\nIIII\n", warnings),
      (std::vector<Read>{{"a", "ACGTN", "IIIII"}, {"b", "ANCT", "IIII"}, {"c", "ACRY", "IIII"}}));
  std::vector<std::string> kinds;
  for (const auto& count : warnings.counts()) kinds.push_back(count.kind);
  EXPECT_EQ(kinds, (std::vector<std::string>{"fastq.dots", "fastq.iupac", "fastq.lower_case",
                                             "fastq.uracil"}));
}

TEST(Fastq, EmptyFilesHoldNoReadsAndAreWarnedOf) {
  const Folder folder;
  for (const auto& path : {folder.write("a.fq", ""), folder.write("b.fq.gz", gzip("")),
                           folder.write("c.fq.gz", bgzf(""))}) {
    Warnings warnings;
    EXPECT_TRUE(read_all({path}, warnings).empty());
    ASSERT_EQ(warnings.counts().size(), 1U) << path;
    EXPECT_EQ(warnings.counts()[0].kind, "fastq.no_reads");
    EXPECT_TRUE(contains(warnings.counts()[0].examples[0], path.string()));
  }
}

TEST(Fastq, BgzfWithoutItsEndMarkerIsWarnedOf) {
  const Folder folder;
  std::string bytes = bgzf("@a\nA\n+\nI\n");
  bytes.resize(bytes.size() - bgzf_end_marker().size());
  Warnings warnings;
  EXPECT_EQ(read_all({folder.write("a.fq.gz", bytes)}, warnings).size(), 1U);
  ASSERT_EQ(warnings.counts().size(), 1U);
  EXPECT_TRUE(contains(warnings.counts()[0].examples[0], "may be truncated"));
}

// What is refused.

TEST(Fastq, FastaIsRefused) { expect_refused(">chr1\nACGT\n>chr2\nACGT\n", {"record 1", "FASTA"}); }

TEST(Fastq, AMissingAtIsRefusedWithTheRecordsNumber) {
  expect_refused("@a\nA\n+\nI\nb\nA\n+\nI\n", {"record 2", "expected '@'", "found 'b'"});
}

TEST(Fastq, AMissingPlusIsRefused) {
  expect_refused("@a\nA\n+\nI\n@b\nA\n-\nI\n", {"record 2", "expected '+'", "found '-'"});
}

TEST(Fastq, SequencesOnSeveralLinesAreRefusedClearly) {
  expect_refused("@a\nACGT\nACGT\n+\nIIII\nIIII\n", {"record 1", "expected '+'", "several lines"});
}

TEST(Fastq, AnotherNameBehindThePlusIsRefused) {
  expect_refused("@a\nA\n+b\nI\n", {"record 1", "behind '+'", "expected 'a'", "found 'b'"});
}

TEST(Fastq, QualitiesOfAnotherLengthAreRefused) {
  expect_refused("@a\nACGT\n+\nIII\n", {"record 1", "quality has 3 letters, sequence has 4"});
  expect_refused("@a\nACG\n+\nIIII\n", {"record 1", "quality has 4 letters, sequence has 3"});
}

TEST(Fastq, QualitiesOutsideTheirRangeAreRefused) {
  expect_refused("@a\nAC\n+\nI \n", {"record 1", "quality letter 2 is 0x20"});
  expect_refused("@a\nAC\n+\n\x7FI\n", {"record 1", "quality letter 1 is 0x7f"});
  expect_refused("@a\nAC\n+\nI\xC3\n", {"record 1", "quality letter 2 is 0xc3"});
}

TEST(Fastq, LettersThatAreNoBasesAreRefused) {
  expect_refused("@a\nAC*T\n+\nIIII\n", {"record 1", "sequence letter 3 is '*'"});
  expect_refused("@a\nAC-T\n+\nIIII\n", {"sequence letter 3 is '-'"});
}

TEST(Fastq, AFileThatEndsInsideARecordIsRefused) {
  expect_refused("@a\nA\n+\nI\n@b\nA\n+\n", {"record 2", "behind line 3", "truncated"});
  expect_refused("@a\nA\n+\nI\n@b", {"record 2", "behind line 1", "truncated"});
}

TEST(Fastq, BlankLinesBetweenRecordsAreRefused) {
  expect_refused("@a\nA\n+\nI\n\n@b\nA\n+\nI\n", {"record 2", "expected '@'"});
  expect_refused("@a\nA\n+\nI\n" + std::string(300000, '\n') + "@b\nA\n+\nI\n",
                 {"record 2", "expected '@'"});
}

TEST(Fastq, GzipThatIsCutOffIsRefused) {
  const std::string bytes = gzip(many_reads(1000));
  for (const std::size_t size :
       {bytes.size() - 1, bytes.size() - 8, bytes.size() / 2, std::size_t{20}, std::size_t{5}})
    expect_refused(bytes.substr(0, size), {"truncated"}, "x.fq.gz");
}

TEST(Fastq, GzipWithAWrongChecksumIsRefused) {
  std::string bytes = gzip("@a\nA\n+\nI\n");
  bytes[bytes.size() - 6] ^= 1;
  expect_refused(bytes, {"checksum"}, "x.fq.gz");
}

TEST(Fastq, DamagedGzipIsRefused) {
  std::string bytes = gzip(many_reads(1000));
  for (std::size_t i = 0; i < 200; ++i) bytes[bytes.size() / 2 + i] = static_cast<char>(0xFF);
  const Folder folder;
  const auto path = folder.write("x.fq.gz", bytes);
  expect_error(Errc::CorruptData, {path.string()}, [&] {
    Warnings warnings;
    (void)read_all({path}, warnings);
  });
}

TEST(Fastq, OtherBytesBehindGzipAreRefused) {
  expect_refused(gzip("@a\nA\n+\nI\n") + "@b\nA\n+\nI\n", {"another gzip member"}, "x.fq.gz");
}

TEST(Fastq, BgzfThatIsCutOffIsRefused) {
  const std::string bytes = bgzf(many_reads(1000));
  expect_refused(bytes.substr(0, bytes.size() - 40), {"BGZF block at byte", "truncated"},
                 "x.fq.gz");
  expect_refused(bytes.substr(0, bytes.size() - 20), {"BGZF block at byte", "truncated"},
                 "x.fq.gz");
}

TEST(Fastq, DamagedBgzfIsRefused) {
  const std::string good = bgzf(many_reads(3000));
  const auto header = try_read_bgzf_header(std::as_bytes(std::span(good)));
  ASSERT_TRUE(header);
  const std::size_t second = header->block_size;
  const auto damaged = [&](std::size_t place, char mask) {
    std::string bytes = good;
    bytes[place] = static_cast<char>(bytes[place] ^ mask);
    return bytes;
  };
  expect_refused(damaged(second - 7, 1), {"BGZF block at byte 0", "checksum"}, "x.fq.gz");
  expect_refused(damaged(second - 3, 1), {"BGZF block at byte 0"}, "x.fq.gz");
  expect_refused(damaged(second + 16, 0x40), {"byte"}, "x.fq.gz");                // BSIZE
  expect_refused(damaged(second + 12, 1), {"expected a BGZF block"}, "x.fq.gz");  // extra field
  expect_refused(damaged(second + 200, 0x55), {"BGZF block at byte " + std::to_string(second)},
                 "x.fq.gz");
}

TEST(Fastq, OtherCompressionsAreNamed) {
  const Folder folder;
  for (const auto& [magic, what] : {std::pair<std::string, std::string>{"BZh91AY", "bzip2"},
                                    {"\x28\xb5\x2f\xfd zz", "Zstandard"},
                                    {"PK\x03\x04", "zip"}}) {
    const auto path = folder.write("a.fq", magic);
    expect_error(Errc::Unsupported, {what, path.string()}, [&] {
      Warnings warnings;
      (void)read_all({path}, warnings);
    });
  }
}

TEST(Fastq, TheNumberOfARecordIsCountedInItsOwnFile) {
  const Folder folder;
  const auto bad = folder.write("b.fq", "@a\nA\n+\nI\n@a\nA\n+\nI\n@x\nA\n+\nII\n");
  expect_error(Errc::CorruptData, {bad.string() + ": record 3"}, [&] {
    Warnings warnings;
    (void)read_all({folder.write("a.fq", many_reads(100)), bad}, warnings, 64);
  });
}

TEST(Bgzf, WhatIsDeflatedAtAnyLevelZlibInflates) {
  const std::string text = many_reads(3000);
  std::mt19937 random(1);
  std::string noise(200'000, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  for (int level = 0; level <= 9; ++level) {
    EXPECT_EQ(gunzip(bgzf(text, level)), text) << level;
    EXPECT_EQ(gunzip(bgzf(noise, level)), noise) << level;
    EXPECT_EQ(bgzf(text, level), bgzf(text, level));
  }
  EXPECT_EQ(bgzf(""), bgzf_end_marker());
  expect_error(Errc::InvalidArgument, {"level 10"}, [] { BgzfDeflater deflater(10); });
}

// igzip's result hangs on the address of its stream where hashes meet; with texts of such repeats
// two deflaters would differ in some 1 of 200.
TEST(Bgzf, TheSameTextGivesTheSameBytesWhereverTheDeflaterLies) {
  std::mt19937 random(1);
  BgzfDeflater one(1), other(1);
  for (int round = 0; round < 4000; ++round) {
    std::string head(16, '\0');
    for (char& c : head) c = static_cast<char>('A' + random() % 26);
    const std::string text = head + std::string(40, '.') + head.substr(2) + std::string(40, '-') +
                             head + std::string(400, ':');
    std::string bytes, expected;
    one.deflate(text, bytes);
    other.deflate(text, expected);
    ASSERT_EQ(bytes, expected) << round << ' ' << head;
  }
}

}  // namespace
}  // namespace aceso::genomics
