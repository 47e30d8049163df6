/// \file
/// Attention of one head over one sequence, and its gradient, compiled for several instruction
/// sets, of which one is chosen at run time.
#pragma once

#include <cstdint>

namespace aceso::train {

/// Rows of a head are padded with zeros to a multiple of this many numbers.
constexpr std::int64_t kHeadPadding = 16;
constexpr std::int64_t kWidestHead = 256;
/// Queries that are worked on together.
constexpr std::int64_t kQueries = 8;

/// One head of one sequence. Matrices are [length, width], row by row, width a multiple of
/// kHeadPadding; queries are scaled already. Keys and values are there in columns too: [width,
/// columns], columns being length rounded up to a multiple of 16, zeros behind the end.
struct HeadView {
  std::int64_t length, width, columns;
  bool causal;
  const float *q, *k, *v;
  const float *k_columns, *v_columns;
};

/// Floats that the functions below need as workspace.
inline std::int64_t attention_workspace(std::int64_t columns) { return 2 * kQueries * columns; }

/// The functions of one instruction set.
struct AttentionKernels {
  const char* name;
  /// out [length, width]; and for each query the logarithm of its sum of exponentials, which the
  /// gradient needs.
  void (*attend)(const HeadView& head, float* out, float* log_sums, float* workspace);
  /// Gradients by q, k and v, [length, width] each, of which dk and dv must be zero at the
  /// beginning, from `gradient` by out.
  void (*backward)(const HeadView& head, const float* out, const float* log_sums,
                   const float* gradient, float* dq, float* dk, float* dv, float* workspace);
};

extern const AttentionKernels kPortableAttention;
#if defined(__x86_64__)
extern const AttentionKernels kAvx2Attention, kAvx512Attention;
#endif

/// The fastest that runs here.
const AttentionKernels& best_attention();

}  // namespace aceso::train
