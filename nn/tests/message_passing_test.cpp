#include "aceso/nn/message_passing.hpp"

#include "aceso/core/error.hpp"
#include "small_graphs.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace aceso::nn {
namespace {
namespace fs = std::filesystem;

using namespace test;

class MessagePassingTest : public testing::Test {
 protected:
  MessagePassing net(const MessagePassingSpec& spec, const TensorSet& weights) {
    ModelDescription description;
    description.name = "test";
    description.architecture = "dmpnn";
    description.config = spec.to_json();
    ModelWriter writer(folder_.path() / "model");
    writer.weights(weights);
    writer.commit(description);
    return MessagePassing(ModelFolder(folder_.path() / "model"));
  }
  ScratchFolder folder_{fs::temp_directory_path()};
};

TEST_F(MessagePassingTest, AMoleculeAloneIsAsInCompany) {
  const MessagePassingSpec spec = small_spec();
  const MessagePassing model = net(spec, random_weights(spec));
  BondGraphs alone, company;
  add_chain(alone, 6, 1);
  add_chain(company, 3, 2);
  add_chain(company, 6, 1);
  add_chain(company, 1, 4);
  const Tensor one = model.predict(alone), all = model.predict(company);
  EXPECT_EQ(all.shape(), (std::vector<std::int64_t>{2, 3, 2}));
  for (std::size_t member = 0; member < 2; ++member)
    for (std::size_t o = 0; o < 2; ++o)
      EXPECT_NEAR(one.values<float>()[member * 2 + o], all.values<float>()[member * 6 + 2 + o],
                  1e-5);
}

TEST_F(MessagePassingTest, NumbersOfAMoleculeAreInputsOfTheHead) {
  // The head's first layer is linear, so its further inputs are as good as another bias.
  MessagePassingSpec with = small_spec(), without = small_spec();
  with.molecule_features = 2;
  with.molecule_featuriser = "rdkit-2d-normalised";
  const TensorSet weights = random_weights(with);
  TensorSet moved = weights;
  BondGraphs graphs;
  add_chain(graphs, 5, 8);
  graphs.features = {0.25F, -2.0F};
  for (std::size_t m = 0; m < 2; ++m) {
    const std::string layer = fmt::format("members.{}.head.0.", m);
    const auto w = weights.at(layer + "weight").values<const float>();
    const auto b = weights.at(layer + "bias").values<const float>();
    Tensor matrix(DType::F32, {4, 5}), bias(DType::F32, {4});
    for (std::size_t i = 0; i < 4; ++i) {
      for (std::size_t j = 0; j < 5; ++j) matrix.values<float>()[i * 5 + j] = w[i * 7 + j];
      bias.values<float>()[i] = b[i] + 0.25F * w[i * 7 + 5] - 2.0F * w[i * 7 + 6];
    }
    moved.insert_or_assign(layer + "weight", matrix);
    moved.insert_or_assign(layer + "bias", bias);
  }
  const Tensor read = net(with, weights).predict(graphs);
  EXPECT_THROW((void)net(without, moved).predict(graphs), Error);  // features that it does not read
  graphs.features.clear();
  const Tensor folded = net(without, moved).predict(graphs);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_NEAR(read.values<float>()[i], folded.values<float>()[i], 1e-5);
}

TEST_F(MessagePassingTest, TheOrderOfAtomsDoesNotMatter) {
  const MessagePassingSpec spec = small_spec();
  const MessagePassing model = net(spec, random_weights(spec));
  BondGraphs forwards, backwards;
  add_chain(forwards, 7, 5);
  add_chain(backwards, 7, 5, true);
  const Tensor a = model.predict(forwards), b = model.predict(backwards);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(a.values<float>()[i], b.values<float>()[i], 1e-5);
}

TEST_F(MessagePassingTest, OneAtomIsByHand) {
  // No bonds: state = relu(readout * [features, 0]); then the head, by its definition.
  MessagePassingSpec spec = small_spec();
  spec.members = 1;
  spec.task = "classification";
  const TensorSet weights = random_weights(spec);
  const MessagePassing model = net(spec, weights);
  BondGraphs graphs;
  add_chain(graphs, 1, 9);
  const auto layer = [&](const std::string& name, const std::vector<double>& x) {
    const auto w = weights.at("members.0." + name + ".weight").values<const float>();
    const auto b = weights.at("members.0." + name + ".bias").values<const float>();
    std::vector<double> y(b.begin(), b.end());
    const std::size_t columns = w.size() / b.size();
    for (std::size_t i = 0; i < y.size(); ++i)
      for (std::size_t j = 0; j < x.size(); ++j) y[i] += w[i * columns + j] * x[j];
    return y;
  };
  const auto relu = [](std::vector<double> x) {
    for (double& value : x) value = std::max(value, 0.0);
    return x;
  };
  const std::vector<double> features(graphs.atoms.begin(), graphs.atoms.end());
  const auto out = layer("head.1", relu(layer("head.0", relu(layer("readout", features)))));
  const Tensor predicted = model.predict(graphs);
  for (std::size_t o = 0; o < 2; ++o)
    EXPECT_NEAR(predicted.values<float>()[o], 1 / (1 + std::exp(-out[o])), 1e-5);
}

TEST_F(MessagePassingTest, WrongWeightsAndFeaturesAreNamed) {
  const MessagePassingSpec spec = small_spec();
  TensorSet weights = random_weights(spec);
  const MessagePassing model = net(spec, weights);
  BondGraphs wrong;
  add_chain(wrong, 2, 1);
  wrong.atoms.pop_back();
  EXPECT_THROW((void)model.predict(wrong), Error);

  weights.erase("members.1.readout.bias");
  try {
    (void)net(spec, weights);
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("members.1.readout.bias is missing"),
              std::string::npos);
  }
  EXPECT_FALSE(ModelFolder(folder_.path() / "model").verify().empty());
  EXPECT_THROW((void)MessagePassingSpec::from_json({{"hidden", 5}}, "test"), Error);
}

TEST_F(MessagePassingTest, AnIntervalIsKeptAndAWrongOneIsNamed) {
  MessagePassingSpec spec = small_spec();
  spec.interval = {.coverage = 0.8, .factor = {1.5, 2}, .offset = {0.25, 0}};
  Json config = spec.to_json();
  const auto read = MessagePassingSpec::from_json(config, "test").interval;
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->coverage, 0.8);
  EXPECT_EQ(read->half_width(0, 0.75), 1.5);
  EXPECT_EQ(read->half_width(1, 0.75), 1.5);
  config["interval"]["offset"] = {0.25};
  try {
    (void)MessagePassingSpec::from_json(config, "test");
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("config.interval.offset: expected 2 numbers"),
              std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace aceso::nn
