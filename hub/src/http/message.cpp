#include "http/message.hpp"

#include "aceso/core/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>

namespace aceso::hub {

namespace {

[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

[[nodiscard]] int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

[[nodiscard]] bool is_unreserved(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

[[nodiscard]] std::string checked_segment(std::string_view raw) {
  auto segment = percent_decoded(raw, false);
  if (!segment) refuse(400, Errc::InvalidArgument, "malformed percent-encoding in the path");
  const bool strange = *segment == "." || *segment == ".." ||
                       segment->find('/') != std::string::npos ||
                       segment->find('\\') != std::string::npos ||
                       segment->find('\0') != std::string::npos || !is_utf8(*segment);
  if (strange) refuse(404, Errc::NotFound, "there is nothing at this path");
  return std::move(*segment);
}

void parse_query(std::string_view text, std::map<std::string, std::string>& query) {
  for (const auto& pair : split(text, '&')) {
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto key = percent_decoded(std::string_view(pair).substr(0, equals), true);
    auto value = equals == std::string::npos
                     ? std::optional<std::string>("")
                     : percent_decoded(std::string_view(pair).substr(equals + 1), true);
    if (!key || !value || !is_utf8(*key) || !is_utf8(*value))
      refuse(400, Errc::InvalidArgument, "malformed percent-encoding in the query");
    query.insert_or_assign(std::move(*key), std::move(*value));
  }
}

}  // namespace

std::string_view name(Method method) noexcept {
  switch (method) {
    case Method::Get:
      return "GET";
    case Method::Head:
      return "HEAD";
    case Method::Post:
      return "POST";
    case Method::Patch:
      return "PATCH";
    case Method::Delete:
      return "DELETE";
    case Method::Other:
      break;
  }
  return "OTHER";
}

std::string_view Request::header(std::string_view header_name) const noexcept {
  const auto found = std::ranges::find_if(
      headers, [&](const Header& h) { return equal_ignoring_case(h.name, header_name); });
  return found == headers.end() ? std::string_view() : std::string_view(found->value);
}

std::size_t Request::count_headers(std::string_view header_name) const noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(
      headers, [&](const Header& h) { return equal_ignoring_case(h.name, header_name); }));
}

std::string Request::query_value(const std::string& key) const {
  const auto found = query.find(key);
  return found == query.end() ? std::string() : found->second;
}

int http_status(Errc code) noexcept {
  switch (code) {
    case Errc::InvalidArgument:
      return 400;
    case Errc::CorruptData:
      return 400;
    case Errc::NotFound:
      return 404;
    case Errc::Unsupported:
      return 501;
    case Errc::Cancelled:
      return 503;
    case Errc::OutOfResources:
      return 507;
    case Errc::Io:
      return 500;
    case Errc::Internal:
      return 500;
  }
  return 500;
}

Response json_response(int status, const Json& json) {
  // Foreign bytes in messages must not make the answer fail.
  return text_response(status, json.dump(-1, ' ', false, Json::error_handler_t::replace),
                       "application/json");
}

Response text_response(int status, std::string text, std::string media_type) {
  Response response{.status = status, .body = std::move(text)};
  response.with("Content-Type", std::move(media_type));
  return response;
}

Response error_response(const Error& error) {
  Json body{{"code", name(error.code())}, {"message", error.what()}, {"mistakes", Json::array()}};
  const auto* refusal = dynamic_cast<const Refusal*>(&error);
  if (refusal == nullptr) return json_response(http_status(error.code()), {{"error", body}});
  for (const auto& mistake : refusal->mistakes())
    body["mistakes"].push_back({{"pointer", mistake.pointer}, {"message", mistake.message}});
  Json answer{{"error", body}};
  for (const auto& [key, value] : refusal->figures()) answer[key] = value;
  Response response = json_response(refusal->status(), answer);
  if (refusal->status() == 401) response.with("WWW-Authenticate", "Bearer");
  return response;
}

Response error_response(int status, Errc code, const std::string& message) {
  return error_response(Refusal(status, code, message));
}

void parse_target(Request& request) {
  const std::string_view target = request.target;
  if (target.empty() || target.front() != '/')
    refuse(400, Errc::InvalidArgument, "the request target must begin with '/'");
  const auto mark = target.find('?');
  for (const auto& raw :
       split(target.substr(1, mark == std::string_view::npos ? mark : mark - 1), '/'))
    request.segments.push_back(checked_segment(raw));
  if (mark != std::string_view::npos) parse_query(target.substr(mark + 1), request.query);
}

std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space)
      decoded += ' ';
    else if (text[i] != '%')
      decoded += text[i];
    else {
      const int high = i + 1 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return std::nullopt;
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return decoded;
}

std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (is_unreserved(c))
      encoded += c;
    else
      encoded += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
  return encoded;
}

std::string_view cookie(std::string_view cookie_header, std::string_view cookie_name) noexcept {
  while (!cookie_header.empty()) {
    const auto end = std::min(cookie_header.find(';'), cookie_header.size());
    std::string_view pair = cookie_header.substr(0, end);
    cookie_header.remove_prefix(std::min(end + 1, cookie_header.size()));
    while (!pair.empty() && pair.front() == ' ') pair.remove_prefix(1);
    if (pair.size() > cookie_name.size() && pair.starts_with(cookie_name) &&
        pair[cookie_name.size()] == '=')
      return pair.substr(cookie_name.size() + 1);
  }
  return {};
}

std::string content_disposition(std::string_view type, std::string_view file_name) {
  std::string plain;
  for (const char c : file_name) plain += is_unreserved(c) || c == ' ' ? c : '_';
  return fmt::format("{}; filename=\"{}\"; filename*=UTF-8''{}", type, plain,
                     percent_encoded(file_name));
}

}  // namespace aceso::hub
