#include "aceso/nn/training.hpp"
#include "aceso/app/runner.hpp"
#include "aceso/core/files.hpp"
#include "aceso/lm/task.hpp"
#include "aceso/nn/adapter.hpp"
#include "aceso/nn/model_folder.hpp"
#include "apps.hpp"
#include "small_model.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <random>

namespace aceso::proteins {
namespace {
namespace fs = std::filesystem;

class TrainingApps : public testing::Test {
 protected:
  void SetUp() override {
    if (!nn::training_is_installed()) GTEST_SKIP() << "the training plugin is not built";
  }

  [[nodiscard]] std::string place(const std::string& name) const {
    return (folder_.path() / name).string();
  }

  static app::RunResult run(app::App made, const Json& request) {
    std::vector<app::Mistake> mistakes;
    app::AppTable table;
    table.add(std::move(made));
    const app::App& app = table.all().front();
    const auto checked =
        app::check_request(app.description, request, app::paths_of_this_machine(), mistakes);
    EXPECT_EQ(app::format_mistakes(mistakes), "");
    return app::run_app(app, checked, {});
  }

  static std::string residues(std::mt19937& random, unsigned length) {
    std::string text;
    for (; length > 0; --length) text += "ACDEFGHIKLMNPQRSTVWY"[random() % 20];
    return text;
  }

  /// Proteins in which every second residue repeats the one before it: something to be learnt.
  void write_proteins() const {
    std::mt19937 random(1);
    std::string text;
    for (int i = 0; i < 60; ++i) {
      text += ">p" + std::to_string(i) + "\n";
      for (const char residue : residues(random, 10 + static_cast<unsigned>(random() % 20)))
        text += {residue, residue};
      text += "\n";
    }
    write_file(place("p.fasta"), text);
  }

  /// Of the small model in "base", as "adapter".
  [[nodiscard]] app::RunResult make_adapter(const Json& options) const {
    test::write_small_model(place("base"));
    return run(finetune_app(),
               {{"inputs", {{"model", place("base")}, {"sequences", place("labelled.csv")}}},
                {"options", options},
                {"outputs", {{"output", place("adapter")}}}});
  }

  /// Of "new.fasta" with "adapter", as "out.csv".
  [[nodiscard]] app::RunResult predict(const char* base, const Json& options) const {
    return run(predict_app(), {{"inputs",
                                {{"model", place(base)},
                                 {"adapter", place("adapter")},
                                 {"sequences", place("new.fasta")}}},
                               {"options", options},
                               {"outputs", {{"output", place("out.csv")}}}});
  }

  /// Sequences whose target is their share of tryptophan.
  void write_labelled() const {
    std::mt19937 random(2);
    std::string text = "sequence,target,set\n";
    for (int i = 0; i < 150; ++i) {
      const auto share = static_cast<unsigned>(random() % 20);
      std::string sequence = residues(random, 30);
      for (unsigned w = 0; w < share; ++w) sequence[w] = 'W';
      const char* set = i % 5 == 0 ? "test" : i % 5 == 1 ? "validation" : "train";
      text += sequence + "," + std::to_string(share) + "," + set + "\n";
    }
    write_file(place("labelled.csv"), text);
  }

  static Json train_options(int steps) {
    return {{"layers", 1},        {"hidden", 16},         {"heads", 2},
            {"steps", steps},     {"warmup_steps", 5},    {"learning_rate", 0.01},
            {"micro_batches", 2}, {"max_length", 128},    {"micro_batch_tokens", 256},
            {"held_out", 0.1},    {"evaluate_every", 10}, {"checkpoint_every", 7}};
  }

  app::RunResult train(const std::string& output, Json options) const {
    return run(train_app(), {{"inputs", {{"sequences", place("p.fasta")}}},
                             {"options", std::move(options)},
                             {"outputs", {{"output", place(output)}}}});
  }

  ScratchFolder folder_{fs::temp_directory_path()};
};

TEST_F(TrainingApps, TrainingLowersTheHeldOutLossAndWritesAModel) {
  write_proteins();
  const app::RunResult before = train("before", train_options(1));
  const app::RunResult after = train("after", train_options(80));
  ASSERT_EQ(after.status, "succeeded") << (after.error ? after.error->what() : "");
  EXPECT_LT(after.metrics.at("held_out_loss"),
            before.metrics.at("held_out_loss").get<double>() - 0.2);
  const nn::ModelFolder model(place("after"));
  EXPECT_TRUE(model.verify().empty());
  EXPECT_EQ(model.description().provenance.at("seed"), 1);
}

TEST_F(TrainingApps, ACheckpointIsGoneOnFromOnlyWhenAskedAndOnlyByTheSameTraining) {
  write_proteins();
  ASSERT_EQ(train("whole", train_options(20)).status, "succeeded");
  Json options = train_options(20);
  options["checkpoint"] = place("state");
  ASSERT_EQ(train("first", options).status, "succeeded");
  const app::RunResult refused = train("again", options);
  ASSERT_TRUE(refused.error);
  EXPECT_EQ(refused.error->code(), Errc::InvalidArgument);
  EXPECT_NE(std::string(refused.error->what()).find("--resume goes on from it"), std::string::npos);
  options["resume"] = true;
  const app::RunResult resumed = train("second", options);
  ASSERT_EQ(resumed.status, "succeeded");
  EXPECT_EQ(resumed.metrics.at("resumed_from"), 20);
  const auto weights = [&](const char* name) {
    return read_file(fs::path(place(name)) / "weights.safetensors");
  };
  EXPECT_EQ(weights("whole"), weights("first"));
  EXPECT_EQ(weights("whole"), weights("second"));
  options["learning_rate"] = 0.02;
  const app::RunResult other = train("other", options);
  ASSERT_TRUE(other.error);
  EXPECT_NE(std::string(other.error->what()).find("the checkpoint of another training"),
            std::string::npos);
}

TEST_F(TrainingApps, AFastaWithoutResiduesIsBadInput) {
  write_file(place("p.fasta"), ">a\n>b\n");
  const app::RunResult result = train("none", train_options(1));
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->code(), Errc::CorruptData);
  EXPECT_FALSE(fs::exists(place("none")));
}

TEST_F(TrainingApps, FineTuningImprovesOnTheUntrainedHeadInEveryWay) {
  write_labelled();
  test::write_small_model(place("base"));
  for (const char* method : {"lora", "full", "head"}) {
    const app::RunResult result =
        run(finetune_app(),
            {{"inputs", {{"model", place("base")}, {"sequences", place("labelled.csv")}}},
             {"options",
              {{"method", method},
               {"steps", 120},
               {"rank", 2},
               {"learning_rate", 0.01},
               {"micro_batches", 2}}},
             {"outputs", {{"output", place(method)}}}});
    ASSERT_EQ(result.status, "succeeded") << method << (result.error ? result.error->what() : "");
    const double untrained = result.metrics.at("untrained").at("mean_squared_error");
    EXPECT_LT(result.metrics.at("validation").at("mean_squared_error"), 0.5 * untrained) << method;
    EXPECT_GT(result.metrics.at("test").at("spearman"), 0.8) << method;
  }
}

TEST_F(TrainingApps, PredictionsByAdapterAndByTheMergedModelAgree) {
  write_labelled();
  ASSERT_EQ(make_adapter({{"steps", 40}, {"rank", 2}, {"learning_rate", 0.01}}).status,
            "succeeded");
  write_file(place("new.fasta"), ">a\nWWWWACDEF\n>b\nACDEFGHIKL\n");
  const app::RunResult result = predict("base", Json::object());
  ASSERT_EQ(result.status, "succeeded") << (result.error ? result.error->what() : "");
  const std::string table = read_file(place("out.csv"));
  EXPECT_TRUE(table.starts_with("id,target\na,")) << table;

  const nn::ModelFolder base(place("base")), adapter(place("adapter"));
  nn::ModelDescription whole = base.description();
  whole.config["task"] = adapter.description().config.at("task");
  nn::ModelWriter writer(place("whole"));
  writer.weights(nn::with_adapter(base, adapter));
  writer.commit(whole);
  const lm::TaskModel one(place("base"), place("adapter"), nn::Precision::Fp32);
  const lm::TaskModel two(place("whole"), std::nullopt, nn::Precision::Fp32);
  const std::vector<lm::Item> items{{0, one.model().encode("WWWWACDEF", "test")}};
  std::vector<float> answers;
  Progress progress;
  for (const lm::TaskModel* model : {&one, &two})
    model->predict(items, 1, progress, {}, [&](const lm::Item&, std::span<const float> answer) {
      answers.push_back(answer[0]);
    });
  EXPECT_NEAR(answers[0], answers[1], 1e-5);
}

// With a GPU it must give what the CPU gives; without one it must say so.
TEST_F(TrainingApps, PredictionsOnAGpuAreTheCpusOrSayWhatIsMissing) {
  write_labelled();
  ASSERT_EQ(make_adapter({{"steps", 2}, {"rank", 2}}).status, "succeeded");
  write_file(place("new.fasta"), ">a\nWWWWACDEF\n");
  const app::RunResult result = predict("base", {{"device", "cuda"}});
  if (result.error) {
    EXPECT_EQ(result.exit_code(), 2);
    EXPECT_TRUE(std::string(result.error->what()).starts_with("device cuda: expected "))
        << result.error->what();
    EXPECT_FALSE(std::filesystem::exists(place("out.csv")));
    return;
  }
  const lm::TaskModel cpu(place("base"), place("adapter"), nn::Precision::Fp32);
  const lm::TaskModel gpu(place("base"), place("adapter"), nn::Precision::Fp32, nn::Device::Cuda);
  const std::vector<lm::Item> items{{0, cpu.model().encode("WWWWACDEF", "test")}};
  std::vector<float> answers;
  Progress progress;
  for (const lm::TaskModel* model : {&cpu, &gpu})
    model->predict(items, 1, progress, {}, [&](const lm::Item&, std::span<const float> answer) {
      answers.push_back(answer[0]);
    });
  EXPECT_NEAR(answers[0], answers[1], 1e-4);
}

TEST_F(TrainingApps, AnAdapterOfOtherWeightsIsRefused) {
  write_labelled();
  ASSERT_EQ(make_adapter({{"steps", 2}, {"rank", 2}}).status, "succeeded");
  write_proteins();
  ASSERT_EQ(train("other", train_options(1)).status, "succeeded");
  write_file(place("new.fasta"), ">a\nWWWW\n");
  const app::RunResult result = predict("other", Json::object());
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->code(), Errc::InvalidArgument);
  EXPECT_NE(std::string(result.error->what()).find("whose weights are not those of"),
            std::string::npos);
}

TEST_F(TrainingApps, ClassesOfResiduesAreLearnt) {
  test::write_small_model(place("base"));
  std::mt19937 random(3);
  std::string sequences, labels;
  for (int i = 0; i < 60; ++i) {
    const std::string sequence = residues(random, 20);
    std::string classes;
    for (const char c : sequence)
      classes += std::string("AVILMFWY").find(c) != std::string::npos ? 'H' : 'P';
    sequences += ">s" + std::to_string(i) + "\n" + sequence + "\n";
    labels +=
        ">s" + std::to_string(i) + (i % 4 == 0 ? " SET=test\n" : " SET=train\n") + classes + "\n";
  }
  write_file(place("s.fasta"), sequences);
  write_file(place("l.fasta"), labels);
  const app::RunResult result = run(
      finetune_app(),
      {{"inputs",
        {{"model", place("base")}, {"sequences", place("s.fasta")}, {"labels", place("l.fasta")}}},
       {"options",
        {{"method", "full"},
         {"steps", 60},
         {"patience", 0},
         {"learning_rate", 0.005},
         {"micro_batches", 1}}},
       {"outputs", {{"output", place("model")}}}});
  ASSERT_EQ(result.status, "succeeded") << (result.error ? result.error->what() : "");
  EXPECT_GT(result.metrics.at("test").at("accuracy"), 0.9);
}

}  // namespace
}  // namespace aceso::proteins
