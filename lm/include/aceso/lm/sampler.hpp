/// \file
/// Sequences drawn from a language model, and how likely given ones are.
#pragma once

#include "aceso/core/progress.hpp"
#include "aceso/lm/next_token.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

namespace aceso::lm {

/// A token is drawn from softmax(logits / temperature), of which the `top_k` likeliest tokens are
/// kept, of these the fewest that have a share of `top_p` together (Holtzman et al. 2020).
/// Framing, padding, unknown and mask tokens are never drawn.
struct SamplingOptions {
  double temperature = 1.0;  ///< 0: always the likeliest
  std::int64_t top_k = 0;    ///< 0: all
  double top_p = 1.0;        ///< 1: all
  std::uint64_t seed = 1;
  std::int64_t max_length = 0;    ///< tokens beside begin and end; 0: the model's, at most 4096
  std::vector<nn::Token> prefix;  ///< what each sequence begins with
  std::size_t batch = NextTokenModel::kMostSlots;  ///< sequences at once on a thread
};

struct Sample {
  std::vector<nn::Token> tokens;  ///< without begin and end, the prefix among them
  bool finished = false;          ///< the model ended it; else it was cut at max_length
  /// Of all tokens, and of the end if it is finished, by the model as it is (temperature 1, nothing
  /// left out).
  double log_likelihood = 0;
};

/// Draws the sequences numbered [first, first + count). A choice is made by a random number that
/// is a function of seed, sequence number and position, so that a sequence is the same whatever is
/// drawn beside it, on any number of threads. Progress counts sequences.
/// \throws Error InvalidArgument on options outside their range, Cancelled, OutOfResources.
[[nodiscard]] std::vector<Sample> sample(const NextTokenModel& model, std::uint64_t first,
                                         std::size_t count, const SamplingOptions& options,
                                         unsigned threads, Progress& progress,
                                         const std::stop_token& stop);

/// log p of each sequence (without begin and end tokens) and its end. Progress counts sequences.
/// \throws Error InvalidArgument on tokens outside the vocabulary or sequences that are too long,
/// Cancelled.
[[nodiscard]] std::vector<double> log_likelihoods(const NextTokenModel& model,
                                                  std::span<const std::vector<nn::Token>> sequences,
                                                  unsigned threads, Progress& progress,
                                                  const std::stop_token& stop);

/// The place of a token of `logits` (those with `allowed`, as many) drawn by `uniform` in [0, 1).
/// At least one token must be allowed. Of equals, the earlier counts as the likelier.
[[nodiscard]] nn::Token draw(std::span<const float> logits, const std::vector<bool>& allowed,
                             const SamplingOptions& options, double uniform);

}  // namespace aceso::lm
