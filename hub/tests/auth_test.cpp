#include "auth/auth.hpp"

#include "aceso/core/files.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

namespace aceso::hub {
namespace {

Request with_headers(std::vector<Header> headers) {
  Request request;
  request.headers = std::move(headers);
  return request;
}

template <typename Check>
int status_of(const Check& check) {
  try {
    check();
  } catch (const Refusal& refusal) {
    return refusal.status();
  }
  return 200;
}

std::string cookie_pair(const std::string& set_cookie) {
  return set_cookie.substr(0, set_cookie.find(';'));
}

struct AuthTest : testing::Test {
  ScratchFolder folder{"/tmp"};
  Store store{folder.path() / "hub.sqlite"};
  std::string token = load_or_make_token(folder.path() / "token");
  Auth auth{store, token, std::chrono::hours(1)};

  [[nodiscard]] Auth::Caller caller_with(const std::string& name, const std::string& value) {
    return auth.caller(with_headers({{name, value}}));
  }
};

TEST_F(AuthTest, TheTokenSurvivesAndIsForItsOwnerOnly) {
  EXPECT_EQ(token.size(), 64U);
  ::chmod((folder.path() / "token").c_str(), 0644);
  EXPECT_EQ(load_or_make_token(folder.path() / "token"), token);
  struct stat status{};
  ASSERT_EQ(::stat((folder.path() / "token").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_NE(load_or_make_token(folder.path() / "token2"), token);
  write_file(folder.path() / "token3", "secret");
  EXPECT_THROW(static_cast<void>(load_or_make_token(folder.path() / "token3")), Error);
}

TEST_F(AuthTest, ABearerIsKnownByTheWholeToken) {
  EXPECT_EQ(caller_with("Authorization", "Bearer " + token), Auth::Caller::Token);
  EXPECT_EQ(caller_with("authorization", "bearer " + token), Auth::Caller::Token);
  for (const std::string& wrong :
       {std::string("Bearer "), "Bearer " + token.substr(1), "Bearer " + token + "0",
        "Basic " + token, token, std::string("Bearer  ") + token})
    EXPECT_EQ(caller_with("Authorization", wrong), Auth::Caller::Nobody) << wrong.substr(0, 10);
}

TEST_F(AuthTest, ASessionIsKnownUntilItsEnd) {
  const auto set_cookie = auth.log_in(token);
  ASSERT_TRUE(set_cookie);
  for (const char* attribute : {"; HttpOnly", "; SameSite=Strict", "; Path=/", "; Max-Age=3600"})
    EXPECT_NE(set_cookie->find(attribute), std::string::npos) << attribute;
  const Request request = with_headers({{"Cookie", cookie_pair(*set_cookie)}});
  EXPECT_EQ(auth.caller(request), Auth::Caller::Session);
  EXPECT_NE(auth.log_out(request).find("Max-Age=0"), std::string::npos);
  EXPECT_EQ(auth.caller(request), Auth::Caller::Nobody);
  EXPECT_EQ(caller_with("Cookie", "aceso_session=" + token), Auth::Caller::Nobody);
}

TEST_F(AuthTest, SessionsAreNotStoredAsTheyAre) {
  const std::string secret = cookie_pair(*auth.log_in(token)).substr(kSessionCookie.size() + 1);
  EXPECT_FALSE(store.has_session(secret, 0));
  for (const char* file : {"hub.sqlite", "hub.sqlite-wal"}) {
    const std::string bytes = read_file(folder.path() / file);
    EXPECT_EQ(bytes.find(secret), std::string::npos);
    EXPECT_EQ(bytes.find(token), std::string::npos);
  }
}

TEST_F(AuthTest, ACodeWorksOnce) {
  const std::string code = auth.new_login_code();
  EXPECT_TRUE(auth.log_in_with_code(code));
  EXPECT_FALSE(auth.log_in_with_code(code));
  EXPECT_FALSE(auth.log_in_with_code(""));
}

TEST_F(AuthTest, ManyFailuresCloseTheDoorForAWhile) {
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(auth.log_in("guess"));
  EXPECT_EQ(status_of([&] { static_cast<void>(auth.log_in(token)); }), 429);
  EXPECT_EQ(status_of([&] { static_cast<void>(auth.log_in_with_code("guess")); }), 429);
  EXPECT_EQ(caller_with("Authorization", "Bearer " + token), Auth::Caller::Token)
      << "those who have the token go on";
}

TEST(Host, MustBeALoopbackName) {
  const HostCheck hosts({"aceso.hospital.example"});
  const auto status = [&](const std::string& host) {
    return status_of([&] { hosts.check(with_headers({{"Host", host}})); });
  };
  for (const char* host :
       {"127.0.0.1", "127.0.0.1:80", "127.8.9.10", "localhost", "LOCALHOST:8765", "[::1]",
        "[::1]:8765", "aceso.hospital.example", "Aceso.Hospital.Example:443"})
    EXPECT_EQ(status(host), 200) << host;
  for (const char* host :
       {"", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "evil.example:8765",
        "127.0.0.256", "127.0.0", "127.0.0.1:x", "127.0.0.1:", "0.0.0.0", "192.168.0.1", "[::2]",
        "[::1", "::1", "localhost:80@evil.example", "127.0.0.1 evil", "127.0.0.0x1", "2130706433"})
    EXPECT_EQ(status(host), 403) << host;
  EXPECT_EQ(status_of([&] { hosts.check(with_headers({})); }), 400);
  EXPECT_EQ(
      status_of([&] { hosts.check(with_headers({{"Host", "localhost"}, {"host", "localhost"}})); }),
      400);
}

TEST(Origin, MustBeTheHubsOwn) {
  const auto status = [&](std::vector<Header> headers) {
    headers.push_back({"Host", "127.0.0.1:8765"});
    return status_of([&] { check_same_origin(with_headers(headers)); });
  };
  EXPECT_EQ(status({{"Origin", "http://127.0.0.1:8765"}}), 200);
  EXPECT_EQ(status({{"Origin", "https://127.0.0.1:8765"}}), 200) << "behind a TLS proxy";
  EXPECT_EQ(status({{"Sec-Fetch-Site", "same-origin"}}), 200);
  for (const char* origin :
       {"null", "http://127.0.0.1", "http://127.0.0.1:9999", "http://evil.example",
        "http://127.0.0.1:8765.evil.example", "ftp://127.0.0.1:8765"})
    EXPECT_EQ(status({{"Origin", origin}, {"Sec-Fetch-Site", "same-origin"}}), 403) << origin;
  for (const char* site : {"cross-site", "same-site", "none", ""})
    EXPECT_EQ(status({{"Sec-Fetch-Site", site}}), 403) << site;
  EXPECT_EQ(status({}), 403);
}

}  // namespace
}  // namespace aceso::hub
