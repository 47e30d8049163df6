#include "auth/auth.hpp"

#include "aceso/core/files.hpp"
#include "aceso/core/hash.hpp"
#include "aceso/core/text.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <ctime>

namespace aceso::hub {

namespace {

constexpr std::chrono::minutes kCodeLifetime{15};

/// Hashes have one length and tell nothing of the secret, so comparing them leaks neither.
[[nodiscard]] bool is_secret(std::string_view given, std::string_view secret) {
  return equal_in_constant_time(sha256(given), sha256(secret));
}

[[nodiscard]] bool is_token(std::string_view text) noexcept {
  return text.size() == 64 &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isxdigit(c) != 0; });
}

[[nodiscard]] std::string_view bearer(const Request& request) noexcept {
  constexpr std::string_view kScheme = "bearer ";
  const std::string_view value = request.header("Authorization");
  if (value.size() < kScheme.size() || to_lower(value.substr(0, kScheme.size())) != kScheme)
    return {};
  return value.substr(kScheme.size());
}

[[nodiscard]] std::string_view session_secret(const Request& request) noexcept {
  return cookie(request.header("Cookie"), kSessionCookie);
}

/// "127.0.0.1:8765" -> "127.0.0.1", "[::1]:8765" -> "[::1]"; "" if malformed.
[[nodiscard]] std::string_view host_name(std::string_view host) noexcept {
  const auto end =
      host.starts_with('[') ? host.find(']') + 1 : std::min(host.find(':'), host.size());
  if (end == 0) return {};
  const std::string_view port = host.substr(end);
  const bool fine =
      port.empty() ||
      (port.size() > 1 && port[0] == ':' &&
       std::ranges::all_of(port.substr(1), [](unsigned char c) { return std::isdigit(c) != 0; }));
  return fine ? host.substr(0, end) : std::string_view();
}

/// 127.0.0.0/8 in its usual writing.
[[nodiscard]] bool is_loopback_v4(std::string_view host) {
  const auto parts = split(host, '.');
  if (parts.size() != 4 || parts[0] != "127") return false;
  return std::ranges::all_of(parts, [](const std::string& part) {
    unsigned value = 256;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    return error == std::errc() && end == part.data() + part.size() && value < 256;
  });
}

[[nodiscard]] bool is_loopback_name(const std::string& host) {
  return host == "localhost" || host == "[::1]" || is_loopback_v4(host);
}

[[nodiscard]] std::int64_t now_seconds() noexcept {
  return static_cast<std::int64_t>(std::time(nullptr));
}

}  // namespace

std::string load_or_make_token(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) {
    AtomicFile file(path);
    // Before any byte is in it.
    if (::fchmod(file.descriptor(), 0600) != 0) fail_system(errno, "protect", path.string());
    file.write(random_hex(32) + "\n");
    file.commit();
  }
  if (::chmod(path.c_str(), 0600) != 0) fail_system(errno, "protect", path.string());
  std::string token = read_file(path, 1000);
  while (!token.empty() && std::isspace(static_cast<unsigned char>(token.back())) != 0)
    token.pop_back();
  if (!is_token(token))
    fail(Errc::CorruptData,
         "{}: expected 64 hexadecimal digits; remove the file to get a new token", path.string());
  return token;
}

void FailureLimit::check() {
  const std::scoped_lock lock(mutex_);
  const auto minute_ago = std::chrono::steady_clock::now() - std::chrono::minutes(1);
  while (!failures_.empty() && failures_.front() < minute_ago) failures_.pop_front();
  if (failures_.size() >= limit_)
    refuse(429, Errc::InvalidArgument, "too many failed logins; wait a minute");
}

void FailureLimit::count() {
  const std::scoped_lock lock(mutex_);
  failures_.push_back(std::chrono::steady_clock::now());
}

Auth::Auth(Store& store, std::string token, std::chrono::seconds session_lifetime)
    : store_(store), token_(std::move(token)), session_lifetime_(session_lifetime) {
  store_.remove_expired_sessions(now_seconds());
}

Auth::Caller Auth::caller(const Request& request) {
  if (const auto given = bearer(request); !given.empty())
    return is_secret(given, token_) ? Caller::Token : Caller::Nobody;
  const auto secret = session_secret(request);
  if (!secret.empty() && store_.has_session(sha256(secret), now_seconds())) return Caller::Session;
  return Caller::Nobody;
}

std::optional<std::string> Auth::log_in(std::string_view token) {
  failed_logins_.check();
  if (is_secret(token, token_)) return new_session();
  failed_logins_.count();
  return std::nullopt;
}

std::optional<std::string> Auth::log_in_with_code(std::string_view code) {
  failed_logins_.check();
  const std::string hash = sha256(code);
  bool found = false;
  {
    const std::scoped_lock lock(codes_mutex_);
    const auto now = std::chrono::steady_clock::now();
    std::erase_if(codes_, [&](const Code& known) { return known.expires < now; });
    found = std::erase_if(codes_, [&](const Code& known) {
              return equal_in_constant_time(known.hash, hash);
            }) > 0;
  }
  if (found) return new_session();
  failed_logins_.count();
  return std::nullopt;
}

std::string Auth::log_out(const Request& request) {
  if (const auto secret = session_secret(request); !secret.empty())
    store_.remove_session(sha256(secret));
  return fmt::format("{}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0", kSessionCookie);
}

std::string Auth::new_login_code() {
  std::string code = random_hex(32);
  const std::scoped_lock lock(codes_mutex_);
  codes_.push_back({sha256(code), std::chrono::steady_clock::now() + kCodeLifetime});
  return code;
}

std::string Auth::new_session() {
  const std::string secret = random_hex(32);
  store_.remove_expired_sessions(now_seconds());
  store_.add_session(sha256(secret), now_seconds() + session_lifetime_.count());
  return fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}", kSessionCookie, secret,
                     session_lifetime_.count());
}

void HostCheck::check(const Request& request) const {
  if (request.count_headers("Host") != 1)
    refuse(400, Errc::InvalidArgument, "expected exactly one Host header");
  const std::string host = to_lower(host_name(request.header("Host")));
  if (is_loopback_name(host) || std::ranges::find(more_hosts_, host) != more_hosts_.end()) return;
  refuse(403, Errc::InvalidArgument, "this hub does not answer to the host name '{}'",
         printable(host));
}

void check_same_origin(const Request& request) {
  const std::string_view origin = request.header("Origin");
  const std::string own = fmt::format("://{}", request.header("Host"));
  const bool is_own = origin.empty() ? request.header("Sec-Fetch-Site") == "same-origin"
                                     : origin == "http" + own || origin == "https" + own;
  if (!is_own)
    refuse(403, Errc::InvalidArgument, "the request does not come from the hub's own pages");
}

}  // namespace aceso::hub
