/// \file
/// Directed message passing over the bonds of molecules (D-MPNN: Yang et al. 2019), as chemprop
/// computes it, for ensembles of trained nets.
#pragma once

#include "aceso/core/json.hpp"
#include "aceso/core/tensor.hpp"
#include "aceso/nn/model_folder.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::nn {

/// How far measured values lie from predicted ones: for a share of `coverage` of the molecules like
/// those it was calibrated on, no further than factor * (spread + offset), where the spread is the
/// standard deviation over the members (split conformal prediction with normalised residuals:
/// Papadopoulos et al. 2002). One factor and offset for each output, in its units.
struct PredictionInterval {
  double coverage = 0.9;
  std::vector<double> factor, offset;

  [[nodiscard]] double half_width(std::size_t output, double spread) const {
    return factor[output] * (spread + offset[output]);
  }
};

/// `config` of model.yaml, architecture "dmpnn". Weight names, for member M of the ensemble, with H
/// hidden, A atom features, B bond features, X molecule features:
///
///   members.M.input.weight [H, A + B]; members.M.message.weight [H, H];
///   members.M.readout.weight [H, A + H], .bias [H]
///   members.M.head.L.weight, .bias for L = 0 … head_layers - 1: H + X -> head_hidden … -> outputs
///   members.M.scale.mean, .deviation [outputs] (regression only)
///
/// input and message may have a .bias [H] too. The activation is ReLU.
struct MessagePassingSpec {
  std::string featuriser;  ///< which features atoms and bonds have, e.g. "chemprop-v1"
  std::int64_t atom_features = 0, bond_features = 0;
  /// Numbers of the whole molecule that the head reads behind the molecule's state; 0: none.
  std::int64_t molecule_features = 0;
  std::string molecule_featuriser;  ///< which these are, e.g. "rdkit-2d-normalised"
  std::int64_t hidden = 0;
  std::int64_t depth = 3;  ///< states of a bond, the first among them
  std::int64_t head_layers = 2, head_hidden = 0;
  std::int64_t members = 1;
  std::string aggregation = "mean";     ///< of atoms: "mean", "sum" or "norm"
  std::int64_t aggregation_norm = 100;  ///< "norm": the sum is divided by this
  std::string task = "regression";      ///< or "classification": probabilities by the sigmoid
  bool bias = false;                    ///< of input and message
  std::vector<std::string> outputs;     ///< names of the predicted values
  std::optional<PredictionInterval> interval;  ///< of regression, if it was calibrated

  [[nodiscard]] Json to_json() const;
  /// \throws Error CorruptData naming `source` and the setting that is missing or impossible.
  [[nodiscard]] static MessagePassingSpec from_json(const Json& config, std::string_view source);
  /// Every weight's name and shape.
  [[nodiscard]] std::vector<TensorInfo> weights() const;
};

/// Molecules end to end. Each bond is there twice, once in each direction.
struct BondGraphs {
  std::vector<float> atoms;                   ///< [atoms, atom_features]
  std::vector<float> bonds;                   ///< [directed bonds, bond_features]
  std::vector<float> features;                ///< [molecules, molecule_features]
  std::vector<std::int32_t> source;           ///< atom that a bond leaves
  std::vector<std::int32_t> target;           ///< atom that it goes to
  std::vector<std::int32_t> reverse;          ///< the same bond in the other direction
  std::vector<std::int32_t> atom_offsets{0};  ///< one more than there are molecules

  [[nodiscard]] std::size_t molecules() const noexcept { return atom_offsets.size() - 1; }
};

/// `graphs` as a net in training reads them: atoms f32 [atoms, atom_features], bonds f32 [bonds,
/// bond_features], source, target and reverse i32 [bonds], atom_offsets i32 [molecules + 1], and
/// features f32 [molecules, molecule_features] if there are some.
/// \throws Error InvalidArgument if the features do not fit the spec.
[[nodiscard]] TensorSet training_arrays(const BondGraphs& graphs, const MessagePassingSpec& spec);

/// An ensemble ready to predict. One object may serve many threads; each call runs on the caller's
/// thread alone.
class MessagePassing {
 public:
  /// \throws Error CorruptData naming the tensor that is missing or has another shape, Unsupported
  /// for another architecture.
  explicit MessagePassing(const ModelFolder& model);
  /// From weights at hand, whose `source` messages name.
  MessagePassing(const MessagePassingSpec& spec, const TensorSet& weights, std::string_view source);

  [[nodiscard]] const MessagePassingSpec& spec() const noexcept;
  /// f32 [members, molecules, outputs], in the units of the training data; probabilities for
  /// classification. A molecule's result depends on others of the batch by rounding only.
  /// \throws Error InvalidArgument if the features do not fit the spec.
  [[nodiscard]] Tensor predict(const BondGraphs& batch) const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace aceso::nn
