/// \file
/// How well a fitted net predicts, and how far off it may be.
#pragma once

#include "aceso/app/app.hpp"
#include "aceso/core/json.hpp"
#include "aceso/nn/message_passing.hpp"
#include "ensemble.hpp"
#include "fit_data.hpp"

#include <optional>
#include <string>
#include <vector>

namespace aceso::molecules {

/// What was measured and predicted of one target, where something was measured.
struct TargetPairs {
  std::vector<std::size_t> molecules;  ///< indices
  std::vector<double> measured, predicted;
  std::vector<double> spreads;  ///< deviations over the members; 0 for one member
};

[[nodiscard]] TargetPairs pairs_of(const FitTable& table, const EnsemblePredictions& predictions,
                                   lm::Split split, std::size_t target);

/// The figures of one target: count and rmse, mae, r2, spearman, or positives, auroc, auprc
/// (average precision), accuracy (at a probability of one half), brier. Null where a figure does
/// not exist.
[[nodiscard]] Json quality(const TargetPairs& pairs, bool classes);

/// The factor of PredictionInterval: the smallest that holds the measured values of `pairs` with
/// the finite-sample guarantee of split conformal prediction (Papadopoulos et al. 2002); nothing if
/// there are too few of them for this coverage.
[[nodiscard]] std::optional<double> interval_factor(const TargetPairs& pairs, double offset,
                                                    double coverage);

/// Intervals for all targets from the validation set; nothing if one has too few values.
/// \param deviations of the targets in training: the offsets for a single net.
[[nodiscard]] std::optional<nn::PredictionInterval> calibrated(
    const FitTable& table, const EnsemblePredictions& predictions,
    const std::vector<double>& deviations, bool ensemble, double coverage);

/// The share of `pairs` that lies within the interval of a target.
[[nodiscard]] double covered(const TargetPairs& pairs, double factor, double offset);

/// Adds figures and plots of one set to the report; returns the figures, {"targets": {…}} and their
/// means over the targets.
Json report_quality(const FitTable& table, const EnsemblePredictions& predictions,
                    const nn::MessagePassingSpec& spec, lm::Split split, app::RunContext& context);

}  // namespace aceso::molecules
