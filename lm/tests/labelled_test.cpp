#include "aceso/lm/labelled.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"

#include <gtest/gtest.h>

namespace aceso::lm {
namespace {
namespace fs = std::filesystem;

class LabelledFile : public testing::Test {
 protected:
  [[nodiscard]] fs::path file(const std::string& name, const std::string& text) const {
    write_file(folder_.path() / name, text);
    return folder_.path() / name;
  }

  template <typename Body>
  static std::string refusal(const Body& body) {
    try {
      body();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::CorruptData);
      return error.what();
    }
    return "nothing was refused";
  }

  ScratchFolder folder_{fs::temp_directory_path()};
};

TEST_F(LabelledFile, TablesAndFastaOfFlipSayTheSame) {
  const auto table = read_labelled(
      file("a.csv",
           "sequence,target,set,validation\nMKV,1.5,train,\nACD,2,train,True\nGGG,3,test,\n"),
      {});
  const auto fasta =
      read_labelled(file("a.fasta",
                         ">a TARGET=1.5 SET=train VALIDATION=False\nMKV\n>b TARGET=2 SET=train "
                         "VALIDATION=True\nACD\n>c TARGET=3 SET=test VALIDATION=False\nGGG\n"),
                    {});
  ASSERT_EQ(table.size(), 3);
  ASSERT_EQ(fasta.size(), 3);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(table[i].sequence, fasta[i].sequence);
    EXPECT_EQ(table[i].target, fasta[i].target);
    EXPECT_EQ(table[i].split, fasta[i].split);
  }
  EXPECT_EQ(table[1].split, Split::Validation);
  EXPECT_EQ(table[2].split, Split::Test);
}

TEST_F(LabelledFile, WithoutSetsASequenceIsAlwaysOnTheSameSide) {
  std::string text = "sequence\ttarget\n", turned = text;
  std::vector<std::string> rows;
  for (int i = 0; i < 200; ++i)
    rows.push_back("MK" + std::string(i % 50, 'A') + "V" + std::string(i / 50, 'G') + "\t1\n");
  for (const std::string& row : rows) text += row;
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) turned += *row;
  const auto one = read_labelled(file("a.tsv", text), {});
  const auto two = read_labelled(file("b.tsv", turned), {});
  int validation = 0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].split, two[one.size() - 1 - i].split);
    validation += one[i].split == Split::Validation ? 1 : 0;
  }
  EXPECT_GT(validation, 5);
  EXPECT_LT(validation, 45);
}

TEST_F(LabelledFile, LabelsOfResiduesAreMatchedByNameAndMasked) {
  const auto all = read_residue_labels(file("s.fasta", ">x\nMKV\n>y\nAC\n"),
                                       file("l.fasta", ">y SET=test\nHE\n>x SET=train\nHCC\n"),
                                       file("m.fasta", ">x\n101\n>y\n11\n"));
  ASSERT_EQ(all.size(), 2);
  EXPECT_EQ(all[0].sequence, "AC");
  EXPECT_EQ(all[0].split, Split::Test);
  EXPECT_EQ(all[1].target, std::string("H\0C", 3));
}

TEST_F(LabelledFile, WhatDoesNotFitIsNamedWithItsPlace) {
  EXPECT_NE(refusal([&] {
              (void)read_labelled(file("a.csv", "sequence,target,set\nMKV,1,train\nMK,2,tain\n"),
                                  {});
            }).find("row 2: set: expected train, validation or test, found \"tain\""),
            std::string::npos);
  EXPECT_NE(refusal([&] {
              (void)read_labelled(file("b.csv", "sequence,target\nMKV,\n"), {});
            }).find("row 1: expected a target"),
            std::string::npos);
  EXPECT_NE(refusal([&] {
              (void)read_labelled(file("c.csv", "sequence,value\nMKV,1\n"), {});
            }).find("target"),
            std::string::npos);
  EXPECT_NE(refusal([&] {
              (void)read_labelled(file("d.fasta", ">a SET=train\nMKV\n"), {});
            }).find("record 1 (a): expected a target"),
            std::string::npos);
  EXPECT_NE(refusal([&] {
              (void)read_residue_labels(file("s.fasta", ">x\nMKV\n"),
                                        file("l.fasta", ">x SET=train\nHC\n"), std::nullopt);
            }).find("expected 3 labels, one for each residue, found 2"),
            std::string::npos);
  EXPECT_NE(refusal([&] {
              (void)read_residue_labels(file("s.fasta", ">x\nMKV\n"),
                                        file("l.fasta", ">z SET=train\nHCC\n"), std::nullopt);
            }).find("expected a sequence of this name"),
            std::string::npos);
}

}  // namespace
}  // namespace aceso::lm
