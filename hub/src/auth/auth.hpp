/// \file
/// Who may use the hub: its token, browser sessions, one-time login codes; and from where.
#pragma once

#include "http/message.hpp"
#include "store/store.hpp"

#include <chrono>
#include <deque>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace aceso::hub {

inline constexpr std::string_view kSessionCookie = "aceso_session";

/// Returns the secret in `path`: 256 random bits as 64 hexadecimal digits, readable by its owner
/// only. Makes it if it is not there. \throws Error Io, CorruptData.
[[nodiscard]] std::string load_or_make_token(const std::filesystem::path& path);

/// Lets `limit` failures a minute pass.
class FailureLimit {
 public:
  explicit FailureLimit(std::size_t limit) : limit_(limit) {}
  /// \throws Refusal 429 after too many failures.
  void check();
  void count();

 private:
  std::size_t limit_;
  std::mutex mutex_;
  std::deque<std::chrono::steady_clock::time_point> failures_;
};

/// Thread-safe.
class Auth {
 public:
  Auth(Store& store, std::string token, std::chrono::seconds session_lifetime);

  enum class Caller { Nobody, Token, Session };
  /// Who sent `request`, by its Authorization header or else its cookie.
  [[nodiscard]] Caller caller(const Request& request);

  /// Makes a session if `token` is the hub's. \returns the Set-Cookie value, nullopt if it is not.
  /// \throws Refusal 429.
  [[nodiscard]] std::optional<std::string> log_in(std::string_view token);
  /// The same for a code of new_login_code(), which is used up.
  [[nodiscard]] std::optional<std::string> log_in_with_code(std::string_view code);
  /// Ends the session of `request`. \returns the Set-Cookie value that forgets it.
  [[nodiscard]] std::string log_out(const Request& request);

  /// A secret that logs in once, within 15 minutes.
  [[nodiscard]] std::string new_login_code();
  [[nodiscard]] const std::string& token() const noexcept { return token_; }

 private:
  [[nodiscard]] std::string new_session();

  Store& store_;
  std::string token_;
  std::chrono::seconds session_lifetime_;
  FailureLimit failed_logins_{10};

  struct Code {
    std::string hash;
    std::chrono::steady_clock::time_point expires;
  };
  std::mutex codes_mutex_;
  std::vector<Code> codes_;
};

/// Which names the hub answers to. Guards against a foreign page whose name was made to point here.
class HostCheck {
 public:
  explicit HostCheck(std::vector<std::string> more_hosts) : more_hosts_(std::move(more_hosts)) {}
  /// \throws Refusal 403, 400 without exactly one Host header.
  void check(const Request& request) const;

 private:
  std::vector<std::string> more_hosts_;
};

/// Guards a browser session against requests that a foreign page makes with it.
/// \throws Refusal 403 unless `request` comes from the hub's own origin.
void check_same_origin(const Request& request);

}  // namespace aceso::hub
