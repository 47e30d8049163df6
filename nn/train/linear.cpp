#include "linear.hpp"

#include <dnnl.hpp>

#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/variable.h>

#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/zeros.h>

#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <tuple>
#include <unordered_map>

namespace aceso::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

using dnnl::memory;
using Type = memory::data_type;
using Layout = memory::format_tag;

template <typename Action>
auto translated(const Action& action) {
  try {
    return action();
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
    throw;
  }
}

const dnnl::engine& engine() {
  static const dnnl::engine the_engine(dnnl::engine::kind::cpu, 0);
  return the_engine;
}

// Two sizes of blocks of rows, whatever a batch holds, so that a training needs a few primitives
// and not one for each number of tokens: making one compiles code and takes longer than a small
// product.
constexpr std::int64_t kSmallBlock = 64;
constexpr std::int64_t kLargeBlock = 512;

std::int64_t padded(std::int64_t rows) {
  return (rows + kSmallBlock - 1) / kSmallBlock * kSmallBlock;
}

enum class Kind { Output, InputGradient, WeightGradient };

/// The product of a layer, or of one of its gradients, over a block of `rows` rows.
class Product {
 public:
  Product(Kind kind, std::int64_t rows, std::int64_t in, std::int64_t out)
      : has_bias_(kind == Kind::Output),
        description_(describe(kind, rows, in, out)),
        primitive_(description_) {}

  /// Safe on several threads: the scratchpad is the caller's.
  void run(const void* source, const void* weights, const float* bias, float* to) const {
    const auto pad = description_.scratchpad_desc();
    const at::Tensor scratch = at::empty({static_cast<std::int64_t>(pad.get_size())}, at::kByte);
    std::unordered_map<int, memory> arguments{
        {DNNL_ARG_SRC, view(description_.src_desc(), source)},
        {DNNL_ARG_WEIGHTS, view(description_.weights_desc(), weights)},
        {DNNL_ARG_DST, view(description_.dst_desc(), to)},
        {DNNL_ARG_SCRATCHPAD, view(pad, scratch.data_ptr())}};
    if (has_bias_) arguments.emplace(DNNL_ARG_BIAS, view(bias_of(description_), bias));
    translated([&] {
      dnnl::stream stream(engine());
      primitive_.execute(stream, arguments);
      stream.wait();
    });
  }

 private:
  static memory view(const memory::desc& description, const void* data) {
    return memory(description, engine(), const_cast<void*>(data));
  }

  static memory::desc bias_of(const dnnl::matmul::primitive_desc& description) {
    return memory::desc({1, description.dst_desc().dims()[1]}, Type::f32, Layout::ab);
  }

  static dnnl::matmul::primitive_desc describe(Kind kind, std::int64_t rows, std::int64_t in,
                                               std::int64_t out) {
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    const auto bf16 = [](std::int64_t height, std::int64_t width, Layout layout) {
      return memory::desc({height, width}, Type::bf16, layout);
    };
    const auto f32 = [](std::int64_t height, std::int64_t width) {
      return memory::desc({height, width}, Type::f32, Layout::ab);
    };
    if (kind == Kind::Output)
      return {{bf16(rows, in, Layout::ab), bf16(in, out, Layout::ba), f32(1, out), f32(rows, out)},
              attributes,
              engine()};
    if (kind == Kind::InputGradient)
      return {{bf16(rows, out, Layout::ab), bf16(out, in, Layout::ab), f32(rows, in)},
              attributes,
              engine()};
    // Blocks of rows are added up.
    dnnl::post_ops sum;
    sum.append_sum(1.0F);
    attributes.set_post_ops(sum);
    return {{bf16(out, rows, Layout::ba), bf16(rows, in, Layout::ab), f32(out, in)},
            attributes,
            engine()};
  }

  bool has_bias_;
  dnnl::matmul::primitive_desc description_;
  dnnl::matmul primitive_;
};

/// The primitive for a shape, made by the first who asks for it, kept to the end, and never two at
/// once: what oneDNN 2.6 makes may be broken while another thread drops entries of its cache.
const Product& product(Kind kind, std::int64_t rows, std::int64_t in, std::int64_t out) {
  using Shape = std::tuple<Kind, std::int64_t, std::int64_t, std::int64_t>;
  static std::mutex mutex;
  static std::map<Shape, Product> made;
  const Shape shape{kind, rows, in, out};
  const std::scoped_lock lock(mutex);
  const auto found = made.find(shape);
  if (found != made.end()) return found->second;
  translated([&] { made.try_emplace(shape, kind, rows, in, out); });
  return made.at(shape);
}

/// Calls body(first, block) for the blocks of `rows` rows, a multiple of the small block.
template <typename Body>
void for_each_block(std::int64_t rows, const Body& body) {
  for (std::int64_t first = 0; first < rows;) {
    const std::int64_t block = rows - first >= kLargeBlock ? kLargeBlock : kSmallBlock;
    body(first, block);
    first += block;
  }
}

/// In bf16, with rows of zeros up to whole blocks.
at::Tensor in_blocks(const at::Tensor& given) {
  const std::int64_t rows = given.size(0), whole = padded(rows);
  at::Tensor result = at::empty({whole, given.size(1)}, given.options().dtype(at::kBFloat16));
  result.narrow(0, 0, rows).copy_(given);
  result.narrow(0, rows, whole - rows).zero_();
  return result;
}

/// Products of the blocks of `source` with the weights: f32 [rows, width], without the padding.
at::Tensor by_rows(Kind kind, const at::Tensor& source, const at::Tensor& weight, const float* bias,
                   std::int64_t rows) {
  const std::int64_t in = weight.size(1), out = weight.size(0);
  const std::int64_t width = kind == Kind::Output ? out : in;
  at::Tensor result = at::empty({rows, width}, source.options().dtype(at::kFloat));
  at::Tensor last;
  for_each_block(source.size(0), [&](std::int64_t first, std::int64_t block) {
    const auto* from = source.data_ptr<at::BFloat16>() + first * source.size(1);
    float* place = result.data_ptr<float>() + first * width;
    const bool whole = first + block <= rows;
    if (!whole) last = at::empty({block, width}, result.options());
    float* to = whole ? place : last.data_ptr<float>();
    product(kind, block, in, out).run(from, weight.data_ptr(), bias, to);
    if (!whole)
      std::memcpy(place, to, static_cast<std::size_t>((rows - first) * width) * sizeof(float));
  });
  return result;
}

/// gradient^T x, both in blocks: f32 [out, in].
at::Tensor weight_gradient(const at::Tensor& gradient, const at::Tensor& x) {
  const std::int64_t in = x.size(1), out = gradient.size(1);
  at::Tensor result = at::zeros({out, in}, x.options().dtype(at::kFloat));
  for_each_block(x.size(0), [&](std::int64_t first, std::int64_t block) {
    product(Kind::WeightGradient, block, in, out)
        .run(gradient.data_ptr<at::BFloat16>() + first * out,
             x.data_ptr<at::BFloat16>() + first * in, nullptr, result.data_ptr<float>());
  });
  return result;
}

class Bf16Linear : public torch::autograd::Function<Bf16Linear> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& given,
                            const at::Tensor& weight, const at::Tensor& bias) {
    const at::Tensor x = in_blocks(given), w = weight.contiguous();
    const at::Tensor b = bias.defined() ? bias.to(at::kFloat).contiguous()
                                        : at::zeros({w.size(0)}, at::TensorOptions(at::kFloat));
    context->save_for_backward({x, w});
    context->saved_data["rows"] = given.size(0);
    context->saved_data["by_x"] = given.requires_grad();
    context->saved_data["by_weight"] = weight.requires_grad();
    context->saved_data["by_bias"] = bias.defined() && bias.requires_grad();
    return by_rows(Kind::Output, x, w, b.data_ptr<float>(), given.size(0));
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &w = saved[1];
    const at::Tensor gradient = in_blocks(gradients[0]);
    variable_list result(3);
    if (context->saved_data["by_x"].toBool())
      result[0] =
          by_rows(Kind::InputGradient, gradient, w, nullptr, context->saved_data["rows"].toInt());
    if (context->saved_data["by_weight"].toBool()) result[1] = weight_gradient(gradient, x);
    if (context->saved_data["by_bias"].toBool()) result[2] = gradients[0].sum(0);
    return result;
  }
};

/// Whether oneDNN multiplies bf16 on this CPU.
bool has_bf16() {
  static const bool has = [] {
    try {
      product(Kind::Output, kSmallBlock, 16, 16);
      product(Kind::InputGradient, kSmallBlock, 16, 16);
      product(Kind::WeightGradient, kSmallBlock, 16, 16);
      return true;
    } catch (const dnnl::error&) {
      return false;
    }
  }();
  return has;
}

}  // namespace

at::Tensor linear_with(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  if (weight.scalar_type() != at::kBFloat16) return at::linear(x, weight, bias);
  if (has_bf16()) return Bf16Linear::apply(x, weight, bias);
  // A product of two bf16 numbers is an f32 number, so this differs in the order of sums alone.
  return plain_linear(x, weight, bias);
}

at::Tensor plain_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  if (weight.scalar_type() != at::kBFloat16) return at::linear(x, weight, bias);
  // GPUs multiply bf16 with sums in f32, which they then round once.
  if (!x.is_cpu()) return at::linear(x.to(at::kBFloat16), weight, bias).to(at::kFloat);
  return at::linear(x.to(at::kBFloat16).to(at::kFloat), weight.to(at::kFloat),
                    bias.defined() ? bias.to(at::kFloat) : bias);
}

}  // namespace aceso::train
