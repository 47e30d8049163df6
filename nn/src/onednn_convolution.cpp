#include "aceso/core/error.hpp"
#include "channel_kernels.hpp"
#include "convolutional_steps.hpp"
#include "linear_engine.hpp"
#include "onednn.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <mutex>
#include <numeric>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>

namespace aceso::nn {
namespace {

using dnnl::memory;
using onednn::engine;
using Kind = ConvolutionalLayer::Kind;
using Function = ConvolutionalLayer::Function;
using Type = memory::data_type;
using Layout = memory::format_tag;

constexpr const char* kWhat = "convolutional net";
constexpr std::size_t kMostPlans = 16;

Type type_of(Precision precision) { return precision == Precision::Bf16 ? Type::bf16 : Type::f32; }

memory::dims row_major(const memory::dims& dims) {
  memory::dims strides(dims.size(), 1);
  for (std::size_t i = dims.size() - 1; i > 0; --i) strides[i - 1] = strides[i] * dims[i];
  return strides;
}

memory::desc plain(const memory::dims& dims, Type type) {
  return memory::desc(dims, type, row_major(dims));
}

/// How channels lie: one by one, in blocks, or all together behind a place.
enum class Channels { Plain, By4, By8, By16, Last };

constexpr std::array kChannels{Channels::Plain, Channels::Last, Channels::By16, Channels::By8,
                               Channels::By4};

memory::desc laid_out(Channels channels, const memory::dims& dims, Type type) {
  static constexpr std::array<std::array<Layout, 4>, 3> kTags{
      {{Layout::nCw4c, Layout::nCw8c, Layout::nCw16c, Layout::nwc},
       {Layout::nChw4c, Layout::nChw8c, Layout::nChw16c, Layout::nhwc},
       {Layout::nCdhw4c, Layout::nCdhw8c, Layout::nCdhw16c, Layout::ndhwc}}};
  if (channels == Channels::Plain) return plain(dims, type);
  return memory::desc(dims, type, kTags[dims.size() - 3][static_cast<std::size_t>(channels) - 1]);
}

/// Nothing for a layout that our own kernels do not know.
std::optional<Channels> channels_of(const memory::desc& desc) {
  for (const Channels channels : kChannels)
    if (desc == laid_out(channels, desc.dims(), desc.data_type())) return channels;
  return std::nullopt;
}

std::int64_t block_of(Channels channels, std::int64_t count) {
  switch (channels) {
    case Channels::Plain:
      return 1;
    case Channels::By4:
      return 4;
    case Channels::By8:
      return 8;
    case Channels::By16:
      return 16;
    case Channels::Last:
      break;
  }
  return count;
}

/// Weights as primitives want them, laid out once for each layout.
class WeightStore {
 public:
  /// `given` describes `values`, which live as long as the net.
  memory laid_out(const Tensor& values, const memory::desc& given, const memory::desc& wanted) {
    auto& list = made_[values.data()];
    for (const memory& one : list)
      if (one.get_desc() == wanted) return one;
    memory from(given, engine(), values.data());
    memory to(wanted, engine());
    dnnl::stream stream(engine());
    dnnl::reorder(from, to).execute(stream, from, to);
    stream.wait();
    list.push_back(to);
    return to;
  }

 private:
  std::unordered_map<const std::byte*, std::vector<memory>> made_;
};

/// One image's way through the net.
struct Passage {
  std::vector<Buffer> slots;
  dnnl::stream stream{engine()};
};

/// A piece of work between slots: memory that holds one value in one layout.
struct Operation {
  std::vector<std::size_t> reads, writes;
  std::function<void(Passage&)> run;
  std::vector<std::size_t> last_reads = {};  ///< slots that nobody needs afterwards
};

/// What to do for images of one size. Only read once it is made.
struct Plan {
  std::vector<memory::desc> slots;
  std::vector<Operation> operations;
  std::vector<std::size_t> outputs;  ///< slots, f32 and row-major
};

class Planner {
 public:
  Planner(const ConvolutionalSteps& net, Type type, WeightStore& weights)
      : net_(net), type_(type), weights_(weights) {}

  Plan run(const Sizes& size) {
    sizes_ = {size};
    const std::size_t image = slot(plain(dims_of(net_.channels, size), Type::f32));
    slots_ = {image};
    slots_[0] = as(image, plain(dims_of(net_.channels, size), type_));
    for (const ConvolutionalStep& step : net_.steps) add(step);
    for (const std::size_t value : net_.outputs) {
      const std::size_t from = slots_[value];
      const memory::desc target = plain(plan_.slots[from].dims(), Type::f32);
      // Always a slot of its own: one value may be two outputs, or the input itself.
      plan_.outputs.push_back(reordered(from, target));
    }
    note_last_reads();
    return std::move(plan_);
  }

 private:
  static memory::dims dims_of(std::int64_t channels, const Sizes& size) {
    memory::dims dims{1, channels};
    dims.insert(dims.end(), size.begin(), size.end());
    return dims;
  }

  std::size_t slot(const memory::desc& desc) {
    plan_.slots.push_back(desc);
    return plan_.slots.size() - 1;
  }

  const memory::desc& desc_of(std::size_t slot) const { return plan_.slots[slot]; }

  [[nodiscard]] memory::desc any(const memory::dims& dims) const {
    return memory::desc(dims, type_, Layout::any);
  }

  /// Runs `primitive` with slots and fixed memory as its arguments.
  void execute(const dnnl::primitive& primitive, const memory::desc& scratch,
               std::vector<std::pair<int, std::size_t>> reads, std::pair<int, std::size_t> write,
               std::vector<std::pair<int, memory>> fixed = {}) {
    Operation made;
    for (const auto& [argument, slot] : reads) made.reads.push_back(slot);
    made.writes = {write.second};
    reads.push_back(write);
    std::vector<memory::desc> descs;
    for (const auto& [argument, slot] : reads) descs.push_back(desc_of(slot));
    made.run = [=](Passage& passage) {
      std::unordered_map<int, memory> arguments(fixed.begin(), fixed.end());
      for (std::size_t i = 0; i < reads.size(); ++i)
        arguments.emplace(reads[i].first,
                          memory(descs[i], engine(), passage.slots[reads[i].second].data()));
      arguments.emplace(DNNL_ARG_SCRATCHPAD,
                        memory(scratch, engine(), thread_scratch(scratch.get_size())));
      primitive.execute(passage.stream, arguments);
    };
    plan_.operations.push_back(std::move(made));
  }

  template <typename Description>
  void execute(const dnnl::primitive& primitive, const Description& description,
               std::vector<std::pair<int, std::size_t>> reads, std::pair<int, std::size_t> write,
               std::vector<std::pair<int, memory>> fixed = {}) {
    execute(primitive, description.scratchpad_desc(), std::move(reads), write, std::move(fixed));
  }

  static dnnl::primitive_attr attributes() {
    dnnl::primitive_attr made;
    made.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return made;
  }

  std::size_t reordered(std::size_t from, const memory::desc& wanted) {
    const dnnl::reorder::primitive_desc description(engine(), desc_of(from), engine(), wanted,
                                                    attributes());
    const std::size_t to = slot(wanted);
    execute(dnnl::reorder(description), description, {{DNNL_ARG_FROM, from}}, {DNNL_ARG_TO, to});
    return to;
  }

  std::size_t as(std::size_t from, const memory::desc& wanted) {
    return desc_of(from) == wanted ? from : reordered(from, wanted);
  }

  std::size_t input(const ConvolutionalStep& step, std::size_t i = 0) const {
    return slots_[step.inputs[i]];
  }

  void add(const ConvolutionalStep& step) {
    std::vector<Sizes> inputs;
    for (const std::size_t value : step.inputs) inputs.push_back(sizes_[value]);
    sizes_.push_back(size_made(step, inputs));
    // Sizes are at most 2^20 and channels 2^16: only together can they be too many.
    double bytes = 4.0 * static_cast<double>(step.channels);
    for (const std::int64_t axis : sizes_.back()) bytes *= static_cast<double>(axis);
    if (bytes > 1e13)
      fail(Errc::OutOfResources, "layer {}: what it makes of such an image has {:.3g} bytes",
           step.layer.name, bytes);
    slots_.push_back(computed(step));
  }

  std::size_t computed(const ConvolutionalStep& step) {
    switch (step.layer.kind) {
      case Kind::Convolution:
      case Kind::Linear:
        return convolution(step);
      case Kind::Transposed:
        return activated(step, transposed(step));
      case Kind::MaxPool:
      case Kind::AveragePool:
      case Kind::GlobalAverage:
        return activated(step, pooled(step));
      case Kind::Nearest:
      case Kind::Interpolate:
        return activated(step, resampled(step));
      case Kind::BatchNorm:
      case Kind::InstanceNorm:
      case Kind::GroupNorm:
        return activated(step, normalised(step));
      case Kind::Activation:
        return activated(step, reordered(input(step), desc_of(input(step))));
      case Kind::Add:
        return activated(step, added(step));
      case Kind::Concatenate:
        return activated(step, concatenated(step));
    }
    fail(Errc::Internal, "a layer of no kind");
  }

  // -- activations

  struct Elementwise {
    dnnl::algorithm algorithm;
    float alpha;
  };

  static std::optional<Elementwise> elementwise(const ConvolutionalLayer& layer) {
    switch (layer.activation) {
      case Function::Relu:
        return Elementwise{dnnl::algorithm::eltwise_relu, 0.0F};
      case Function::LeakyRelu:
        return Elementwise{dnnl::algorithm::eltwise_relu, static_cast<float>(layer.slope)};
      case Function::Gelu:
        return Elementwise{dnnl::algorithm::eltwise_gelu_erf, 0.0F};
      case Function::Silu:
        return Elementwise{dnnl::algorithm::eltwise_swish, 1.0F};
      case Function::Sigmoid:
        return Elementwise{dnnl::algorithm::eltwise_logistic, 0.0F};
      case Function::None:
      case Function::Prelu:
        break;
    }
    return std::nullopt;
  }

  /// Applies the activation to a slot that only this step has seen.
  std::size_t activated(const ConvolutionalStep& step, std::size_t at) {
    if (step.layer.activation == Function::Prelu) {
      at = in_blocks(at);
      const Tensor slope = step.slope;
      in_place(at, [slope](void* x, bool bf16, const ChannelLayout& layout) {
        bend_channels(x, bf16, layout, slope.values<float>());
      });
    } else if (const auto what = elementwise(step.layer)) {
      const dnnl::eltwise_forward::desc operation(dnnl::prop_kind::forward_inference,
                                                  what->algorithm, desc_of(at), what->alpha, 0.0F);
      const dnnl::eltwise_forward::primitive_desc description(operation, attributes(), engine());
      execute(dnnl::eltwise_forward(description), description, {{DNNL_ARG_SRC, at}},
              {DNNL_ARG_DST, at});
    }
    return at;
  }

  // -- our own kernels

  static std::int64_t places(const memory::dims& dims) {
    return std::accumulate(dims.begin() + 2, dims.end(), std::int64_t{1}, std::multiplies<>());
  }

  std::size_t in_blocks(std::size_t at) {
    return channels_of(desc_of(at)) ? at : reordered(at, plain(desc_of(at).dims(), type_));
  }

  template <typename Action>
  void in_place(std::size_t at, Action action) {
    const memory::dims dims = desc_of(at).dims();
    const auto channels = channels_of(desc_of(at));
    if (!channels) fail(Errc::Internal, "a layout without blocks of channels");
    const ChannelLayout layout{dims[1], places(dims), block_of(*channels, dims[1])};
    const bool bf16 = type_ == Type::bf16;
    plan_.operations.push_back(
        {{at}, {at}, [=](Passage& passage) { action(passage.slots[at].data(), bf16, layout); }});
  }

  std::size_t normalised(const ConvolutionalStep& step) {
    const memory::desc given = desc_of(input(step));
    const std::size_t at =
        reordered(input(step), channels_of(given) ? given : plain(given.dims(), type_));
    const Tensor weight = step.weight, bias = step.bias;
    const auto by = [weight, bias] {
      return weight.shape().empty() ? ChannelScale{}
                                    : ChannelScale{weight.values<float>(), bias.values<float>()};
    };
    const ConvolutionalLayer& layer = step.layer;
    if (layer.kind == Kind::BatchNorm) {
      in_place(at, [by](void* x, bool bf16, const ChannelLayout& layout) {
        scale_channels(x, bf16, layout, by());
      });
      return at;
    }
    const std::int64_t groups = layer.kind == Kind::GroupNorm ? layer.groups : step.channels;
    const double epsilon = layer.epsilon;
    in_place(at, [=](void* x, bool bf16, const ChannelLayout& layout) {
      normalise_channels(x, bf16, layout, groups, epsilon, by());
    });
    return at;
  }

  // -- oneDNN's primitives

  /// The weights of a convolution as the file has them, and as oneDNN numbers their axes.
  struct ConvolutionWeights {
    memory::dims dims;
    memory::desc given;
  };

  static ConvolutionWeights convolution_weights(const ConvolutionalStep& step,
                                                const Sizes& kernel) {
    const std::int64_t groups = step.layer.groups;
    const bool transposed = step.layer.kind == Kind::Transposed;
    const std::int64_t out = step.channels / groups, in = step.in_channels / groups;
    memory::dims dims = groups > 1 ? memory::dims{groups, out, in} : memory::dims{out, in};
    dims.insert(dims.end(), kernel.begin(), kernel.end());
    const std::int64_t row = nn::product(kernel);
    memory::dims strides = row_major(dims);
    if (transposed) {  // [in, out / groups, kernel]
      const std::size_t at = groups > 1 ? 1 : 0;
      strides[at] = row;
      strides[at + 1] = out * row;
    }
    return {dims, memory::desc(dims, Type::f32, strides)};
  }

  static memory::dims less_one(const Sizes& list) {
    memory::dims made;
    for (const std::int64_t number : list) made.push_back(number - 1);
    return made;
  }

  template <typename Description>
  std::pair<int, memory> fixed_weight(const ConvolutionalStep& step,
                                      const ConvolutionWeights& weights,
                                      const Description& description) {
    return {DNNL_ARG_WEIGHTS,
            weights_.laid_out(step.weight, weights.given, description.weights_desc())};
  }

  static memory::desc bias_desc(const ConvolutionalStep& step) {
    return step.bias.shape().empty() ? memory::desc()
                                     : memory::desc({step.channels}, Type::f32, Layout::a);
  }

  /// Whether an implementation multiplies neighbouring places of an image by weights of 0, as those
  /// for tile registers do that fill a product's inner dimension with few channels of many places:
  /// a NaN there would reach results that are not made of it.
  static bool mixes_places(const dnnl::convolution_forward::primitive_desc& description) {
    if (std::string_view(description.impl_info_str()).find("amx") == std::string_view::npos)
      return false;
    const memory::desc weights = description.weights_desc();
    const bool grouped = weights.dims().size() > description.src_desc().dims().size();
    const std::ptrdiff_t channels = grouped ? 2 : 1;  // those that come in
    const auto& blocks = weights.data.format_desc.blocking;
    const auto blocked =
        std::span(blocks.inner_idxs).first(static_cast<std::size_t>(blocks.inner_nblks));
    return std::ranges::count(blocked, channels) == 0;
  }

  std::size_t convolution(const ConvolutionalStep& step) {
    const Sizes& from = sizes_[step.inputs.front()];
    const std::size_t axes = from.size();
    ConvolutionalLayer layer = step.layer;
    if (layer.kind == Kind::Linear) {  // a kernel of the whole image
      layer.kernel = from;
      layer.stride = layer.dilation = Sizes(axes, 1);
      layer.padding = Sizes(axes, 0);
    }
    const ConvolutionWeights weights = convolution_weights(step, layer.kernel);
    dnnl::primitive_attr fused = attributes();
    if (const auto what = elementwise(layer)) {
      dnnl::post_ops after;
      after.append_eltwise(1.0F, what->algorithm, what->alpha, 0.0F);
      fused.set_post_ops(after);
    }
    const dnnl::convolution_forward::desc operation(
        dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
        any(dims_of(step.in_channels, from)), any(weights.dims), bias_desc(step),
        any(dims_of(step.channels, sizes_.back())), layer.stride, less_one(layer.dilation),
        layer.padding, layer.padding);
    dnnl::convolution_forward::primitive_desc description(operation, fused, engine());
    while (mixes_places(description) && description.next_impl()) {
    }
    const std::size_t source = as(input(step), description.src_desc());
    const std::size_t made = slot(description.dst_desc());
    std::vector<std::pair<int, memory>> fixed{fixed_weight(step, weights, description)};
    if (!step.bias.shape().empty())
      fixed.emplace_back(DNNL_ARG_BIAS,
                         weights_.laid_out(step.bias, bias_desc(step), bias_desc(step)));
    execute(dnnl::convolution_forward(description), description, {{DNNL_ARG_SRC, source}},
            {DNNL_ARG_DST, made}, std::move(fixed));
    return layer.activation == Function::Prelu ? activated(step, made) : made;
  }

  std::size_t transposed(const ConvolutionalStep& step) {
    const ConvolutionalLayer& layer = step.layer;
    const ConvolutionWeights weights = convolution_weights(step, layer.kernel);
    memory::dims right = layer.padding;
    for (std::size_t axis = 0; axis < right.size(); ++axis)
      right[axis] -= layer.output_padding[axis];
    const bool last = channels_of(desc_of(input(step))) == Channels::Last;
    const auto layout = [&](const memory::dims& dims) {
      return last ? laid_out(Channels::Last, dims, type_) : any(dims);
    };
    const dnnl::deconvolution_forward::desc operation(
        dnnl::prop_kind::forward_inference, dnnl::algorithm::deconvolution_direct,
        layout(dims_of(step.in_channels, sizes_[step.inputs.front()])), any(weights.dims),
        layout(dims_of(step.channels, sizes_.back())), layer.stride, less_one(layer.dilation),
        layer.padding, right);
    const dnnl::deconvolution_forward::primitive_desc description(operation, attributes(),
                                                                  engine());
    const std::size_t source = as(input(step), description.src_desc());
    std::size_t made = slot(description.dst_desc());
    execute(dnnl::deconvolution_forward(description), description, {{DNNL_ARG_SRC, source}},
            {DNNL_ARG_DST, made}, {fixed_weight(step, weights, description)});
    if (step.bias.shape().empty()) return made;
    // oneDNN 2.6 adds this bias value by value, which takes ten times the time of the rest.
    made = in_blocks(made);
    const Tensor bias = step.bias;
    const std::vector<float> ones(static_cast<std::size_t>(step.channels), 1.0F);
    in_place(made, [bias, ones](void* x, bool bf16, const ChannelLayout& channels) {
      scale_channels(x, bf16, channels, {ones, bias.values<float>()});
    });
    return made;
  }

  std::size_t pooled(const ConvolutionalStep& step) {
    const Sizes& from = sizes_[step.inputs.front()];
    ConvolutionalLayer layer = step.layer;
    if (layer.kind == Kind::GlobalAverage) {
      layer.kernel = layer.stride = from;
      layer.padding = Sizes(from.size(), 0);
    }
    memory::dims right;  // what the last window reaches, which may be less than the padding
    for (std::size_t axis = 0; axis < from.size(); ++axis)
      right.push_back((sizes_.back()[axis] - 1) * layer.stride[axis] + layer.kernel[axis] -
                      from[axis] - layer.padding[axis]);
    const auto algorithm = layer.kind == Kind::MaxPool
                               ? dnnl::algorithm::pooling_max
                               : dnnl::algorithm::pooling_avg_include_padding;
    const dnnl::pooling_forward::desc operation(dnnl::prop_kind::forward_inference, algorithm,
                                                desc_of(input(step)),
                                                any(dims_of(step.channels, sizes_.back())),
                                                layer.stride, layer.kernel, layer.padding, right);
    const dnnl::pooling_forward::primitive_desc description(operation, attributes(), engine());
    const std::size_t made = slot(description.dst_desc());
    execute(dnnl::pooling_forward(description), description, {{DNNL_ARG_SRC, input(step)}},
            {DNNL_ARG_DST, made});
    return made;
  }

  std::size_t resampled(const ConvolutionalStep& step) {
    const auto algorithm = step.layer.kind == Kind::Nearest ? dnnl::algorithm::resampling_nearest
                                                            : dnnl::algorithm::resampling_linear;
    const dnnl::resampling_forward::desc operation(dnnl::prop_kind::forward_inference, algorithm,
                                                   desc_of(input(step)),
                                                   any(dims_of(step.channels, sizes_.back())));
    const dnnl::resampling_forward::primitive_desc description(operation, attributes(), engine());
    const std::size_t made = slot(description.dst_desc());
    execute(dnnl::resampling_forward(description), description, {{DNNL_ARG_SRC, input(step)}},
            {DNNL_ARG_DST, made});
    return made;
  }

  std::size_t added(const ConvolutionalStep& step) {
    std::size_t sum = input(step);
    for (std::size_t i = 1; i < step.inputs.size(); ++i) {
      const memory::desc layout = desc_of(sum);
      const std::size_t other = as(input(step, i), layout);
      const dnnl::binary::desc operation(dnnl::algorithm::binary_add, layout, layout, layout);
      const dnnl::binary::primitive_desc description(operation, attributes(), engine());
      const std::size_t made = slot(layout);
      execute(dnnl::binary(description), description,
              {{DNNL_ARG_SRC_0, sum}, {DNNL_ARG_SRC_1, other}}, {DNNL_ARG_DST, made});
      sum = made;
    }
    return sum;
  }

  /// A layout in which inputs can be put behind each other without touching values.
  Channels common_channels(const ConvolutionalStep& step) const {
    const auto first = channels_of(desc_of(input(step)));
    if (!first) return Channels::Plain;
    if (*first == Channels::Last) return *first;
    for (std::size_t i = 0; i + 1 < step.inputs.size(); ++i) {
      const std::int64_t count = desc_of(input(step, i)).dims()[1];
      if (count % block_of(*first, count) != 0) return Channels::Plain;
    }
    return *first;
  }

  /// Our own, as oneDNN's knows no fast way for channels that lie last.
  std::size_t concatenated(const ConvolutionalStep& step) {
    const Channels channels = common_channels(step);
    const auto layout = [&](const memory::dims& dims) { return laid_out(channels, dims, type_); };
    const memory::dims dims = dims_of(step.channels, sizes_.back());
    const std::size_t made = slot(layout(dims));
    Operation joined;
    joined.writes = {made};
    std::vector<std::size_t> bytes;  // of a row of each input
    const std::int64_t rows = channels == Channels::Last ? places(dims) : 1;
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      joined.reads.push_back(as(input(step, i), layout(desc_of(input(step, i)).dims())));
      bytes.push_back(desc_of(joined.reads.back()).get_size() / static_cast<std::size_t>(rows));
    }
    joined.run = [=, reads = joined.reads](Passage& passage) {
      std::byte* to = passage.slots[made].data();
      for (std::int64_t row = 0; row < rows; ++row)
        for (std::size_t i = 0; i < reads.size(); ++i) {
          std::memcpy(to, passage.slots[reads[i]].data() + static_cast<std::size_t>(row) * bytes[i],
                      bytes[i]);
          to += bytes[i];
        }
    };
    plan_.operations.push_back(std::move(joined));
    return made;
  }

  void note_last_reads() {
    std::vector<bool> needed(plan_.slots.size(), false);
    for (const std::size_t output : plan_.outputs) needed[output] = true;
    for (auto operation = plan_.operations.rbegin(); operation != plan_.operations.rend();
         ++operation)
      for (const auto* list : {&operation->writes, &operation->reads})
        for (const std::size_t slot : *list) {
          if (!needed[slot]) operation->last_reads.push_back(slot);
          needed[slot] = true;
        }
  }

  const ConvolutionalSteps& net_;
  Type type_;
  WeightStore& weights_;
  Plan plan_;
  std::vector<Sizes> sizes_;        ///< of values
  std::vector<std::size_t> slots_;  ///< of values
};

class OneDnnConvolutions final : public ConvolutionEngine {
 public:
  OneDnnConvolutions(ConvolutionalSteps steps, Precision precision)
      : net_(std::move(steps)), type_(type_of(precision)) {}

  std::vector<Tensor> run(const Tensor& images) const override {
    const onednn::OneThread guard;
    const Sizes size(images.shape().begin() + 2, images.shape().end());
    return onednn::translated(kWhat, [&] {
      const auto plan = plan_for(size);
      const std::int64_t count = images.shape().front();
      std::vector<Tensor> results;
      for (const std::size_t output : plan->outputs) {
        Sizes shape = plan->slots[output].dims();
        shape.front() = count;
        results.emplace_back(DType::F32, shape);
      }
      // One after the other: what an image gives cannot depend on the others.
      for (std::int64_t i = 0; i < count; ++i) pass(*plan, images.slice(i, i + 1), i, results);
      return results;
    });
  }

 private:
  std::shared_ptr<const Plan> plan_for(const Sizes& size) const {
    const std::scoped_lock lock(mutex_);
    const auto found =
        std::ranges::find(plans_, size, [](const auto& entry) { return entry.first; });
    if (found != plans_.end()) {
      std::rotate(found, found + 1, plans_.end());
      return plans_.back().second;
    }
    const auto making = onednn::making();
    auto plan = std::make_shared<const Plan>(Planner(net_, type_, weights_).run(size));
    if (plans_.size() == kMostPlans) plans_.erase(plans_.begin());
    plans_.emplace_back(size, plan);
    return plan;
  }

  static Buffer borrowed(const Tensor& tensor) {
    return Buffer(tensor.data(), static_cast<std::size_t>(tensor.element_count()) * sizeof(float),
                  nullptr);
  }

  static void pass(const Plan& plan, const Tensor& image, std::int64_t number,
                   const std::vector<Tensor>& results) {
    Passage passage;
    passage.slots.resize(plan.slots.size());
    passage.slots[0] = borrowed(image);
    for (std::size_t i = 0; i < results.size(); ++i)
      passage.slots[plan.outputs[i]] = borrowed(results[i].slice(number, number + 1));
    for (const Operation& operation : plan.operations) {
      for (const std::size_t slot : operation.writes)
        if (passage.slots[slot].data() == nullptr)
          passage.slots[slot] = Buffer(plan.slots[slot].get_size());
      operation.run(passage);
      for (const std::size_t slot : operation.last_reads) passage.slots[slot] = Buffer();
    }
    passage.stream.wait();
  }

  ConvolutionalSteps net_;
  Type type_;
  mutable std::mutex mutex_;
  mutable WeightStore weights_;
  /// The most recently used last.
  mutable std::vector<std::pair<Sizes, std::shared_ptr<const Plan>>> plans_;
};

}  // namespace

std::shared_ptr<const ConvolutionEngine> onednn_convolutions(ConvolutionalSteps steps,
                                                             Precision precision) {
  return std::make_shared<const OneDnnConvolutions>(std::move(steps), precision);
}

bool onednn_has_bf16() {
  // oneDNN has no bf16 below AVX-512, and its users can hold it below what the CPU has.
  const auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  const auto needed = static_cast<unsigned>(dnnl::cpu_isa::avx512_core);
  return kernels::best().bf16 && (isa & needed) == needed;
}

}  // namespace aceso::nn
