#include "attention.hpp"

#include "attention_kernels.hpp"
#include "tensors.hpp"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/variable.h>

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <vector>

namespace aceso::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Shape of one call.
struct Layout {
  std::int64_t tokens, heads, size;  ///< size: of a head

  Layout(const at::Tensor& rows, std::int64_t parts, std::int64_t the_heads)
      : tokens(rows.size(0)), heads(the_heads), size(rows.size(1) / parts / the_heads) {}
  std::int64_t hidden() const { return heads * size; }
  /// Of a head's rows with their padding.
  std::int64_t width() const { return (size + kHeadPadding - 1) / kHeadPadding * kHeadPadding; }
};

/// Turns the halves of a head's vector against each other; `direction` -1 turns back.
void turn(const float* from, const float* angles, std::int64_t size, float direction, float scale,
          float* to) {
  const std::int64_t half = size / 2;
  const float* cosine = angles;
  const float* sine = angles + half;
  for (std::int64_t i = 0; i < half; ++i) {
    const float one = from[i] * scale, two = from[i + half] * scale;
    to[i] = one * cosine[i] - direction * two * sine[i];
    to[i + half] = two * cosine[i] + direction * one * sine[i];
  }
}

void scaled(const float* from, std::int64_t size, float scale, float* to) {
  for (std::int64_t i = 0; i < size; ++i) to[i] = from[i] * scale;
}

/// The place of each token in its sequence.
std::vector<std::int32_t> places(const at::Tensor& offsets) {
  const auto* offset = offsets.data_ptr<std::int32_t>();
  std::vector<std::int32_t> result;
  for (std::int64_t s = 0; s + 1 < offsets.numel(); ++s)
    for (std::int32_t i = offset[s]; i < offset[s + 1]; ++i) result.push_back(i - offset[s]);
  return result;
}

/// Part `part` of `parts` of each row as [heads, tokens, width], turned by its place's angles,
/// zeros in the padding.
at::Tensor split(const at::Tensor& rows, std::int64_t part, std::int64_t parts,
                 const Layout& layout, const float* angles, const std::vector<std::int32_t>& places,
                 float scale) {
  at::Tensor result = at::zeros({layout.heads, layout.tokens, layout.width()}, rows.options());
  const float* from = rows.data_ptr<float>() + part * layout.hidden();
  float* to = result.data_ptr<float>();
  for (std::int64_t t = 0; t < layout.tokens; ++t) {
    const float* row = from + t * parts * layout.hidden();
    for (std::int64_t h = 0; h < layout.heads; ++h) {
      float* place = to + (h * layout.tokens + t) * layout.width();
      if (angles != nullptr)
        turn(row + h * layout.size, angles + places[static_cast<std::size_t>(t)] * layout.size,
             layout.size, 1.0F, scale, place);
      else
        scaled(row + h * layout.size, layout.size, scale, place);
    }
  }
  return result;
}

/// The reverse of split(): `heads` [heads, tokens, width] into part `part` of each row.
void merge(const at::Tensor& heads, std::int64_t part, std::int64_t parts, const Layout& layout,
           const float* angles, const std::vector<std::int32_t>& places, float scale,
           at::Tensor& rows) {
  float* to = rows.data_ptr<float>() + part * layout.hidden();
  const float* from = heads.data_ptr<float>();
  for (std::int64_t t = 0; t < layout.tokens; ++t) {
    float* row = to + t * parts * layout.hidden();
    for (std::int64_t h = 0; h < layout.heads; ++h) {
      const float* place = from + (h * layout.tokens + t) * layout.width();
      if (angles != nullptr)
        turn(place, angles + places[static_cast<std::size_t>(t)] * layout.size, layout.size, -1.0F,
             scale, row + h * layout.size);
      else
        scaled(place, layout.size, scale, row + h * layout.size);
    }
  }
}

/// Columns of [length, width], padded with zeros.
void transpose(const float* rows, std::int64_t length, std::int64_t width, std::int64_t columns,
               std::vector<float>& to) {
  to.assign(static_cast<std::size_t>(width * columns), 0.0F);
  for (std::int64_t j = 0; j < length; ++j)
    for (std::int64_t c = 0; c < width; ++c)
      to[static_cast<std::size_t>(c * columns + j)] = rows[j * width + c];
}

/// Walks over the heads of all sequences.
class Heads {
 public:
  Heads(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& offsets,
        bool causal)
      : q_(q), k_(k), v_(v), offsets_(offsets), causal_(causal) {}

  /// Calls body(view, at, row, workspace): `at` is where the head's rows begin in [heads, tokens,
  /// width], `row` where they begin in [heads, tokens].
  template <typename Body>
  void for_each(bool value_columns, const Body& body) {
    const std::int64_t tokens = q_.size(1), width = q_.size(2);
    const auto* offset = offsets_.data_ptr<std::int32_t>();
    for (std::int64_t s = 0; s + 1 < offsets_.numel(); ++s) {
      const std::int64_t length = offset[s + 1] - offset[s];
      const std::int64_t columns = (length + 15) / 16 * 16;
      workspace_.resize(static_cast<std::size_t>(attention_workspace(columns)));
      for (std::int64_t h = 0; h < q_.size(0) && length > 0; ++h) {
        const std::int64_t row = h * tokens + offset[s], at = row * width;
        const float* k = k_.data_ptr<float>() + at;
        const float* v = v_.data_ptr<float>() + at;
        transpose(k, length, width, columns, k_columns_);
        if (value_columns) transpose(v, length, width, columns, v_columns_);
        const HeadView view{
            length, width, columns,           causal_,          q_.data_ptr<float>() + at,
            k,      v,     k_columns_.data(), v_columns_.data()};
        body(view, at, row, workspace_.data());
      }
    }
  }

 private:
  const at::Tensor &q_, &k_, &v_, &offsets_;
  bool causal_;
  std::vector<float> k_columns_, v_columns_, workspace_;
};

class PackedAttention : public torch::autograd::Function<PackedAttention> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& given,
                            const at::Tensor& offsets, const at::Tensor& rotary, std::int64_t heads,
                            bool causal) {
    const at::Tensor qkv = given.to(at::kFloat).contiguous();
    const Layout layout(qkv, 3, heads);
    const std::vector<std::int32_t> place = places(offsets);
    const float* angles = rotary.numel() > 0 ? rotary.data_ptr<float>() : nullptr;
    const float scale = 1.0F / std::sqrt(static_cast<float>(layout.size));
    const at::Tensor q = split(qkv, 0, 3, layout, angles, place, scale);
    const at::Tensor k = split(qkv, 1, 3, layout, angles, place, 1.0F);
    const at::Tensor v = split(qkv, 2, 3, layout, nullptr, place, 1.0F);

    const at::Tensor mixed = at::empty_like(q);
    const at::Tensor log_sums = at::empty({heads, layout.tokens}, q.options());
    Heads(q, k, v, offsets, causal)
        .for_each(false, [&](const HeadView& view, std::int64_t at, std::int64_t row, float* work) {
          best_attention().attend(view, mixed.data_ptr<float>() + at,
                                  log_sums.data_ptr<float>() + row, work);
        });
    context->save_for_backward({q, k, v, offsets, rotary, mixed, log_sums});
    context->saved_data["heads"] = heads;
    context->saved_data["causal"] = causal;
    at::Tensor result = at::empty({layout.tokens, layout.hidden()}, qkv.options());
    merge(mixed, 0, 1, layout, nullptr, place, 1.0F, result);
    return result.to(given.scalar_type());
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &q = saved[0], &k = saved[1], &v = saved[2], &offsets = saved[3],
                     &rotary = saved[4], &mixed = saved[5], &log_sums = saved[6];
    const bool causal = context->saved_data["causal"].toBool();
    const at::Tensor given = gradients[0].to(at::kFloat).contiguous();
    const Layout layout(given, 1, context->saved_data["heads"].toInt());
    const std::vector<std::int32_t> place = places(offsets);
    const at::Tensor out = split(given, 0, 1, layout, nullptr, place, 1.0F);

    const at::Tensor dq = at::empty_like(q), dk = at::zeros_like(k), dv = at::zeros_like(v);
    Heads(q, k, v, offsets, causal)
        .for_each(true, [&](const HeadView& view, std::int64_t at, std::int64_t row, float* work) {
          best_attention().backward(view, mixed.data_ptr<float>() + at,
                                    log_sums.data_ptr<float>() + row, out.data_ptr<float>() + at,
                                    dq.data_ptr<float>() + at, dk.data_ptr<float>() + at,
                                    dv.data_ptr<float>() + at, work);
        });
    const float* angles = rotary.numel() > 0 ? rotary.data_ptr<float>() : nullptr;
    const float scale = 1.0F / std::sqrt(static_cast<float>(layout.size));
    at::Tensor result = at::empty({layout.tokens, 3 * layout.hidden()}, given.options());
    merge(dq, 0, 3, layout, angles, place, scale, result);
    merge(dk, 1, 3, layout, angles, place, 1.0F, result);
    merge(dv, 2, 3, layout, nullptr, place, 1.0F, result);
    return {result.to(gradients[0].scalar_type()), at::Tensor(), at::Tensor(), at::Tensor(),
            at::Tensor()};
  }
};

}  // namespace

at::Tensor packed_attention(const at::Tensor& qkv, const at::Tensor& offsets,
                            const at::Tensor& rotary, std::int64_t heads, bool causal) {
  if (Layout(qkv, 3, heads).width() > kWidestHead)
    throw Mistake("a head is too wide to be trained");
  return PackedAttention::apply(qkv, offsets, rotary, heads, causal);
}

at::Tensor rotary_table(std::int64_t positions, std::int64_t head_size) {
  const std::int64_t half = head_size / 2;
  at::Tensor table = at::empty({positions, 2, half}, at::kFloat);
  float* to = table.data_ptr<float>();
  for (std::int64_t p = 0; p < positions; ++p) {
    for (std::int64_t i = 0; i < half; ++i) {
      const float frequency =
          1.0F / std::pow(10000.0F, static_cast<float>(i) / static_cast<float>(half));
      const float angle = static_cast<float>(p) * frequency;
      to[p * head_size + i] = std::cos(angle);
      to[p * head_size + half + i] = std::sin(angle);
    }
  }
  return table;
}

}  // namespace aceso::train
