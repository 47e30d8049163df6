/// \file
/// Convolutional nets for training: the architecture of nn's convolutional.hpp, with the same names
/// of weights.
#pragma once

#include "tensors.hpp"

#include <nlohmann/json.hpp>

#include <memory>

namespace aceso::train {

/// \param config model.yaml's config of architecture "convolutional", checked by nn; one output.
/// All kinds of layers but transposed, nearest, interpolate and batch_norm.
///
/// A batch holds "images" f32 [images, channels, size...], and perhaps "offsets" f32 [images,
/// outputs], which are added to what the net says before the loss sees it. Outputs are f32 [images,
/// channels x places of the last layer]. In fp32 alone.
///
/// \throws Mistake naming the layer that cannot be trained.
std::unique_ptr<Net> convolutional_net(const nlohmann::json& config);

}  // namespace aceso::train
