/// \file
/// Packed transformers for training: the architecture of nn's transformer.hpp, with the same names
/// of weights, and heads on top of it.
#pragma once

#include "tensors.hpp"

#include <nlohmann/json.hpp>

#include <memory>

namespace aceso::train {

/// \param config model.yaml's config of architecture "transformer".
/// \param objective {"rows": "places" | "spans", "head": "tokens" | "task"}.
///
/// A batch holds tokens i32 [tokens], offsets i32 [sequences + 1], and either places i32 [rows]
/// (token rows that outputs are wanted for) or spans i32 [rows, 2] (first and last + 1 of the token
/// rows whose mean is taken). Head "tokens" gives logits over the vocabulary; "task" an output
/// layer, task.output.{weight,bias}, behind task.dense.{weight,bias} and GELU if these are there.
std::unique_ptr<Net> transformer_net(const nlohmann::json& config, const nlohmann::json& objective);

}  // namespace aceso::train
