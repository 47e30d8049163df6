#include "linear_engine.hpp"
#include "onednn.hpp"

#include <array>
#include <cstddef>
#include <cstring>
#include <vector>

namespace aceso::nn {
namespace {

using dnnl::memory;
using onednn::engine;
using onednn::OneThread;
using Type = memory::data_type;
using Layout = memory::format_tag;

constexpr const char* kWhat = "matrix product";

// Two sizes of blocks, whatever the number of rows, so that a row's result does not depend on it.
constexpr std::int64_t kSmallBlock = 64;
constexpr std::int64_t kLargeBlock = 512;

struct Products {
  struct Product {
    dnnl::matmul::primitive_desc description;
    dnnl::matmul primitive;
  };

  std::int64_t in = 0, out = 0;
  Type type = Type::f32;
  Linear::Result result = Linear::Result::Same;
  memory weight, bias;
  Product small, large;

  [[nodiscard]] Type result_type() const {
    return result == Linear::Result::Added ? Type::f32 : type;
  }

  [[nodiscard]] Product product(std::int64_t rows, const memory::desc& weights) const {
    const memory::desc x({rows, in}, type, Layout::ab);
    const memory::desc y({rows, out}, result_type(), Layout::ab);
    const memory::desc b({1, out}, Type::f32, Layout::ab);
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    if (result == Linear::Result::Added) {
      dnnl::post_ops sum;
      sum.append_sum(1.0F);
      attributes.set_post_ops(sum);
    }
    const dnnl::matmul::desc operation(x, weights, b, y);
    const dnnl::matmul::primitive_desc description(operation, attributes, engine());
    return {description, dnnl::matmul(description)};
  }

  void run(const Product& p, const std::byte* x, std::byte* y) const {
    const auto pad = p.description.scratchpad_desc();
    dnnl::stream stream(engine());
    memory source(p.description.src_desc(), engine(), const_cast<std::byte*>(x));
    memory target(p.description.dst_desc(), engine(), y);
    memory scratch(pad, engine(), thread_scratch(pad.get_size()));
    p.primitive.execute(stream, {{DNNL_ARG_SRC, source},
                                 {DNNL_ARG_WEIGHTS, weight},
                                 {DNNL_ARG_BIAS, bias},
                                 {DNNL_ARG_DST, target},
                                 {DNNL_ARG_SCRATCHPAD, scratch}});
    stream.wait();
  }
};

class OneDnnLinear final : public LinearEngine {
 public:
  OneDnnLinear(const LinearWeights& weights, Precision precision, Linear::Result result) {
    const OneThread guard;
    const auto lock = onednn::making();
    onednn::translated(kWhat, [&] {
      products_.in = weights.in;
      products_.out = weights.out;
      products_.type = precision == Precision::Bf16 ? Type::bf16 : Type::f32;
      products_.result = result;
      products_.large = products_.product(
          kLargeBlock, memory::desc({weights.in, weights.out}, products_.type, Layout::any));
      const memory::desc layout = products_.large.description.weights_desc();
      products_.small = products_.product(kSmallBlock, layout);
      lay_out(weights, layout);
    });
  }

  void apply(const void* x, void* y, std::int64_t rows) const override {
    const OneThread guard;
    const auto x_row =
        static_cast<std::size_t>(products_.in) * memory::data_type_size(products_.type);
    const auto y_row =
        static_cast<std::size_t>(products_.out) * memory::data_type_size(products_.result_type());
    const auto* from = static_cast<const std::byte*>(x);
    auto* to = static_cast<std::byte*>(y);
    onednn::translated(kWhat, [&] {
      for (std::int64_t done = 0; done < rows;) {
        const bool many = rows - done >= kLargeBlock;
        const std::int64_t block = many ? kLargeBlock : kSmallBlock;
        const auto offset = static_cast<std::size_t>(done);
        products_.run(many ? products_.large : products_.small, from + offset * x_row,
                      to + offset * y_row);
        if (products_.result == Linear::Result::Gelu)
          activate(to + offset * y_row, block * products_.out);
        done += block;
      }
    });
  }

 private:
  void lay_out(const LinearWeights& weights, const memory::desc& layout) {
    memory plain(memory::desc({weights.in, weights.out}, Type::f32, Layout::ba), engine(),
                 const_cast<float*>(weights.weight));
    products_.weight = memory(layout, engine());
    dnnl::stream stream(engine());
    dnnl::reorder(plain, products_.weight).execute(stream, plain, products_.weight);
    stream.wait();
    products_.bias = memory(memory::desc({1, weights.out}, Type::f32, Layout::ab), engine());
    const auto bytes = static_cast<std::size_t>(weights.out) * sizeof(float);
    if (weights.bias != nullptr)
      std::memcpy(products_.bias.get_data_handle(), weights.bias, bytes);
    else
      std::memset(products_.bias.get_data_handle(), 0, bytes);
  }

  void activate(std::byte* y, std::int64_t count) const {
    if (products_.type == Type::bf16)
      kernels::best().gelu_bf16(reinterpret_cast<kernels::Bf16*>(y), count);
    else
      kernels::best().gelu(reinterpret_cast<float*>(y), count);
  }

  Products products_;
};

}  // namespace

std::shared_ptr<const LinearEngine> onednn_linear(const LinearWeights& weights, Precision precision,
                                                  Linear::Result result) {
  return std::make_shared<const OneDnnLinear>(weights, precision, result);
}

bool onednn_has_bf16_tiles() {
  static const bool has = [] {
    const dnnl::cpu_isa isa = dnnl::get_effective_cpu_isa();
    return isa == dnnl::cpu_isa::avx512_core_amx;
  }();
  return has;
}

}  // namespace aceso::nn
