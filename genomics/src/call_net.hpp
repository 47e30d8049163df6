// A small convolutional net that looks at the pileup of calls of which the boosted trees are not
// sure, and corrects what they say.
#pragma once

#include "call_pileup.hpp"
#include "filter_model.hpp"

#include "aceso/nn/convolutional.hpp"

#include <cmath>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

namespace aceso::genomics {

/// How trees and net together judge.
struct NetScoring {
  /// The net is asked where the trees' log odds lie so near 0, even chances, about where their
  /// limits are: 4 means chances between 1.8 % and 98.2 %.
  double band = 4;
  /// log odds = those of the trees + share * what the net says.
  double share = 1;
  ScoreLimits limits;  ///< the least SCORE that passes, with the net
};

/// Two convolutions, pooling, a third one and two linear layers over a CallPileup; 27,873 weights.
[[nodiscard]] nn::ConvolutionalSpec call_net_spec();

/// Pileups as the net reads them: f32 [rows, kPileupChannels, kPileupPlaces], 255 as 1.
[[nodiscard]] Tensor net_images(std::span<const std::uint8_t> bytes);

class CallNet {
 public:
  CallNet(const nn::TensorSet& weights, const NetScoring& scoring);

  /// The one that comes with the program, trained beside FilterModel::built_in().
  [[nodiscard]] static std::shared_ptr<const CallNet> built_in();
  /// \throws Error NotFound, Io; CorruptData if it is no such model.
  [[nodiscard]] static std::shared_ptr<const CallNet> open(const std::filesystem::path& path);
  /// A model folder, or one file if `path` ends in .model.tar.
  static void save(const std::filesystem::path& path, const nn::TensorSet& weights,
                   const NetScoring& scoring, const Json& provenance);

  [[nodiscard]] const NetScoring& scoring() const noexcept { return scoring_; }
  /// Whether the net is asked about a call of which the trees say `log_odds`.
  [[nodiscard]] bool asks(double log_odds) const noexcept {
    return std::abs(log_odds) <= scoring_.band;
  }
  /// What is to be added to the trees' log odds, for each image. An image's result does not depend
  /// on the others, nor on threads.
  [[nodiscard]] std::vector<double> corrections(std::span<const std::uint8_t> images) const;
  /// Gives the calls that the trees are not sure of their correction; they have their pileups.
  void judge(const FilterModel& trees, std::span<VariantCall> calls) const;

 private:
  NetScoring scoring_;
  nn::Convolutional net_;
};

}  // namespace aceso::genomics
