/// \file
/// ESM-2 under its foreign names: Hugging Face's and fair-esm's.
#pragma once

#include "aceso/core/warnings.hpp"
#include "aceso/nn/tensor_file.hpp"
#include "aceso/nn/tokenizer.hpp"
#include "aceso/nn/transformer.hpp"

#include <optional>
#include <string>

namespace aceso::models {

/// A foreign checkpoint in our words.
struct Imported {
  nn::TransformerSpec spec;
  nn::TensorSet tensors;
  nn::Tokenizer tokenizer;
};

/// The foreign name of one of our tensors; empty if the format has none.
/// E.g. "layers.3.mlp.up.weight" -> "esm.encoder.layer.3.intermediate.dense.weight".
[[nodiscard]] std::string hugging_face_name(const std::string& name);
[[nodiscard]] std::string fair_esm_name(const std::string& name);

/// `config` is config.json, `vocabulary` vocab.txt (absent: the 33 tokens of ESM-2).
/// \throws Error CorruptData naming `source` and what is missing or has another shape,
/// Unsupported for variants that are no ESM-2.
[[nodiscard]] Imported from_hugging_face(const Json& config,
                                         const std::optional<std::string>& vocabulary,
                                         const nn::TensorSet& tensors, const std::string& source,
                                         Warnings& warnings);
/// `heads` 0: as the published model of this shape has. `settings` are the checkpoint's.
[[nodiscard]] Imported from_fair_esm(const Json& settings, const nn::TensorSet& tensors,
                                     std::int64_t heads, const std::string& source,
                                     Warnings& warnings);

/// config.json as Hugging Face's EsmForMaskedLM wants it.
[[nodiscard]] Json hugging_face_config(const nn::TransformerSpec& spec,
                                       const nn::Tokenizer& tokenizer);

}  // namespace aceso::models
