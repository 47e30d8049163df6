/// \file
/// Encoders as ONNX, which onnxruntime and other programs run: operator set 13, f32.
#pragma once

#include "aceso/nn/model_folder.hpp"

#include <cstdint>
#include <string>

namespace aceso::models {

/// The bytes of an ONNX model (https://github.com/onnx/onnx/blob/v1.12.0/onnx/onnx.proto).
///
/// Inputs `tokens` and `attention_mask` (1: a token, 0: padding behind it), i64 [batch, length];
/// outputs `hidden` f32 [batch, length, hidden], the last layer after its norm, and, with a head,
/// `logits` f32 [batch, length, vocabulary]. Both lengths are free, up to `max_length` tokens.
/// \throws Error Unsupported for causal models and for more than the 2 GB that such a file can
/// hold; CorruptData as the model's checks do.
[[nodiscard]] std::string onnx_encoder(const nn::ModelFolder& model, std::int64_t max_length);

}  // namespace aceso::models
