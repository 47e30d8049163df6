#include "api/exchange.hpp"

#include "aceso/core/text.hpp"

#include <chrono>

namespace aceso::hub {

namespace {

using std::chrono::steady_clock;

[[nodiscard]] bool changes_something(Method method) noexcept {
  return method != Method::Get && method != Method::Head;
}

void set_default(Response& response, std::string_view header_name, std::string_view value) {
  for (const auto& header : response.headers)
    if (to_lower(header.name) == to_lower(header_name)) return;
  response.with(std::string(header_name), std::string(value));
}

/// What every answer says unless its handler said otherwise.
void add_security_headers(Response& response) {
  set_default(response, "X-Content-Type-Options", "nosniff");
  set_default(response, "Referrer-Policy", "no-referrer");
  set_default(response, "X-Frame-Options", "DENY");
  set_default(response, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  set_default(response, "Cross-Origin-Resource-Policy", "same-origin");
  set_default(response, "Cache-Control", "no-store");
}

class ApiExchange : public Exchange {
 public:
  ApiExchange(const ExchangeContext& context, Request request)
      : context_(context), request_(std::move(request)) {}

  std::optional<Response> begin() noexcept override {
    return refusal_of([&] {
      context_.hosts.check(request_);
      parse_target(request_);
      find_route();
      authorise();
      prepare_for_body();
    });
  }

  std::optional<Response> receive(std::span<const std::byte> bytes) noexcept override {
    return refusal_of([&] {
      if (sink_)
        sink_->write(bytes);
      else
        request_.body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      if (sink_) context_.metrics.count_uploaded(bytes.size());
    });
  }

  Response finish() noexcept override {
    Response response;
    auto refusal = refusal_of(
        [&] { response = sink_ ? sink_->finish() : std::get<Handler>(route_->handler)(request_); });
    return refusal ? std::move(*refusal) : done(std::move(response));
  }

 private:
  void find_route() {
    const Match match = context_.router.match(request_);
    route_ = match.route;
    if (route_ != nullptr) return;
    if (match.allowed.empty()) refuse(404, Errc::NotFound, "there is nothing at this path");
    for (const Method method : match.allowed)
      allow_ += (allow_.empty() ? "" : ", ") + std::string(name(method));
    refuse(405, Errc::InvalidArgument, "this path has the methods {}", allow_);
  }

  void authorise() {
    if (route_->access == Access::Everybody) return;
    if (route_->access == Access::Login) {
      if (request_.count_headers("Origin") > 0) check_same_origin(request_);
      return;
    }
    const Auth::Caller caller = context_.auth.caller(request_);
    if (caller == Auth::Caller::Nobody)
      refuse(401, Errc::InvalidArgument,
             "log in, or send the hub's token as Authorization: Bearer TOKEN");
    if (caller == Auth::Caller::Session && changes_something(request_.method))
      check_same_origin(request_);
  }

  void prepare_for_body() {
    if (const auto* handler = std::get_if<SinkHandler>(&route_->handler)) {
      sink_ = (*handler)(request_);
      return;
    }
    if (request_.content_length > kMaxJsonBytes)
      refuse(413, Errc::InvalidArgument, "the body has {}, at most {} are taken here",
             format_bytes(request_.content_length), format_bytes(kMaxJsonBytes));
    request_.body.reserve(static_cast<std::size_t>(request_.content_length));
  }

  template <typename Step>
  std::optional<Response> refusal_of(const Step& step) noexcept {
    try {
      step();
      return std::nullopt;
    } catch (const Error& error) {
      return done(error_response(error));
    } catch (const std::exception&) {
      return done(error_response(current_error()));
    }
  }

  Response done(Response response) noexcept {
    sink_.reset();
    if (!allow_.empty() && response.status == 405) response.with("Allow", allow_);
    if (response.status == 429) response.with("Retry-After", "60");
    add_security_headers(response);
    const double seconds = std::chrono::duration<double>(steady_clock::now() - begin_).count();
    const std::string route =
        route_ != nullptr ? fmt::format("{} {}", name(route_->method), route_->pattern) : "other";
    context_.metrics.count_request(route, response.status, seconds);
    // The pattern, not the path: what people call their data stays out of logs.
    if (response.status >= 500)
      context_.log.error(
          "http.request",
          {{"route", route}, {"status", response.status}, {"message", response.body}});
    else
      context_.log.debug("http.request",
                         {{"route", route}, {"status", response.status}, {"ms", seconds * 1e3}});
    return response;
  }

  const ExchangeContext& context_;
  Request request_;
  const Route* route_ = nullptr;
  std::string allow_;
  std::unique_ptr<BodySink> sink_;
  steady_clock::time_point begin_ = steady_clock::now();
};

}  // namespace

std::unique_ptr<Exchange> make_exchange(const ExchangeContext& context, Request request) {
  return std::make_unique<ApiExchange>(context, std::move(request));
}

}  // namespace aceso::hub
