#include "aceso/core/json.hpp"

#include "aceso/core/error.hpp"

#include <nlohmann/json.hpp>

#include <set>
#include <string>
#include <vector>

namespace aceso {
namespace {

/// Builds the value through the library's own event parser, and looks at each event first:
/// its DOM parser knows neither a depth limit nor repeated keys.
class StrictHandler final : public nlohmann::detail::json_sax_dom_parser<Json> {
  using Base = nlohmann::detail::json_sax_dom_parser<Json>;

 public:
  StrictHandler(Json& result, std::size_t max_depth) : Base(result, false), max_depth_(max_depth) {}

  bool start_object(std::size_t size) {
    keys_.emplace_back();
    return enter() && Base::start_object(size);
  }
  bool end_object() {
    keys_.pop_back();
    --depth_;
    return Base::end_object();
  }
  bool start_array(std::size_t size) { return enter() && Base::start_array(size); }
  bool end_array() {
    --depth_;
    return Base::end_array();
  }
  bool key(std::string& text) {
    if (!keys_.back().insert(text).second)
      return refuse("the key \"" + text + "\" stands twice in one object");
    return Base::key(text);
  }
  template <typename Exception>
  bool parse_error(std::size_t position, const std::string& token, const Exception& error) {
    static_cast<void>(Base::parse_error(position, token, error));
    return refuse(error.what());
  }

  std::string problem;

 private:
  bool enter() { return ++depth_ <= max_depth_ || refuse("nested too deeply"); }
  bool refuse(std::string text) {
    problem = std::move(text);
    return false;
  }

  std::size_t max_depth_;
  std::size_t depth_ = 0;
  std::vector<std::set<std::string>> keys_;
};

}  // namespace

Json parse_json(std::string_view text, std::string_view source, std::size_t max_depth) {
  Json value;
  StrictHandler handler{value, max_depth};
  if (!Json::sax_parse(text.begin(), text.end(), &handler) || !handler.problem.empty()) {
    std::string_view problem = handler.problem;
    // "[json.exception.parse_error.101] parse error at …" -> "parse error at …"
    if (const auto end = problem.find("] "); problem.starts_with('[') && end != problem.npos)
      problem.remove_prefix(end + 2);
    fail(Errc::CorruptData, "{}: not valid JSON: {}", source, problem);
  }
  return value;
}

}  // namespace aceso
