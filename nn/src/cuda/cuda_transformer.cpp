#include "cuda/cuda_transformer.hpp"

#include "aceso/core/error.hpp"
#include "aceso/nn/tensor_file.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>

namespace aceso::nn::cuda {
namespace {

enum class Finish { Same, Gelu, Added };

/// Rows of tiles of a product are counted in one dimension of a grid, which CUDA limits.
constexpr std::int64_t kMostRows = std::int64_t{65535} * kProductTile;

std::int64_t aligned(std::int64_t width) {
  return (width + kAlignment - 1) / kAlignment * kAlignment;
}

int tiles_of(std::int64_t count, std::int64_t tile) {
  return static_cast<int>((count + tile - 1) / tile);
}

/// Rows as a device has them: `stride` numbers apart, the ones between 0.
Buffer with_stride(const Tensor& rows, std::int64_t stride) {
  const std::int64_t width = rows.shape().back(), count = rows.element_count() / width;
  const std::size_t size = size_in_bytes(rows.type());
  const std::size_t row_bytes = static_cast<std::size_t>(width) * size;
  const std::size_t stride_bytes = static_cast<std::size_t>(stride) * size;
  Buffer spread(static_cast<std::size_t>(count) * stride_bytes);
  std::memset(spread.data(), 0, spread.size());
  for (std::size_t r = 0; r < static_cast<std::size_t>(count); ++r)
    std::memcpy(spread.data() + r * stride_bytes, rows.data() + r * row_bytes, row_bytes);
  return spread;
}

/// The first `width` numbers of each row.
Tensor without_stride(const Tensor& spread, std::int64_t width) {
  const std::int64_t rows = spread.shape()[0], stride = spread.shape()[1];
  if (stride == width) return spread;
  Tensor result(DType::F32, {rows, width});
  for (std::int64_t r = 0; r < rows; ++r)
    std::copy_n(spread.values<float>().data() + r * stride, width,
                result.values<float>().data() + r * width);
  return result;
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
T* part(const Buffer& buffer, std::size_t place) {
  return reinterpret_cast<T*>(buffer.data() + place);
}

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

Kernel product_kernel(bool bf16, Finish finish) {
  switch (finish) {
    case Finish::Gelu:
      return bf16 ? Kernel::ProductBf16Gelu : Kernel::ProductF32Gelu;
    case Finish::Added:
      return bf16 ? Kernel::ProductBf16Added : Kernel::ProductF32Added;
    case Finish::Same:
      break;
  }
  return bf16 ? Kernel::ProductBf16 : Kernel::ProductF32;
}

}  // namespace

/// Brings weights to the device.
class CudaTransformer::Loader {
 public:
  explicit Loader(std::shared_ptr<Executor> executor)
      : executor_(std::move(executor)), stream_(executor_->stream()) {}

  [[nodiscard]] DeviceMatrix matrix(const Tensor& tensor) const {
    const std::int64_t width = tensor.shape().back();
    const Buffer rows = with_stride(tensor, aligned(width));
    auto buffer = std::make_shared<DeviceBuffer>(executor_, rows.size());
    stream_->upload(buffer->data(), rows.data(), rows.size());
    stream_->wait();
    return {std::move(buffer), tensor.element_count() / width, width, aligned(width)};
  }
  [[nodiscard]] DeviceNorm norm(const Norm& norm) const {
    return {matrix(norm.gain), matrix(norm.bias)};
  }
  [[nodiscard]] DeviceLinear linear(const LinearTensors& linear, bool bf16) const {
    return {matrix(bf16 ? to_bfloat16(linear.weight) : linear.weight), matrix(linear.bias), bf16};
  }

 private:
  std::shared_ptr<Executor> executor_;
  std::unique_ptr<Stream> stream_;
};

/// Where in its workspace a batch has what: what the host gives first, then what layers leave.
struct CudaTransformer::Places {
  std::vector<AttentionTile> attention;
  std::int64_t length = 0;  ///< of the longest sequence
  std::size_t tokens = 0, positions = 0, scales = 0, tiles = 0, cosine = 0, sine = 0;
  std::size_t input_bytes = 0;
  std::size_t state = 0, normed = 0, qkv = 0, heads = 0, mixed = 0, wide = 0;
  std::size_t bytes = 0;
};

/// Kernels on rows that lie in one workspace.
class CudaTransformer::Launches {
 public:
  Launches(const CudaTransformer& net, const Workspaces::Lease& lease, std::int64_t rows)
      : net_(net),
        stream_(lease.stream()),
        memory_(lease.memory()),
        rows_(static_cast<int>(rows)) {}

  [[nodiscard]] std::byte* at(std::size_t place) const { return memory_ + place; }
  template <typename T>
  [[nodiscard]] const T* at(std::size_t place) const {
    return reinterpret_cast<const T*>(memory_ + place);
  }

  void embed(const Places& places) const {
    const EmbedArguments arguments{
        .tokens = at<int>(places.tokens),
        .positions = at<int>(places.positions),
        .scales = at<float>(places.scales),
        .table = net_.embedding_.floats(),
        .places = net_.positions_.buffer ? net_.positions_.floats() : nullptr,
        .x = reinterpret_cast<float*>(at(places.state)),
        .width = static_cast<int>(net_.embedding_.width),
        .stride = static_cast<int>(net_.embedding_.stride)};
    stream_.launch(Kernel::Embed, {.x = rows_}, &arguments);
  }

  void normalise(const DeviceNorm& norm, std::size_t x, std::size_t y, bool bf16) const {
    const NormArguments arguments{.x = at<float>(x),
                                  .gain = norm.gain.floats(),
                                  .bias = norm.bias.floats(),
                                  .y = at(y),
                                  .epsilon = static_cast<float>(net_.spec_.norm_epsilon),
                                  .rows = rows_,
                                  .width = static_cast<int>(norm.gain.width),
                                  .stride = static_cast<int>(norm.gain.stride)};
    stream_.launch(bf16 ? Kernel::NormBf16 : Kernel::NormF32, {.x = tiles_of(rows_, kNormRows)},
                   &arguments);
  }

  void multiply(const DeviceLinear& linear, std::size_t x, std::size_t y, Finish finish) const {
    const DeviceMatrix& weight = linear.weight;
    const ProductArguments arguments{.x = at(x),
                                     .weight = weight.data(),
                                     .bias = linear.bias.floats(),
                                     .y = at(y),
                                     .rows = rows_,
                                     .in = static_cast<int>(weight.width),
                                     .out = static_cast<int>(weight.rows),
                                     .x_stride = static_cast<int>(weight.stride),
                                     .weight_stride = static_cast<int>(weight.stride),
                                     .y_stride = static_cast<int>(aligned(weight.rows))};
    stream_.launch(product_kernel(linear.bf16, finish),
                   {.x = tiles_of(weight.rows, kProductTile), .y = tiles_of(rows_, kProductTile)},
                   &arguments);
  }

  void split_heads(const Places& places) const {
    const TransformerSpec& spec = net_.spec_;
    const SplitArguments arguments{.qkv = at(places.qkv),
                                   .heads = at(places.heads),
                                   .positions = at<int>(places.positions),
                                   .cosine = net_.rotary_ ? at<float>(places.cosine) : nullptr,
                                   .sine = net_.rotary_ ? at<float>(places.sine) : nullptr,
                                   .rows = rows_,
                                   .hidden = static_cast<int>(spec.hidden),
                                   .size = static_cast<int>(spec.head_size()),
                                   .qkv_stride = static_cast<int>(aligned(3 * spec.hidden)),
                                   .head_stride = static_cast<int>(aligned(spec.head_size()))};
    stream_.launch(net_.bf16_ ? Kernel::SplitBf16 : Kernel::SplitF32,
                   {.x = tiles_of(rows_, kSplitRows), .y = static_cast<int>(3 * spec.heads)},
                   &arguments);
  }

  void attend(const Places& places) const {
    const TransformerSpec& spec = net_.spec_;
    const int size = static_cast<int>(spec.head_size()), heads = static_cast<int>(spec.heads);
    const AttentionArguments arguments{.tiles = at<AttentionTile>(places.tiles),
                                       .heads = at(places.heads),
                                       .out = at(places.mixed),
                                       .scale = 1.44269504F / std::sqrt(static_cast<float>(size)),
                                       .rows = rows_,
                                       .head_count = heads,
                                       .size = size,
                                       .head_stride = static_cast<int>(aligned(size)),
                                       .out_stride = static_cast<int>(aligned(spec.hidden)),
                                       .causal = spec.causal ? 1 : 0};
    stream_.launch(attention_kernel(net_.bf16_, spec.head_size()),
                   {.x = static_cast<int>(places.attention.size()), .y = heads}, &arguments);
  }

 private:
  const CudaTransformer& net_;
  Stream& stream_;
  std::byte* memory_;
  int rows_;
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
    : executor_(std::move(executor)),
      spec_(spec),
      bf16_(precision == Precision::Bf16),
      workspaces_(executor_) {
  check(spec, precision);
  const Loader loader(executor_);
  embedding_ = loader.matrix(weights("embed.tokens.weight"));
  if (spec.positions == "learned")
    positions_ = loader.matrix(weights("embed.positions.weight"));
  else
    rotary_.emplace(spec.head_size());
  for (std::int64_t i = 0; i < spec.layers; ++i) {
    const std::string layer = "layers." + std::to_string(i) + ".";
    const auto linear = [&](const char* part) {
      return loader.linear(weights.linear(layer + part), bf16_);
    };
    layers_.push_back({.attention_norm = loader.norm(weights.norm(layer + "attention.norm")),
                       .mlp_norm = loader.norm(weights.norm(layer + "mlp.norm")),
                       .qkv = loader.linear(weights.query_key_value(layer + "attention."), bf16_),
                       .output = linear("attention.output"),
                       .up = linear("mlp.up"),
                       .down = linear("mlp.down")});
  }
  final_norm_ = loader.norm(weights.norm("final_norm"));
  load_head(weights, loader);
}

void CudaTransformer::load_head(const TransformerWeights& weights, const Loader& loader) {
  if (spec_.head == "none") return;
  if (spec_.head == "masked") {
    head_dense_ = loader.linear(weights.linear("head.dense"), false);
    head_norm_ = loader.norm(weights.norm("head.norm"));
  }
  decoder_.weight = spec_.tied ? embedding_ : loader.matrix(weights("head.decoder.weight"));
  decoder_.bias = loader.matrix(weights("head.bias"));
}

CudaTransformer::Places CudaTransformer::places_for(const PackedTokens& batch) const {
  const auto rows = static_cast<std::int64_t>(batch.tokens.size());
  if (rows > kMostRows)
    fail(Errc::OutOfResources, "a GPU is given at most {} tokens at once, found {}", kMostRows,
         rows);
  Places places;
  places.attention = attention_tiles(batch, bf16_);
  places.length = longest(batch);
  const std::int64_t angles = rotary_ ? places.length * spec_.head_size() / 2 : 0;
  const std::size_t size = bf16_ ? sizeof(Bf16) : sizeof(float);
  Partition parts;
  places.tokens = parts.add(rows, sizeof(int));
  places.positions = parts.add(rows, sizeof(int));
  places.scales = parts.add(rows, sizeof(float));
  places.tiles =
      parts.add(static_cast<std::int64_t>(places.attention.size()), sizeof(AttentionTile));
  places.cosine = parts.add(angles, sizeof(float));
  places.sine = parts.add(angles, sizeof(float));
  places.input_bytes = parts.bytes();
  places.state = parts.add(rows * aligned(spec_.hidden), sizeof(float));
  places.normed = parts.add(rows * aligned(spec_.hidden), size);
  places.qkv = parts.add(rows * aligned(3 * spec_.hidden), size);
  places.heads = parts.add(3 * spec_.heads * rows * aligned(spec_.head_size()), size);
  places.mixed = parts.add(rows * aligned(spec_.hidden), size);
  places.wide = parts.add(rows * aligned(spec_.feed_forward), size);
  places.bytes = parts.bytes();
  return places;
}

Buffer CudaTransformer::inputs_of(const PackedTokens& batch, const Places& places) const {
  Buffer inputs(places.input_bytes);
  std::memset(inputs.data(), 0, inputs.size());
  std::ranges::copy(batch.tokens, part<int>(inputs, places.tokens));
  std::ranges::copy(places.attention, part<AttentionTile>(inputs, places.tiles));
  int* positions = part<int>(inputs, places.positions);
  float* scales = part<float>(inputs, places.scales);
  for (std::size_t s = 0; s < batch.sequences(); ++s) {
    const auto first = static_cast<std::size_t>(batch.offsets[s]);
    const auto tokens = std::span(batch.tokens)
                            .subspan(first, static_cast<std::size_t>(batch.offsets[s + 1]) - first);
    const float scale = dropout_scale(spec_, tokens);
    for (std::size_t t = 0; t < tokens.size(); ++t) {
      const bool zeroed = spec_.token_dropout && tokens[t] == spec_.mask_token;
      positions[first + t] = static_cast<int>(t);
      scales[first + t] = zeroed ? 0.0F : scale;
    }
  }
  if (rotary_) {
    const auto angles = rotary_->angles(places.length);
    const std::int64_t count = places.length * spec_.head_size() / 2;
    std::copy_n(angles->cosine.data(), count, part<float>(inputs, places.cosine));
    std::copy_n(angles->sine.data(), count, part<float>(inputs, places.sine));
  }
  return inputs;
}

Tensor CudaTransformer::hidden(const PackedTokens& batch) const {
  const auto rows = static_cast<std::int64_t>(batch.tokens.size());
  if (rows == 0) return Tensor(DType::F32, {0, spec_.hidden});
  const Places places = places_for(batch);
  const Buffer inputs = inputs_of(batch, places);
  const Tensor result(DType::F32, {rows, aligned(spec_.hidden)});
  // After what its copies read and write, so that it ends before them.
  const Workspaces::Lease lease = workspaces_.take(places.bytes, batch.tokens.size());
  const Launches run(*this, lease, rows);
  lease.stream().upload(lease.memory(), inputs.data(), inputs.size());
  run.embed(places);
  for (const Layer& layer : layers_) {
    run.normalise(layer.attention_norm, places.state, places.normed, bf16_);
    run.multiply(layer.qkv, places.normed, places.qkv, Finish::Same);
    run.split_heads(places);
    run.attend(places);
    run.multiply(layer.output, places.mixed, places.state, Finish::Added);
    run.normalise(layer.mlp_norm, places.state, places.normed, bf16_);
    run.multiply(layer.up, places.normed, places.wide, Finish::Gelu);
    run.multiply(layer.down, places.wide, places.state, Finish::Added);
  }
  run.normalise(final_norm_, places.state, places.state, false);
  lease.stream().download(result.data(), run.at(places.state),
                          static_cast<std::size_t>(result.element_count()) * sizeof(float));
  lease.stream().wait();
  return without_stride(result, spec_.hidden);
}

Tensor CudaTransformer::logits(const Tensor& hidden_rows) const {
  const std::int64_t rows = hidden_rows.shape().at(0);
  if (rows == 0) return Tensor(DType::F32, {0, spec_.vocabulary});
  if (rows > kMostRows)
    fail(Errc::OutOfResources, "a GPU is given at most {} rows at once, found {}", kMostRows, rows);
  Partition parts;
  const std::size_t one = parts.add(rows * aligned(spec_.hidden), sizeof(float));
  const std::size_t two = parts.add(rows * aligned(spec_.hidden), sizeof(float));
  const std::size_t scores = parts.add(rows * aligned(spec_.vocabulary), sizeof(float));
  const Buffer inputs = with_stride(hidden_rows, aligned(spec_.hidden));
  const Tensor result(DType::F32, {rows, aligned(spec_.vocabulary)});
  const Workspaces::Lease lease = workspaces_.take(parts.bytes(), static_cast<std::size_t>(rows));
  const Launches run(*this, lease, rows);
  lease.stream().upload(run.at(one), inputs.data(), inputs.size());
  if (spec_.head == "masked") {
    run.multiply(head_dense_, one, two, Finish::Gelu);
    run.normalise(head_norm_, two, one, false);
  }
  run.multiply(decoder_, one, scores, Finish::Same);
  lease.stream().download(result.data(), run.at(scores),
                          static_cast<std::size_t>(result.element_count()) * sizeof(float));
  lease.stream().wait();
  return without_stride(result, spec_.vocabulary);
}

}  // namespace aceso::nn::cuda
