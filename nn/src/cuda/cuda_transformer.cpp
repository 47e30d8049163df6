#include "cuda/cuda_transformer.hpp"

#include "aceso/core/error.hpp"
#include "cuda/cuda_decoder.hpp"
#include "cuda/launches.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace aceso::nn::cuda {
namespace {

int tile_queries(bool bf16) { return bf16 ? kQueriesBf16 : kQueriesF32; }

/// Sequences cut into what a block computes.
std::vector<AttentionTile> attention_tiles(const PackedTokens& batch, bool bf16) {
  std::vector<AttentionTile> tiles;
  for (std::size_t s = 0; s < batch.sequences(); ++s) {
    const int first = batch.offsets[s], length = batch.offsets[s + 1] - first;
    for (int query = 0; query < length; query += tile_queries(bf16))
      tiles.push_back({first, length, query});
  }
  return tiles;
}

Kernel attention_kernel(bool bf16, std::int64_t head_size) {
  if (head_size <= 32) return bf16 ? Kernel::AttentionBf16Of32 : Kernel::AttentionF32Of32;
  if (head_size <= 64) return bf16 ? Kernel::AttentionBf16Of64 : Kernel::AttentionF32Of64;
  return bf16 ? Kernel::AttentionBf16Of128 : Kernel::AttentionF32Of128;
}

const TransformerSpec& checked(const TransformerSpec& spec, Precision precision) {
  CudaTransformer::check(spec, precision);
  return spec;
}

}  // namespace

/// Where in its workspace a batch has what: what the host gives first, then what layers leave.
struct CudaTransformer::Places {
  std::vector<AttentionTile> attention;
  std::int64_t length = 0;  ///< of the longest sequence
  RowInputs inputs;
  std::size_t tiles = 0, cosine = 0, sine = 0;
  std::size_t input_bytes = 0;
  RowStates rows;
  std::size_t heads = 0;
  std::size_t bytes = 0;
};

void CudaTransformer::check(const TransformerSpec& spec, Precision precision) {
  if (precision == Precision::Int8)
    fail(Errc::Unsupported, "the device cuda computes in fp32 or bf16, found {}", name(precision));
  if (spec.head_size() > kLargestHead)
    fail(Errc::Unsupported, "the device cuda takes heads of up to {} numbers, found {}",
         kLargestHead, spec.head_size());
}

CudaTransformer::CudaTransformer(std::shared_ptr<Executor> executor, const TransformerSpec& spec,
                                 const TransformerWeights& weights, Precision precision)
    : weights_(executor, checked(spec, precision), weights, precision == Precision::Bf16),
      workspaces_(std::move(executor)) {
  if (spec.positions != "learned") rotary_.emplace(spec.head_size());
}

CudaTransformer::Places CudaTransformer::places_for(const PackedTokens& batch) const {
  const auto rows = static_cast<std::int64_t>(batch.tokens.size());
  if (rows > kMostRows)
    fail(Errc::OutOfResources, "a GPU is given at most {} tokens at once, found {}", kMostRows,
         rows);
  const TransformerSpec& spec = weights_.spec;
  std::vector<AttentionTile> tiles = attention_tiles(batch, weights_.bf16);
  const std::int64_t length = longest(batch);
  const std::int64_t angles = rotary_ ? length * spec.head_size() / 2 : 0;
  Partition parts;
  const RowInputs inputs(parts, rows);
  const std::size_t tiles_at =
      parts.add(static_cast<std::int64_t>(tiles.size()), sizeof(AttentionTile));
  const std::size_t cosine = parts.add(angles, sizeof(float));
  const std::size_t sine = parts.add(angles, sizeof(float));
  const std::size_t input_bytes = parts.bytes();
  const RowStates states(parts, rows, weights_);
  const std::size_t heads = parts.add(3 * spec.heads * rows * aligned(spec.head_size()),
                                      weights_.bf16 ? sizeof(Bf16) : sizeof(float));
  return {std::move(tiles), length, inputs, tiles_at,     cosine, sine,
          input_bytes,      states, heads,  parts.bytes()};
}

void CudaTransformer::split_heads(const Launches& run, const Places& places) const {
  const TransformerSpec& spec = weights_.spec;
  const SplitArguments arguments{.qkv = run.at(places.rows.qkv),
                                 .heads = run.at(places.heads),
                                 .positions = run.at<int>(places.inputs.positions),
                                 .cosine = rotary_ ? run.at<float>(places.cosine) : nullptr,
                                 .sine = rotary_ ? run.at<float>(places.sine) : nullptr,
                                 .rows = run.rows(),
                                 .hidden = static_cast<int>(spec.hidden),
                                 .size = static_cast<int>(spec.head_size()),
                                 .qkv_stride = static_cast<int>(aligned(3 * spec.hidden)),
                                 .head_stride = static_cast<int>(aligned(spec.head_size()))};
  run.stream().launch(
      weights_.bf16 ? Kernel::SplitBf16 : Kernel::SplitF32,
      {.x = tiles_of(run.rows(), kSplitRows), .y = static_cast<int>(3 * spec.heads)}, &arguments);
}

void CudaTransformer::attend(const Launches& run, const Places& places) const {
  const TransformerSpec& spec = weights_.spec;
  const int size = static_cast<int>(spec.head_size()), heads = static_cast<int>(spec.heads);
  const AttentionArguments arguments{.tiles = run.at<AttentionTile>(places.tiles),
                                     .heads = run.at(places.heads),
                                     .out = run.at(places.rows.mixed),
                                     .scale = attention_scale(size),
                                     .rows = run.rows(),
                                     .head_count = heads,
                                     .size = size,
                                     .head_stride = static_cast<int>(aligned(size)),
                                     .out_stride = static_cast<int>(aligned(spec.hidden)),
                                     .causal = spec.causal ? 1 : 0};
  run.stream().launch(attention_kernel(weights_.bf16, spec.head_size()),
                      {.x = static_cast<int>(places.attention.size()), .y = heads}, &arguments);
}

Buffer CudaTransformer::inputs_of(const PackedTokens& batch, const Places& places) const {
  Buffer inputs(places.input_bytes);
  std::memset(inputs.data(), 0, inputs.size());
  std::ranges::copy(batch.tokens, part<int>(inputs, places.inputs.tokens));
  std::ranges::copy(places.attention, part<AttentionTile>(inputs, places.tiles));
  int* positions = part<int>(inputs, places.inputs.positions);
  float* scales = part<float>(inputs, places.inputs.scales);
  for (std::size_t s = 0; s < batch.sequences(); ++s) {
    const auto first = static_cast<std::size_t>(batch.offsets[s]);
    const auto tokens = std::span(batch.tokens)
                            .subspan(first, static_cast<std::size_t>(batch.offsets[s + 1]) - first);
    const float scale = dropout_scale(weights_.spec, tokens);
    for (std::size_t t = 0; t < tokens.size(); ++t) {
      const bool zeroed = weights_.spec.token_dropout && tokens[t] == weights_.spec.mask_token;
      positions[first + t] = static_cast<int>(t);
      scales[first + t] = zeroed ? 0.0F : scale;
    }
  }
  if (rotary_) {
    const auto angles = rotary_->angles(places.length);
    const std::int64_t count = places.length * weights_.spec.head_size() / 2;
    std::copy_n(angles->cosine.data(), count, part<float>(inputs, places.cosine));
    std::copy_n(angles->sine.data(), count, part<float>(inputs, places.sine));
  }
  return inputs;
}

Tensor CudaTransformer::hidden(const PackedTokens& batch) const {
  const auto rows = static_cast<std::int64_t>(batch.tokens.size());
  const std::int64_t width = weights_.spec.hidden;
  if (rows == 0) return Tensor(DType::F32, {0, width});
  const Places places = places_for(batch);
  const Buffer inputs = inputs_of(batch, places);
  const Tensor result(DType::F32, {rows, aligned(width)});
  // After what its copies read and write, so that it ends before them.
  const Workspaces::Lease lease = workspaces_.take(places.bytes, batch.tokens.size());
  const Launches run(weights_, lease, rows);
  lease.stream().upload(lease.memory(), inputs.data(), inputs.size());
  run.embed(places.inputs, places.rows.state);
  run.pass(places.rows, [&](std::int64_t /*layer*/) {
    split_heads(run, places);
    attend(run, places);
  });
  lease.stream().download(result.data(), run.at(places.rows.state),
                          static_cast<std::size_t>(result.element_count()) * sizeof(float));
  lease.stream().wait();
  return without_stride(result, width);
}

Tensor CudaTransformer::logits(const Tensor& hidden_rows) const {
  const std::int64_t rows = hidden_rows.shape().at(0);
  if (rows == 0) return Tensor(DType::F32, {0, weights_.spec.vocabulary});
  if (rows > kMostRows)
    fail(Errc::OutOfResources, "a GPU is given at most {} rows at once, found {}", kMostRows, rows);
  Partition parts;
  const std::size_t one = parts.add(rows * aligned(weights_.spec.hidden), sizeof(float));
  const std::size_t two = parts.add(rows * aligned(weights_.spec.hidden), sizeof(float));
  const std::size_t scores = parts.add(rows * aligned(weights_.spec.vocabulary), sizeof(float));
  const Buffer inputs = with_stride(hidden_rows, aligned(weights_.spec.hidden));
  const Tensor result(DType::F32, {rows, aligned(weights_.spec.vocabulary)});
  const Workspaces::Lease lease = workspaces_.take(parts.bytes(), static_cast<std::size_t>(rows));
  const Launches run(weights_, lease, rows);
  lease.stream().upload(run.at(one), inputs.data(), inputs.size());
  if (weights_.spec.head == "masked") {
    run.multiply(weights_.head_dense, one, two, Finish::Gelu);
    run.normalise(weights_.head_norm, two, one, false);
  }
  run.multiply(weights_.decoder, one, scores, Finish::Same);
  lease.stream().download(result.data(), run.at(scores),
                          static_cast<std::size_t>(result.element_count()) * sizeof(float));
  lease.stream().wait();
  return without_stride(result, weights_.spec.vocabulary);
}

std::unique_ptr<DecoderNet> CudaTransformer::decoder(std::size_t slots) const {
  return std::make_unique<CudaDecoder>(weights_, rotary_ ? &*rotary_ : nullptr, workspaces_, slots);
}

}  // namespace aceso::nn::cuda
