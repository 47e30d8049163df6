/// \file
/// Weights written by other programs: safetensors and PyTorch archives (zip and legacy).
///
/// A pickle is a program. This reader runs none: it knows the few constructors that tensors and
/// plain data need, and refuses any other by name.
#pragma once

#include "aceso/core/json.hpp"
#include "aceso/nn/tensor_file.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>

namespace aceso::nn {

/// A foreign checkpoint as plain data.
struct ForeignWeights {
  TensorSet tensors;  ///< by their path in the archive, dots between levels, e.g. "state_dict.a.b"
  Json values = Json::object();  ///< everything that is no tensor, in the same nesting
};

/// Reads safetensors and archives of torch.save (zip or legacy), told apart by content, not by
/// name.
/// \throws Error NotFound, Io; CorruptData naming file, offset and what was found; Unsupported
/// naming the constructor when the pickle wants to call something.
[[nodiscard]] ForeignWeights read_foreign_weights(const std::filesystem::path& path);

}  // namespace aceso::nn
