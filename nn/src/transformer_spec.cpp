#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"
#include "aceso/nn/transformer.hpp"
#include "settings.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

namespace aceso::nn {
Json TransformerSpec::to_json() const {
  return {{"vocabulary", vocabulary},
          {"hidden", hidden},
          {"layers", layers},
          {"heads", heads},
          {"feed_forward", feed_forward},
          {"max_length", max_length},
          {"positions", positions},
          {"head", head},
          {"causal", causal},
          {"tied", tied},
          {"token_dropout", token_dropout},
          {"mask_token", mask_token},
          {"norm_epsilon", norm_epsilon}};
}

TransformerSpec TransformerSpec::from_json(const Json& config, std::string_view source) {
  const Settings settings(config, source, "a transformer");
  TransformerSpec spec;
  spec.vocabulary = settings.count("vocabulary", 1, 1 << 20);
  spec.hidden = settings.count("hidden", 1, 1 << 16);
  spec.layers = settings.count("layers", 1, 1024);
  spec.heads = settings.count("heads", 1, 1024);
  spec.feed_forward = settings.count("feed_forward", 1, 1 << 18);
  spec.max_length = settings.count("max_length", 0, 1 << 24, 0);
  spec.positions = settings.one_of("positions", {"rotary", "learned"});
  spec.head = settings.one_of("head", {"masked", "plain", "none"});
  spec.causal = settings.flag("causal", false);
  spec.tied = settings.flag("tied", true);
  spec.token_dropout = settings.flag("token_dropout", false);
  if (spec.token_dropout)
    spec.mask_token = static_cast<Token>(settings.count("mask_token", 0, spec.vocabulary - 1));
  spec.norm_epsilon = settings.small("norm_epsilon", 1e-5);
  if (spec.hidden % spec.heads != 0)
    fail(Errc::CorruptData, "{}: config: hidden ({}) is not a multiple of heads ({})", source,
         spec.hidden, spec.heads);
  if (spec.positions == "rotary" && spec.head_size() % 2 != 0)
    fail(Errc::CorruptData, "{}: config: rotary positions need an even head size, found {}", source,
         spec.head_size());
  if (spec.positions == "learned" && spec.max_length == 0)
    fail(Errc::CorruptData, "{}: config.max_length: learned positions need it", source);
  return spec;
}

std::vector<TensorInfo> TransformerSpec::weights() const {
  std::vector<TensorInfo> all;
  const auto add = [&](std::string name, std::vector<std::int64_t> shape) {
    all.push_back({std::move(name), DType::F32, std::move(shape)});
  };
  const auto linear = [&](const std::string& name, std::int64_t out, std::int64_t in) {
    add(name + ".weight", {out, in});
    add(name + ".bias", {out});
  };
  const auto norm = [&](const std::string& name) {
    add(name + ".weight", {hidden});
    add(name + ".bias", {hidden});
  };
  add("embed.tokens.weight", {vocabulary, hidden});
  if (positions == "learned") add("embed.positions.weight", {max_length, hidden});
  for (std::int64_t i = 0; i < layers; ++i) {
    const std::string layer = "layers." + std::to_string(i) + ".";
    norm(layer + "attention.norm");
    for (const char* part : {"query", "key", "value", "output"})
      linear(layer + "attention." + part, hidden, hidden);
    norm(layer + "mlp.norm");
    linear(layer + "mlp.up", feed_forward, hidden);
    linear(layer + "mlp.down", hidden, feed_forward);
  }
  norm("final_norm");
  if (head == "none") return all;
  if (head == "masked") {
    linear("head.dense", hidden, hidden);
    norm("head.norm");
  }
  add("head.bias", {vocabulary});
  if (!tied) add("head.decoder.weight", {vocabulary, hidden});
  return all;
}

std::int64_t TransformerSpec::parameters() const {
  std::int64_t total = 0;
  for (const TensorInfo& weight : weights()) {
    std::int64_t count = 1;
    for (const std::int64_t extent : weight.shape) count *= extent;
    total += count;
  }
  return total;
}

}  // namespace aceso::nn
