#include "../src/chemprop.hpp"

#include "aceso/core/error.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>

namespace aceso::models {
namespace {

Tensor tensor(std::vector<std::int64_t> shape, float value) {
  Tensor made(DType::F32, std::move(shape));
  for (float& one : made.values<float>()) one = value;
  return made;
}

ForeignMember version1() {
  ForeignMember member{"a.pt", {}};
  auto& t = member.weights.tensors;
  const std::string net = "state_dict.encoder.encoder.0.";
  t.emplace(net + "W_i.weight", tensor({8, 147}, 1));
  t.emplace(net + "W_h.weight", tensor({8, 8}, 2));
  t.emplace(net + "W_o.weight", tensor({8, 141}, 3));
  t.emplace(net + "W_o.bias", tensor({8}, 4));
  t.emplace("state_dict.readout.1.weight", tensor({6, 8}, 5));
  t.emplace("state_dict.readout.1.bias", tensor({6}, 6));
  t.emplace("state_dict.readout.4.weight", tensor({1, 6}, 7));
  t.emplace("state_dict.readout.4.bias", tensor({1}, 8));
  member.weights.values = {{"args",
                            {{"depth", 4},
                             {"task_names", {"logS"}},
                             {"dataset_type", "regression"},
                             {"undirected", false}}},
                           {"data_scaler", {{"means", {-3.5}}, {"stds", {2.0}}}}};
  return member;
}

ForeignMember version2() {
  ForeignMember member{"b.pt", {}};
  auto& t = member.weights.tensors;
  const std::string net = "state_dict.message_passing.";
  t.emplace(net + "W_i.weight", tensor({2, 86}, 1));
  t.emplace(net + "W_h.weight", tensor({2, 2}, 2));
  t.emplace(net + "W_o.weight", tensor({2, 74}, 3));
  t.emplace(net + "W_o.bias", tensor({2}, 4));
  t.emplace("state_dict.predictor.ffn.0.0.weight", tensor({3, 2}, 5));
  t.emplace("state_dict.predictor.ffn.0.0.bias", tensor({3}, 6));
  t.emplace("state_dict.predictor.ffn.1.2.weight", tensor({1, 3}, 7));
  t.emplace("state_dict.predictor.ffn.1.2.bias", tensor({1}, 8));
  t.emplace("state_dict.bn.weight", tensor({2}, 2));
  t.emplace("state_dict.bn.bias", tensor({2}, 0.5));
  t.emplace("state_dict.bn.running_mean", tensor({2}, 3));
  t.emplace("state_dict.bn.running_var", tensor({2}, 4));
  t.emplace("state_dict.predictor.output_transform.mean", tensor({1, 1}, -1));
  t.emplace("state_dict.predictor.output_transform.scale", tensor({1, 1}, 3));
  const std::string classes = "chemprop.nn.";
  member.weights.values = {
      {"hyper_parameters",
       {{"message_passing",
         {{"cls", classes + "message_passing.base.BondMessagePassing"}, {"activation", "RELU"}}},
        {"agg", {{"cls", classes + "agg.NormAggregation"}, {"norm", 50}}},
        {"predictor", {{"cls", classes + "predictors.RegressionFFN"}}}}}};
  return member;
}

std::string problem(const std::vector<ForeignMember>& members) {
  try {
    (void)from_chemprop(members);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Chemprop, Version1BecomesAnEnsemble) {
  const ImportedNet net = from_chemprop({version1(), version1()});
  EXPECT_EQ(net.spec.featuriser, "chemprop-v1");
  EXPECT_EQ(net.spec.members, 2);
  EXPECT_EQ(net.spec.depth, 4);
  EXPECT_EQ(net.spec.hidden, 8);
  EXPECT_EQ(net.spec.head_hidden, 6);
  EXPECT_EQ(net.spec.outputs, std::vector<std::string>{"logS"});
  for (const nn::TensorInfo& wanted : net.spec.weights()) {
    ASSERT_TRUE(net.tensors.contains(wanted.name)) << wanted.name;
    EXPECT_EQ(net.tensors.at(wanted.name).shape(), wanted.shape) << wanted.name;
  }
  EXPECT_EQ(net.tensors.at("members.1.scale.mean").values<const float>()[0], -3.5F);
}

TEST(Chemprop, Version2FoldsItsBatchNormalisation) {
  const ImportedNet net = from_chemprop({version2()});
  EXPECT_EQ(net.spec.featuriser, "chemprop-v2");
  EXPECT_EQ(net.spec.aggregation, "norm");
  EXPECT_EQ(net.spec.aggregation_norm, 50);
  // The normalised 7 is (7 - 3) / sqrt(4 + 1e-5) * 2 + 0.5, through 5 x + 6 for both inputs.
  const double x = (7 - 3) / std::sqrt(4 + 1e-5) * 2 + 0.5;
  const auto w = net.tensors.at("members.0.head.0.weight").values<const float>();
  const auto b = net.tensors.at("members.0.head.0.bias").values<const float>();
  EXPECT_NEAR(w[0] * 7 + w[1] * 7 + b[0], 2 * 5 * x + 6, 1e-4);
  EXPECT_EQ(net.tensors.at("members.0.scale.deviation").values<const float>()[0], 3);
}

/// A net that also reads so many numbers of whole molecules.
ForeignMember with_molecule_features(std::int64_t count) {
  ForeignMember member = version1();
  member.weights.tensors.insert_or_assign("state_dict.readout.1.weight", tensor({6, 8 + count}, 5));
  return member;
}

TEST(Chemprop, NumbersOfMoleculesAreNamedByTheCheckpointOrTheCaller) {
  ForeignMember made = with_molecule_features(200);
  made.weights.values["args"]["features_generator"] = {"rdkit_2d_normalized"};
  EXPECT_EQ(from_chemprop({made}).spec.molecule_featuriser, "rdkit-2d-normalised");
  EXPECT_EQ(from_chemprop({made}).spec.molecule_features, 200);
  ForeignMember from_file = with_molecule_features(200);
  from_file.weights.values["args"]["features_path"] = {"features.npz"};
  EXPECT_NE(problem({from_file}).find("give --molecule-features"), std::string::npos);
  EXPECT_EQ(from_chemprop({from_file}, "rdkit-2d-normalised").spec.molecule_featuriser,
            "rdkit-2d-normalised");
  made.weights.values["args"]["features_scaling"] = true;
  EXPECT_NE(problem({made}).find("features_scaling"), std::string::npos);
  ForeignMember other = with_molecule_features(3);
  other.weights.values["args"]["features_generator"] = {"rdkit_2d_normalized"};
  EXPECT_NE(problem({other}).find("expected 200 features of molecules, found 3"),
            std::string::npos);
}

TEST(Chemprop, VariantsAreRefusedByName) {
  ForeignMember member = with_molecule_features(200);
  member.weights.values["args"]["features_generator"] = {"morgan"};
  EXPECT_NE(problem({member}).find("a.pt: trained with features_generator"), std::string::npos);
  member = version1();
  member.weights.tensors.erase("state_dict.encoder.encoder.0.W_h.weight");
  EXPECT_NE(problem({member}).find("W_h.weight is missing"), std::string::npos);
  member = version1();
  member.weights.values.erase("data_scaler");
  EXPECT_NE(problem({member}).find("expected 1 numbers at data_scaler/means"), std::string::npos);
  member = version2();
  member.weights.values["hyper_parameters"]["message_passing"]["cls"] = "x.AtomMessagePassing";
  EXPECT_NE(problem({member}).find("found x.AtomMessagePassing"), std::string::npos);
  EXPECT_NE(problem({version1(), version2()}).find("b.pt: expected the shape and outputs of a.pt"),
            std::string::npos);
  EXPECT_NE(problem({ForeignMember{"c.pt", {}}}).find("expected a checkpoint of chemprop"),
            std::string::npos);
}

}  // namespace
}  // namespace aceso::models
