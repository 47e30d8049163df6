#include "aceso/core/error.hpp"
#include "aceso/nn/foreign_weights.hpp"
#include "aceso/nn/model_folder.hpp"
#include "aceso/nn/tensor_file.hpp"
#include "aceso/nn/tokenizer.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace aceso::nn {
namespace {
namespace fs = std::filesystem;

class WeightsTest : public testing::Test {
 protected:
  static Tensor numbers(std::vector<std::int64_t> shape) {
    Tensor tensor(DType::F32, std::move(shape));
    float next = 0;
    for (float& value : tensor.values<float>()) value = next++;
    return tensor;
  }

  /// A safetensors file with this header and data.
  void write_raw(const std::string& header, std::size_t data, std::uint64_t claimed = 0) const {
    const std::uint64_t length = claimed != 0 ? claimed : header.size();
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &length, 8);
    write_file(path_, bytes + header + std::string(data, '\1'));
  }

  [[nodiscard]] std::string problem() const {
    try {
      const TensorFile file(path_);
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  }

  [[nodiscard]] std::string foreign_problem(const std::string& bytes) const {
    write_file(path_, bytes);
    try {
      static_cast<void>(read_foreign_weights(path_));
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  }

  ScratchFolder folder_{fs::temp_directory_path()};
  fs::path path_ = folder_.path() / "w.safetensors";
};

TEST_F(WeightsTest, SafetensorsReadsWhatItWrites) {
  write_tensor_file(path_, {{"a", numbers({2, 3})}, {"b", numbers({})}, {"c", numbers({0, 4})}},
                    {{"format", "pt"}});
  const TensorFile file(path_);
  EXPECT_EQ(file.metadata().at("format"), "pt");
  ASSERT_EQ(file.tensors().size(), 3U);
  EXPECT_EQ(file.tensor("a").values<float>()[5], 5);
  EXPECT_EQ(file.tensor("b").element_count(), 1);
  EXPECT_EQ(file.tensor("c").element_count(), 0);
  EXPECT_THROW(static_cast<void>(file.tensor("d")), Error);
}

TEST_F(WeightsTest, ViewsOutliveTheFile) {
  write_tensor_file(path_, {{"a", numbers({1000})}});
  Tensor view;
  {
    const TensorFile file(path_);
    view = file.tensor("a");
  }
  EXPECT_EQ(view.values<float>()[999], 999);
}

TEST_F(WeightsTest, SafetensorsRefusesLies) {
  const auto entry = [](const char* type, const char* shape, const char* offsets) {
    return std::string(R"({"x":{"dtype":")") + type + R"(","shape":)" + shape +
           R"(,"data_offsets":)" + offsets + "}}";
  };
  write_file(path_, "abc");
  EXPECT_NE(problem(), "");
  write_raw("{}", 0, 1ULL << 60);
  EXPECT_NE(problem().find("the header says"), std::string::npos) << problem();
  write_raw(entry("F32", "[2]", "[0,8]"), 7);
  EXPECT_NE(problem().find("do not lie inside"), std::string::npos) << problem();
  write_raw(entry("F32", "[2]", "[0,4]"), 4);
  EXPECT_NE(problem().find("its shape needs 8 bytes"), std::string::npos) << problem();
  write_raw(entry("F32", "[-2]", "[0,8]"), 8);
  EXPECT_NE(problem().find("expected a whole number"), std::string::npos) << problem();
  write_raw(entry("F32", "[4611686018427387904,4]", "[0,8]"), 8);
  EXPECT_NE(problem(), "");
  write_raw(entry("F8_E4M3", "[8]", "[0,8]"), 8);
  EXPECT_NE(problem().find("element type"), std::string::npos) << problem();
  write_raw(entry("F32", "[1]", "[4,8]"), 8);
  EXPECT_NE(problem().find("a gap before it"), std::string::npos) << problem();
  write_raw(entry("F32", "[1]", "[0,4]"), 8);
  EXPECT_NE(problem().find("after the last tensor"), std::string::npos) << problem();
  write_raw(R"({"x":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
            R"("y":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
            6);
  EXPECT_NE(problem().find("overlap"), std::string::npos) << problem();
  write_raw(R"({"x":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
            R"("x":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})",
            8);
  EXPECT_NE(problem(), "");
  write_raw("[1,2]", 0);
  EXPECT_NE(problem(), "");
}

TEST_F(WeightsTest, ConvertsHalvesExactly) {
  Tensor halves(DType::F16, {5});
  const std::uint16_t bits[] = {0x3c00, 0xc000, 0x0001, 0x7c00, 0x0000};  // 1, -2, 2^-24, inf, 0
  std::ranges::copy(bits, halves.values<std::uint16_t>().begin());
  const auto values = to_float32(halves);
  EXPECT_EQ(values.values<float>()[0], 1.0F);
  EXPECT_EQ(values.values<float>()[1], -2.0F);
  EXPECT_EQ(values.values<float>()[2], 0x1p-24F);
  EXPECT_TRUE(std::isinf(values.values<float>()[3]));
  EXPECT_EQ(values.values<float>()[4], 0.0F);
}

ModelDescription tiny_description() {
  ModelDescription d;
  d.name = "tiny: \"quoted\"";
  d.architecture = "something";
  d.config = {{"layers", 3}, {"text", "true"}, {"rate", 0.5}};
  d.tokenizer = Tokenizer::esm().to_json();
  d.licence = "Apache-2.0";
  return d;
}

class ModelTest : public WeightsTest, public testing::WithParamInterface<std::string> {
 protected:
  fs::path place_ = folder_.path() / GetParam();
  void write() const {
    ModelWriter writer(place_);
    writer.weights({{"a", numbers({7})}});
    writer.text("notes.txt", "hello");
    writer.commit(tiny_description());
  }
};

TEST_P(ModelTest, ReadsWhatItWrites) {
  write();
  const ModelFolder model(place_);
  EXPECT_EQ(model.description().name, tiny_description().name);
  EXPECT_EQ(model.description().config, tiny_description().config);
  EXPECT_EQ(model.text("notes.txt"), "hello");
  EXPECT_EQ(model.weights().tensor("a").values<float>()[6], 6);
  EXPECT_TRUE(model.verify().empty());
  const Tokenizer tokenizer(model.description().tokenizer, "model");
  EXPECT_EQ(tokenizer.encode("LA"), (std::vector<Token>{0, 4, 5, 2}));
}

TEST_P(ModelTest, VerifyFindsNaN) {
  Tensor broken = numbers({3});
  broken.values<float>()[1] = std::numeric_limits<float>::quiet_NaN();
  ModelWriter writer(place_);
  writer.weights({{"a", broken}});
  writer.commit(tiny_description());
  const auto problems = ModelFolder(place_).verify();
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_NE(problems[0].message.find("NaN"), std::string::npos);
}

TEST_P(ModelTest, IsNotThereBeforeItIsWhole) {
  {
    ModelWriter writer(place_);
    writer.weights({{"a", numbers({3})}});
  }
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

INSTANTIATE_TEST_SUITE_P(Forms, ModelTest, testing::Values("m", "m.model.tar"),
                         [](const auto& tested) {
                           return tested.param == "m" ? "folder" : "packed";
                         });

TEST_F(WeightsTest, VerifyFindsChangedBytes) {
  const fs::path place = folder_.path() / "m";
  ModelWriter writer(place);
  writer.weights({{"a", numbers({3})}});
  writer.commit(tiny_description());
  write_tensor_file(place / "weights.safetensors", {{"a", numbers({4})}});
  ASSERT_EQ(ModelFolder(place).verify().size(), 1U);
}

TEST_F(WeightsTest, AModelDoesNotReplaceOtherFolders) {
  const fs::path place = folder_.path() / "work";
  fs::create_directory(place);
  write_file(place / "thesis.txt", "x");
  EXPECT_THROW(ModelWriter{place}, Error);
}

TEST_F(WeightsTest, APickleThatCallsIsRefusedAndNothingRuns) {
  const std::string mark = (folder_.path() / "ran").string();
  // (c)os system, a text, a tuple of one, reduce, stop
  const std::string evil =
      "\x80\x02"
      "cos\nsystem\nX" +
      std::string(1, static_cast<char>(6 + mark.size())) + std::string(3, '\0') + "touch " + mark +
      "\x85R.";
  const std::string found = foreign_problem(evil);
  EXPECT_NE(found.find("os.system"), std::string::npos) << found;
  EXPECT_FALSE(fs::exists(mark));
}

TEST_F(WeightsTest, ForeignFilesThatAreNoWeightsAreRefused) {
  for (const std::string& bytes :
       {std::string(), std::string("PK"), std::string("PK\3\4") + std::string(40, 'x'),
        std::string("\x80\x02."), std::string("\x80\x02]a."), std::string("\x80\x02(((t."),
        std::string("hello world, no weights"), std::string(100, '\x80')})
    EXPECT_NE(foreign_problem(bytes), "") << bytes.size();
}

TEST(Tokenizer, EsmNumbersAreThePublishedOnes) {
  const Tokenizer t = Tokenizer::esm();
  EXPECT_EQ(t.size(), 33);
  EXPECT_EQ(t.encode("LAGVSERTIDPKQNFYMHWCXBUZO.-", false).back(), 30);
  EXPECT_EQ(t.mask(), 32);
  EXPECT_EQ(t.encode("m"), (std::vector<Token>{0, 20, 2}));
  EXPECT_EQ(t.encode("J", false), (std::vector<Token>{t.unknown()}));
  EXPECT_EQ(t.decode(t.encode("MKV")), "MKV");
}

TEST(Tokenizer, SmilesAreCutAtAtoms) {
  const std::vector<std::string> corpus{"C[C@@H](Cl)Br", "c1ccc%10cc1"};
  const Tokenizer t = Tokenizer::smiles(corpus);
  EXPECT_EQ(t.encode(corpus[0], false).size(), 6U);
  EXPECT_EQ(t.encode(corpus[1], false).size(), 9U);
  for (const std::string& text : corpus) EXPECT_EQ(t.decode(t.encode(text)), text);
  EXPECT_EQ(t.encode("[", false), (std::vector<Token>{t.unknown()}));
}

TEST(Tokenizer, PiecesAreTheLongestThatFit) {
  const Json json{{"type", "pieces"},
                  {"tokens", {"Cn", "Cl", "C", "n", "c", "1", "[", "]", "G", "E", "e"}},
                  {"begin", "G"},
                  {"end", "E"}};
  const Tokenizer t(json, "x");
  EXPECT_EQ(t.encode("CCn1cc1Cl"), (std::vector<Token>{8, 2, 0, 5, 4, 4, 5, 1, 9}));
  EXPECT_EQ(t.decode(t.encode("CCn1cc1Cl")), "CCn1cc1Cl");
  // What frames a sequence is no text of it.
  EXPECT_THROW((void)t.encode("[Ge]"), Error);
  Json broken = json;
  broken["tokens"].push_back("");
  EXPECT_THROW(Tokenizer(broken, "x"), Error);
}

TEST(Tokenizer, WordsOfNucleotides) {
  EXPECT_EQ(Tokenizer::kmers(3, 1).encode("ACGTA", false).size(), 3U);
  EXPECT_EQ(Tokenizer::kmers(3, 1).decode(Tokenizer::kmers(3, 1).encode("ACGTA")), "ACGTA");
  EXPECT_EQ(Tokenizer::codons().encode("AUGACC", false).size(), 2U);
  EXPECT_EQ(Tokenizer::codons().decode(Tokenizer::codons().encode("AUGACC")), "ATGACC");
}

TEST(Tokenizer, RefusesBrokenDescriptions) {
  for (const char* text :
       {R"({})", R"({"type":"words","tokens":["a"]})", R"({"type":"residues","tokens":[]})",
        R"({"type":"residues","tokens":["a","a"]})",
        R"({"type":"residues","tokens":["a"],"mask":"b"})",
        R"({"type":"kmers","tokens":["a"],"k":0})"})
    EXPECT_THROW(Tokenizer(Json::parse(text), "x"), Error) << text;
}

}  // namespace
}  // namespace aceso::nn
