#include "cuda/cuda_decoder.hpp"

#include "aceso/core/error.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

namespace aceso::nn::cuda {

/// Where in its workspace a step has what: what the host gives first, then what layers leave.
struct CudaDecoder::Places {
  std::int64_t row_pages = 0;  ///< of the longest sequence
  RowInputs inputs;
  std::size_t pages = 0, cosine = 0, sine = 0;
  std::size_t input_bytes = 0;
  RowStates rows;
  std::size_t bytes = 0;
};

void CudaDecoder::restart(std::size_t slot) {
  Slot& ended = slots_[slot];
  std::ranges::move(ended.pages, std::back_inserter(unused_));
  ended = {};
}

DeviceBuffer CudaDecoder::new_page() const {
  const TransformerSpec& spec = weights_.spec;
  const auto bytes =
      static_cast<std::size_t>(2 * spec.layers * spec.hidden * kPagePositions) * sizeof(float);
  const std::shared_ptr<Executor>& executor = workspaces_.executor();
  const auto [free, total] = executor->memory();
  if (free < bytes)
    fail(Errc::OutOfResources,
         "{}: the keys and values of {} sequences need more of its memory, and {} of {} MB are "
         "free: write fewer at once (fewer threads), or compute on the device cpu",
         executor->name(), slots_.size(), free >> 20, total >> 20);
  return {executor, bytes};
}

void CudaDecoder::reserve(Slot& slot) {
  if (slot.length < static_cast<std::int64_t>(slot.pages.size()) * kPagePositions) return;
  if (unused_.empty()) unused_.push_back(new_page());
  slot.pages.push_back(std::move(unused_.back()));
  unused_.pop_back();
}

CudaDecoder::Places CudaDecoder::places_for(std::span<const std::size_t> slots) const {
  const auto rows = static_cast<std::int64_t>(slots.size());
  std::size_t most = 0;
  for (const std::size_t slot : slots) most = std::max(most, slots_[slot].pages.size());
  const auto row_pages = static_cast<std::int64_t>(most);
  const std::int64_t angles = rotary_ != nullptr ? rows * weights_.spec.head_size() / 2 : 0;
  Partition parts;
  const RowInputs inputs(parts, rows);
  const std::size_t pages = parts.add(rows * row_pages, sizeof(float*));
  const std::size_t cosine = parts.add(angles, sizeof(float));
  const std::size_t sine = parts.add(angles, sizeof(float));
  const std::size_t input_bytes = parts.bytes();
  const RowStates states(parts, rows, weights_);
  return {row_pages, inputs, pages, cosine, sine, input_bytes, states, parts.bytes()};
}

Buffer CudaDecoder::inputs_of(std::span<const std::size_t> slots, std::span<const Token> tokens,
                              const Places& places) const {
  Buffer inputs(places.input_bytes);
  std::memset(inputs.data(), 0, inputs.size());
  std::ranges::copy(tokens, part<int>(inputs, places.inputs.tokens));
  std::fill_n(part<float>(inputs, places.inputs.scales), slots.size(), 1.0F);
  std::int64_t longest = 0;
  for (std::size_t r = 0; r < slots.size(); ++r) {
    const Slot& slot = slots_[slots[r]];
    part<int>(inputs, places.inputs.positions)[r] = static_cast<int>(slot.length);
    std::byte** pages =
        part<std::byte*>(inputs, places.pages) + r * static_cast<std::size_t>(places.row_pages);
    for (const DeviceBuffer& page : slot.pages) *pages++ = page.data();
    longest = std::max(longest, slot.length);
  }
  if (rotary_ == nullptr) return inputs;
  const auto angles = rotary_->angles(longest + 1);
  const std::int64_t half = weights_.spec.head_size() / 2;
  for (std::size_t r = 0; r < slots.size(); ++r) {
    const std::int64_t from = slots_[slots[r]].length * half;
    const std::int64_t to = static_cast<std::int64_t>(r) * half;
    std::copy_n(angles->cosine.data() + from, half, part<float>(inputs, places.cosine) + to);
    std::copy_n(angles->sine.data() + from, half, part<float>(inputs, places.sine) + to);
  }
  return inputs;
}

void CudaDecoder::attend(const Launches& run, const Places& places, std::int64_t layer) const {
  const TransformerSpec& spec = weights_.spec;
  const bool turns = rotary_ != nullptr;
  const DecodeArguments arguments{.qkv = run.at<float>(places.rows.qkv),
                                  .pages = run.at<float*>(places.pages),
                                  .positions = run.at<int>(places.inputs.positions),
                                  .cosine = turns ? run.at<float>(places.cosine) : nullptr,
                                  .sine = turns ? run.at<float>(places.sine) : nullptr,
                                  .out = run.at<float>(places.rows.mixed),
                                  .scale = attention_scale(spec.head_size()),
                                  .row_pages = static_cast<int>(places.row_pages),
                                  .layer = static_cast<int>(layer),
                                  .head_count = static_cast<int>(spec.heads),
                                  .size = static_cast<int>(spec.head_size()),
                                  .qkv_stride = static_cast<int>(aligned(3 * spec.hidden)),
                                  .out_stride = static_cast<int>(aligned(spec.hidden))};
  run.stream().launch(Kernel::Decode, {.x = run.rows(), .y = static_cast<int>(spec.heads)},
                      &arguments);
}

Tensor CudaDecoder::step(std::span<const std::size_t> slots, std::span<const Token> tokens) {
  const auto rows = static_cast<std::int64_t>(slots.size());
  const std::int64_t width = weights_.spec.hidden;
  if (rows == 0) return Tensor(DType::F32, {0, width});
  for (const std::size_t slot : slots) reserve(slots_[slot]);
  const Places places = places_for(slots);
  const Buffer inputs = inputs_of(slots, tokens, places);
  const Tensor result(DType::F32, {rows, aligned(width)});
  // After what its copies read and write, so that it ends before them.
  const Workspaces::Lease lease = workspaces_.take(places.bytes, slots.size());
  const Launches run(weights_, lease, rows);
  lease.stream().upload(lease.memory(), inputs.data(), inputs.size());
  run.embed(places.inputs, places.rows.state);
  run.pass(places.rows, [&](std::int64_t layer) { attend(run, places, layer); });
  lease.stream().download(result.data(), run.at(places.rows.state),
                          static_cast<std::size_t>(result.element_count()) * sizeof(float));
  lease.stream().wait();
  for (const std::size_t slot : slots) ++slots_[slot].length;
  return without_stride(result, width);
}

}  // namespace aceso::nn::cuda
