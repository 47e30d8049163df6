#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/molecules/chemistry.hpp"
#include "aceso/molecules/sdf_file.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <random>
#include <vector>

namespace aceso::molecules {
namespace {
namespace fs = std::filesystem;

/// A chain of carbons and an oxygen: V2000, without hydrogens.
std::string alcohol(int carbons, const std::string& title) {
  std::string text =
      fmt::format("{}\n  made by hand\n\n{:3}{:3}  0  0  0  0  0  0  0  0999 V2000\n", title,
                  carbons + 1, carbons);
  for (int i = 0; i <= carbons; ++i)
    text += fmt::format("{:10.4f}    0.0000    0.0000 {:<3} 0  0  0  0  0  0  0  0  0  0  0  0\n",
                        1.5 * i, i == carbons ? "O" : "C");
  for (int i = 1; i <= carbons; ++i) text += fmt::format("{:3}{:3}  1  0\n", i, i + 1);
  return text + "M  END\n";
}

constexpr const char* kBenzeneV3000 =
    "benzene\n  x\n\n  0  0  0     0  0            999 V3000\n"
    "M  V30 BEGIN CTAB\nM  V30 COUNTS 6 6 0 0 0\nM  V30 BEGIN ATOM\n"
    "M  V30 1 C 0 1.4 0 0\nM  V30 2 C 1.2 0.7 0 0\nM  V30 3 C 1.2 -0.7 0 0\n"
    "M  V30 4 C 0 -1.4 0 0\nM  V30 5 C -1.2 -0.7 0 0\nM  V30 6 C -1.2 0.7 0 0\n"
    "M  V30 END ATOM\nM  V30 BEGIN BOND\nM  V30 1 1 1 2\nM  V30 2 2 2 3\nM  V30 3 1 3 4\n"
    "M  V30 4 2 4 5\nM  V30 5 1 5 6\nM  V30 6 2 6 1\nM  V30 END BOND\nM  V30 END CTAB\nM  END\n";

class SdfTest : public testing::Test {
 protected:
  std::vector<SdfRecord> read(const std::string& text) const {
    write_file(folder_.path() / "m.sdf", text);
    SdfReader reader(folder_.path() / "m.sdf");
    std::vector<SdfRecord> all;
    for (SdfRecord record; reader.next(record);) all.push_back(record);
    return all;
  }
  ScratchFolder folder_{fs::temp_directory_path()};
};

TEST_F(SdfTest, OldAndNewTablesAreReadWithTheirProperties) {
  const auto all =
      read(alcohol(2, "ethanol") + "> 1 <logP> (1)\n-0.31\n\n>  <note>\ntwo\nlines\n\n$$$$\n" +
           kBenzeneV3000 + ">  <logP>\r\n2.13\r\n\r\n$$$$\r\n\n");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].title, "ethanol");
  EXPECT_EQ(all[0].smiles, "CCO");
  ASSERT_NE(all[0].find("logP"), nullptr);
  EXPECT_EQ(*all[0].find("logP"), "-0.31");
  EXPECT_EQ(*all[0].find("note"), "two\nlines");
  EXPECT_EQ(all[0].find("logD"), nullptr);
  EXPECT_EQ(all[1].smiles, "c1ccccc1");
  EXPECT_EQ(*all[1].find("logP"), "2.13");
  EXPECT_NE(all[1].place.find("m.sdf: record 2 (line "), std::string::npos);
}

TEST_F(SdfTest, StereochemistryComesFromPlacesInSpace) {
  const auto of_sign = [&](double z) {
    const auto all = read(fmt::format(
        "chfclbr\n  x  3D\n\n  4  3  0  0  1  0  0  0  0  0999 V2000\n"
        "    0.0000    0.0000    0.0000 C   0  0\n    1.0000    0.0000    {0:.4f} F   0  0\n"
        "   -0.5000    0.8660    {0:.4f} Cl  0  0\n   -0.5000   -0.8660    {0:.4f} Br  0  0\n"
        "  1  2  1  0\n  1  3  1  0\n  1  4  1  0\nM  END\n$$$$\n",
        z));
    return all.at(0).smiles + all.at(0).problem;
  };
  const std::string up = of_sign(0.3), down = of_sign(-0.3);
  EXPECT_NE(up.find('@'), std::string::npos) << up;
  EXPECT_NE(up, down);
}

TEST_F(SdfTest, ARecordThatIsNoMoleculeHasAProblemAndTheNextIsRead) {
  std::string wrong_counts = alcohol(2, "counts");
  wrong_counts.replace(wrong_counts.find("  3  2"), 6, "  9  2");
  std::string no_numbers = alcohol(2, "counts");
  no_numbers.replace(no_numbers.find("  3  2"), 6, "  x  y");
  std::string valence = alcohol(2, "valence");
  for (auto at = valence.find("  1  0\n"); at != std::string::npos;
       at = valence.find("  1  0\n", at + 1))
    valence.replace(at, 6, "  3  0");
  std::string no_atom = alcohol(2, "bond");
  no_atom.replace(no_atom.find("  2  3  1"), 9, "  2  8  1");
  const std::string truncated = alcohol(2, "cut").substr(0, 120) + "\n";
  const auto v3000 = std::string(kBenzeneV3000);
  std::string many = v3000;
  many.replace(many.find("COUNTS 6 6"), 10, "COUNTS 999999999 6");
  for (const std::string& bad :
       {wrong_counts, no_numbers, valence, no_atom, truncated, many, std::string("\n\n\n"),
        std::string("none\n\n\n  0  0  0  0  0  0  0  0  0  0999 V2000\nM  END\n"),
        std::string("\x01\xff\xfe\n")}) {
    const auto all = read(alcohol(1, "before") + "$$$$\n" + bad + ">  <id>\n7\n\n$$$$\n" +
                          alcohol(3, "behind") + "$$$$\n");
    ASSERT_EQ(all.size(), 3U) << bad;
    EXPECT_EQ(all[0].smiles, "CO");
    EXPECT_EQ(all[1].smiles, "") << bad;
    EXPECT_NE(all[1].problem, "") << bad;
    EXPECT_EQ(all[2].smiles, "CCCO");
  }
}

TEST_F(SdfTest, AFileMayEndWithoutASignAndATruncatedOneIsNamed) {
  EXPECT_EQ(read(alcohol(2, "ethanol")).at(0).smiles, "CCO");
  const auto cut = read(alcohol(2, "a") + "$$$$\n" + alcohol(2, "b").substr(0, 100));
  ASSERT_EQ(cut.size(), 2U);
  EXPECT_NE(cut[1].problem.find("the end of the file"), std::string::npos) << cut[1].problem;
  EXPECT_TRUE(read("").empty());
  EXPECT_TRUE(read("\n\n").empty());
}

TEST_F(SdfTest, MetalsAndHydrogensAreRead) {
  const auto all = read(
      "salt\n  x\n\n  2  0  0  0  0  0  0  0  0  0999 V2000\n"
      "    0.0000    0.0000    0.0000 Na  0  3\n    3.0000    0.0000    0.0000 Cl  0  5\n"
      "M  CHG  2   1   1   2  -1\nM  END\n$$$$\n"
      "h\n  x\n\n  2  1  0  0  0  0  0  0  0  0999 V2000\n"
      "    0.0000    0.0000    0.0000 O   0  0\n    1.0000    0.0000    0.0000 H   0  0\n"
      "  1  2  1  0\nM  END\n$$$$\n");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].smiles, "[Cl-].[Na+]");
  EXPECT_EQ(all[1].smiles, "O");
  EXPECT_NO_THROW((void)parse_smiles(all[0].smiles));
}

TEST_F(SdfTest, RandomDamageIsAProblemOrAnotherMolecule) {
  std::mt19937 random(11);
  std::string text;
  for (int i = 0; i < 600; ++i) {
    std::string record = i % 2 == 0 ? alcohol(4, "a") : kBenzeneV3000;
    for (unsigned damage = 0; damage <= random() % 3; ++damage) {
      const std::size_t at = random() % record.size();
      switch (random() % 4) {
        case 0:
          record[at] = static_cast<char>(random() % 256);
          break;
        case 1:
          record[at] = "0123456789 -."[random() % 13];
          break;
        case 2:
          record.erase(at, random() % 12);
          break;
        default:
          record.insert(at, record.substr(random() % record.size(), random() % 30));
      }
    }
    text += record + "\n$$$$\n";
  }
  std::size_t molecules = 0;
  for (const SdfRecord& record : read(text)) {
    EXPECT_EQ(record.smiles.empty(), !record.problem.empty());
    if (record.smiles.empty()) continue;
    ++molecules;
    EXPECT_NO_THROW((void)parse_smiles(record.smiles)) << record.smiles;
  }
  EXPECT_GT(molecules, 50U);
}

TEST_F(SdfTest, ARecordWithoutEndIsRefusedBeforeItFillsTheMemory) {
  std::string text;
  for (int i = 0; i < 17; ++i) text += std::string(1 << 20, 'x') + "\n";
  EXPECT_THROW((void)read(text), Error);
}

}  // namespace
}  // namespace aceso::molecules
