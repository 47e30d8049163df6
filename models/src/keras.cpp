#include "keras.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"
#include "aceso/nn/tokenizer.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

namespace aceso::models {
namespace {

/// Weights of one layer, by the last part of their name: "lstm/lstm/kernel:0" is "kernel".
struct KerasLayer {
  std::string name;
  std::map<std::string, Tensor> weights;

  [[nodiscard]] bool has(std::initializer_list<const char*> names) const {
    return weights.size() == names.size() &&
           std::ranges::all_of(names, [&](const char* one) { return weights.contains(one); });
  }
};

std::vector<std::string> texts_at(const Json& values, const std::string& group,
                                  const char* attribute) {
  const auto found = values.find(group);
  if (found == values.end() || !found->contains(attribute) || !(*found)[attribute].is_array())
    return {};
  return (*found)[attribute].get<std::vector<std::string>>();
}

std::string text_at(const Json& values, const std::string& group, const char* attribute) {
  const auto found = values.find(group);
  return found != values.end() && found->contains(attribute) && (*found)[attribute].is_string()
             ? (*found)[attribute].get<std::string>()
             : "";
}

class Checkpoint {
 public:
  Checkpoint(const nn::ForeignWeights& weights, const std::string& source)
      : weights_(weights), source_(source) {
    // A whole model keeps its weights in a group of their own.
    if (texts_at(weights.values, "", "layer_names").empty()) root_ = "model_weights";
    if (texts_at(weights.values, root_, "layer_names").empty())
      fail(Errc::CorruptData,
           "{}: expected a checkpoint of Keras with the attribute layer_names, found none", source);
  }

  /// Those that have weights, in order.
  [[nodiscard]] std::vector<KerasLayer> layers() const {
    std::vector<KerasLayer> list;
    for (const std::string& name : texts_at(weights_.values, root_, "layer_names")) {
      const std::string group = root_.empty() ? name : root_ + "/" + name;
      KerasLayer layer{name, {}};
      for (const std::string& weight : texts_at(weights_.values, group, "weight_names")) {
        const auto found = weights_.tensors.find(group + "/" + weight);
        if (found == weights_.tensors.end())
          fail(Errc::CorruptData, "{}: the data set {} is missing", source_,
               printable(group + "/" + weight));
        const std::string last = split(weight, '/').back();
        layer.weights.emplace(last.substr(0, last.find(':')), found->second);
      }
      if (!layer.weights.empty()) list.push_back(std::move(layer));
    }
    return list;
  }

  /// Activations are in the model's settings, if those were saved. Else they are the defaults, and
  /// the first ones, of the package keras before 2.3, were others.
  void check_activations() const {
    const std::string settings = text_at(weights_.values, "", "model_config");
    if (!settings.empty()) return check_settings(parse_json(settings, source_ + ": model_config"));
    const std::string version = text_at(weights_.values, root_, "keras_version");
    const bool old = version.starts_with("1.") || version.starts_with("2.0") ||
                     version.starts_with("2.1") || version.starts_with("2.2");
    if (old && !version.ends_with("-tf"))
      fail(Errc::Unsupported,
           "{}: written by Keras {}, whose LSTM gates use the hard sigmoid; expected the sigmoid "
           "(Keras 2.3 or tf.keras 2)",
           source_, printable(version));
  }

 private:
  void check_settings(const Json& settings) const {
    const Json* layers = &settings;
    for (const char* member : {"config", "layers"}) {
      if (!layers->is_object() || !layers->contains(member))
        fail(Errc::CorruptData, "{}: model_config: expected config.layers, found none", source_);
      layers = &(*layers)[member];
    }
    for (const Json& layer : *layers) {
      if (!layer.is_object() || layer.value("class_name", "") != "LSTM") continue;
      const Json config = layer.value("config", Json::object());
      for (const auto& [name, wanted] :
           std::initializer_list<std::pair<const char*, Json>>{{"activation", "tanh"},
                                                               {"recurrent_activation", "sigmoid"},
                                                               {"go_backwards", false},
                                                               {"use_bias", true}}) {
        const Json found = config.value(name, wanted);
        if (found != wanted)
          fail(Errc::Unsupported, "{}: {}: expected {} {}, found {}", source_,
               printable(config.value("name", "an LSTM layer")), name, wanted.dump(),
               printable(found.dump()));
      }
    }
  }

  const nn::ForeignWeights& weights_;
  std::string source_, root_;
};

/// Our layers compute x W^T, Keras's x W.
Tensor transposed(const Tensor& tensor) {
  const std::int64_t rows = tensor.shape().at(0), columns = tensor.shape().at(1);
  Tensor result(DType::F32, {columns, rows});
  const auto from = tensor.values<float>();
  const auto to = result.values<float>();
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c)
      to[static_cast<std::size_t>(c * rows + r)] = from[static_cast<std::size_t>(r * columns + c)];
  return result;
}

/// Turns layers into our names, one after the other.
class Translation {
 public:
  explicit Translation(const std::string& source) : source_(source) {}

  void add(const KerasLayer& layer) {
    if (layer.has({"embeddings"}) && made_.spec.layers == 0 && width_ == 0)
      add_embedding(layer);
    else if (layer.has({"kernel", "recurrent_kernel", "bias"}) && !done_)
      add_lstm(layer);
    else if (layer.has({"kernel", "bias"}) && made_.spec.layers > 0 && !done_)
      add_head(layer);
    else
      fail(Errc::Unsupported,
           "{}: expected an embedding (or none), LSTM layers and one dense layer; found the layer "
           "{} behind {} LSTM layers",
           source_, printable(layer.name), made_.spec.layers);
  }

  [[nodiscard]] ImportedRecurrent finish() {
    if (!done_)
      fail(Errc::CorruptData, "{}: expected a dense layer behind LSTM layers, found none", source_);
    return std::move(made_);
  }

 private:
  const Tensor& shaped(const KerasLayer& layer, const char* name,
                       const std::vector<std::int64_t>& wanted) const {
    const Tensor& tensor = layer.weights.at(name);
    bool fits = tensor.shape().size() == wanted.size();
    for (std::size_t i = 0; fits && i < wanted.size(); ++i)
      fits = wanted[i] == kAny ? tensor.shape()[i] > 0 : tensor.shape()[i] == wanted[i];
    if (!fits)
      fail(Errc::CorruptData, "{}: {}/{}: expected the shape {} (0: any), found {}", source_,
           printable(layer.name), name, nn::shape_text(wanted), nn::shape_text(tensor.shape()));
    return tensor;
  }

  void add_embedding(const KerasLayer& layer) {
    const Tensor& table = shaped(layer, "embeddings", {kAny, kAny});
    made_.spec.vocabulary = table.shape()[0];
    made_.spec.embedding = width_ = table.shape()[1];
    made_.tensors.emplace("embed.tokens.weight", table);
  }

  void add_lstm(const KerasLayer& layer) {
    const Tensor& recurrent = shaped(layer, "recurrent_kernel", {kAny, kAny});
    const std::int64_t hidden = recurrent.shape()[0];
    if (made_.spec.layers > 0 && hidden != made_.spec.hidden)
      fail(Errc::Unsupported, "{}: expected LSTM layers of one size, found {} and {}", source_,
           made_.spec.hidden, hidden);
    if (recurrent.shape()[1] != 4 * hidden)
      fail(Errc::Unsupported, "{}: {}: expected the four gates of an LSTM, [{}, {}]; found {}",
           source_, printable(layer.name), hidden, 4 * hidden, nn::shape_text(recurrent.shape()));
    const Tensor& kernel = shaped(layer, "kernel", {width_ > 0 ? width_ : kAny, 4 * hidden});
    if (width_ == 0) made_.spec.vocabulary = kernel.shape()[0];
    const std::string prefix = fmt::format("layers.{}.", made_.spec.layers++);
    // Both orders of gates are input, forget, cell, output.
    made_.tensors.emplace(prefix + "input.weight", transposed(kernel));
    made_.tensors.emplace(prefix + "recurrent.weight", transposed(recurrent));
    made_.tensors.emplace(prefix + "bias", shaped(layer, "bias", {4 * hidden}));
    made_.spec.hidden = width_ = hidden;
  }

  void add_head(const KerasLayer& layer) {
    const std::int64_t vocabulary = made_.spec.vocabulary;
    made_.tensors.emplace("head.weight",
                          transposed(shaped(layer, "kernel", {made_.spec.hidden, vocabulary})));
    made_.tensors.emplace("head.bias", shaped(layer, "bias", {vocabulary}));
    done_ = true;
  }

  static constexpr std::int64_t kAny = 0;
  std::string source_;
  ImportedRecurrent made_;
  std::int64_t width_ = 0;  ///< of what the next layer reads; 0: nothing yet
  bool done_ = false;
};

/// LSTM_Chem's symbols in the order of its one-hot vectors: elements, longer ones first, other
/// characters of SMILES, then begin, padding and end.
std::vector<std::string> lstm_chem_symbols() {
  return split(
      "Li Na Al Si Cl Sc Zn As Se Br Sn Te Cn H B C N O F P S K V I "
      "( ) [ ] = # % 0 1 2 3 4 5 6 7 8 9 + - se te c n o s G A E",
      ' ');
}

std::vector<std::string> listed(std::string_view vocabulary) {
  std::vector<std::string> lines = split(replaced(vocabulary, '\r', ' '), '\n');
  for (std::string& line : lines)
    line.resize(std::min(line.size(), line.find_last_not_of(' ') + 1));
  std::erase_if(lines, [](const std::string& line) { return line.empty(); });
  return lines;
}

}  // namespace

ImportedRecurrent from_keras(const nn::ForeignWeights& weights, const std::string& source) {
  const Checkpoint checkpoint(weights, source);
  checkpoint.check_activations();
  Translation translation(source);
  for (const KerasLayer& layer : checkpoint.layers()) translation.add(layer);
  return translation.finish();
}

Json keras_tokenizer(std::string_view vocabulary, std::int64_t size, const std::string& source) {
  const bool given = !vocabulary.empty();
  const std::vector<std::string> tokens = given ? listed(vocabulary) : lstm_chem_symbols();
  if (static_cast<std::int64_t>(tokens.size()) != size)
    fail(Errc::CorruptData, "{}: expected the net's {} tokens, found {}{}", source, size,
         tokens.size(), given ? "" : " in the vocabulary of LSTM_Chem; give --vocabulary");
  Json json{{"type", "pieces"}, {"tokens", tokens}};
  const auto role = [&](const char* name, const char* usual, const char* letter) {
    for (const char* text : {usual, letter})
      if (!json.contains(name) && std::ranges::find(tokens, text) != tokens.end())
        json[name] = text;
  };
  role("begin", "<bos>", "G");
  role("end", "<eos>", "E");
  role("pad", "<pad>", "A");
  return json;
}

}  // namespace aceso::models
