#include "test_hub.hpp"

#include "api/api.hpp"
#include "http/message.hpp"

#include "aceso/assets/assets.hpp"

#include <set>

namespace aceso::hub::test {
namespace {

/// The routes as the OpenAPI document tells them, which is made from the one table.
struct KnownRoute {
  std::string method, path;
  bool needs_login = true;
};

std::vector<KnownRoute> all_routes(TestHub& hub) {
  std::vector<KnownRoute> routes;
  const Json document = hub.json("GET", "/openapi.json");
  for (const auto& [path, methods] : document["paths"].items())
    for (const auto& [method, operation] : methods.items()) {
      std::string upper = method;
      std::transform(upper.begin(), upper.end(), upper.begin(),
                     [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
      routes.push_back({upper, path, !operation["security"].empty()});
    }
  return routes;
}

std::string with_parameters(std::string path, const std::string& value) {
  for (auto open = path.find('{'); open != std::string::npos; open = path.find('{'))
    path.replace(open, path.find('}') - open + 1, value);
  return path;
}

std::string session_of(TestHub& hub) {
  const Answer answer =
      hub.request("POST", "/login", Json{{"token", hub.hub().ready().token}}.dump());
  EXPECT_EQ(answer.status, 204);
  const std::string cookie = answer.headers.at("set-cookie");
  return cookie.substr(0, cookie.find(';'));
}

TEST(Access, TheOpenRoutesAreTheseAndNoOthers) {
  TestHub hub;
  std::set<std::string> open;
  for (const auto& route : all_routes(hub))
    if (!route.needs_login) open.insert(route.method + " " + route.path);
  EXPECT_EQ(open,
            (std::set<std::string>{"GET /healthz", "GET /login", "POST /login", "GET /{file}"}));
}

TEST(Access, EveryRouteAsksForTheTokenOrASession) {
  TestHub hub;
  const std::string own = "http://127.0.0.1:" + std::to_string(hub.port());
  for (const auto& route : all_routes(hub)) {
    if (!route.needs_login || route.path == "/logout") continue;
    const std::string path = with_parameters(route.path, "0123456789abcdef");
    const bool changes = route.method != "GET";
    const std::string session = session_of(hub);
    const auto status = [&](const Headers& headers) {
      return Client(hub.port()).request(route.method, path, headers).status;
    };
    const auto allowed = [](int code) { return code != 401 && code != 403 && code != 0; };
    const std::string place = route.method + " " + path;
    EXPECT_EQ(status({}), 401) << place;
    EXPECT_EQ(status({{"Authorization", "Bearer " + std::string(64, '0')}}), 401) << place;
    EXPECT_EQ(status({{"Authorization", "Basic " + hub.hub().ready().token}}), 401) << place;
    EXPECT_EQ(status({{"Cookie", "aceso_session=" + std::string(64, '0')}}), 401) << place;
    EXPECT_EQ(status({{"Cookie", session}, {"Authorization", "Bearer wrong"}}), 401) << place;
    EXPECT_TRUE(allowed(status(hub.with_token()))) << place;
    EXPECT_TRUE(allowed(status({{"Cookie", session}, {"Origin", own}}))) << place;
    EXPECT_EQ(status({{"Cookie", session}}), changes ? 403 : status(hub.with_token())) << place;
    EXPECT_EQ(status({{"Cookie", session}, {"Origin", "http://evil.example"}}) == 403, changes)
        << place;
    EXPECT_EQ(status(hub.with_token({{"Host", "evil.example"}})), 403) << place;
  }
}

TEST(Access, ALoginLinkWorksOnceAndALogoutEndsIt) {
  TestHub hub;
  const std::string url = hub.hub().ready().login_url;
  const std::string target = url.substr(url.find("/login"));
  const Answer in = Client(hub.port()).request("GET", target);
  EXPECT_EQ(in.status, 303);
  EXPECT_EQ(in.headers.at("location"), "/");
  const std::string cookie =
      in.headers.at("set-cookie").substr(0, in.headers.at("set-cookie").find(';'));
  const Answer again = Client(hub.port()).request("GET", target);
  EXPECT_EQ(again.headers.at("location"), "/#/login?failed=1");
  EXPECT_FALSE(again.headers.contains("set-cookie"));
  const std::string own = "http://127.0.0.1:" + std::to_string(hub.port());
  EXPECT_EQ(Client(hub.port()).request("GET", "/v1/session", {{"Cookie", cookie}}).status, 200);
  hub.stop();
  hub.settings().port = 0;
  hub.start();
  EXPECT_EQ(Client(hub.port()).request("GET", "/v1/session", {{"Cookie", cookie}}).status, 200)
      << "sessions survive a restart";
  const std::string new_own = "http://127.0.0.1:" + std::to_string(hub.port());
  EXPECT_EQ(Client(hub.port())
                .request("POST", "/logout", {{"Cookie", cookie}, {"Origin", new_own}})
                .status,
            204);
  EXPECT_EQ(Client(hub.port()).request("GET", "/v1/session", {{"Cookie", cookie}}).status, 401);
}

TEST(Access, AForeignPageCannotLogIn) {
  TestHub hub;
  const std::string body = Json{{"token", hub.hub().ready().token}}.dump();
  EXPECT_EQ(Client(hub.port())
                .request("POST", "/login", {{"Origin", "http://evil.example"}}, body)
                .status,
            403);
  EXPECT_EQ(Client(hub.port()).request("POST", "/login", {}, R"({"token":"guess"})").status, 401);
  EXPECT_EQ(Client(hub.port()).request("POST", "/login", {}, R"({"token":5})").status, 422);
  for (int i = 0; i < 9; ++i)
    Client(hub.port()).request("POST", "/login", {}, R"({"token":"guess"})");
  const Answer late = Client(hub.port()).request("POST", "/login", {}, body);
  EXPECT_EQ(late.status, 429);
  EXPECT_EQ(late.headers.at("retry-after"), "60");
}

TEST(Access, EveryAnswerCarriesTheGuards) {
  TestHub hub;
  for (const char* path : {"/healthz", "/", "/v1/data", "/v1/nothing", "/login"}) {
    const Answer answer = Client(hub.port()).request("GET", path);
    EXPECT_EQ(answer.headers.at("x-content-type-options"), "nosniff") << path;
    EXPECT_EQ(answer.headers.at("x-frame-options"), "DENY") << path;
    EXPECT_TRUE(answer.headers.at("content-security-policy").starts_with("default-src 'none'"))
        << path;
    EXPECT_FALSE(answer.headers.contains("access-control-allow-origin")) << path;
  }
}

TEST(Access, OnlyWorkersMayRunWebAssembly) {
  if (assets::console().empty()) GTEST_SKIP() << "this build has no console";
  TestHub hub;
  std::size_t workers = 0;
  for (const assets::Asset& asset : assets::console()) {
    const Answer answer = Client(hub.port()).request("HEAD", "/" + std::string(asset.path));
    const std::string policy = answer.headers.at("content-security-policy");
    EXPECT_EQ(policy.find("'unsafe-eval'"), std::string::npos) << asset.path;
    const bool is_worker = asset.path.starts_with("workers/");
    workers += is_worker ? 1 : 0;
    EXPECT_EQ(policy.find("'wasm-unsafe-eval'") != std::string::npos, is_worker) << asset.path;
    EXPECT_EQ(policy.find("'unsafe-inline'") == std::string::npos, is_worker) << asset.path;
    if (is_worker || asset.path.ends_with(".wasm"))
      EXPECT_NE(answer.headers.at("cache-control").find("immutable"), std::string::npos);
    if (asset.path.ends_with(".wasm"))
      EXPECT_EQ(answer.headers.at("content-type"), "application/wasm");
  }
  EXPECT_GT(workers, 0U);
}

TEST(Access, UploadedPagesAreCagedToo) {
  TestHub hub;
  const std::string id = hub.add_data("evil.html", "<script>fetch('/v1/data')</script>");
  const Answer page = hub.request("GET", "/v1/data/" + id + "/content");
  EXPECT_TRUE(is_caged(page)) << page.head;
  const std::string svg = hub.add_data("evil.svg", "<svg/>");
  EXPECT_TRUE(is_caged(hub.request("GET", "/v1/data/" + svg + "/content")));
}

TEST(Access, SecretsStayOutOfTheLog) {
  std::mutex mutex;
  std::string logged;
  TestHub hub([&](HubSettings& settings) {
    settings.log = Log(
        [&](LogLevel, std::string_view event, const Json& fields) {
          const std::scoped_lock lock(mutex);
          logged += std::string(event) + fields.dump() + "\n";
        },
        LogLevel::Debug);
  });
  const std::string url = hub.hub().ready().login_url, token = hub.hub().ready().token;
  Client(hub.port()).request("GET", url.substr(url.find("/login")));
  const std::string session = session_of(hub);
  hub.add_data("patient_name.txt", "x");
  hub.wait_for_end(hub.add_run(Json::object())["id"]);
  hub.stop();
  const std::scoped_lock lock(mutex);
  EXPECT_NE(logged.find("http.request"), std::string::npos);
  EXPECT_EQ(logged.find(token), std::string::npos);
  EXPECT_EQ(logged.find(url.substr(url.find("code=") + 5)), std::string::npos);
  EXPECT_EQ(logged.find(session.substr(session.find('=') + 1)), std::string::npos);
  EXPECT_EQ(logged.find("patient_name"), std::string::npos);
}

// Ways out of a folder that people have tried, as a path parameter.
const char* const kWaysOut[] = {"..",
                                "../",
                                "../..",
                                "../../../../etc/passwd",
                                "..%2f",
                                "..%2F..%2Ftoken",
                                "%2e%2e",
                                "%2e%2e%2f",
                                "%2e%2e/",
                                ".%2e/",
                                "%2e./token",
                                "..%5c",
                                "..%5C..%5Ctoken",
                                "..\\",
                                "..\\..\\token",
                                "%252e%252e%252f",
                                "%252e%252e",
                                "..%252f..%252ftoken",
                                "..%c0%af",
                                "..%c0%af..%c0%aftoken",
                                "%c0%ae%c0%ae/",
                                "%c0%ae%c0%ae%c0%af",
                                "..%ef%bc%8f",
                                "%ef%bc%8e%ef%bc%8e",
                                "..%e2%80%a5",
                                "....//",
                                "....//....//token",
                                "..././",
                                "...%2f...%2f",
                                "..;/",
                                "..;/token",
                                "..%00",
                                "..%00/token",
                                "%00",
                                "token%00.txt",
                                "/etc/passwd",
                                "%2fetc%2fpasswd",
                                "//etc/passwd",
                                "file:///etc/passwd",
                                "file:%2f%2f%2fetc%2fpasswd",
                                "/proc/self/environ",
                                "%2fproc%2fself%2fenviron",
                                "C:%5cwindows",
                                "C:/",
                                "~",
                                "~/token",
                                "%7e%2ftoken",
                                "$HOME",
                                "token",
                                "..%0a",
                                "..%0d%0a",
                                "%0d%0aSet-Cookie:x=y",
                                "lock",
                                "hub.sqlite",
                                ".",
                                "./",
                                "%2e",
                                "..%09",
                                "..%20",
                                "%20..",
                                "..%2f%2e%2e%2f",
                                "1/../../token",
                                "outputs/..",
                                "lines%2f..%2f..%2f..%2ftoken",
                                "*",
                                "%2a",
                                "?",
                                "%3f",
                                "'%20OR%20'1'='1",
                                "%27%3b%20DROP%20TABLE%20data%3b--",
                                "-1",
                                "0",
                                "18446744073709551616",
                                "%ff%fe",
                                "%u002e%u002e",
                                "%uff0e%uff0e",
                                "..%u2215",
                                "job.json",
                                "result.json",
                                "..%2fresult.json",
                                "..%2flog.txt",
                                "sly"};

TEST(Traversal, NoPathParameterLeadsOutside) {
  TestHub hub;
  const std::string token = hub.hub().ready().token;
  const Json run = hub.wait_for_end(hub.add_run(Json::object())["id"]);
  const std::string id = run["id"];
  std::size_t tried = 0;
  for (const auto& route : all_routes(hub)) {
    if (route.path.find('{') == std::string::npos) continue;
    for (const std::string way : kWaysOut) {
      std::vector<std::string> paths{with_parameters(route.path, way)};
      // The second parameter behind a good first one.
      if (route.path.find("{name}") != std::string::npos) {
        std::string second = route.path;
        second.replace(second.find("{id}"), 4, id);
        paths.push_back(with_parameters(second, way));
      }
      for (const auto& path : paths) {
        const Answer answer = hub.request(route.method, path, route.method == "PATCH" ? "x" : "",
                                          {{"Upload-Offset", "0"}});
        ++tried;
        // "?" and what resolves to a fixed route are other requests, not ways out.
        const bool is_other_request = way == "?" || way == "." || way == "./" || way.empty();
        const bool found_something =
            !is_other_request && !answer.body.empty() && answer.status < 300;
        EXPECT_TRUE(!found_something || route.path == "/{file}") << path << " " << answer.body;
        EXPECT_LT(answer.status, 500) << path;
        EXPECT_NE(answer.status, 0) << path;
        EXPECT_EQ(answer.body.find(token), std::string::npos) << path;
        EXPECT_EQ(answer.body.find("root:"), std::string::npos) << path;
        EXPECT_EQ(answer.head.find("Set-Cookie"), std::string::npos) << path;
      }
    }
  }
  EXPECT_GE(std::size(kWaysOut), 50U);
  EXPECT_GT(tried, 1000U);
  EXPECT_EQ(hub.run(id)["state"], "succeeded");
  EXPECT_EQ(hub.json("GET", "/v1/data")["data"].size(), 0U);
}

}  // namespace
}  // namespace aceso::hub::test
