/// \file
/// Keys and values of what a causal transformer has read, for many sequences at once.
#pragma once

#include "kernels/decode.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace aceso::nn {

/// Room grows with each slot's sequence, and stays when the slot is used again: about
/// 8 * hidden * layers bytes a token.
class KeyValueCache {
 public:
  KeyValueCache(std::int64_t layers, std::int64_t heads, std::int64_t head_size, std::size_t slots);

  [[nodiscard]] std::size_t slots() const noexcept { return slots_.size(); }
  /// Tokens that the slot has read.
  [[nodiscard]] std::int64_t length(std::size_t slot) const { return slots_[slot].length; }
  void restart(std::size_t slot) { slots_[slot].length = 0; }
  /// Makes room for one more token. \throws Error OutOfResources.
  void reserve(std::size_t slot);
  /// Keeps the next token's key and value [hidden] of one layer and attends to all that are there.
  /// \p query and \p key are turned by position already.
  void attend(std::int64_t layer, std::size_t slot, const float* query, const float* key,
              const float* value, float* out);
  /// The token has been through all layers.
  void advance(std::size_t slot) { ++slots_[slot].length; }

 private:
  struct Slot {
    std::int64_t length = 0, capacity = 0;
    std::vector<float> keys;    ///< [layers][heads][head size][capacity]
    std::vector<float> values;  ///< [layers][heads][capacity][cache_size(head size)]
  };

  const kernels::DecodeTable& kernels_ = kernels::best_decoder();
  std::int64_t layers_, heads_, head_size_;
  std::vector<Slot> slots_;
  std::vector<float> workspace_;
};

}  // namespace aceso::nn
