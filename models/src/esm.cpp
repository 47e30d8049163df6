#include "esm.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <string_view>
#include <utility>

namespace aceso::models {
namespace {

using nn::TensorSet;
using nn::TransformerSpec;

/// Our part of a name and the foreign one.
using Names = std::pair<std::string_view, std::string_view>;

constexpr std::array<Names, 8> kLayerHuggingFace{{{"attention.norm", "attention.LayerNorm"},
                                                  {"attention.query", "attention.self.query"},
                                                  {"attention.key", "attention.self.key"},
                                                  {"attention.value", "attention.self.value"},
                                                  {"attention.output", "attention.output.dense"},
                                                  {"mlp.norm", "LayerNorm"},
                                                  {"mlp.up", "intermediate.dense"},
                                                  {"mlp.down", "output.dense"}}};
constexpr std::array<Names, 8> kLayerFairEsm{{{"attention.norm", "self_attn_layer_norm"},
                                              {"attention.query", "self_attn.q_proj"},
                                              {"attention.key", "self_attn.k_proj"},
                                              {"attention.value", "self_attn.v_proj"},
                                              {"attention.output", "self_attn.out_proj"},
                                              {"mlp.norm", "final_layer_norm"},
                                              {"mlp.up", "fc1"},
                                              {"mlp.down", "fc2"}}};
constexpr std::array<Names, 6> kTopHuggingFace{
    {{"embed.tokens.weight", "esm.embeddings.word_embeddings.weight"},
     {"final_norm", "esm.encoder.emb_layer_norm_after"},
     {"head.dense", "lm_head.dense"},
     {"head.norm", "lm_head.layer_norm"},
     {"head.bias", "lm_head.bias"},
     {"head.decoder.weight", "lm_head.decoder.weight"}}};
constexpr std::array<Names, 6> kTopFairEsm{{{"embed.tokens.weight", "embed_tokens.weight"},
                                            {"final_norm", "emb_layer_norm_after"},
                                            {"head.dense", "lm_head.dense"},
                                            {"head.norm", "lm_head.layer_norm"},
                                            {"head.bias", "lm_head.bias"},
                                            {"head.decoder.weight", "lm_head.weight"}}};

template <std::size_t N>
std::string replaced_start(const std::string& name, const std::array<Names, N>& table,
                           const std::string& before) {
  for (const auto& [ours, theirs] : table) {
    if (!name.starts_with(ours)) continue;
    const std::string rest = name.substr(ours.size());
    if (rest.empty() || rest.front() == '.') return before + std::string(theirs) + rest;
  }
  return {};
}

template <std::size_t N, std::size_t M>
std::string translated(const std::string& name, const std::array<Names, N>& top,
                       const std::array<Names, M>& layer, const std::string& layer_start) {
  constexpr std::string_view ours = "layers.";
  if (!name.starts_with(ours)) return replaced_start(name, top, "");
  const auto dot = name.find('.', ours.size());
  return replaced_start(name.substr(dot + 1), layer,
                        layer_start + name.substr(ours.size(), dot - ours.size()) + ".");
}

/// Whether a foreign tensor is known to carry nothing that we need.
bool is_spare(std::string_view name) {
  for (const char* part : {"position_ids", "inv_freq", "contact_head", "_float_tensor", "version",
                           "position_embeddings", "pooler"})
    if (name.find(part) != std::string_view::npos) return true;
  return false;
}

/// Takes the tensors that `spec` needs out of `foreign`, under our names.
TensorSet take(const TransformerSpec& spec, const TensorSet& foreign,
               const std::function<std::string(const std::string&)>& foreign_name,
               const std::string& source, Warnings& warnings) {
  TensorSet taken;
  std::set<std::string> used;
  for (const nn::TensorInfo& info : spec.weights()) {
    const std::string name = foreign_name(info.name);
    const auto found = foreign.find(name);
    if (found == foreign.end())
      fail(Errc::CorruptData, "{}: the tensor {} is missing", source, name);
    if (found->second.shape() != info.shape)
      fail(Errc::CorruptData, "{}: tensor {}: expected the shape {}, found {}", source, name,
           nn::shape_text(info.shape), nn::shape_text(found->second.shape()));
    taken.emplace(info.name, nn::to_float32(found->second));
    used.insert(name);
  }
  for (const auto& [name, tensor] : foreign) {
    if (!used.contains(name) && !is_spare(name) && !(spec.tied && name.starts_with("lm_head.")))
      warnings.add("weights.unused",
                   fmt::format("{}: the tensor {} is not used", source, printable(name)));
  }
  return taken;
}

std::int64_t whole(const Json& config, const char* name, const std::string& source) {
  const auto found = config.find(name);
  if (found == config.end() || !found->is_number_integer() || found->get<std::int64_t>() < 1)
    fail(Errc::CorruptData, "{}: {}: expected a whole number above 0, found {}", source, name,
         found == config.end() ? "nothing" : printable(found->dump(), 40));
  return found->get<std::int64_t>();
}

/// The same values, or tensors that share memory.
bool equal(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() &&
         std::ranges::equal(nn::to_float32(a).values<float>(), nn::to_float32(b).values<float>());
}

void find_head(TransformerSpec& spec, const TensorSet& tensors, const std::string& decoder,
               const std::string& embedding) {
  spec.head = tensors.contains("lm_head.dense.weight") ? "masked" : "none";
  const auto separate = tensors.find(decoder);
  const auto table = tensors.find(embedding);
  spec.tied =
      separate == tensors.end() || table == tensors.end() || equal(separate->second, table->second);
}

nn::Tokenizer tokenizer_of(const std::string& vocabulary, const std::string& source) {
  std::vector<std::string> tokens = split(vocabulary, '\n');
  for (std::string& token : tokens)
    if (token.ends_with('\r')) token.pop_back();
  while (!tokens.empty() && tokens.back().empty()) tokens.pop_back();
  Json json{{"type", "residues"}, {"tokens", tokens}};
  for (const auto& [role, token] :
       std::initializer_list<std::pair<const char*, const char*>>{{"begin", "<cls>"},
                                                                  {"end", "<eos>"},
                                                                  {"pad", "<pad>"},
                                                                  {"unknown", "<unk>"},
                                                                  {"mask", "<mask>"}})
    if (std::ranges::find(tokens, token) != tokens.end()) json[role] = token;
  return {json, source + ": vocab.txt"};
}

/// Names of EsmModel have no "esm." before them.
TensorSet with_prefix(const TensorSet& tensors) {
  TensorSet named;
  for (const auto& [name, tensor] : tensors) {
    const bool bare = name.starts_with("encoder.") || name.starts_with("embeddings.") ||
                      name.starts_with("contact_head.") || name.starts_with("pooler.");
    named.emplace(bare ? "esm." + name : name, tensor);
  }
  return named;
}

/// fair-esm's training checkpoints keep their net in deeper names than its released ones.
TensorSet without_prefix(const TensorSet& tensors) {
  TensorSet named;
  for (const auto& [full, tensor] : tensors) {
    std::string name = full;
    for (const std::string_view start :
         {"model.", "state_dict.", "encoder.sentence_encoder.", "sentence_encoder.", "encoder."})
      if (name.starts_with(start)) name.erase(0, start.size());
    named.emplace(std::move(name), tensor);
  }
  return named;
}

/// Heads of the published models, by hidden size: all others have 20.
std::int64_t published_heads(std::int64_t hidden) {
  return hidden == 2560 || hidden == 5120 ? 40 : 20;
}

std::int64_t count_layers(const TensorSet& tensors) {
  std::int64_t layers = 0;
  while (tensors.contains(fmt::format("layers.{}.fc1.weight", layers))) ++layers;
  return layers;
}

const Tensor& find(const TensorSet& tensors, const std::string& name, const std::string& source) {
  const auto found = tensors.find(name);
  if (found == tensors.end())
    fail(Errc::CorruptData, "{}: the tensor {} is missing; is this ESM-2?", source, name);
  if (found->second.shape().size() != 2)
    fail(Errc::CorruptData, "{}: tensor {}: expected a matrix, found the shape {}", source, name,
         nn::shape_text(found->second.shape()));
  return found->second;
}

}  // namespace

std::string hugging_face_name(const std::string& name) {
  return translated(name, kTopHuggingFace, kLayerHuggingFace, "esm.encoder.layer.");
}

std::string fair_esm_name(const std::string& name) {
  return translated(name, kTopFairEsm, kLayerFairEsm, "layers.");
}

Imported from_hugging_face(const Json& config, const std::optional<std::string>& vocabulary,
                           const TensorSet& tensors, const std::string& source,
                           Warnings& warnings) {
  const std::string file = source + ": config.json";
  if (!config.is_object() || config.value("model_type", "") != "esm")
    fail(Errc::Unsupported, "{}: expected model_type esm, found {}", file,
         printable(config.is_object() && config.contains("model_type") ? config["model_type"].dump()
                                                                       : "nothing"));
  if (config.value("emb_layer_norm_before", Json(false)) == true)
    fail(Errc::Unsupported, "{}: emb_layer_norm_before (ESM-1b) is not supported", file);
  const Json positions = config.value("position_embedding_type", Json("rotary"));
  if (positions != "rotary")
    fail(Errc::Unsupported, "{}: expected position_embedding_type rotary, found {}", file,
         printable(positions.dump()));
  TransformerSpec spec;
  spec.vocabulary = whole(config, "vocab_size", file);
  spec.hidden = whole(config, "hidden_size", file);
  spec.layers = whole(config, "num_hidden_layers", file);
  spec.heads = whole(config, "num_attention_heads", file);
  spec.feed_forward = whole(config, "intermediate_size", file);
  spec.token_dropout = config.value("token_dropout", Json(false)) == true;
  const Json epsilon = config.value("layer_norm_eps", Json(1e-5));
  if (epsilon.is_number()) spec.norm_epsilon = epsilon.get<double>();
  const TensorSet named = with_prefix(tensors);
  find_head(spec, named, "lm_head.decoder.weight", "esm.embeddings.word_embeddings.weight");

  Imported imported{
      spec, {}, vocabulary ? tokenizer_of(*vocabulary, source) : nn::Tokenizer::esm()};
  imported.spec.mask_token = imported.tokenizer.mask();
  imported.spec = TransformerSpec::from_json(imported.spec.to_json(), file);
  imported.tensors = take(imported.spec, named, hugging_face_name, source, warnings);
  return imported;
}

Imported from_fair_esm(const Json& settings, const TensorSet& tensors, std::int64_t heads,
                       const std::string& source, Warnings& warnings) {
  const TensorSet named = without_prefix(tensors);
  if (named.contains("embed_positions.weight"))
    fail(Errc::Unsupported, "{}: learned positions (ESM-1) are not supported, only ESM-2", source);
  TransformerSpec spec;
  const Tensor& table = find(named, "embed_tokens.weight", source);
  spec.vocabulary = table.shape()[0];
  spec.hidden = table.shape()[1];
  spec.layers = count_layers(named);
  if (spec.layers == 0)
    fail(Errc::CorruptData, "{}: the tensor layers.0.fc1.weight is missing; is this ESM-2?",
         source);
  spec.feed_forward = find(named, "layers.0.fc1.weight", source).shape()[0];
  const auto stated =
      settings.is_object() ? settings.find("encoder_attention_heads") : settings.end();
  if (heads > 0)
    spec.heads = heads;
  else if (stated != settings.end() && stated->is_number_integer())
    spec.heads = stated->get<std::int64_t>();
  else
    spec.heads = published_heads(spec.hidden);
  spec.token_dropout = true;
  find_head(spec, named, "lm_head.weight", "embed_tokens.weight");
  Imported imported{spec, {}, nn::Tokenizer::esm()};
  imported.spec.mask_token = imported.tokenizer.mask();
  imported.spec = TransformerSpec::from_json(imported.spec.to_json(), source);
  imported.tensors = take(imported.spec, named, fair_esm_name, source, warnings);
  return imported;
}

Json hugging_face_config(const TransformerSpec& spec, const nn::Tokenizer& tokenizer) {
  return {{"architectures", {spec.head == "masked" ? "EsmForMaskedLM" : "EsmModel"}},
          {"model_type", "esm"},
          {"vocab_size", spec.vocabulary},
          {"hidden_size", spec.hidden},
          {"num_hidden_layers", spec.layers},
          {"num_attention_heads", spec.heads},
          {"intermediate_size", spec.feed_forward},
          {"position_embedding_type", "rotary"},
          {"token_dropout", spec.token_dropout},
          {"emb_layer_norm_before", false},
          {"layer_norm_eps", spec.norm_epsilon},
          {"hidden_act", "gelu"},
          {"max_position_embeddings", 1026},
          {"tie_word_embeddings", spec.tied},
          {"mask_token_id", tokenizer.mask()},
          {"pad_token_id", tokenizer.pad()},
          {"torch_dtype", "float32"}};
}

}  // namespace aceso::models
