/// \file
/// A request and an answer as the hub's own code sees them: plain data, no HTTP library.
#pragma once

#include "refusal.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/json.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::hub {

enum class Method { Get, Head, Post, Patch, Delete, Other };

/// "GET", …; "OTHER" for those that no route has.
[[nodiscard]] std::string_view name(Method method) noexcept;

struct Header {
  std::string name, value;
};

struct Request {
  Method method = Method::Other;
  std::string target;  ///< as sent; never logged, it may carry a login code
  std::vector<Header> headers;
  std::uint64_t content_length = 0;
  std::string body;  ///< only of routes that collect it

  std::vector<std::string> segments;              ///< of the path, decoded; set by parse_target
  std::map<std::string, std::string> query;       ///< decoded; set by parse_target
  std::map<std::string, std::string> parameters;  ///< of the route's pattern; set by the router

  /// The value of the header `header_name` (case does not matter), or "".
  [[nodiscard]] std::string_view header(std::string_view header_name) const noexcept;
  [[nodiscard]] std::size_t count_headers(std::string_view header_name) const noexcept;
  /// The query value of `key`, or "".
  [[nodiscard]] std::string query_value(const std::string& key) const;
};

/// Part of an open file that is sent as a body, never read into memory as a whole.
struct FileBody {
  FileHandle file;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

/// A body that is made while it is sent, e.g. server-sent events. Used by one thread at a time.
class Stream {
 public:
  virtual ~Stream() = default;
  /// Returns what is to be sent now, perhaps nothing; asked again a little later until ended().
  virtual std::string next() = 0;
  [[nodiscard]] virtual bool ended() const = 0;
};

struct Response {
  int status = 200;
  std::vector<Header> headers = {};
  std::string body = {};
  std::optional<FileBody> file = {};    ///< instead of `body`
  std::unique_ptr<Stream> stream = {};  ///< instead of `body`; the connection closes after it

  Response& with(std::string header_name, std::string value) {
    headers.push_back({std::move(header_name), std::move(value)});
    return *this;
  }
};

/// The one place where an Errc becomes an HTTP status.
[[nodiscard]] int http_status(Errc code) noexcept;

/// The answer for `error`; knows Refusal.
[[nodiscard]] Response error_response(const Error& error);
[[nodiscard]] Response error_response(int status, Errc code, const std::string& message);

[[nodiscard]] Response json_response(int status, const Json& json);
[[nodiscard]] Response text_response(int status, std::string text,
                                     std::string media_type = "text/plain; charset=utf-8");

/// Fills request.segments and request.query from request.target.
/// \throws Refusal 400 for a malformed target, 404 for one with "." or ".." segments, NUL or '/' in
/// a segment.
void parse_target(Request& request);

/// Undoes %XX; nullopt if malformed. `plus_is_space` is for query strings.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space);
[[nodiscard]] std::string percent_encoded(std::string_view text);

/// The value of the cookie `cookie_name` in a Cookie header, or "".
[[nodiscard]] std::string_view cookie(std::string_view cookie_header,
                                      std::string_view cookie_name) noexcept;

/// A Content-Disposition value that carries `file_name` in a form no header parser can trip over.
[[nodiscard]] std::string content_disposition(std::string_view type, std::string_view file_name);

}  // namespace aceso::hub
