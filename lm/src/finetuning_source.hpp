/// \file
/// Batches of labelled sequences.
#pragma once

#include "aceso/lm/training.hpp"
#include "aceso/nn/tokenizer.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace aceso::lm {

/// One sequence as the net sees it.
struct LabelledTokens {
  std::vector<nn::Token> tokens;      ///< with begin and end
  std::int32_t first = 0, last = 0;   ///< tokens that stand for residues: [first, last)
  float value = 0;                    ///< of a sequence, in units of the deviation
  std::vector<std::int32_t> classes;  ///< one, or one for each residue; -1: does not count
};

/// What a batch asks for.
enum class Question { ValueOfSequence, ClassOfSequence, ClassOfResidues };

/// Epoch after epoch in an order of its own; packed without padding.
class FineTuningSource : public BatchSource {
 public:
  FineTuningSource(std::vector<LabelledTokens> training,
                   const std::vector<LabelledTokens>& held_out, Question question,
                   const TrainingOptions& options, std::int64_t rank, std::int64_t ranks);

  [[nodiscard]] std::vector<nn::TrainingBatch> next() override;
  [[nodiscard]] Json position() const override;
  void seek(const Json& position) override;
  [[nodiscard]] std::span<const nn::TrainingBatch> held_out() const override { return held_out_; }
  [[nodiscard]] std::string fingerprint() const override;

 private:
  void shuffle();
  [[nodiscard]] nn::TrainingBatch next_batch();

  std::vector<LabelledTokens> training_;
  std::vector<nn::TrainingBatch> held_out_;
  Question question_;
  std::size_t most_tokens_;
  std::int64_t micro_batches_, rank_, ranks_;
  std::uint64_t seed_, epoch_ = 0;
  std::size_t at_ = 0;
  std::vector<std::uint32_t> order_;
};

}  // namespace aceso::lm
