#include "model_yaml.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <yaml-cpp/yaml.h>
#include <nlohmann/json.hpp>

#include <charconv>

namespace aceso::nn {
namespace {

constexpr int kDeepest = 32;
constexpr std::size_t kMostNodes = 200'000;

/// A plain (unquoted) scalar by YAML's core schema.
Json scalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return text;  // quoted
  if (text == "true") return true;
  if (text == "false") return false;
  if (text == "null" || text == "~" || text.empty()) return nullptr;
  const char* end = text.data() + text.size();
  std::int64_t whole = 0;
  if (const auto [stop, error] = std::from_chars(text.data(), end, whole);
      error == std::errc{} && stop == end)
    return whole;
  double number = 0;
  if (const auto [stop, error] = std::from_chars(text.data(), end, number);
      error == std::errc{} && stop == end)
    return number;
  return text;
}

class Converter {
 public:
  explicit Converter(std::string_view source) : source_(source) {}

  Json convert(const YAML::Node& node, int depth = 0) {
    // An alias can make a small text stand for a huge tree.
    if (depth > kDeepest || ++nodes_ > kMostNodes)
      fail(Errc::CorruptData, "{}: line {}: nested or repeated too deeply", source_, line(node));
    switch (node.Type()) {
      case YAML::NodeType::Scalar:
        return scalar(node);
      case YAML::NodeType::Sequence:
        return list(node, depth);
      case YAML::NodeType::Map:
        return object(node, depth);
      default:
        return nullptr;
    }
  }

 private:
  Json list(const YAML::Node& node, int depth) {
    Json made = Json::array();
    for (const auto& item : node) made.push_back(convert(item, depth + 1));
    return made;
  }

  Json object(const YAML::Node& node, int depth) {
    Json made = Json::object();
    for (const auto& item : node) {
      if (!item.first.IsScalar())
        fail(Errc::CorruptData, "{}: line {}: expected a name before the colon", source_,
             line(item.first));
      const std::string& name = item.first.Scalar();
      if (made.contains(name))
        fail(Errc::CorruptData, "{}: line {}: {} is given twice", source_, line(item.first),
             printable(name));
      made[name] = convert(item.second, depth + 1);
    }
    return made;
  }

  static int line(const YAML::Node& node) { return node.Mark().line + 1; }

  std::string source_;
  std::size_t nodes_ = 0;
};

void emit(YAML::Emitter& out, const Json& value) {
  if (value.is_object()) {
    out << YAML::BeginMap;
    for (const auto& [name, member] : value.items()) {
      out << YAML::Key << name << YAML::Value;
      emit(out, member);
    }
    out << YAML::EndMap;
  } else if (value.is_array()) {
    // A vocabulary is read more easily in a few lines than in hundreds.
    out << YAML::Flow << YAML::BeginSeq;
    for (const Json& item : value) emit(out, item);
    out << YAML::EndSeq << YAML::Block;
  } else if (value.is_string()) {
    out << YAML::DoubleQuoted << value.get<std::string>();
  } else {
    out << value.dump();
  }
}

}  // namespace

Json parse_yaml(const std::string& text, std::string_view source) {
  try {
    return Converter(source).convert(YAML::Load(text));
  } catch (const YAML::Exception& error) {
    fail(Errc::CorruptData, "{}: line {}: not YAML: {}", source, error.mark.line + 1, error.msg);
  }
}

std::string to_yaml(const Json& value) {
  YAML::Emitter out;
  emit(out, value);
  return std::string(out.c_str()) + "\n";
}

}  // namespace aceso::nn
