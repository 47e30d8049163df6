/// \file
/// What a masked language model expects at a place that it does not see.
#pragma once

#include "aceso/lm/language_model.hpp"

#include <cstddef>
#include <functional>
#include <span>
#include <stop_token>
#include <vector>

namespace aceso::lm {

/// Tokens of which some are masked, and the places to be asked about.
struct MaskedQuery {
  std::vector<nn::Token> tokens;
  std::vector<std::int32_t> places;
};

/// Turns rows of logits into log-probabilities, in place.
void log_softmax(std::span<float> logits, std::size_t row_size);

/// \throws Error Unsupported naming the model if it has no head, no mask token, or is causal.
void check_masked(const LanguageModel& model);

/// Computes for each query the log-probabilities at its places, [places, vocabulary] row by row,
/// and hands them to `body(query, rows)`: in no order, from several threads. The result for a
/// query depends neither on threads nor on the other queries' order, up to 1e-5.
/// Progress counts tokens.
void masked_log_probabilities(
    const LanguageModel& model, std::span<const MaskedQuery> queries, unsigned threads,
    Progress& progress, const std::stop_token& stop,
    const std::function<void(std::size_t query, std::span<const float> rows)>& body);

}  // namespace aceso::lm
