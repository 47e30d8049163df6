#include "aceso/app/runner.hpp"
#include "aceso/core/files.hpp"
#include "aceso/nn/tensor_file.hpp"
#include "apps.hpp"
#include "small_model.hpp"

#include <gtest/gtest.h>
#include <hdf5.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstring>
#include <random>

namespace aceso::proteins {
namespace {
namespace fs = std::filesystem;

const std::int64_t kHidden = test::small_spec().hidden;

class EmbedTest : public testing::Test {
 protected:
  void SetUp() override { test::write_small_model(place("model")); }

  [[nodiscard]] std::string place(const std::string& name) const {
    return (folder_.path() / name).string();
  }

  app::RunResult embed(const std::string& fasta, const std::string& output,
                       Json options = Json::object(), const std::string& labels = "") const {
    write_file(place("s.fasta"), fasta);
    Json inputs = {{"model", place("model")}, {"sequences", place("s.fasta")}};
    if (!labels.empty()) {
      write_file(place("labels.csv"), labels);
      inputs["labels"] = place("labels.csv");
    }
    std::vector<app::Mistake> mistakes;
    app::AppTable table;
    table.add(embed_app());
    const app::App& app = table.all().front();
    const auto request = app::check_request(
        app.description,
        {{"inputs", inputs},
         {"options", std::move(options)},
         {"outputs", {{"output", place(output)}, {"report_json", place("report.json")}}}},
        app::paths_of_this_machine(), mistakes);
    EXPECT_EQ(app::format_mistakes(mistakes), "");
    return app::run_app(app, request, {});
  }

  static std::string many_proteins() {
    std::mt19937 random(9);
    std::string text;
    for (int i = 0; i < 40; ++i) {
      text += ">p" + std::to_string(i) + " protein\n";
      for (auto length = 1 + random() % 400; length > 0; --length)
        text += "ACDEFGHIKLMNPQRSTVWY"[random() % 20];
      text += "\n";
    }
    return text;
  }

  ScratchFolder folder_{fs::temp_directory_path()};
};

// With a GPU it must do what the CPU does; without one it must say so and write nothing.
TEST_F(EmbedTest, OnAGpuGivesTheSameOrSaysWhatIsMissing) {
  const app::RunResult result = embed(many_proteins(), "gpu.safetensors", {{"device", "cuda"}});
  if (result.error) {
    EXPECT_EQ(result.exit_code(), 2);
    EXPECT_TRUE(std::string(result.error->what()).starts_with("device cuda: expected "))
        << result.error->what();
    EXPECT_FALSE(fs::exists(place("gpu.safetensors")));
    return;
  }
  ASSERT_EQ(embed(many_proteins(), "cpu.safetensors").exit_code(), 0);
  const nn::TensorSet gpu = nn::TensorFile(place("gpu.safetensors")).all();
  for (const auto& [name, mean] : nn::TensorFile(place("cpu.safetensors")).all())
    for (std::size_t d = 0; d < static_cast<std::size_t>(kHidden); ++d)
      ASSERT_NEAR(gpu.at(name).values<float>()[d], mean.values<float>()[d], 1e-4) << name;
}

TEST_F(EmbedTest, TheMeanIsOverResiduesOnly) {
  ASSERT_EQ(embed(">a x\nMKV\n>b\nW\n", "o.safetensors", {{"per_residue", true}}).exit_code(), 0);
  const nn::TensorFile file(place("o.safetensors"));
  EXPECT_EQ(file.tensor("a").shape(), (std::vector<std::int64_t>{kHidden}));
  const Tensor rows = file.tensor("a.residues");
  EXPECT_EQ(rows.shape(), (std::vector<std::int64_t>{3, kHidden}));
  for (std::size_t d = 0; d < static_cast<std::size_t>(kHidden); ++d) {
    const auto row = rows.values<float>();
    EXPECT_NEAR(file.tensor("a").values<float>()[d],
                (row[d] + row[kHidden + d] + row[2 * kHidden + d]) / 3, 1e-6);
  }
  EXPECT_EQ(file.tensor("b.residues").shape()[0], 1);
}

TEST_F(EmbedTest, NeitherThreadsNorCompanyChangeAnEmbedding) {
  ASSERT_EQ(embed(many_proteins(), "one.safetensors", {{"threads", 1}}).exit_code(), 0);
  ASSERT_EQ(embed(many_proteins(), "two.safetensors", {{"threads", 3}}).exit_code(), 0);
  EXPECT_EQ(read_file(place("one.safetensors")), read_file(place("two.safetensors")));

  const std::string all = many_proteins();
  const auto begin = all.find(">p7 "), end = all.find(">p8 ");
  ASSERT_EQ(embed(all.substr(begin, end - begin), "alone.safetensors").exit_code(), 0);
  const Tensor a = nn::TensorFile(place("one.safetensors")).tensor("p7");
  const Tensor b = nn::TensorFile(place("alone.safetensors")).tensor("p7");
  for (std::size_t d = 0; d < static_cast<std::size_t>(kHidden); ++d)
    EXPECT_NEAR(a.values<float>()[d], b.values<float>()[d], 1e-5);
}

TEST_F(EmbedTest, NpyHoldsTheMeansInOrder) {
  ASSERT_EQ(embed(">a\nMK\n>b\nWYYY\n", "o.npy").exit_code(), 0);
  ASSERT_EQ(embed(">a\nMK\n>b\nWYYY\n", "o.safetensors").exit_code(), 0);
  const std::string npy = read_file(place("o.npy"));
  EXPECT_EQ(npy.substr(0, 6), "\x93NUMPY");
  EXPECT_NE(npy.find("'shape': (2, 32)"), std::string::npos);
  const std::size_t data = 2 * kHidden * sizeof(float);
  EXPECT_EQ((npy.size() - data) % 64, 0U);
  const Tensor b = nn::TensorFile(place("o.safetensors")).tensor("b");
  EXPECT_EQ(std::memcmp(npy.data() + npy.size() - data / 2, b.data(), data / 2), 0);
}

TEST_F(EmbedTest, Hdf5HoldsOneSetAName) {
  ASSERT_EQ(embed(">a\nMKW\n", "o.h5", {{"per_residue", true}}).exit_code(), 0);
  ASSERT_EQ(embed(">a\nMKW\n", "o.safetensors").exit_code(), 0);
  const hid_t file = H5Fopen(place("o.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  ASSERT_GE(file, 0);
  const hid_t mean = H5Dopen2(file, "a", H5P_DEFAULT),
              rows = H5Dopen2(file, "a.residues", H5P_DEFAULT);
  std::vector<float> values(kHidden), all(3 * kHidden);
  EXPECT_GE(H5Dread(mean, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
  EXPECT_GE(H5Dread(rows, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, all.data()), 0);
  H5Dclose(mean);
  H5Dclose(rows);
  H5Fclose(file);
  const Tensor expected = nn::TensorFile(place("o.safetensors")).tensor("a");
  for (std::size_t d = 0; d < static_cast<std::size_t>(kHidden); ++d)
    EXPECT_EQ(values[d], expected.values<float>()[d]);
}

TEST_F(EmbedTest, WrongInputIsNamed) {
  const auto problem = [&](const std::string& fasta, const std::string& output, Json options) {
    const auto result = embed(fasta, output, std::move(options));
    return std::to_string(result.exit_code()) + " " +
           (result.error ? std::string(result.error->what()) : "");
  };
  EXPECT_NE(problem(">a\nM\n>a\nM\n", "o.npy", {}).find("3 "), std::string::npos);
  EXPECT_NE(problem(">a\n", "o.npy", {}).find("expected a sequence with residues"),
            std::string::npos);
  EXPECT_NE(problem(">a\nM\n", "o.txt", {}).find("ends in .safetensors, .npy or .h5"),
            std::string::npos);
  EXPECT_EQ(problem(">a\nM\n", "o.npy", {{"per_residue", true}}).substr(0, 1), "2");
  EXPECT_NE(problem(">a\nM\n>b\nMJK\n", "o.npy", {{"strict", true}}).find("record 2 (b)"),
            std::string::npos);
  for (const char* name : {"o.npy", "o.txt"}) EXPECT_FALSE(fs::exists(place(name))) << name;
}

TEST_F(EmbedTest, EmptyAndUnknownAreWarnedOf) {
  const auto result = embed(">a\nMJ*K\n>b\n>c\nW\n", "o.safetensors");
  EXPECT_EQ(result.exit_code(), 0);
  ASSERT_EQ(result.warnings.size(), 2U);
  EXPECT_EQ(nn::TensorFile(place("o.safetensors")).tensors().size(), 2U);
}

TEST_F(EmbedTest, TheReportDrawsTheEmbeddingsInAPlane) {
  Json explained;
  const auto scatter = [&](Json options, const std::string& labels) {
    const auto result = embed(many_proteins(), "o.safetensors", std::move(options), labels);
    EXPECT_EQ(result.exit_code(), 0) << (result.error ? result.error->what() : "");
    explained = result.metrics["explained_variance"];
    const Json report = Json::parse(read_file(place("report.json")));
    for (const Json& section : report["sections"])
      for (const Json& block : section["blocks"])
        if (block["type"] == "scatter") return block;
    return Json();
  };
  const Json by_length = scatter({{"threads", 1}}, "");
  ASSERT_EQ(by_length["x"].size(), 40U);
  EXPECT_EQ(by_length["names"][3], "p3");
  EXPECT_EQ(by_length["colour_label"], "length");
  EXPECT_GT(explained[0].get<double>(), explained[1].get<double>());
  EXPECT_LE(explained[0].get<double>() + explained[1].get<double>(), 1.0);
  const Json again = scatter({{"threads", 3}}, "");
  EXPECT_EQ(again["x"], by_length["x"]) << "threads do not change the picture";

  const Json by_number = scatter({}, "id,label\np3,0.5\np4,\np5,-2e1\n");
  EXPECT_EQ(by_number["values"][5], -20);
  EXPECT_TRUE(by_number["values"][4].is_null());
  const Json by_group = scatter({{"label_column", "family"}}, "id,family\np3,7\np4,kinase\n");
  EXPECT_EQ(by_group["groups"][4], "kinase");
  EXPECT_EQ(by_group["groups"][0], "");
  EXPECT_TRUE(by_group["values"].empty());
}

TEST_F(EmbedTest, WrongLabelsAreNamed) {
  const auto problem = [&](const std::string& labels) {
    const auto result = embed(many_proteins(), "o.safetensors", Json::object(), labels);
    EXPECT_EQ(result.exit_code(), 3) << labels;
    return result.error ? std::string(result.error->what()) : "";
  };
  EXPECT_NE(problem("id,x\np1,2\n").find("expected a column \"label\""), std::string::npos);
  EXPECT_NE(problem("id,label\np1,2\np1,3\n").find("row 2: expected each id once"),
            std::string::npos);
  EXPECT_NE(problem("id,label\nq1,2\n").find("expected labels of sequences such as p0"),
            std::string::npos);
}

}  // namespace
}  // namespace aceso::proteins
