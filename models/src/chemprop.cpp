#include "chemprop.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <set>

namespace aceso::models {
namespace {

/// One checkpoint with errors that name it.
class Checkpoint {
 public:
  explicit Checkpoint(const ForeignMember& member) : member_(member) {}

  [[noreturn]] void corrupt(const std::string& problem) const {
    fail(Errc::CorruptData, "{}: {}", member_.source, problem);
  }
  [[noreturn]] void unsupported(const std::string& problem) const {
    fail(Errc::Unsupported, "{}: {}", member_.source, problem);
  }

  [[nodiscard]] const nn::TensorSet& tensors() const noexcept { return member_.weights.tensors; }
  [[nodiscard]] bool contains(const std::string& name) const { return tensors().contains(name); }

  /// The value at a path such as "args/depth"; null if it is not there.
  [[nodiscard]] Json value(const std::string& path) const {
    const Json::json_pointer pointer("/" + path);
    return member_.weights.values.contains(pointer) ? member_.weights.values.at(pointer)
                                                    : Json(nullptr);
  }
  [[nodiscard]] std::int64_t number(const std::string& path, std::int64_t missing) const {
    const Json found = value(path);
    return found.is_number() ? static_cast<std::int64_t>(found.get<double>()) : missing;
  }
  [[nodiscard]] std::string text(const std::string& path, const std::string& missing) const {
    const Json found = value(path);
    return found.is_string() ? found.get<std::string>() : missing;
  }
  /// Whether a setting that changes the net is switched on.
  [[nodiscard]] bool is_set(const std::string& path) const {
    const Json found = value(path);
    return !found.is_null() && found != Json(false) && found != Json(0) && found != Json::array();
  }

  [[nodiscard]] Tensor floats(const std::string& name) const {
    const auto found = tensors().find(name);
    if (found == tensors().end()) corrupt(fmt::format("the tensor {} is missing", name));
    if (found->second.type() != DType::F32)
      corrupt(fmt::format("{}: expected 32-bit floats", name));
    return found->second;
  }
  [[nodiscard]] std::vector<std::int64_t> matrix_shape(const std::string& name) const {
    const Tensor tensor = floats(name);
    if (tensor.shape().size() != 2) corrupt(fmt::format("{}: expected a matrix", name));
    return tensor.shape();
  }

 private:
  const ForeignMember& member_;
};

Tensor vector_of(const std::vector<float>& values) {
  Tensor tensor(DType::F32, {static_cast<std::int64_t>(values.size())});
  std::ranges::copy(values, tensor.values<float>().begin());
  return tensor;
}

/// What one checkpoint holds, in our words; tensors without the member's prefix.
struct Member {
  nn::MessagePassingSpec spec;
  nn::TensorSet tensors;
};

/// Takes over a layer by its foreign name.
void take(const Checkpoint& checkpoint, Member& member, const std::string& foreign,
          const std::string& ours, bool bias) {
  member.tensors.insert_or_assign(ours + ".weight", checkpoint.floats(foreign + ".weight"));
  if (bias) member.tensors.insert_or_assign(ours + ".bias", checkpoint.floats(foreign + ".bias"));
}

/// Layers of encoder and head, whose names the versions choose.
void take_layers(const Checkpoint& checkpoint, const std::string& encoder,
                 const std::vector<std::string>& head, Member& member) {
  nn::MessagePassingSpec& spec = member.spec;
  spec.bias = checkpoint.contains(encoder + "W_i.bias");
  take(checkpoint, member, encoder + "W_i", "input", spec.bias);
  take(checkpoint, member, encoder + "W_h", "message", spec.bias);
  take(checkpoint, member, encoder + "W_o", "readout", true);
  const auto input = checkpoint.matrix_shape(encoder + "W_i.weight");
  const auto readout = checkpoint.matrix_shape(encoder + "W_o.weight");
  spec.hidden = input[0];
  spec.atom_features = readout[1] - spec.hidden;
  spec.bond_features = input[1] - spec.atom_features;
  if (head.empty()) checkpoint.corrupt("the layers behind the message passing are missing");
  spec.head_layers = static_cast<std::int64_t>(head.size());
  spec.head_hidden =
      head.size() > 1 ? checkpoint.matrix_shape(head.front() + ".weight")[0] : spec.hidden;
  for (std::size_t i = 0; i < head.size(); ++i)
    take(checkpoint, member, head[i], fmt::format("head.{}", i), true);
  spec.molecule_features = checkpoint.matrix_shape(head.front() + ".weight")[1] - spec.hidden;
}

void check_features(const Checkpoint& checkpoint, const nn::MessagePassingSpec& spec,
                    std::int64_t atoms, std::int64_t bonds) {
  if (spec.atom_features != atoms || spec.bond_features != bonds)
    checkpoint.unsupported(
        fmt::format("expected {} features an atom and {} a bond, found {} and {}", atoms, bonds,
                    spec.atom_features, spec.bond_features));
}

/// The places of a sequential module's linear layers: "readout.1", "readout.4".
std::vector<std::string> numbered_layers(const Checkpoint& checkpoint, const std::string& prefix) {
  std::set<int> places;
  for (const auto& [name, tensor] : checkpoint.tensors()) {
    if (!name.starts_with(prefix) || !name.ends_with(".weight")) continue;
    const std::string place = name.substr(prefix.size(), name.size() - prefix.size() - 7);
    if (!place.empty() && place.size() < 5 &&
        std::ranges::all_of(place, [](char c) { return c >= '0' && c <= '9'; }))
      places.insert(std::stoi(place));
  }
  std::vector<std::string> layers;
  for (const int place : places) layers.push_back(prefix + std::to_string(place));
  return layers;
}

std::vector<float> scaler(const Checkpoint& checkpoint, const std::string& path,
                          std::size_t outputs) {
  const Json list = checkpoint.value(path);
  if (!list.is_array() || list.size() != outputs)
    checkpoint.corrupt(fmt::format("expected {} numbers at {}", outputs, path));
  std::vector<float> values;
  for (const Json& one : list) {
    if (!one.is_number()) checkpoint.corrupt(fmt::format("expected numbers at {}", path));
    values.push_back(one.get<float>());
  }
  return values;
}

void check_version1(const Checkpoint& checkpoint) {
  for (const char* setting :
       {"atom_messages", "undirected", "reaction", "reaction_solvent", "explicit_h", "adding_h",
        "features_only", "atom_descriptors", "bond_descriptors", "is_atom_bond_targets",
        "overwrite_default_atom_features", "overwrite_default_bond_features"})
    if (checkpoint.is_set(fmt::format("args/{}", setting)))
      checkpoint.unsupported(fmt::format("trained with {}, which is not supported", setting));
  if (checkpoint.number("args/number_of_molecules", 1) != 1)
    checkpoint.unsupported("a net of several molecules at once is not supported");
  if (checkpoint.text("args/activation", "ReLU") != "ReLU")
    checkpoint.unsupported("expected the activation ReLU");
}

constexpr const char* kRdkit2d = "rdkit-2d-normalised";
constexpr std::int64_t kRdkit2dNumbers = 200;

/// Which numbers of whole molecules the net reads. Those that chemprop made have a name; those that
/// came from a file are the caller's word.
void name_molecule_features(const Checkpoint& checkpoint, const std::string& from_file,
                            nn::MessagePassingSpec& spec) {
  if (spec.molecule_features == 0) return;
  if (checkpoint.is_set("args/features_scaling"))
    checkpoint.unsupported("trained with features_scaling, which is not supported");
  const Json generators = checkpoint.value("args/features_generator");
  const bool files = checkpoint.is_set("args/features_path");
  if (!files && generators == Json::array({"rdkit_2d_normalized"}))
    spec.molecule_featuriser = kRdkit2d;
  else if (files && !checkpoint.is_set("args/features_generator"))
    spec.molecule_featuriser = from_file;
  else
    checkpoint.unsupported(fmt::format("trained with features_generator {}, which is not supported",
                                       printable(generators.dump(), 100)));
  if (spec.molecule_featuriser.empty())
    checkpoint.unsupported(
        fmt::format("the net reads {} further features of molecules, and does not say which; if "
                    "they are descriptastorus's rdkit_2d_normalized (as ADMET-AI's are), give "
                    "--molecule-features {}",
                    spec.molecule_features, kRdkit2d));
  if (spec.molecule_features != kRdkit2dNumbers)
    checkpoint.unsupported(fmt::format("expected {} features of molecules, found {}",
                                       kRdkit2dNumbers, spec.molecule_features));
}

Member from_version1(const Checkpoint& checkpoint, const std::string& molecule_features) {
  check_version1(checkpoint);
  Member member;
  member.spec.featuriser = "chemprop-v1";
  const bool old = !numbered_layers(checkpoint, "state_dict.ffn.").empty();
  take_layers(checkpoint, "state_dict.encoder.encoder.0.",
              numbered_layers(checkpoint, old ? "state_dict.ffn." : "state_dict.readout."), member);
  check_features(checkpoint, member.spec, 133, 14);
  name_molecule_features(checkpoint, molecule_features, member.spec);
  member.spec.depth = checkpoint.number("args/depth", 3);
  member.spec.aggregation = checkpoint.text("args/aggregation", "mean");
  member.spec.aggregation_norm = checkpoint.number("args/aggregation_norm", 100);
  member.spec.task = checkpoint.text("args/dataset_type", "regression");
  const Json names = checkpoint.value("args/task_names");
  if (names.is_array())
    for (const Json& one : names)
      member.spec.outputs.push_back(one.is_string() ? one.get<std::string>() : one.dump());
  if (member.spec.task == "regression") {
    const std::size_t outputs = member.spec.outputs.size();
    member.tensors.emplace("scale.mean",
                           vector_of(scaler(checkpoint, "data_scaler/means", outputs)));
    member.tensors.emplace("scale.deviation",
                           vector_of(scaler(checkpoint, "data_scaler/stds", outputs)));
  }
  return member;
}

/// Batch normalisation between the molecule's state and the head is a linear map, so it is folded
/// into the head's first layer.
void fold_normalisation(const Checkpoint& checkpoint, Member& member) {
  constexpr double kEpsilon = 1e-5;  // of torch's BatchNorm1d
  const Tensor scale = checkpoint.floats("state_dict.bn.weight");
  const Tensor shift = checkpoint.floats("state_dict.bn.bias");
  const Tensor mean = checkpoint.floats("state_dict.bn.running_mean");
  const Tensor variance = checkpoint.floats("state_dict.bn.running_var");
  const Tensor weight = member.tensors.at("head.0.weight"), bias = member.tensors.at("head.0.bias");
  const auto hidden = static_cast<std::size_t>(member.spec.hidden);
  for (const Tensor* one : {&scale, &shift, &mean, &variance})
    if (one->values<const float>().size() != hidden)
      checkpoint.corrupt(fmt::format("batch normalisation: expected {} numbers", hidden));
  const std::size_t rows = bias.values<const float>().size();
  Tensor folded(DType::F32, weight.shape()), moved(DType::F32, bias.shape());
  for (std::size_t i = 0; i < rows; ++i) {
    double sum = bias.values<const float>()[i];
    for (std::size_t d = 0; d < hidden; ++d) {
      const double factor = static_cast<double>(scale.values<const float>()[d]) /
                            std::sqrt(variance.values<const float>()[d] + kEpsilon);
      const double w = weight.values<const float>()[i * hidden + d];
      folded.values<float>()[i * hidden + d] = static_cast<float>(w * factor);
      sum += w * (shift.values<const float>()[d] - mean.values<const float>()[d] * factor);
    }
    moved.values<float>()[i] = static_cast<float>(sum);
  }
  member.tensors.insert_or_assign("head.0.weight", folded);
  member.tensors.insert_or_assign("head.0.bias", moved);
}

/// "predictor.ffn.0.0", "predictor.ffn.1.2", "predictor.ffn.2.2", …
std::vector<std::string> version2_head(const Checkpoint& checkpoint) {
  std::vector<std::string> layers;
  for (int block = 0; block < 1000; ++block) {
    std::string layer = fmt::format("state_dict.predictor.ffn.{}.{}", block, block == 0 ? 0 : 2);
    if (!checkpoint.contains(layer + ".weight")) break;
    layers.push_back(std::move(layer));
  }
  return layers;
}

void check_version2(const Checkpoint& checkpoint) {
  const std::string net = "hyper_parameters/message_passing/";
  const std::string kind = checkpoint.text(net + "cls", "");
  if (!kind.ends_with(".BondMessagePassing"))
    checkpoint.unsupported(fmt::format("expected BondMessagePassing, found {}", printable(kind)));
  if (checkpoint.is_set(net + "undirected"))
    checkpoint.unsupported("trained with undirected, which is not supported");
  const std::string activation = to_lower(checkpoint.text(net + "activation", "relu"));
  if (!activation.ends_with("relu") || activation.ends_with("leakyrelu") ||
      activation.ends_with("prelu"))
    checkpoint.unsupported("expected the activation ReLU");
}

Member from_version2(const Checkpoint& checkpoint) {
  check_version2(checkpoint);
  Member member;
  member.spec.featuriser = "chemprop-v2";
  take_layers(checkpoint, "state_dict.message_passing.", version2_head(checkpoint), member);
  check_features(checkpoint, member.spec, 72, 14);
  if (member.spec.molecule_features != 0)
    checkpoint.unsupported("the net reads further features of molecules, which are not supported");
  member.spec.depth = checkpoint.number("hyper_parameters/message_passing/depth", 3);
  const std::string aggregation = checkpoint.text("hyper_parameters/agg/cls", "");
  member.spec.aggregation = aggregation.ends_with(".MeanAggregation")   ? "mean"
                            : aggregation.ends_with(".SumAggregation")  ? "sum"
                            : aggregation.ends_with(".NormAggregation") ? "norm"
                                                                        : "";
  if (member.spec.aggregation.empty())
    checkpoint.unsupported(
        fmt::format("the aggregation {} is not supported", printable(aggregation)));
  member.spec.aggregation_norm = checkpoint.number("hyper_parameters/agg/norm", 100);
  const std::string predictor = checkpoint.text("hyper_parameters/predictor/cls", "");
  member.spec.task = predictor.ends_with(".RegressionFFN")             ? "regression"
                     : predictor.ends_with(".BinaryClassificationFFN") ? "classification"
                                                                       : "";
  if (member.spec.task.empty())
    checkpoint.unsupported(fmt::format("the predictor {} is not supported", printable(predictor)));
  const std::int64_t outputs =
      member.tensors.at(fmt::format("head.{}.bias", member.spec.head_layers - 1)).shape()[0];
  for (std::int64_t i = 0; i < outputs; ++i)
    member.spec.outputs.push_back(outputs == 1 ? "prediction" : fmt::format("task_{}", i + 1));
  if (checkpoint.contains("state_dict.bn.weight")) fold_normalisation(checkpoint, member);
  if (member.spec.task == "regression") {
    const auto flat = [&](const std::string& name) {
      const auto values = checkpoint.floats("state_dict.predictor.output_transform." + name);
      const auto span = values.values<const float>();
      return vector_of({span.begin(), span.end()});
    };
    member.tensors.emplace("scale.mean", flat("mean"));
    member.tensors.emplace("scale.deviation", flat("scale"));
  }
  return member;
}

Member from_one(const ForeignMember& foreign, const std::string& molecule_features) {
  const Checkpoint checkpoint(foreign);
  if (checkpoint.contains("state_dict.message_passing.W_i.weight"))
    return from_version2(checkpoint);
  if (checkpoint.contains("state_dict.encoder.encoder.0.W_i.weight"))
    return from_version1(checkpoint, molecule_features);
  checkpoint.corrupt("expected a checkpoint of chemprop, found none of its weights");
}

}  // namespace

ImportedNet from_chemprop(const std::vector<ForeignMember>& members,
                          const std::string& molecule_features) {
  ImportedNet net;
  for (std::size_t m = 0; m < members.size(); ++m) {
    Member member = from_one(members[m], molecule_features);
    if (m == 0) net.spec = member.spec;
    if (member.spec.to_json() != net.spec.to_json() && m > 0)
      fail(Errc::CorruptData, "{}: expected the shape and outputs of {}, found others",
           members[m].source, members.front().source);
    for (const auto& [name, tensor] : member.tensors)
      net.tensors.emplace(fmt::format("members.{}.{}", m, name), tensor);
  }
  net.spec.members = static_cast<std::int64_t>(members.size());
  // What the file says is read again as any model's settings are, with all their limits.
  net.spec = nn::MessagePassingSpec::from_json(net.spec.to_json(), members.front().source);
  return net;
}

}  // namespace aceso::models
