/// \file
/// LSTM language models as Keras saves them, and the vocabulary of LSTM_Chem.
#pragma once

#include "aceso/nn/foreign_weights.hpp"
#include "aceso/nn/recurrent.hpp"

#include <string>
#include <string_view>

namespace aceso::models {

struct ImportedRecurrent {
  nn::RecurrentSpec spec;
  nn::TensorSet tensors;
};

/// Layers in the file's order: perhaps an embedding, LSTM layers, one dense layer. `weights` are
/// read_hdf5()'s, of save_weights() or of a whole model.
/// \throws Error CorruptData naming `source` and what is missing or has another shape; Unsupported
/// for other layers or activations.
[[nodiscard]] ImportedRecurrent from_keras(const nn::ForeignWeights& weights,
                                           const std::string& source);

/// The tokenizer of a vocabulary of `size` tokens. `vocabulary` lists them, one a line, in the
/// order of the net's inputs; begin, end and padding are <bos>, <eos> and <pad>, or G, E and A.
/// Empty: the 52 tokens of LSTM_Chem (github.com/topazape/LSTM_Chem).
/// \throws Error CorruptData, naming `source`, if their number is not `size`.
[[nodiscard]] Json keras_tokenizer(std::string_view vocabulary, std::int64_t size,
                                   const std::string& source);

}  // namespace aceso::models
