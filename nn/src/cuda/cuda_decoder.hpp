/// \file
/// Sequences that a transformer on a GPU writes token by token.
#pragma once

#include "cuda/launches.hpp"
#include "rotary.hpp"
#include "transformer_net.hpp"

#include <vector>

namespace aceso::nn::cuda {

/// Keys and values lie in pages of kPagePositions tokens, each a piece of the device's memory (as
/// in Kwon et al. 2023), so that a sequence that grows moves nothing. Pages stay with the decoder:
/// 8 * hidden * layers bytes a token. A step's other memory is a workspace.
class CudaDecoder final : public DecoderNet {
 public:
  /// What is given must outlive this. \param rotary null where positions are learned.
  CudaDecoder(const DeviceWeights& weights, const RotaryTable* rotary, Workspaces& workspaces,
              std::size_t slots)
      : weights_(weights), rotary_(rotary), workspaces_(workspaces), slots_(slots) {}

  [[nodiscard]] std::size_t slots() const noexcept override { return slots_.size(); }
  [[nodiscard]] std::int64_t length(std::size_t slot) const override { return slots_[slot].length; }
  void restart(std::size_t slot) override;
  [[nodiscard]] Tensor step(std::span<const std::size_t> slots,
                            std::span<const Token> tokens) override;

 private:
  struct Slot {
    std::int64_t length = 0;
    std::vector<DeviceBuffer> pages;
  };
  struct Places;

  /// Makes room for one more token. \throws Error OutOfResources.
  void reserve(Slot& slot);
  [[nodiscard]] DeviceBuffer new_page() const;
  [[nodiscard]] Places places_for(std::span<const std::size_t> slots) const;
  [[nodiscard]] Buffer inputs_of(std::span<const std::size_t> slots, std::span<const Token> tokens,
                                 const Places& places) const;
  void attend(const Launches& run, const Places& places, std::int64_t layer) const;

  const DeviceWeights& weights_;
  const RotaryTable* rotary_;
  Workspaces& workspaces_;
  std::vector<Slot> slots_;
  std::vector<DeviceBuffer> unused_;  ///< pages of sequences that have ended
};

}  // namespace aceso::nn::cuda
