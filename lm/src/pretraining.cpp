#include "aceso/lm/pretraining.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/hash.hpp"
#include "aceso/core/random.hpp"
#include "batch_arrays.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace aceso::lm {
namespace {

/// Streams of randomness that must not meet: each use has numbers of its own.
constexpr std::uint64_t kOrder = 1ULL << 62, kHeldOut = 1ULL << 61;

/// A number for each pair, spread over all 64 bits (the finaliser of SplitMix64, Steele et al.
/// 2014).
std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  std::uint64_t z = a + 0x9e3779b97f4a7c15ULL * (b + 1);
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31U);
}

/// A share of sequences that does not change when others are added.
bool is_held_out(std::span<const nn::Token> tokens, double share) {
  std::uint64_t hash = kHeldOut;
  for (const nn::Token token : tokens) hash = mixed(hash, static_cast<std::uint64_t>(token));
  return static_cast<double>(hash >> 11U) * 0x1p-53 < share;
}

/// A micro-batch under construction.
struct Packed {
  std::vector<std::int32_t> tokens, offsets{0}, places, targets;

  void begin_target(std::size_t place, nn::Token target) {
    places.push_back(static_cast<std::int32_t>(place));
    targets.push_back(target);
  }
  [[nodiscard]] nn::TrainingBatch batch() const {
    return {{"tokens", integers(tokens)},
            {"offsets", integers(offsets)},
            {"places", integers(places)},
            {"targets", integers(targets)}};
  }
};

/// Part of a sequence.
struct Window {
  std::size_t sequence = 0;
  std::size_t first = 0, length = 0;
};

}  // namespace

struct PretrainingSource::Impl {
  TokenStore store;
  nn::Tokenizer tokenizer;
  bool causal;
  PretrainingSettings settings;
  std::vector<std::uint32_t> training, order;  ///< numbers of sequences
  std::size_t held_out_count = 0;
  std::vector<nn::TrainingBatch> held_out;
  std::vector<nn::Token> plain;  ///< tokens that a masked one may be replaced with
  std::uint64_t epoch = 0;
  std::size_t at = 0;  ///< in `order`

  Impl(TokenStore the_store, nn::Tokenizer the_tokenizer, bool is_causal,
       const PretrainingSettings& the_settings)
      : store(std::move(the_store)),
        tokenizer(std::move(the_tokenizer)),
        causal(is_causal),
        settings(the_settings) {
    if (settings.max_length > settings.micro_batch_tokens || content_length() < 1)
      fail(Errc::InvalidArgument,
           "--max-length: expected {} to the tokens of a micro-batch ({}), found {}", 1 + frame(),
           settings.micro_batch_tokens, settings.max_length);
    if (!causal && tokenizer.mask() < 0)
      fail(Errc::Unsupported, "the tokenizer has no mask token, which masked training needs");
    for (nn::Token token = 0; token < tokenizer.size(); ++token)
      if (tokenizer.is_plain(token)) plain.push_back(token);
    divide();
    shuffle();
  }

  /// Begin and end tokens around each window.
  [[nodiscard]] std::int64_t frame() const {
    return (tokenizer.begin() >= 0 ? 1 : 0) + (tokenizer.end() >= 0 ? 1 : 0);
  }
  [[nodiscard]] std::int64_t content_length() const { return settings.max_length - frame(); }

  void divide() {
    std::vector<std::uint32_t> held;
    for (std::size_t i = 0; i < store.size(); ++i) {
      // A causal model has nothing to learn from a sequence without tokens; a masked one neither.
      if (store[i].empty()) continue;
      auto& side = is_held_out(store[i], settings.held_out_share) ? held : training;
      side.push_back(static_cast<std::uint32_t>(i));
    }
    if (training.empty())
      fail(Errc::CorruptData, "expected sequences to train on, found {}, of which {} are held out",
           store.size(), held.size());
    held_out_count = held.size();
    // More would cost more time than it brings certainty.
    constexpr std::size_t kMostHeldOut = 1000;
    held.resize(std::min(held.size(), kMostHeldOut));
    Packed packed;
    for (const std::uint32_t sequence : held) {
      const Window window = window_of(sequence, kHeldOut);
      if (!fits(packed, window)) {
        held_out.push_back(packed.batch());
        packed = {};
      }
      add(packed, window, kHeldOut);
    }
    if (!packed.places.empty()) held_out.push_back(packed.batch());
  }

  /// The order of this epoch.
  void shuffle() {
    order = training;
    shuffle_in_place(order, Random(settings.seed, kOrder + epoch));
  }

  [[nodiscard]] Random random_of(std::uint64_t sequence, std::uint64_t round) const {
    return {settings.seed, mixed(round, sequence) >> 2U};
  }

  [[nodiscard]] Window window_of(std::uint32_t sequence, std::uint64_t round) const {
    const std::size_t length = store[sequence].size();
    const auto most = static_cast<std::size_t>(content_length());
    if (length <= most) return {sequence, 0, length};
    Random random = random_of(sequence, mixed(round, 1));
    return {sequence, random.below(length - most + 1), most};
  }

  [[nodiscard]] bool fits(const Packed& packed, const Window& window) const {
    return packed.tokens.size() + window.length + static_cast<std::size_t>(frame()) <=
           static_cast<std::size_t>(settings.micro_batch_tokens);
  }

  void add(Packed& packed, const Window& window, std::uint64_t round) const {
    const std::size_t first = packed.tokens.size();
    if (tokenizer.begin() >= 0) packed.tokens.push_back(tokenizer.begin());
    const auto content = store[window.sequence].subspan(window.first, window.length);
    packed.tokens.insert(packed.tokens.end(), content.begin(), content.end());
    if (tokenizer.end() >= 0) packed.tokens.push_back(tokenizer.end());
    packed.offsets.push_back(static_cast<std::int32_t>(packed.tokens.size()));
    if (causal)
      ask_next(packed, first);
    else
      mask(packed, window, round);
  }

  static void ask_next(Packed& packed, std::size_t first) {
    for (std::size_t i = first; i + 1 < packed.tokens.size(); ++i)
      packed.begin_target(i, packed.tokens[i + 1]);
  }

  /// Devlin et al. 2019: of the chosen tokens 80 % become the mask, 10 % any other, 10 % stay.
  void mask(Packed& packed, const Window& window, std::uint64_t round) const {
    Random random = random_of(window.sequence, round);
    const std::size_t first = static_cast<std::size_t>(packed.offsets.back()) - window.length -
                              (tokenizer.end() >= 0 ? 1U : 0U);
    const std::size_t sure = first + random.below(window.length);
    for (std::size_t i = first; i < first + window.length; ++i) {
      // One at least: a short sequence should not be without a question.
      if (!random.chance(settings.masked_share) && i != sure) continue;
      packed.begin_target(i, packed.tokens[i]);
      const double kind = random.uniform();
      if (kind < 0.8)
        packed.tokens[i] = tokenizer.mask();
      else if (kind < 0.9)
        packed.tokens[i] = random.pick(plain);
    }
  }

  /// The micro-batches of the next step that are this rank's.
  std::vector<nn::TrainingBatch> next() {
    std::vector<nn::TrainingBatch> mine;
    const std::int64_t share = settings.micro_batches / settings.ranks;
    for (std::int64_t m = 0; m < settings.micro_batches; ++m) {
      const Packed packed = next_packed();
      if (m / share == settings.rank) mine.push_back(packed.batch());
    }
    return mine;
  }

  Packed next_packed() {
    Packed packed;
    for (;;) {
      if (at == order.size()) {
        ++epoch;
        at = 0;
        shuffle();
      }
      const Window window = window_of(order[at], epoch);
      if (!fits(packed, window)) return packed;
      add(packed, window, epoch);
      ++at;
    }
  }
};

PretrainingSource::PretrainingSource(TokenStore store, nn::Tokenizer tokenizer, bool causal,
                                     const PretrainingSettings& settings)
    : impl_(std::make_unique<Impl>(std::move(store), std::move(tokenizer), causal, settings)) {}

PretrainingSource::~PretrainingSource() = default;

std::vector<nn::TrainingBatch> PretrainingSource::next() { return impl_->next(); }

Json PretrainingSource::position() const { return {{"epoch", impl_->epoch}, {"at", impl_->at}}; }

void PretrainingSource::seek(const Json& position) {
  impl_->epoch = position.at("epoch");
  impl_->at = position.at("at");
  if (impl_->at > impl_->order.size())
    fail(Errc::CorruptData, "the checkpoint's place in the data lies behind their end");
  impl_->shuffle();
}

std::span<const nn::TrainingBatch> PretrainingSource::held_out() const { return impl_->held_out; }

std::string PretrainingSource::fingerprint() const {
  const PretrainingSettings& s = impl_->settings;
  const Json facts{{"tokens", impl_->store.fingerprint()},
                   {"tokenizer", impl_->tokenizer.to_json()},
                   {"causal", impl_->causal},
                   {"max_length", s.max_length},
                   {"micro_batch_tokens", s.micro_batch_tokens},
                   {"micro_batches", s.micro_batches},
                   {"held_out_share", s.held_out_share},
                   {"masked_share", s.masked_share},
                   {"seed", s.seed}};
  return sha256(facts.dump());
}

std::size_t PretrainingSource::training_sequences() const noexcept {
  return impl_->training.size();
}
std::size_t PretrainingSource::held_out_sequences() const noexcept { return impl_->held_out_count; }

nn::TensorSet first_weights(const nn::TransformerSpec& spec, std::uint64_t seed) {
  nn::TensorSet weights;
  std::uint64_t number = 0;
  for (const nn::TensorInfo& info : spec.weights()) {
    Tensor tensor(DType::F32, info.shape);
    const auto values = tensor.values<float>();
    const bool gain = info.name.ends_with("norm.weight");
    std::ranges::fill(values, gain ? 1.0F : 0.0F);
    Random random(seed, number++);
    if (info.shape.size() > 1) {
      const bool last =
          info.name.ends_with("attention.output.weight") || info.name.ends_with("mlp.down.weight");
      const double deviation =
          last ? 0.02 / std::sqrt(2.0 * static_cast<double>(spec.layers)) : 0.02;
      for (float& value : values) {
        // Box & Muller 1958: the standard library's normal numbers differ between libraries.
        const double radius = std::sqrt(-2 * std::log(1 - random.uniform()));
        value = static_cast<float>(deviation * radius *
                                   std::cos(2 * std::numbers::pi * random.uniform()));
      }
    }
    weights.emplace(info.name, std::move(tensor));
  }
  return weights;
}

}  // namespace aceso::lm
