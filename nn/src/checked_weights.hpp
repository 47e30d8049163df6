/// \file
/// Weights of an architecture, found by name, with the shapes that it asks for, as f32.
#pragma once

#include "aceso/core/error.hpp"
#include "aceso/nn/tensor_file.hpp"

#include <string_view>
#include <vector>

namespace aceso::nn {

/// \throws Error CorruptData naming `source` and the tensor that is missing or has another shape.
[[nodiscard]] inline TensorSet checked_weights(const TensorSet& tensors,
                                               const std::vector<TensorInfo>& wanted,
                                               std::string_view source) {
  TensorSet checked;
  for (const TensorInfo& info : wanted) {
    const auto found = tensors.find(info.name);
    if (found == tensors.end())
      fail(Errc::CorruptData, "{}: the tensor {} is missing", source, info.name);
    if (found->second.shape() != info.shape)
      fail(Errc::CorruptData, "{}: {}: expected the shape {}, found {}", source, info.name,
           shape_text(info.shape), shape_text(found->second.shape()));
    checked.emplace(info.name, to_float32(found->second));
  }
  return checked;
}

}  // namespace aceso::nn
