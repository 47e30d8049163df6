#include "fit_source.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/hash.hpp"
#include "aceso/core/random.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <numeric>

namespace aceso::molecules {
namespace {

/// Molecules that one thread computes at once. Not an option: the sum of the gradients, so the
/// result's last digits, depends on it.
constexpr std::size_t kMicroBatch = 8;

}  // namespace

FitSource::FitSource(const GraphStore& store, const nn::MessagePassingSpec& spec, FitSet training,
                     const FitSet& held_out, std::size_t batch_size, std::uint64_t seed)
    : store_(store),
      spec_(spec),
      training_(std::move(training)),
      batch_size_(batch_size),
      seed_(seed) {
  std::vector<std::uint32_t> places(held_out.molecules.size());
  std::iota(places.begin(), places.end(), 0U);
  constexpr std::size_t kAtOnce = 32;
  for (std::size_t begin = 0; begin < places.size(); begin += kAtOnce)
    held_out_.push_back(batch_of(
        held_out, std::span(places).subspan(begin, std::min(kAtOnce, places.size() - begin))));
  shuffle();
}

std::int64_t FitSource::updates_per_epoch() const {
  return static_cast<std::int64_t>((training_.molecules.size() + batch_size_ - 1) / batch_size_);
}

void FitSource::shuffle() {
  order_.resize(training_.molecules.size());
  std::iota(order_.begin(), order_.end(), 0U);
  shuffle_in_place(order_, Random(seed_, epoch_));
}

nn::TrainingBatch FitSource::batch_of(const FitSet& set,
                                      std::span<const std::uint32_t> places) const {
  const std::size_t outputs = spec_.outputs.size();
  nn::BondGraphs graphs;
  Tensor values(DType::F32,
                {static_cast<std::int64_t>(places.size()), static_cast<std::int64_t>(outputs)});
  auto to = values.values<float>().begin();
  for (const std::uint32_t place : places) {
    store_.append(set.molecules[place], graphs);
    to =
        std::copy_n(set.values.begin() + static_cast<std::ptrdiff_t>(place * outputs), outputs, to);
  }
  nn::TrainingBatch batch = nn::training_arrays(graphs, spec_);
  batch.emplace("values", std::move(values));
  return batch;
}

std::vector<nn::TrainingBatch> FitSource::next() {
  if (at_ == order_.size()) {
    ++epoch_;
    at_ = 0;
    shuffle();
  }
  const std::size_t end = std::min(at_ + batch_size_, order_.size());
  std::vector<nn::TrainingBatch> batches;
  for (; at_ < end;) {
    const std::size_t size = std::min(kMicroBatch, end - at_);
    batches.push_back(batch_of(training_, std::span(order_).subspan(at_, size)));
    // The place in the data is as good a seed as any, and needs no state of its own.
    Random random(seed_, (1ULL << 62U) + (epoch_ << 32U) + at_);
    Tensor seed(DType::I32, {2});
    for (std::int32_t& half : seed.values<std::int32_t>())
      half = static_cast<std::int32_t>(random.below(1U << 31U));
    batches.back().emplace("dropout_seed", std::move(seed));
    at_ += size;
  }
  return batches;
}

Json FitSource::position() const { return {{"epoch", epoch_}, {"at", at_}}; }

void FitSource::seek(const Json& position) {
  epoch_ = position.at("epoch");
  at_ = position.at("at");
  if (at_ > order_.size())
    fail(Errc::CorruptData, "the checkpoint's place in the data lies behind their end");
  shuffle();
}

std::string FitSource::fingerprint() const {
  Sha256 hash;
  const auto add = [&](const nn::TrainingBatch& batch) {
    for (const auto& [name, tensor] : batch) {
      hash.update(name);
      if (tensor.type() == DType::F32)
        hash.update(std::as_bytes(tensor.values<const float>()));
      else
        hash.update(std::as_bytes(tensor.values<const std::int32_t>()));
    }
  };
  for (std::uint32_t place = 0; place < training_.molecules.size(); ++place)
    add(batch_of(training_, std::span(&place, 1)));
  for (const nn::TrainingBatch& batch : held_out_) add(batch);
  hash.update(Json{{"batch_size", batch_size_}, {"seed", seed_}}.dump());
  return hash.finish();
}

}  // namespace aceso::molecules
