#include "api/route.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <optional>

namespace aceso::hub {

namespace {

[[nodiscard]] bool takes_the_rest(std::string_view segment) noexcept {
  return segment.ends_with("*}");
}

/// The parameters of `path` if it follows `pattern`.
[[nodiscard]] std::optional<std::map<std::string, std::string>> matched(
    const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  std::map<std::string, std::string> parameters;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const std::string name(parameter_name(pattern[i]));
    if (takes_the_rest(pattern[i])) {
      parameters[name] = join(
          {path.begin() + static_cast<std::ptrdiff_t>(std::min(i, path.size())), path.end()}, "/");
      return parameters;
    }
    if (i >= path.size() || (name.empty() ? path[i] != pattern[i] : path[i].empty()))
      return std::nullopt;
    if (!name.empty()) parameters[name] = path[i];
  }
  if (path.size() != pattern.size()) return std::nullopt;
  return parameters;
}

}  // namespace

std::string_view parameter_name(std::string_view segment) noexcept {
  if (!segment.starts_with('{') || !segment.ends_with('}')) return {};
  segment = segment.substr(1, segment.size() - 2);
  if (segment.ends_with('*')) segment.remove_suffix(1);
  return segment;
}

Router::Router(std::vector<Route> routes) : routes_(std::move(routes)) {
  std::set<std::pair<Method, std::string_view>> known;
  for (const auto& route : routes_) {
    if (!known.insert({route.method, route.pattern}).second)
      fail(Errc::Internal, "the route {} {} is there twice", name(route.method), route.pattern);
    patterns_.push_back(split(route.pattern.substr(1), '/'));
  }
}

Match Router::match(Request& request) const {
  Match match;
  const Method method = request.method == Method::Head ? Method::Get : request.method;
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    // What takes the rest is for paths that nothing else knows.
    if (!match.allowed.empty() && takes_the_rest(patterns_[i].back())) continue;
    auto parameters = matched(patterns_[i], request.segments);
    if (!parameters) continue;
    match.allowed.insert(routes_[i].method);
    if (routes_[i].method != method || match.route != nullptr) continue;
    match.route = &routes_[i];
    request.parameters = std::move(*parameters);
  }
  return match;
}

}  // namespace aceso::hub
