#include "onnx.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/process.hpp"
#include "aceso/nn/transformer.hpp"

#include <nlohmann/json.hpp>

#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace aceso::models {
namespace {

using Shape = std::vector<std::int64_t>;
using Names = std::vector<std::string>;

/// A message in protobuf's wire format (https://protobuf.dev/programming-guides/encoding/). ONNX
/// needs numbers, texts and messages in it, which is less than a library for it would ask of us.
class Message {
 public:
  void number(unsigned field, std::int64_t value) {
    key(field, 0);
    varint(static_cast<std::uint64_t>(value));
  }
  void real(unsigned field, float value) {
    key(field, 5);
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (unsigned shift = 0; shift < 32; shift += 8)
      bytes_.push_back(static_cast<char>(bits >> shift & 0xffU));
  }
  void text(unsigned field, std::string_view value) {
    key(field, 2);
    varint(value.size());
    bytes_ += value;
  }
  void message(unsigned field, const Message& value) { text(field, value.bytes_); }
  [[nodiscard]] std::string take() { return std::move(bytes_); }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }

 private:
  void key(unsigned field, unsigned type) { varint(field << 3U | type); }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) bytes_.push_back(static_cast<char>(value | 0x80U));
    bytes_.push_back(static_cast<char>(value));
  }

  std::string bytes_;
};

// TensorProto.DataType; AttributeProto.AttributeType.
constexpr std::int64_t kFloat = 1, kInt64 = 7;
constexpr std::int64_t kAttributeInt = 2, kAttributeInts = 7;
constexpr std::size_t kMostBytes = (std::size_t{1} << 31U) - (1U << 20U);

/// A graph under construction; every value has a name, and an operator returns its result's.
class Graph {
 public:
  using Attributes = std::map<std::string, Shape>;  ///< one number: "INT" if its name ends with '.'

  std::string op(const char* type, const Names& inputs, const Attributes& attributes = {},
                 std::string output = {}) {
    if (output.empty()) output = fresh();
    ops(type, inputs, {output}, attributes);
    return output;
  }

  void ops(const char* type, const Names& inputs, const Names& outputs,
           const Attributes& attributes = {}) {
    Message node;
    for (const std::string& input : inputs) node.text(1, input);
    for (const std::string& output : outputs) node.text(2, output);
    node.text(3, outputs.front() + ":" + type);
    node.text(4, type);
    for (const auto& [name, numbers] : attributes) node.message(5, attribute(name, numbers));
    graph_.message(1, node);
  }

  std::string fresh() { return "v" + std::to_string(next_++); }

  std::string floats(std::string name, const Shape& shape, std::span<const float> values) {
    return initializer(std::move(name), kFloat, shape, std::as_bytes(values));
  }
  std::string scalar(float value) { return floats(fresh(), {}, {&value, 1}); }
  std::string integers(const Shape& values, const Shape& shape) {
    return initializer(fresh(), kInt64, shape, std::as_bytes(std::span(values)));
  }
  std::string integers(const Shape& values) {
    return integers(values, {static_cast<std::int64_t>(values.size())});
  }

  /// `extents`: a number, or the name of one that is free.
  void port(unsigned field, const std::string& name, std::int64_t type, const Names& extents) {
    Message shape;
    for (const std::string& extent : extents) {
      Message one;
      if (std::isdigit(static_cast<unsigned char>(extent.front())) != 0)
        one.number(1, std::stoll(extent));
      else
        one.text(2, extent);
      shape.message(1, one);
    }
    Message tensor, kind, info;
    tensor.number(1, type);
    tensor.message(2, shape);
    kind.message(1, tensor);
    info.text(1, name);
    info.message(2, kind);
    graph_.message(field, info);
  }
  void input(const std::string& name, std::int64_t type, const Names& extents) {
    port(11, name, type, extents);
  }
  void output(const std::string& name, std::int64_t type, const Names& extents) {
    port(12, name, type, extents);
  }

  [[nodiscard]] Message& message() { return graph_; }

 private:
  static Message attribute(const std::string& name, const Shape& numbers) {
    const bool one = name.ends_with('.');
    Message made;
    made.text(1, one ? name.substr(0, name.size() - 1) : name);
    for (const std::int64_t number : numbers) made.number(one ? 3 : 8, number);
    made.number(20, one ? kAttributeInt : kAttributeInts);
    return made;
  }

  std::string initializer(std::string name, std::int64_t type, const Shape& shape,
                          std::span<const std::byte> bytes) {
    if (graph_.size() + bytes.size() > kMostBytes)
      fail(Errc::Unsupported,
           "expected weights of at most 2 GB, which an ONNX file can hold, found more; export as "
           "safetensors");
    Message tensor;
    for (const std::int64_t extent : shape) tensor.number(1, extent);
    tensor.number(2, type);
    tensor.text(8, name);
    tensor.text(9, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    graph_.message(5, tensor);
    return name;
  }

  Message graph_;
  std::size_t next_ = 0;
};

/// The formulas of nn/transformer.hpp, as operators.
class Encoder {
 public:
  Encoder(const nn::TransformerSpec& spec, const nn::TensorFile& file, std::int64_t max_length)
      : spec_(spec), file_(file), longest_(max_length) {
    if (spec.positions == "learned") longest_ = spec.max_length;
  }

  Message run() {
    g_.message().text(2, "encoder");
    g_.input("tokens", kInt64, {"batch", "length"});
    g_.input("attention_mask", kInt64, {"batch", "length"});
    mask_ = g_.op("Cast", {"attention_mask"}, {{"to.", {kFloat}}});
    // 0 for tokens, and far below what any product is for padding.
    const std::string away = g_.op("Mul", {g_.op("Sub", {mask_, g_.scalar(1)}), g_.scalar(1e9F)});
    bias_ = g_.op("Unsqueeze", {away, g_.integers({1, 2})});
    length_ = g_.op("Gather", {g_.op("Shape", {"tokens"}), g_.integers({1})}, {{"axis.", {0}}});
    std::string x = embedded();
    if (spec_.positions == "rotary") make_angles();
    for (std::int64_t i = 0; i < spec_.layers; ++i) x = layer(x, i);
    norm(x, "final_norm", "hidden");
    g_.output("hidden", kFloat, {"batch", "length", std::to_string(spec_.hidden)});
    if (spec_.head != "none") head();
    return std::move(g_.message());
  }

 private:
  Tensor values(const std::string& name) const { return nn::to_float32(file_.tensor(name)); }

  std::string weight(const std::string& name) {
    const Tensor tensor = values(name);
    return g_.floats(name, tensor.shape(), tensor.values<float>());
  }

  std::string table_rows(const std::string& table) {
    return g_.op("Slice", {table, g_.integers({0}), length_, g_.integers({0})});
  }

  std::string embedded() {
    table_ = weight("embed.tokens.weight");
    std::string x = g_.op("Gather", {table_, "tokens"}, {{"axis.", {0}}});
    if (spec_.token_dropout) x = g_.op("Mul", {x, dropout_factor()});
    if (spec_.positions == "learned")
      x = g_.op("Add", {x, table_rows(weight("embed.positions.weight"))});
    return x;
  }

  /// As ESM was trained: mask tokens are zeroed, the others scaled for their share.
  std::string dropout_factor() {
    const std::string is_mask =
        g_.op("Cast", {g_.op("Equal", {"tokens", g_.integers({spec_.mask_token}, {})})},
              {{"to.", {kFloat}}});
    const auto sum = [&](const std::string& of) {
      return g_.op("ReduceSum", {of, g_.integers({1})}, {{"keepdims.", {1}}});
    };
    const std::string share = g_.op("Div", {sum(g_.op("Mul", {is_mask, mask_})), sum(mask_)});
    const std::string scale =
        g_.op("Div", {g_.scalar(1.0F - 0.15F * 0.8F), g_.op("Sub", {g_.scalar(1), share})});
    const std::string factor = g_.op("Mul", {g_.op("Sub", {g_.scalar(1), is_mask}), scale});
    return g_.op("Unsqueeze", {factor, g_.integers({2})});
  }

  void make_angles() {
    const std::int64_t half = spec_.head_size() / 2;
    std::vector<float> cosine, sine;
    for (std::int64_t p = 0; p < longest_; ++p)
      for (std::int64_t i = 0; i < half; ++i) {
        const float angle = static_cast<float>(p) /
                            std::pow(10000.0F, static_cast<float>(i) / static_cast<float>(half));
        cosine.push_back(std::cos(angle));
        sine.push_back(std::sin(angle));
      }
    cosine_ = table_rows(g_.floats("rotary.cosine", {longest_, half}, cosine));
    sine_ = table_rows(g_.floats("rotary.sine", {longest_, half}, sine));
  }

  std::string norm(const std::string& x, const std::string& name, std::string output = {}) {
    const auto mean = [&](const std::string& of) {
      return g_.op("ReduceMean", {of}, {{"axes", {-1}}, {"keepdims.", {1}}});
    };
    const std::string centred = g_.op("Sub", {x, mean(x)});
    const std::string variance = mean(g_.op("Mul", {centred, centred}));
    const std::string deviation = g_.op(
        "Sqrt", {g_.op("Add", {variance, g_.scalar(static_cast<float>(spec_.norm_epsilon))})});
    const std::string scaled =
        g_.op("Mul", {g_.op("Div", {centred, deviation}), weight(name + ".weight")});
    return g_.op("Add", {scaled, weight(name + ".bias")}, {}, std::move(output));
  }

  /// x W^T + b, with W turned here, once.
  std::string linear(const std::string& x, const std::string& name) {
    const Tensor given = values(name + ".weight");
    const std::int64_t out = given.shape()[0], in = given.shape()[1];
    std::vector<float> turned(static_cast<std::size_t>(out * in));
    const auto w = given.values<float>();
    for (std::size_t o = 0; o < static_cast<std::size_t>(out); ++o)
      for (std::size_t i = 0; i < static_cast<std::size_t>(in); ++i)
        turned[i * static_cast<std::size_t>(out) + o] = w[o * static_cast<std::size_t>(in) + i];
    const std::string matrix = g_.floats(name + ".weight.turned", {in, out}, turned);
    return g_.op("Add", {g_.op("MatMul", {x, matrix}), weight(name + ".bias")});
  }

  std::string gelu(const std::string& x) {
    const std::string e = g_.op("Erf", {g_.op("Div", {x, g_.scalar(std::sqrt(2.0F))})});
    const std::string half = g_.op("Mul", {x, g_.scalar(0.5F)});
    return g_.op("Mul", {half, g_.op("Add", {e, g_.scalar(1)})});
  }

  /// [batch, length, hidden] to [batch, heads, length, head size].
  std::string heads_of(const std::string& x) {
    const std::string cut =
        g_.op("Reshape", {x, g_.integers({0, 0, spec_.heads, spec_.head_size()})});
    return g_.op("Transpose", {cut}, {{"perm", {0, 2, 1, 3}}});
  }

  /// Turns the halves of a head's vector against each other (Su et al. 2021).
  std::string turned(const std::string& x) {
    if (cosine_.empty()) return x;
    const std::string one = g_.fresh(), two = g_.fresh();
    g_.ops("Split", {x}, {one, two}, {{"axis.", {-1}}});
    const auto times = [&](const std::string& a, const std::string& b) {
      return g_.op("Mul", {a, b});
    };
    const std::string first = g_.op("Sub", {times(one, cosine_), times(two, sine_)});
    const std::string second = g_.op("Add", {times(two, cosine_), times(one, sine_)});
    return g_.op("Concat", {first, second}, {{"axis.", {-1}}});
  }

  std::string attention(const std::string& x, const std::string& name) {
    const std::string q = turned(heads_of(linear(x, name + "query")));
    const std::string k = turned(heads_of(linear(x, name + "key")));
    const std::string v = heads_of(linear(x, name + "value"));
    const std::string product =
        g_.op("MatMul", {q, g_.op("Transpose", {k}, {{"perm", {0, 1, 3, 2}}})});
    const std::string scale = g_.scalar(1.0F / std::sqrt(static_cast<float>(spec_.head_size())));
    const std::string scores = g_.op("Add", {g_.op("Mul", {product, scale}), bias_});
    const std::string mixed = g_.op("MatMul", {g_.op("Softmax", {scores}, {{"axis.", {-1}}}), v});
    const std::string rows = g_.op(
        "Reshape",
        {g_.op("Transpose", {mixed}, {{"perm", {0, 2, 1, 3}}}), g_.integers({0, 0, spec_.hidden})});
    return linear(rows, name + "output");
  }

  std::string layer(const std::string& x, std::int64_t i) {
    const std::string name = "layers." + std::to_string(i) + ".";
    const std::string y =
        g_.op("Add", {x, attention(norm(x, name + "attention.norm"), name + "attention.")});
    const std::string up = gelu(linear(norm(y, name + "mlp.norm"), name + "mlp.up"));
    return g_.op("Add", {y, linear(up, name + "mlp.down")});
  }

  void head() {
    std::string x = "hidden";
    if (spec_.head == "masked") x = norm(gelu(linear(x, "head.dense")), "head.norm");
    const std::string matrix = spec_.tied ? table_ : weight("head.decoder.weight");
    const std::string turned = g_.op("Transpose", {matrix}, {{"perm", {1, 0}}});
    g_.op("Add", {g_.op("MatMul", {x, turned}), weight("head.bias")}, {}, "logits");
    g_.output("logits", kFloat, {"batch", "length", std::to_string(spec_.vocabulary)});
  }

  nn::TransformerSpec spec_;
  const nn::TensorFile& file_;
  std::int64_t longest_;
  Graph g_;
  std::string table_, mask_, bias_, length_, cosine_, sine_;
};

}  // namespace

std::string onnx_encoder(const nn::ModelFolder& model, std::int64_t max_length) {
  const std::string source = model.path().string();
  const auto spec = nn::TransformerSpec::from_json(model.description().config, source);
  if (spec.causal)
    fail(Errc::Unsupported, "{}: only encoders have an ONNX form here; this model is causal",
         source);
  // Refuses weights that are missing or of another shape.
  (void)nn::Transformer(model, nn::Precision::Fp32);
  const Message graph = Encoder(spec, model.weights(), max_length).run();
  Message operators, made;
  operators.text(1, "");
  operators.number(2, 13);
  made.number(1, 7);  // the file format that came with operator set 13
  made.text(2, "aceso");
  made.text(3, version());
  made.text(6, model.description().name);
  made.message(7, graph);
  made.message(8, operators);
  return made.take();
}

}  // namespace aceso::models
