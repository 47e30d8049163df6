#include "attention.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>
// Since PyTorch 2: one operator, with fast kernels on a GPU.
#if __has_include(<ATen/ops/scaled_dot_product_attention.h>)
#define ACESO_FUSED_ATTENTION
#include <ATen/ops/scaled_dot_product_attention.h>
#endif

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace aceso::train {
namespace {

/// Sequences of about one length, padded to the longest.
struct Group {
  std::vector<std::int64_t> sequences;  ///< the longest first
  std::int64_t length = 0;
};

/// Groups with at most a quarter of padding; few, as each costs the same number of kernels.
std::vector<Group> groups_of(const std::int32_t* offsets, std::int64_t sequences) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(sequences));
  std::iota(order.begin(), order.end(), 0);
  const auto length = [&](std::int64_t s) -> std::int64_t { return offsets[s + 1] - offsets[s]; };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return length(a) > length(b); });
  std::vector<Group> groups;
  std::int64_t tokens = 0;  // of the last group
  for (const std::int64_t s : order) {
    if (length(s) == 0) break;
    const bool fits =
        !groups.empty() && 4 * (tokens + length(s)) >=
                               3 * groups.back().length *
                                   static_cast<std::int64_t>(groups.back().sequences.size() + 1);
    if (!fits) {
      groups.push_back({{}, length(s)});
      tokens = 0;
    }
    groups.back().sequences.push_back(s);
    tokens += length(s);
  }
  return groups;
}

/// Where a group's places, [sequence][position], are among the packed rows, and which are padding.
struct Places {
  at::Tensor rows;     ///< i64 [sequences * length]; the first row stands for padding
  at::Tensor present;  ///< bool [sequences, 1, 1, length]
  bool padded = false;
};

/// Also notes in `back` at which of all groups' places, counted from `first`, each packed row is.
Places places_of(const Group& group, const std::int32_t* offsets, std::int64_t first,
                 std::int64_t* back) {
  const auto sequences = static_cast<std::int64_t>(group.sequences.size());
  Places places{at::zeros({sequences * group.length}, at::kLong),
                at::zeros({sequences, 1, 1, group.length}, at::kBool)};
  auto* row = places.rows.data_ptr<std::int64_t>();
  auto* present = places.present.data_ptr<bool>();
  for (std::int64_t i = 0; i < sequences; ++i) {
    const std::int64_t s = group.sequences[static_cast<std::size_t>(i)];
    const std::int64_t length = offsets[s + 1] - offsets[s];
    places.padded = places.padded || length < group.length;
    for (std::int64_t t = 0; t < length; ++t) {
      const std::int64_t place = i * group.length + t;
      row[place] = offsets[s] + t;
      present[place] = true;
      back[offsets[s] + t] = first + place;
    }
  }
  return places;
}

/// Turns the halves of [sequences, heads, length, size] by the angles of their places.
at::Tensor turned(const at::Tensor& x, const at::Tensor& rotary) {
  if (rotary.numel() == 0) return x;
  const std::int64_t length = x.size(2), half = x.size(3) / 2;
  const at::Tensor angles = rotary.narrow(0, 0, length);
  const at::Tensor cosine = angles.select(1, 0), sine = angles.select(1, 1);
  const at::Tensor one = x.narrow(3, 0, half), two = x.narrow(3, half, half);
  return at::cat({one * cosine - two * sine, two * cosine + one * sine}, 3).to(x.scalar_type());
}

/// softmax(Q K^T / sqrt(d)) V where `seen` (bool, undefined: everywhere).
at::Tensor mixed(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                 const at::Tensor& seen) {
#if defined(ACESO_FUSED_ATTENTION)
  return at::scaled_dot_product_attention(
      q, k, v, seen.defined() ? std::optional<at::Tensor>(seen) : std::nullopt);
#else
  const double scale = 1 / std::sqrt(static_cast<double>(q.size(3)));
  at::Tensor scores = at::matmul(q.to(at::kFloat), k.to(at::kFloat).transpose(2, 3)) * scale;
  if (seen.defined())
    scores = scores.masked_fill(seen.logical_not(), -std::numeric_limits<float>::infinity());
  return at::matmul(at::softmax(scores, -1), v.to(at::kFloat)).to(v.scalar_type());
#endif
}

/// [places, 3 * hidden] of padded sequences to [places, hidden].
at::Tensor attend(const at::Tensor& rows, const Group& group, const at::Tensor& rotary,
                  std::int64_t heads, const at::Tensor& seen) {
  const std::int64_t hidden = rows.size(1) / 3;
  const auto sequences = static_cast<std::int64_t>(group.sequences.size());
  const at::Tensor parts =
      rows.view({sequences, group.length, 3, heads, hidden / heads}).permute({2, 0, 3, 1, 4});
  const at::Tensor result = mixed(turned(parts.select(0, 0), rotary),
                                  turned(parts.select(0, 1), rotary), parts.select(0, 2), seen);
  return result.transpose(1, 2).reshape({sequences * group.length, hidden});
}

/// Which keys a query may look at: those of its sequence, up to itself if causal.
at::Tensor seen_of(const Places& places, std::int64_t length, bool causal, at::Device device) {
  if (!causal && !places.padded) return {};
  const at::Tensor present = places.present.to(device);
  if (!causal) return present;
  return present.logical_and(at::ones({length, length}, present.options()).tril());
}

}  // namespace

at::Tensor plain_attention(const at::Tensor& qkv, const at::Tensor& offsets,
                           const at::Tensor& rotary, std::int64_t heads, bool causal) {
  const auto* offset = offsets.data_ptr<std::int32_t>();
  at::Tensor back = at::empty({qkv.size(0)}, at::kLong);
  std::vector<at::Tensor> results;
  std::int64_t first = 0;
  for (const Group& group : groups_of(offset, offsets.numel() - 1)) {
    const Places places = places_of(group, offset, first, back.data_ptr<std::int64_t>());
    first += places.rows.numel();
    results.push_back(attend(qkv.index_select(0, places.rows.to(qkv.device())), group, rotary,
                             heads, seen_of(places, group.length, causal, qkv.device())));
  }
  return at::cat(results).index_select(0, back.to(qkv.device()));
}

}  // namespace aceso::train
