#include "finetuning_source.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/hash.hpp"
#include "aceso/core/random.hpp"
#include "batch_arrays.hpp"

#include <nlohmann/json.hpp>

#include <numeric>

namespace aceso::lm {
namespace {

/// A micro-batch under construction.
class Packed {
 public:
  explicit Packed(Question question) : question_(question) {}

  [[nodiscard]] std::size_t size() const noexcept { return tokens_.size(); }

  void add(const LabelledTokens& one) {
    const auto at = static_cast<std::int32_t>(tokens_.size());
    tokens_.insert(tokens_.end(), one.tokens.begin(), one.tokens.end());
    offsets_.push_back(static_cast<std::int32_t>(tokens_.size()));
    if (question_ == Question::ClassOfResidues) {
      for (std::int32_t i = one.first; i < one.last; ++i) {
        const std::int32_t wanted = one.classes[static_cast<std::size_t>(i - one.first)];
        if (wanted < 0) continue;
        places_.push_back(at + i);
        targets_.push_back(wanted);
      }
      return;
    }
    spans_.insert(spans_.end(), {at + one.first, at + one.last});
    if (question_ == Question::ClassOfSequence)
      targets_.push_back(one.classes.front());
    else
      values_.push_back(one.value);
  }

  [[nodiscard]] nn::TrainingBatch batch() const {
    nn::TrainingBatch batch{{"tokens", integers(tokens_)}, {"offsets", integers(offsets_)}};
    if (question_ == Question::ClassOfResidues)
      batch.emplace("places", integers(places_));
    else
      batch.emplace("spans", integers(spans_, 2));
    if (question_ != Question::ValueOfSequence) {
      batch.emplace("targets", integers(targets_));
      return batch;
    }
    Tensor values(DType::F32, {static_cast<std::int64_t>(values_.size()), 1});
    std::ranges::copy(values_, values.values<float>().begin());
    batch.emplace("values", std::move(values));
    return batch;
  }

 private:
  Question question_;
  std::vector<std::int32_t> tokens_, offsets_{0}, places_, spans_, targets_;
  std::vector<float> values_;
};

std::vector<nn::TrainingBatch> packed(const std::vector<LabelledTokens>& all, Question question,
                                      std::size_t most_tokens) {
  std::vector<nn::TrainingBatch> batches;
  Packed one(question);
  for (const LabelledTokens& next : all) {
    if (one.size() > 0 && one.size() + next.tokens.size() > most_tokens) {
      batches.push_back(one.batch());
      one = Packed(question);
    }
    one.add(next);
  }
  if (one.size() > 0) batches.push_back(one.batch());
  return batches;
}

}  // namespace

FineTuningSource::FineTuningSource(std::vector<LabelledTokens> training,
                                   const std::vector<LabelledTokens>& held_out, Question question,
                                   const TrainingOptions& options, std::int64_t rank,
                                   std::int64_t ranks)
    : training_(std::move(training)),
      question_(question),
      most_tokens_(static_cast<std::size_t>(options.micro_batch_tokens)),
      micro_batches_(options.micro_batches),
      rank_(rank),
      ranks_(ranks),
      seed_(static_cast<std::uint64_t>(options.seed)) {
  held_out_ = packed(held_out, question, most_tokens_);
  shuffle();
}

void FineTuningSource::shuffle() {
  order_.resize(training_.size());
  std::iota(order_.begin(), order_.end(), 0U);
  shuffle_in_place(order_, Random(seed_, epoch_));
}

nn::TrainingBatch FineTuningSource::next_batch() {
  Packed batch(question_);
  for (;;) {
    if (at_ == order_.size()) {
      ++epoch_;
      at_ = 0;
      shuffle();
    }
    const LabelledTokens& next = training_[order_[at_]];
    if (batch.size() > 0 && batch.size() + next.tokens.size() > most_tokens_) return batch.batch();
    batch.add(next);
    ++at_;
    // A handful of sequences fits into one batch and must not be in it twice.
    if (at_ == order_.size()) return batch.batch();
  }
}

std::vector<nn::TrainingBatch> FineTuningSource::next() {
  std::vector<nn::TrainingBatch> mine;
  for (std::int64_t m = 0; m < micro_batches_; ++m) {
    nn::TrainingBatch batch = next_batch();
    if (m / (micro_batches_ / ranks_) == rank_) mine.push_back(std::move(batch));
  }
  return mine;
}

Json FineTuningSource::position() const { return {{"epoch", epoch_}, {"at", at_}}; }

void FineTuningSource::seek(const Json& position) {
  epoch_ = position.at("epoch");
  at_ = position.at("at");
  if (at_ > order_.size())
    fail(Errc::CorruptData, "the checkpoint's place in the data lies behind their end");
  shuffle();
}

std::string FineTuningSource::fingerprint() const {
  Sha256 hash;
  for (const LabelledTokens& one : training_) {
    hash.update(std::as_bytes(std::span(one.tokens)));
    hash.update(std::as_bytes(std::span(&one.value, 1)));
    hash.update(std::as_bytes(std::span(one.classes)));
  }
  hash.update(Json{{"tokens", most_tokens_}, {"seed", seed_}}.dump());
  return hash.finish();
}

}  // namespace aceso::lm
