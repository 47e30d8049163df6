#include "matmul.hpp"

#include "aceso/core/error.hpp"

#include <dnnl.hpp>

#include <array>
#include <cstddef>
#include <cstring>
#include <vector>

// Of libgomp, on which oneDNN runs; its header is not at every compiler's hand.
extern "C" void omp_set_num_threads(int);
extern "C" int omp_get_max_threads();

namespace aceso::nn {
namespace {

using dnnl::memory;
using Type = memory::data_type;
using Layout = memory::format_tag;

const dnnl::engine& engine() {
  static const dnnl::engine the_engine(dnnl::engine::kind::cpu, 0);
  return the_engine;
}

/// Keeps oneDNN on the caller's thread: the platform's threads work on different batches.
class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) {
    if (before_ != 1) omp_set_num_threads(1);
  }
  ~OneThread() {
    if (before_ != 1) omp_set_num_threads(before_);
  }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

/// Memory that oneDNN may use while it works; one piece a thread, as large as was ever wanted.
void* scratchpad(std::size_t bytes) {
  thread_local Buffer buffer;
  if (buffer.size() < bytes) buffer = Buffer(bytes);
  return buffer.data();
}

template <typename Action>
auto translated(Action&& action) {
  try {
    return action();
  } catch (const dnnl::error& error) {
    fail(error.status == dnnl_out_of_memory ? Errc::OutOfResources : Errc::Unsupported,
         "matrix product: oneDNN says: {}", error.what());
  }
}

}  // namespace

struct Linear::Impl {
  struct Product {
    dnnl::matmul::primitive_desc description;
    dnnl::matmul primitive;
  };

  std::int64_t in = 0, out = 0;
  Type type = Type::f32;
  Result result = Result::Same;
  memory weight, bias;
  Product small, large;

  [[nodiscard]] Type result_type() const { return result == Result::Added ? Type::f32 : type; }

  [[nodiscard]] Product product(std::int64_t rows, const memory::desc& weights) const {
    const memory::desc x({rows, in}, type, Layout::ab);
    const memory::desc y({rows, out}, result_type(), Layout::ab);
    const memory::desc b({1, out}, Type::f32, Layout::ab);
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    if (result == Result::Added) {
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
    memory scratch(pad, engine(), scratchpad(pad.get_size()));
    p.primitive.execute(stream, {{DNNL_ARG_SRC, source},
                                 {DNNL_ARG_WEIGHTS, weight},
                                 {DNNL_ARG_BIAS, bias},
                                 {DNNL_ARG_DST, target},
                                 {DNNL_ARG_SCRATCHPAD, scratch}});
    stream.wait();
  }
};

Linear::Linear(const float* weight, const float* bias, std::int64_t out, std::int64_t in,
               Precision precision, Result result) {
  const OneThread guard;
  impl_ = translated([&] {
    auto impl = std::make_shared<Impl>();
    impl->in = in;
    impl->out = out;
    impl->type = precision == Precision::Bf16 ? Type::bf16 : Type::f32;
    impl->result = result;
    impl->large = impl->product(kLargeBlock, memory::desc({in, out}, impl->type, Layout::any));
    const memory::desc layout = impl->large.description.weights_desc();
    impl->small = impl->product(kSmallBlock, layout);

    memory plain(memory::desc({in, out}, Type::f32, Layout::ba), engine(),
                 const_cast<float*>(weight));
    impl->weight = memory(layout, engine());
    dnnl::stream stream(engine());
    dnnl::reorder(plain, impl->weight).execute(stream, plain, impl->weight);
    stream.wait();
    impl->bias = memory(memory::desc({1, out}, Type::f32, Layout::ab), engine());
    const auto bytes = static_cast<std::size_t>(out) * sizeof(float);
    if (bias != nullptr)
      std::memcpy(impl->bias.get_data_handle(), bias, bytes);
    else
      std::memset(impl->bias.get_data_handle(), 0, bytes);
    return impl;
  });
}

void Linear::apply(const void* x, void* y, std::int64_t rows) const {
  const OneThread guard;
  const auto x_row = static_cast<std::size_t>(impl_->in) * memory::data_type_size(impl_->type);
  const auto y_row =
      static_cast<std::size_t>(impl_->out) * memory::data_type_size(impl_->result_type());
  const auto* from = static_cast<const std::byte*>(x);
  auto* to = static_cast<std::byte*>(y);
  translated([&] {
    for (std::int64_t done = 0; done < rows;) {
      const bool many = rows - done >= kLargeBlock;
      const auto offset = static_cast<std::size_t>(done);
      impl_->run(many ? impl_->large : impl_->small, from + offset * x_row, to + offset * y_row);
      done += many ? kLargeBlock : kSmallBlock;
    }
  });
}

}  // namespace aceso::nn
