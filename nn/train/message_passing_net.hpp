/// \file
/// Message passing over bonds for training: the architecture of nn's message_passing.hpp, with the
/// same names of weights.
#pragma once

#include "tensors.hpp"

#include <nlohmann/json.hpp>

#include <memory>

namespace aceso::train {

/// One net, "members.0.*", of an ensemble.
///
/// \param config model.yaml's config of architecture "dmpnn", and "dropout": the share of states
/// that a training step leaves out (Srivastava et al. 2014), as chemprop does it: of bonds, of
/// atoms and before each layer of the head.
///
/// A batch holds what nn::training_arrays() gives, and for a step with dropout "dropout_seed" i32
/// [2]. Outputs are f32 [molecules, outputs]: values in units of the deviation, or logits.
std::unique_ptr<Net> message_passing_net(const nlohmann::json& config);

}  // namespace aceso::train
