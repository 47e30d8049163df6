/// \file
/// The steps of a transformer that work on rows, whatever the rows belong to.
#pragma once

#include "cuda/device_weights.hpp"
#include "cuda/workspaces.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>

namespace aceso::nn::cuda {

enum class Finish { Same, Gelu, Added };

/// Rows of tiles of a product are counted in one dimension of a grid, which CUDA limits.
inline constexpr std::int64_t kMostRows = std::int64_t{65535} * kProductTile;

[[nodiscard]] constexpr int tiles_of(std::int64_t count, std::int64_t tile) noexcept {
  return static_cast<int>((count + tile - 1) / tile);
}

/// Gives parts of one piece of memory away, each aligned as CUDA aligns its own.
class Partition {
 public:
  std::size_t add(std::int64_t count, std::size_t size) {
    return std::exchange(bytes_,
                         (bytes_ + static_cast<std::size_t>(count) * size + 255) / 256 * 256);
  }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  std::size_t bytes_ = 0;
};

template <typename T>
[[nodiscard]] T* part(const Buffer& buffer, std::size_t place) {
  return reinterpret_cast<T*>(buffer.data() + place);
}

/// Where in a workspace the host puts what it knows of each row.
struct RowInputs {
  std::size_t tokens = 0, positions = 0, scales = 0;

  RowInputs(Partition& parts, std::int64_t rows)
      : tokens(parts.add(rows, sizeof(int))),
        positions(parts.add(rows, sizeof(int))),
        scales(parts.add(rows, sizeof(float))) {}
};

/// Where in a workspace layers leave rows.
struct RowStates {
  std::size_t state = 0, normed = 0, qkv = 0, mixed = 0, wide = 0;

  RowStates(Partition& parts, std::int64_t rows, const DeviceWeights& weights);
};

/// Kernels on rows that lie in one workspace.
class Launches {
 public:
  Launches(const DeviceWeights& weights, const Workspaces::Lease& lease, std::int64_t rows)
      : weights_(weights),
        stream_(lease.stream()),
        memory_(lease.memory()),
        rows_(static_cast<int>(rows)) {}

  [[nodiscard]] Stream& stream() const noexcept { return stream_; }
  [[nodiscard]] int rows() const noexcept { return rows_; }
  [[nodiscard]] std::byte* at(std::size_t place) const { return memory_ + place; }
  template <typename T>
  [[nodiscard]] T* at(std::size_t place) const {
    return reinterpret_cast<T*>(memory_ + place);
  }

  void embed(const RowInputs& inputs, std::size_t x) const;
  void normalise(const DeviceNorm& norm, std::size_t x, std::size_t y, bool bf16) const;
  void multiply(const DeviceLinear& linear, std::size_t x, std::size_t y, Finish finish) const;

  /// All layers and the last norm, on the rows of `states.state`. `attend(layer)` makes
  /// `states.mixed` of `states.qkv`.
  template <typename Attend>
  void pass(const RowStates& states, const Attend& attend) const {
    for (std::size_t l = 0; l < weights_.layers.size(); ++l) {
      const DeviceWeights::Layer& layer = weights_.layers[l];
      normalise(layer.attention_norm, states.state, states.normed, weights_.bf16);
      multiply(layer.qkv, states.normed, states.qkv, Finish::Same);
      attend(static_cast<std::int64_t>(l));
      multiply(layer.output, states.mixed, states.state, Finish::Added);
      normalise(layer.mlp_norm, states.state, states.normed, weights_.bf16);
      multiply(layer.up, states.normed, states.wide, Finish::Gelu);
      multiply(layer.down, states.wide, states.state, Finish::Added);
    }
    normalise(weights_.final_norm, states.state, states.state, false);
  }

 private:
  const DeviceWeights& weights_;
  Stream& stream_;
  std::byte* memory_;
  int rows_;
};

/// log2(e) / sqrt(size of a head): what scores are multiplied by, powers being of 2.
[[nodiscard]] float attention_scale(std::int64_t head_size);

}  // namespace aceso::nn::cuda
