/// \file
/// What convolutional nets compute channel by channel, over any layout in which channels lie in
/// blocks: norms and slopes.
#pragma once

#include <cstdint>
#include <span>

namespace aceso::nn {

/// One image: the value of channel c at place p lies at
/// (c / block) * places * block + p * block + c % block. A block of 1: channel by channel.
/// Channels that fill up the last block hold 0.
struct ChannelLayout {
  std::int64_t channels, places, block;
};

/// What to do with each channel.
struct ChannelScale {
  std::span<const float> scale, shift;  ///< [channels]
};

/// y = x * scale + shift, in place. `bf16`: the type of `x`, else f32.
void scale_channels(void* x, bool bf16, const ChannelLayout& layout, const ChannelScale& by);

/// y = (x - mean) / sqrt(variance + epsilon) * weight + bias, in place, with mean and variance of
/// each of `groups` of channels (Wu and He 2018); empty spans: 1 and 0. Sums are in f64.
void normalise_channels(void* x, bool bf16, const ChannelLayout& layout, std::int64_t groups,
                        double epsilon, const ChannelScale& by);

/// y = x, or slope * x below 0, in place (He et al. 2015).
void bend_channels(void* x, bool bf16, const ChannelLayout& layout, std::span<const float> slope);

}  // namespace aceso::nn
