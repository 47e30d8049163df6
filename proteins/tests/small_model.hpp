/// \file
/// A small protein language model with random weights, written to a folder.
#pragma once

#include "random_model.hpp"

#include "aceso/nn/model_folder.hpp"
#include "aceso/nn/tokenizer.hpp"
#include "aceso/nn/transformer.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <random>

namespace aceso::proteins::test {

inline nn::TransformerSpec small_spec() {
  return {.vocabulary = 33,
          .hidden = 32,
          .layers = 2,
          .heads = 2,
          .feed_forward = 64,
          .token_dropout = true,
          .mask_token = 32};
}

inline void write_small_model(const std::filesystem::path& path) {
  nn::test::write_random_model(path, small_spec(), nn::Tokenizer::esm(), 5);
}

}  // namespace aceso::proteins::test
