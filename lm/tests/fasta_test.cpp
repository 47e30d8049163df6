#include "aceso/lm/fasta.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

namespace aceso::lm {
namespace {
namespace fs = std::filesystem;

class FastaTest : public testing::Test {
 protected:
  std::vector<FastaRecord> read(const std::string& text) const {
    write_file(path_, text);
    return read_fasta(path_);
  }
  std::string problem(const std::string& text) const {
    try {
      static_cast<void>(read(text));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  std::string zipped(const std::string& text) const {
    gzFile file = gzopen(path_.c_str(), "wb");
    gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
    gzclose(file);
    return read_file(path_);
  }

  ScratchFolder folder_{fs::temp_directory_path()};
  fs::path path_ = folder_.path() / "s.fasta";
};

TEST_F(FastaTest, ReadsRecords) {
  const auto records = read(">a first one\nMK\nvl \n\n>b\r\nAC\r\n>empty\n>last\nW*");
  ASSERT_EQ(records.size(), 4U);
  EXPECT_EQ(records[0].id, "a");
  EXPECT_EQ(records[0].header, "a first one");
  EXPECT_EQ(records[0].sequence, "MKVL");
  EXPECT_EQ(records[1].id, "b");
  EXPECT_EQ(records[1].sequence, "AC");
  EXPECT_EQ(records[2].sequence, "");
  EXPECT_EQ(records[3].sequence, "W");
}

TEST_F(FastaTest, ReadsGzipAndLongSequences) {
  const std::string sequence(200'000, 'L');
  const auto records = read(zipped(">t\n" + sequence + "\n"));
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].sequence, sequence);
}

TEST_F(FastaTest, NamesFileAndRecordOfWhatIsWrong) {
  const std::string cut = [&] {
    std::string bytes = zipped(">t\n" + std::string(1000, 'A') + "CDEFGHIKLMNPQRSTVWY\n");
    bytes.resize(bytes.size() - 12);
    return bytes;
  }();
  EXPECT_NE(problem(cut).find("gzip"), std::string::npos) << problem(cut);
  EXPECT_NE(problem("").find("at least one"), std::string::npos);
  EXPECT_NE(problem("MKV\n").find("begins with '>'"), std::string::npos);
  EXPECT_NE(problem("@r\nACGT\n+\nIIII\n").find("FASTQ"), std::string::npos);
  EXPECT_NE(problem(">a\nM\n> \nK\n").find("record 2: expected a name"), std::string::npos);
  EXPECT_NE(problem(">a\nM\n>a\nK\n").find("record 2: the id a was already used by record 1"),
            std::string::npos);
  EXPECT_NE(problem(std::string(">a\nM\0K\n", 7)).find("record 1: expected residues"),
            std::string::npos);
  EXPECT_NE(problem(std::string("\xff\xfe>\0a\0\n\0", 8)), "");
}

}  // namespace
}  // namespace aceso::lm
