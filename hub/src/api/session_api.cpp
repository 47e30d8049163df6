#include "api/api.hpp"

#include "aceso/core/process.hpp"

#include <nlohmann/json.hpp>

namespace aceso::hub {

namespace {

[[nodiscard]] Response redirect(std::string place) {
  Response response{.status = 303};
  response.with("Location", std::move(place));
  return response;
}

}  // namespace

Response Api::log_in_by_code(const Request& request) {
  const auto session_cookie = context_.auth.log_in_with_code(request.query_value("code"));
  if (!session_cookie) return redirect("/#/login?failed=1");
  Response response = redirect("/");
  response.with("Set-Cookie", *session_cookie);
  return response;
}

Response Api::log_in(const Request& request) {
  const Json body = parse_object(request, {"token"});
  if (!body.contains("token") || !body["token"].is_string())
    throw Refusal(422, Errc::InvalidArgument, "the request has mistakes",
                  {{"/token", "expected the hub's token as a string"}});
  const auto session_cookie = context_.auth.log_in(body["token"].get<std::string>());
  if (!session_cookie) refuse(401, Errc::InvalidArgument, "this is not the hub's token");
  Response response{.status = 204};
  response.with("Set-Cookie", *session_cookie);
  return response;
}

Response Api::log_out(const Request& request) {
  Response response{.status = 204};
  response.with("Set-Cookie", context_.auth.log_out(request));
  return response;
}

Response Api::session(const Request&) { return json_response(200, {{"version", version()}}); }

}  // namespace aceso::hub
