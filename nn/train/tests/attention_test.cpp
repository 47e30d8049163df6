#include "attention_kernels.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace aceso::train {
namespace {

using Floats = std::vector<float>;
using Doubles = std::vector<double>;

std::vector<const AttentionKernels*> kernels_here() {
  std::vector<const AttentionKernels*> all{&kPortableAttention};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    all.push_back(&kAvx2Attention);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"))
    all.push_back(&kAvx512Attention);
#endif
  return all;
}

/// A head of random numbers whose last rows of padding are zero.
struct Case {
  std::int64_t length, size, width, columns;
  bool causal;
  Floats q, k, v, gradient, k_columns, v_columns;

  Case(std::int64_t the_length, std::int64_t the_size, bool is_causal)
      : length(the_length),
        size(the_size),
        width((the_size + 15) / 16 * 16),
        columns((the_length + 15) / 16 * 16),
        causal(is_causal) {
    std::mt19937 random(static_cast<unsigned>(length * 100 + size));
    std::normal_distribution<float> normal;
    for (Floats* matrix : {&q, &k, &v, &gradient}) {
      matrix->assign(static_cast<std::size_t>(length * width), 0.0F);
      for (std::int64_t i = 0; i < length; ++i)
        for (std::int64_t c = 0; c < size; ++c) (*matrix)[i * width + c] = normal(random);
    }
    k_columns = turned(k);
    v_columns = turned(v);
  }

  [[nodiscard]] Floats turned(const Floats& rows) const {
    Floats result(static_cast<std::size_t>(width * columns));
    for (std::int64_t i = 0; i < length; ++i)
      for (std::int64_t c = 0; c < width; ++c) result[c * columns + i] = rows[i * width + c];
    return result;
  }
  [[nodiscard]] HeadView view() const {
    return {length,   width,    columns,          causal,          q.data(),
            k.data(), v.data(), k_columns.data(), v_columns.data()};
  }
};

/// The formulas, in double precision.
struct Reference {
  Doubles out, dq, dk, dv;

  explicit Reference(const Case& c) {
    const auto n = static_cast<std::size_t>(c.length * c.width);
    out.assign(n, 0);
    dq = dk = dv = out;
    for (std::int64_t i = 0; i < c.length; ++i) {
      const std::int64_t keys = c.causal ? i + 1 : c.length;
      Doubles p(keys), dp(keys);
      double sum = 0, along = 0;
      for (std::int64_t j = 0; j < keys; ++j) {
        double score = 0;
        for (std::int64_t d = 0; d < c.width; ++d)
          score += static_cast<double>(c.q[i * c.width + d]) * c.k[j * c.width + d];
        sum += p[j] = std::exp(score);
      }
      for (std::int64_t j = 0; j < keys; ++j) {
        p[j] /= sum;
        for (std::int64_t d = 0; d < c.width; ++d) {
          out[i * c.width + d] += p[j] * c.v[j * c.width + d];
          dp[j] += static_cast<double>(c.gradient[i * c.width + d]) * c.v[j * c.width + d];
          dv[j * c.width + d] += p[j] * c.gradient[i * c.width + d];
        }
        along += p[j] * dp[j];
      }
      for (std::int64_t j = 0; j < keys; ++j) {
        const double slope = p[j] * (dp[j] - along);
        for (std::int64_t d = 0; d < c.width; ++d) {
          dq[i * c.width + d] += slope * c.k[j * c.width + d];
          dk[j * c.width + d] += slope * c.q[i * c.width + d];
        }
      }
    }
  }
};

void expect_near(const Floats& found, const Doubles& expected, const std::string& what) {
  double largest = 1, difference = 0;
  for (const double value : expected) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < expected.size(); ++i)
    difference = std::max(difference, std::abs(found[i] - expected[i]));
  EXPECT_LT(difference, 1e-5 * largest) << what;
}

TEST(AttentionKernels, EveryKernelGivesTheFormulasAndTheirGradients) {
  for (const AttentionKernels* kernels : kernels_here()) {
    for (const bool causal : {false, true}) {
      for (const std::int64_t length : {1, 7, 8, 15, 16, 17, 33, 70}) {
        for (const std::int64_t size : {2, 16, 20, 48}) {
          const Case c(length, size, causal);
          const Reference expected(c);
          Floats out(c.q.size()), log_sums(length), dq(c.q.size()), dk(c.q.size()), dv(c.q.size()),
              work(attention_workspace(c.columns));
          kernels->attend(c.view(), out.data(), log_sums.data(), work.data());
          kernels->backward(c.view(), out.data(), log_sums.data(), c.gradient.data(), dq.data(),
                            dk.data(), dv.data(), work.data());
          const std::string what = std::string(kernels->name) + ", length " +
                                   std::to_string(length) + ", head " + std::to_string(size) +
                                   (causal ? ", causal" : "");
          expect_near(out, expected.out, what + ": out");
          expect_near(dq, expected.dq, what + ": dq");
          expect_near(dk, expected.dk, what + ": dk");
          expect_near(dv, expected.dv, what + ": dv");
        }
      }
    }
  }
}

TEST(AttentionKernels, TheBestRunsHere) {
  const auto all = kernels_here();
  EXPECT_EQ(best_attention().name, all.back()->name);
}

}  // namespace
}  // namespace aceso::train
