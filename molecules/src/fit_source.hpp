/// \file
/// Batches of molecules to train a message passing net on.
#pragma once

#include "aceso/lm/training.hpp"
#include "graph_store.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace aceso::molecules {

/// Molecules with targets as the net's outputs are compared with them.
struct FitSet {
  std::vector<std::uint32_t> molecules;  ///< numbers in the store
  std::vector<float> values;             ///< [molecules, outputs]; NaN: none
};

/// Epoch after epoch in an order of its own, `batch_size` molecules an update, fewer at an epoch's
/// end. Borrows store and spec.
class FitSource : public lm::BatchSource {
 public:
  FitSource(const GraphStore& store, const nn::MessagePassingSpec& spec, FitSet training,
            const FitSet& held_out, std::size_t batch_size, std::uint64_t seed);

  [[nodiscard]] std::int64_t updates_per_epoch() const;

  [[nodiscard]] std::vector<nn::TrainingBatch> next() override;
  [[nodiscard]] Json position() const override;
  void seek(const Json& position) override;
  [[nodiscard]] std::span<const nn::TrainingBatch> held_out() const override { return held_out_; }
  [[nodiscard]] std::string fingerprint() const override;

 private:
  void shuffle();
  [[nodiscard]] nn::TrainingBatch batch_of(const FitSet& set,
                                           std::span<const std::uint32_t> places) const;

  const GraphStore& store_;
  const nn::MessagePassingSpec& spec_;
  FitSet training_;
  std::vector<nn::TrainingBatch> held_out_;
  std::size_t batch_size_;
  std::uint64_t seed_, epoch_ = 0;
  std::size_t at_ = 0;
  std::vector<std::uint32_t> order_;  ///< places in training_
};

}  // namespace aceso::molecules
