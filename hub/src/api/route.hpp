/// \file
/// The table of routes, from which routing, rights, the OpenAPI document and the metrics follow.
#pragma once

#include "http/message.hpp"

#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace aceso::hub {

/// Who may use a route. There is no default: a route without a policy does not compile.
enum class Access {
  Everybody,  ///< tells nothing about data or runs
  Login,      ///< makes a session: refused to foreign pages, limited in failures
  User,       ///< needs the token or a session
};

/// Takes a body that is not kept in memory. Destroyed without finish() if it broke off.
class BodySink {
 public:
  virtual ~BodySink() = default;
  virtual void write(std::span<const std::byte> bytes) = 0;
  [[nodiscard]] virtual Response finish() = 0;
};

/// Answers a request whose body, if any, is in request.body. Throws Error to refuse.
using Handler = std::function<Response(const Request&)>;
/// Looks at a request without its body, and returns what will take it. Throws Error to refuse.
using SinkHandler = std::function<std::unique_ptr<BodySink>(const Request&)>;

/// A query parameter or header, for the OpenAPI document.
struct Parameter {
  std::string_view in;  ///< "query" or "header"
  std::string_view name;
  std::string_view help;
  std::string_view type = "string";
  bool required = false;
};

/// An answer, for the OpenAPI document.
struct Answer {
  int status = 200;
  std::string_view schema = {};                      ///< a component's name; "": any or no content
  std::string_view media_type = "application/json";  ///< "" if there is no body
};

struct Route {
  Method method;
  std::string_view pattern;  ///< "/v1/data/{id}/content"; "{name*}" takes all that is left
  Access access;
  std::string_view summary;
  std::variant<Handler, SinkHandler> handler;
  std::string_view body = {};  ///< schema of the JSON body; "bytes" for a SinkHandler; "": none
  std::vector<Answer> answers = {};
  std::vector<int> refusals = {};  ///< statuses beside those of every route
  std::vector<Parameter> parameters = {};
};

/// What a request's method and path lead to.
struct Match {
  const Route* route = nullptr;  ///< null: no such path, or not with this method
  std::set<Method> allowed;      ///< methods that the path has
};

/// Finds routes. Immutable, so thread-safe.
class Router {
 public:
  /// \throws Error Internal if two routes have the same method and pattern.
  explicit Router(std::vector<Route> routes);
  [[nodiscard]] const std::vector<Route>& routes() const noexcept { return routes_; }
  /// Fills request.parameters. HEAD finds the route of GET.
  [[nodiscard]] Match match(Request& request) const;

 private:
  std::vector<Route> routes_;
  std::vector<std::vector<std::string>> patterns_;  ///< of routes_, in segments
};

/// "{id}" -> "id", "{file*}" -> "file"; "" for a fixed segment.
[[nodiscard]] std::string_view parameter_name(std::string_view segment) noexcept;

}  // namespace aceso::hub
