#include "channel_kernels.hpp"

#include "kernels/kernels.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

namespace aceso::nn {
namespace {

using kernels::Bf16;

float read(float value) { return value; }
float read(Bf16 value) { return std::bit_cast<float>(std::uint32_t{value} << 16); }
void write(float value, float& to) { to = value; }
void write(float value, Bf16& to) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  // Rounding must not carry a NaN into the sign.
  to = std::isnan(value) ? Bf16{0x7fc0}
                         : static_cast<Bf16>((bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16);
}

/// Calls `action(values, first channel, lanes, rows)` for each block: `rows` times `lanes` values,
/// value i of which is of channel first + i % lanes.
template <typename T, typename Action>
void for_each_block(T* x, const ChannelLayout& layout, Action&& action) {
  for (std::int64_t first = 0; first < layout.channels; first += layout.block)
    action(x + first * layout.places, static_cast<std::size_t>(first),
           std::min(layout.block, layout.channels - first));
}

template <typename T, typename Function>
void map(T* x, const ChannelLayout& layout, Function&& function) {
  for_each_block(x, layout, [&](T* block, std::size_t first, std::int64_t lanes) {
    for (std::int64_t p = 0; p < layout.places; ++p)
      for (std::int64_t lane = 0; lane < lanes; ++lane) {
        T& value = block[p * layout.block + lane];
        write(function(read(value), first + static_cast<std::size_t>(lane)), value);
      }
  });
}

/// Adds value(x) up for each channel. A channel alone is added up in several sums side by side,
/// always the same ones.
template <typename T, typename Value>
std::vector<double> sums(const T* x, const ChannelLayout& layout, Value&& value) {
  std::vector<double> all(static_cast<std::size_t>(layout.channels), 0.0);
  for_each_block(x, layout, [&](const T* block, std::size_t first, std::int64_t lanes) {
    if (layout.block == 1) {
      double side[8] = {};
      for (std::int64_t p = 0; p < layout.places; ++p) side[p % 8] += value(read(block[p]), first);
      for (const double one : side) all[first] += one;
      return;
    }
    for (std::int64_t p = 0; p < layout.places; ++p)
      for (std::int64_t lane = 0; lane < lanes; ++lane) {
        const std::size_t c = first + static_cast<std::size_t>(lane);
        all[c] += value(read(block[p * layout.block + lane]), c);
      }
  });
  return all;
}

/// Mean and variance of each group from those of its channels.
struct Moments {
  std::vector<double> mean, variance;
};

template <typename T>
Moments channel_moments(const T* x, const ChannelLayout& layout) {
  const auto places = static_cast<double>(layout.places);
  Moments found;
  found.mean = sums(x, layout, [](float value, std::size_t) { return double{value}; });
  for (double& mean : found.mean) mean /= places;
  found.variance = sums(x, layout, [&](float value, std::size_t c) {
    const double away = value - found.mean[c];
    return away * away;
  });
  for (double& variance : found.variance) variance /= places;
  return found;
}

void merge(Moments& moments, std::size_t groups) {
  const std::size_t size = moments.mean.size() / groups;
  for (std::size_t g = 0; g < moments.mean.size(); g += size) {
    double mean = 0, variance = 0;
    for (std::size_t c = g; c < g + size; ++c) mean += moments.mean[c];
    mean /= static_cast<double>(size);
    for (std::size_t c = g; c < g + size; ++c) {
      const double away = moments.mean[c] - mean;
      variance += moments.variance[c] + away * away;
    }
    variance /= static_cast<double>(size);
    for (std::size_t c = g; c < g + size; ++c) {
      moments.mean[c] = mean;
      moments.variance[c] = variance;
    }
  }
}

template <typename T>
void scale(T* x, const ChannelLayout& layout, const ChannelScale& by) {
  map(x, layout, [&](float value, std::size_t c) { return value * by.scale[c] + by.shift[c]; });
}

template <typename T>
void normalise(T* x, const ChannelLayout& layout, std::int64_t groups, double epsilon,
               const ChannelScale& by) {
  Moments moments = channel_moments(x, layout);
  merge(moments, static_cast<std::size_t>(groups));
  std::vector<float> factor, mean;
  for (std::size_t c = 0; c < moments.mean.size(); ++c) {
    const double weight = by.scale.empty() ? 1.0 : double{by.scale[c]};
    factor.push_back(static_cast<float>(weight / std::sqrt(moments.variance[c] + epsilon)));
    mean.push_back(static_cast<float>(moments.mean[c]));
  }
  // The mean goes first: a shift computed beforehand would lose digits where the mean is large.
  map(x, layout, [&](float value, std::size_t c) {
    return (value - mean[c]) * factor[c] + (by.shift.empty() ? 0.0F : by.shift[c]);
  });
}

template <typename T>
void bend(T* x, const ChannelLayout& layout, std::span<const float> slope) {
  map(x, layout, [&](float value, std::size_t c) { return value < 0 ? value * slope[c] : value; });
}

template <typename Action>
void typed(void* x, bool bf16, Action&& action) {
  if (bf16)
    action(static_cast<Bf16*>(x));
  else
    action(static_cast<float*>(x));
}

}  // namespace

void scale_channels(void* x, bool bf16, const ChannelLayout& layout, const ChannelScale& by) {
  typed(x, bf16, [&](auto* values) { scale(values, layout, by); });
}

void normalise_channels(void* x, bool bf16, const ChannelLayout& layout, std::int64_t groups,
                        double epsilon, const ChannelScale& by) {
  typed(x, bf16, [&](auto* values) { normalise(values, layout, groups, epsilon, by); });
}

void bend_channels(void* x, bool bf16, const ChannelLayout& layout, std::span<const float> slope) {
  typed(x, bf16, [&](auto* values) { bend(values, layout, slope); });
}

}  // namespace aceso::nn
