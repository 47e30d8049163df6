#include "aceso/app/runner.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/hash.hpp"
#include "aceso/nn/message_passing.hpp"
#include "aceso/nn/model_copy.hpp"
#include "aceso/nn/model_folder.hpp"
#include "apps.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

namespace aceso::models {
namespace {
namespace fs = std::filesystem;

class GetTest : public testing::Test {
 protected:
  GetTest() { fs::create_directory(place("library")); }

  [[nodiscard]] fs::path place(const std::string& name) const { return folder_.path() / name; }

  void write_model(const std::string& file, const std::string& name,
                   const std::string& version = "1") const {
    nn::MessagePassingSpec spec;
    spec.featuriser = "chemprop-v1";
    spec.atom_features = 3;
    spec.bond_features = 2;
    spec.hidden = spec.head_hidden = 4;
    spec.outputs = {"y"};
    nn::TensorSet weights;
    for (const nn::TensorInfo& info : spec.weights()) {
      Tensor tensor(DType::F32, info.shape);
      for (float& value : tensor.values<float>()) value = 0.5F;
      weights.emplace(info.name, tensor);
    }
    nn::ModelDescription description;
    description.name = name;
    description.version = version;
    description.architecture = "dmpnn";
    description.config = spec.to_json();
    nn::ModelWriter writer(place("library") / file);
    writer.weights(weights);
    writer.commit(description);
  }

  app::RunResult get(const std::string& name, const std::string& sha256,
                     const std::string& output) const {
    std::vector<app::Mistake> mistakes;
    app::AppTable table;
    table.add(get_app());
    const app::App& app = table.all().front();
    const auto request = app::check_request(app.description,
                                            {{"inputs", {{"from", place("library").string()}}},
                                             {"options", {{"name", name}, {"sha256", sha256}}},
                                             {"outputs", {{"output", place(output).string()}}}},
                                            app::paths_of_this_machine(), mistakes);
    EXPECT_EQ(app::format_mistakes(mistakes), "");
    return app::run_app(app, request, {});
  }

  void refused(const app::RunResult& result, const std::string& message) const {
    ASSERT_TRUE(result.error.has_value()) << "nothing was refused; expected " << message;
    EXPECT_NE(std::string(result.error->what()).find(message), std::string::npos)
        << result.error->what();
    EXPECT_FALSE(fs::exists(place("copy")));
  }

  ScratchFolder folder_{fs::temp_directory_path()};
};

TEST_F(GetTest, ACopyHasTheSameBytesInEveryForm) {
  write_model("solubility", "solubility");
  write_model("clearance.model.tar", "clearance");
  write_file(place("library") / "notes.txt", "no model");
  const std::string hash = nn::model_hash(place("library") / "solubility");
  ASSERT_EQ(get("solubility", hash, "as-folder").exit_code(), 0);
  ASSERT_EQ(get("solubility@1", hash, "packed.model.tar").exit_code(), 0);
  EXPECT_EQ(nn::model_hash(place("packed.model.tar")), hash);
  const nn::ModelFolder model(place("library") / "solubility");
  for (const auto& [file, size] : model.files())
    EXPECT_EQ(read_file(place("as-folder") / file),
              read_file(place("library") / "solubility" / file));
  // Unpacked it is the folder again, and packed again the same file.
  nn::copy_model(place("packed.model.tar"), place("unpacked"));
  EXPECT_TRUE(nn::ModelFolder(place("unpacked")).verify().empty());
  nn::copy_model(place("unpacked"), place("again.model.tar"));
  EXPECT_EQ(read_file(place("again.model.tar")), read_file(place("packed.model.tar")));

  const fs::path tar = place("library") / "clearance.model.tar";
  ASSERT_EQ(get("clearance", sha256_file(tar), "c.model.tar").exit_code(), 0);
  EXPECT_EQ(read_file(place("c.model.tar")), read_file(tar));
}

TEST_F(GetTest, AnotherHashAndAnUnknownNameAreRefused) {
  write_model("solubility", "solubility");
  const auto wrong = get("solubility", std::string(64, '0'), "copy");
  EXPECT_EQ(wrong.exit_code(), 3);
  refused(wrong, "expected the SHA-256 0000");
  const auto unknown = get("toxicity", "", "copy");
  EXPECT_EQ(unknown.exit_code(), 3);
  refused(unknown,
          "expected a model called \"toxicity\", found solubility@1; nothing is fetched "
          "over a network");
  write_model("newer.model.tar", "solubility", "2");
  refused(get("solubility", "", "copy"), "name one as NAME@VERSION: solubility@2, solubility@1");
  EXPECT_EQ(get("solubility@2", "", "copy").exit_code(), 0);
}

TEST_F(GetTest, ADamagedModelIsNotTaken) {
  write_model("solubility", "solubility");
  const fs::path file = place("library") / "solubility" / "weights.safetensors";
  std::string bytes = read_file(file);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_file(file, bytes);
  refused(get("solubility", nn::model_hash(place("library") / "solubility"), "copy"),
          "is damaged, so it was not taken");
}

}  // namespace
}  // namespace aceso::models
