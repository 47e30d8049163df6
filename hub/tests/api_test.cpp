#include "test_hub.hpp"

#include "api/api.hpp"

#include "aceso/core/hash.hpp"

#include <set>

namespace aceso::hub::test {
namespace {

std::string pattern_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 12345;
  for (auto& c : bytes) c = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24U);
  return bytes;
}

TEST(Data, WhatIsAddedComesBack) {
  TestHub hub;
  const std::string bytes = pattern_bytes(3'000'000);
  const Answer added = hub.request("POST", "/v1/data?name=reads%201.fastq", bytes);
  ASSERT_EQ(added.status, 201) << added.body;
  const Json data = Json::parse(added.body);
  EXPECT_EQ(data["name"], "reads 1.fastq");
  EXPECT_EQ(data["sha256"], sha256(bytes));
  EXPECT_EQ(data["bytes"], bytes.size());
  EXPECT_EQ(data["kind"], "fastq");
  EXPECT_EQ(data["viewer"], "text");
  const std::string path = "/v1/data/" + data["id"].get<std::string>();
  EXPECT_EQ(hub.json("GET", path), data);
  const Answer content = hub.request("GET", path + "/content");
  EXPECT_TRUE(content.body == bytes);
  EXPECT_EQ(content.headers.at("content-disposition"),
            "attachment; filename=\"reads 1.fastq\"; filename*=UTF-8''reads%201.fastq");
  const Answer head = Client(hub.port()).request("HEAD", path + "/content", hub.with_token());
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-length"), "3000000");
  EXPECT_EQ(hub.request("DELETE", path).status, 204);
  for (const char* end : {"", "/content", "/preview"})
    EXPECT_EQ(hub.request("GET", path + end).status, 404);
  EXPECT_EQ(hub.request("DELETE", path).status, 404);
}

TEST(Data, AnEmptyFileIsAFile) {
  TestHub hub;
  const std::string id = hub.add_data("empty.txt", "");
  EXPECT_EQ(hub.request("GET", "/v1/data/" + id + "/content").body, "");
  EXPECT_EQ(hub.request("GET", "/v1/data/" + id + "/content", "", {{"Range", "bytes=0-"}}).status,
            416);
  EXPECT_EQ(hub.json("GET", "/v1/data/" + id + "/preview")["text"], "");
}

/// A view whose only row is what it was asked for.
app::FileView echo_view() {
  return {.kind = "text",
          .noun = "lines",
          .index_endings = {".idx"},
          .filters = {{.name = "word", .label = "Word"}},
          .page = [](const app::ViewSource& source, const app::ViewQuery& query) {
            const auto word = query.find("word");
            return Json{{"columns", {"word"}},
                        {"rows", {{word == query.end() ? "" : word->second}}},
                        {"next", nullptr},
                        {"share", source.index < 0 ? 0 : 1}};
          }};
}

TEST(Data, RowsComeFromTheViewOfTheirKind) {
  TestHub hub([](HubSettings& settings) { settings.views = {echo_view()}; });
  const std::string path = "/v1/data/" + hub.add_data("a.txt", "0123456789");
  EXPECT_EQ(hub.json("GET", path + "/preview")["rows_of"]["filters"][0]["name"], "word");
  EXPECT_EQ(hub.json("GET", path + "/rows?word=x&limit=5")["rows"][0][0], "x");
  EXPECT_EQ(hub.request("GET", path + "/rows?colour=red").status, 422);
  EXPECT_EQ(Client(hub.port()).request("GET", path + "/rows").status, 401);
  const std::string other = "/v1/data/" + hub.add_data("a.json", "{}");
  EXPECT_EQ(hub.request("GET", other + "/rows").status, 404);
  EXPECT_FALSE(hub.json("GET", other + "/preview").contains("rows_of"));
}

TEST(Data, NobodyGetsARange) {
  TestHub hub;
  const std::string path = "/v1/data/" + hub.add_data("a.txt", "0123456789") + "/content";
  const Answer answer = Client(hub.port()).request("GET", path, {{"Range", "bytes=2-4"}});
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(answer.body.find("234"), std::string::npos);
}

TEST(Data, RangesAreServed) {
  TestHub hub;
  const std::string path = "/v1/data/" + hub.add_data("a.txt", "0123456789") + "/content";
  const Answer part = hub.request("GET", path, "", {{"Range", "bytes=2-4"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "234");
  EXPECT_EQ(part.headers.at("content-range"), "bytes 2-4/10");
  EXPECT_EQ(hub.request("GET", path, "", {{"Range", "bytes=-3"}}).body, "789");
  const Answer beyond = hub.request("GET", path, "", {{"Range", "bytes=10-"}});
  EXPECT_EQ(beyond.status, 416);
  EXPECT_EQ(beyond.headers.at("content-range"), "bytes */10");
  const std::string tag = part.headers.at("etag");
  EXPECT_EQ(hub.request("GET", path, "", {{"Range", "bytes=2-4"}, {"If-Range", tag}}).status, 206);
  EXPECT_EQ(hub.request("GET", path, "", {{"Range", "bytes=2-4"}, {"If-Range", "\"other\""}}).body,
            "0123456789");
  EXPECT_EQ(hub.request("GET", path, "", {{"If-None-Match", tag}}).status, 304);
}

TEST(Data, AreListedInPagesNewestFirst) {
  TestHub hub;
  for (int i = 0; i < 7; ++i) hub.add_data("n" + std::to_string(i % 2), std::to_string(i));
  std::vector<std::string> seen;
  std::string cursor;
  for (int pages = 0; pages < 10; ++pages) {
    const Json page = hub.json("GET", "/v1/data?limit=3" + cursor);
    for (const auto& data : page["data"]) seen.push_back(data["sha256"]);
    if (page["next"].is_null()) break;
    cursor = "&cursor=" + page["next"].get<std::string>();
  }
  ASSERT_EQ(seen.size(), 7U);
  for (int i = 0; i < 7; ++i)
    EXPECT_EQ(seen[static_cast<std::size_t>(i)], sha256(std::to_string(6 - i)));
  EXPECT_EQ(hub.json("GET", "/v1/data?name=n1")["data"].size(), 3U);
  for (const char* query :
       {"limit=0", "limit=501", "limit=x", "cursor=-1", "cursor=x", "limit=99999999999999999999"})
    EXPECT_EQ(hub.request("GET", std::string("/v1/data?") + query).status, 422) << query;
}

TEST(Uploads, ABrokenOneIsResumed) {
  TestHub hub;
  const std::string bytes = pattern_bytes(2'000'000);
  const Answer begun = hub.request("POST", "/v1/uploads", R"({"name":"big.bin","bytes":2000000})");
  ASSERT_EQ(begun.status, 201) << begun.body;
  const std::string path = "/v1/uploads/" + Json::parse(begun.body)["upload"].get<std::string>();
  {
    Client client(hub.port());
    client.send(client.head(
        "PATCH", path, hub.with_token({{"Upload-Offset", "0"}, {"Content-Length", "2000000"}})));
    client.send(std::string_view(bytes).substr(0, 700'000));
  }  // the line breaks
  std::uint64_t offset = 0;
  for (int i = 0; i < 3000 && offset == 0; ++i) {
    offset = hub.json("GET", path)["offset"];
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ASSERT_GT(offset, 0U);
  ASSERT_LE(offset, 700'000U);
  const Answer wrong = hub.request("PATCH", path, bytes.substr(offset + 1),
                                   {{"Upload-Offset", std::to_string(offset + 1)}});
  EXPECT_EQ(wrong.status, 409);
  EXPECT_EQ(Json::parse(wrong.body)["offset"], offset);
  const Answer part = hub.request("PATCH", path, bytes.substr(offset, 300'000),
                                  {{"Upload-Offset", std::to_string(offset)}});
  EXPECT_EQ(part.status, 200);
  offset = Json::parse(part.body)["offset"];
  const Answer last =
      hub.request("PATCH", path, bytes.substr(offset), {{"Upload-Offset", std::to_string(offset)}});
  ASSERT_EQ(last.status, 201) << last.body;
  EXPECT_EQ(Json::parse(last.body)["sha256"], sha256(bytes));
  EXPECT_EQ(hub.request("GET", path).status, 404);
}

TEST(Uploads, MistakesAreNamed) {
  TestHub hub;
  const auto status = [&](const char* body) {
    return hub.request("POST", "/v1/uploads", body).status;
  };
  EXPECT_EQ(status(""), 400);
  EXPECT_EQ(status("nonsense"), 400);
  EXPECT_EQ(status("[1]"), 422);
  EXPECT_EQ(status("{}"), 422);
  EXPECT_EQ(status(R"({"name":"a","bytes":-1})"), 422);
  EXPECT_EQ(status(R"({"name":"a","bytes":1.5})"), 422);
  EXPECT_EQ(status(R"({"name":"../a","bytes":1})"), 422);
  EXPECT_EQ(status(R"({"name":"a","bytes":1,"more":1})"), 422);
  EXPECT_EQ(status(R"({"name":"a","bytes":99999999999999})"), 413);
  EXPECT_EQ(status(R"({"name":"a","name":"b","bytes":1})"), 400) << "a repeated key";
  EXPECT_EQ(hub.json("POST", "/v1/uploads", "{}")["error"]["mistakes"].size(), 2U);
  const std::string path =
      "/v1/uploads/" +
      hub.json("POST", "/v1/uploads", R"({"name":"a","bytes":3})")["upload"].get<std::string>();
  EXPECT_EQ(hub.request("PATCH", path, "abc").status, 422);
  EXPECT_EQ(hub.request("PATCH", path, "abc", {{"Upload-Offset", "-1"}}).status, 422);
  EXPECT_EQ(hub.request("PATCH", path, "abcd", {{"Upload-Offset", "0"}}).status, 413);
  EXPECT_EQ(hub.request("DELETE", path).status, 204);
  EXPECT_EQ(hub.request("PATCH", path, "abc", {{"Upload-Offset", "0"}}).status, 404);
  EXPECT_EQ(hub.request("POST", "/v1/data", "x").status, 422);
}

TEST(Api, AppsAreDescribed) {
  TestHub hub;
  const Json apps = hub.json("GET", "/v1/apps")["apps"];
  ASSERT_EQ(apps.size(), 1U);
  EXPECT_EQ(apps[0]["name"], "test lines");
  EXPECT_TRUE(apps[0].contains("schema"));
}

TEST(Api, TheWrongMethodIsToldTheRightOnes) {
  TestHub hub;
  const Answer answer = hub.request("DELETE", "/v1/data");
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(answer.headers.at("allow"), "GET, POST");
  EXPECT_EQ(hub.request("PUT", "/healthz").status, 405);
  EXPECT_EQ(hub.request("GET", "/v1/nothing").status, 404);
}

/// Every "$ref" in `json` leads to something in `document`.
void check_references(const Json& json, const Json& document) {
  if (json.is_object() && json.contains("$ref")) {
    const auto target = json["$ref"].get<std::string>();
    ASSERT_TRUE(target.starts_with('#')) << target;
    EXPECT_TRUE(document.contains(Json::json_pointer(target.substr(1)))) << target;
  }
  if (json.is_structured())
    for (const auto& part : json) check_references(part, document);
}

TEST(Api, TheOpenApiDocumentFollowsFromTheRoutes) {
  TestHub hub;
  const Json document = hub.json("GET", "/openapi.json");
  EXPECT_EQ(document["openapi"], "3.1.0");
  check_references(document, document);
  std::set<std::string> ids;
  std::size_t operations = 0;
  for (const auto& [path, methods] : document["paths"].items()) {
    for (const auto& [method, operation] : methods.items()) {
      ++operations;
      ids.insert(operation["operationId"]);
      EXPECT_TRUE(operation.contains("security")) << path;
      EXPECT_FALSE(operation["responses"].empty()) << path;
    }
  }
  EXPECT_EQ(ids.size(), operations);
  EXPECT_TRUE(document["components"]["schemas"].contains("NewRun_test_lines"));
}

TEST(Api, MetricsCountWhatHappens) {
  TestHub hub;
  hub.add_data("a", "12345");
  hub.request("GET", "/v1/data/0000");
  hub.request("GET", "/v1/very/strange/path");
  const std::string page = hub.request("GET", "/metrics").body;
  for (const char* line :
       {"aceso_uploaded_bytes_total 5\n", "aceso_runs{state=\"queued\"} 0\n",
        "aceso_http_requests_total{route=\"POST /v1/data\",status=\"2xx\"} 1\n",
        "aceso_http_requests_total{route=\"GET /v1/data/{id}\",status=\"4xx\"} 1\n", "le=\"+Inf\"",
        "process_resident_memory_bytes"})
    EXPECT_NE(page.find(line), std::string::npos) << line << page;
  EXPECT_EQ(page.find("strange"), std::string::npos);
}

TEST(Api, KeepsAConnection) {
  TestHub hub;
  Client client(hub.port());
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(client.request("GET", "/healthz").body, R"({"status":"ok"})");
  EXPECT_EQ(client.request("GET", "/v1/data").status, 401);
  EXPECT_EQ(client.request("POST", "/v1/uploads", {}, "{\"small\":1}").status, 401)
      << "a small unwanted body does not cost the connection";
  EXPECT_EQ(client.request("GET", "/healthz").status, 200);
  client.send(client.head("GET", "/healthz", {}) + client.head("GET", "/healthz", {}));
  EXPECT_EQ(client.receive().status, 200);
  EXPECT_EQ(client.receive().status, 200);
  EXPECT_EQ(client.request("GET", "/healthz", {{"Connection", "close"}}).status, 200);
  EXPECT_TRUE(client.is_closed());
}

TEST(Api, ContinuesWhenAsked) {
  TestHub hub;
  Client client(hub.port());
  client.send(client.head("POST", "/v1/data?name=a",
                          hub.with_token({{"Expect", "100-continue"}, {"Content-Length", "3"}})));
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  EXPECT_EQ(client.receive().status, 201);
  Client refused(hub.port());
  refused.send(refused.head("POST", "/v1/data?name=a",
                            {{"Expect", "100-continue"}, {"Content-Length", "3"}}));
  EXPECT_EQ(refused.receive().status, 401);
}

TEST(Hub, ASecondOneOnTheSameDataIsRefused) {
  TestHub hub;
  const app::AppTable apps = test_apps();
  try {
    const Hub second(hub.settings(), apps);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what())
                  .find("another hub works on this data folder (process " +
                        std::to_string(::getpid()) + ")"),
              std::string::npos)
        << error.what();
  }
}

TEST(Hub, SettingsThatExposeItAreRefused) {
  EXPECT_THROW(TestHub([](HubSettings& s) { s.address = "0.0.0.0"; }), Error);
  EXPECT_THROW(TestHub([](HubSettings& s) { s.address = "localhost"; }), Error)
      << "not a numeric address";
  EXPECT_THROW(TestHub([](HubSettings& s) { s.parallel_runs = 0; }), Error);
  EXPECT_THROW(TestHub([](HubSettings& s) { s.program = "/no/such/program"; }), Error);
  TestHub hub;
  EXPECT_THROW(TestHub([&](HubSettings& s) { s.port = hub.port(); }), Error);
}

TEST(Hub, RunsUntilItIsStopped) {
  const ScratchFolder folder("/tmp");
  const app::AppTable apps = test_apps();
  std::stop_source stop;
  bool was_ready = false;
  std::jthread stopper;
  const unsigned left = run_hub({.data = folder.path() / "data", .program = fake_program()}, apps,
                                stop.get_token(), [&](const HubReady& ready) {
                                  was_ready =
                                      ready.url.starts_with("http://127.0.0.1:") &&
                                      ready.login_url.starts_with(ready.url + "/login?code=") &&
                                      ready.token.size() == 64;
                                  stopper = std::jthread([&stop] { stop.request_stop(); });
                                });
  EXPECT_TRUE(was_ready);
  EXPECT_EQ(left, 0U);
}

TEST(Hub, StartsQuicklyAndIsSmall) {
  const auto begin = std::chrono::steady_clock::now();
  TestHub hub;
  const double ready_ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  EXPECT_EQ(hub.request("GET", "/healthz").status, 200);
  std::printf("ready after %.1f ms; with test program: %s", ready_ms,
              read_file("/proc/self/status")
                  .substr(read_file("/proc/self/status").find("VmRSS"), 26)
                  .c_str());
}

}  // namespace
}  // namespace aceso::hub::test
