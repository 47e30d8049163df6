#include "key_value_cache.hpp"

#include <algorithm>

namespace aceso::nn {
namespace {

/// `blocks` blocks of floats, laid out anew with room behind each.
std::vector<float> spread(const std::vector<float>& from, std::int64_t blocks, std::int64_t before,
                          std::int64_t after) {
  std::vector<float> to(static_cast<std::size_t>(blocks * after), 0.0F);
  for (std::int64_t b = 0; b < blocks && before > 0; ++b)
    std::copy_n(from.begin() + b * before, before, to.begin() + b * after);
  return to;
}

}  // namespace

KeyValueCache::KeyValueCache(std::int64_t layers, std::int64_t heads, std::int64_t head_size,
                             std::size_t slots)
    : layers_(layers), heads_(heads), head_size_(head_size), slots_(slots) {}

void KeyValueCache::reserve(std::size_t slot) {
  constexpr std::int64_t kFirst = 64;
  Slot& s = slots_[slot];
  if (s.length < s.capacity) return;
  const std::int64_t wanted = std::max(kFirst, 2 * s.capacity);
  const std::int64_t row = kernels::cache_size(head_size_), all_heads = layers_ * heads_;
  s.keys = spread(s.keys, all_heads * head_size_, s.capacity, wanted);
  s.values = spread(s.values, all_heads, s.capacity * row, wanted * row);
  s.capacity = wanted;
  workspace_.resize(std::max(workspace_.size(), static_cast<std::size_t>(wanted + row)));
}

void KeyValueCache::attend(std::int64_t layer, std::size_t slot, const float* query,
                           const float* key, const float* value, float* out) {
  Slot& s = slots_[slot];
  const std::int64_t row = kernels::cache_size(head_size_);
  float* keys = s.keys.data() + layer * heads_ * head_size_ * s.capacity;
  float* values = s.values.data() + layer * heads_ * s.capacity * row;
  for (std::int64_t d = 0; d < heads_ * head_size_; ++d) keys[d * s.capacity + s.length] = key[d];
  for (std::int64_t h = 0; h < heads_; ++h)
    std::copy_n(value + h * head_size_, head_size_, values + (h * s.capacity + s.length) * row);
  kernels_.attend({.query = query,
                   .keys = keys,
                   .values = values,
                   .out = out,
                   .length = s.length + 1,
                   .capacity = s.capacity,
                   .heads = heads_,
                   .head_size = head_size_,
                   .workspace = workspace_.data()});
}

}  // namespace aceso::nn
