#include "test_hub.hpp"

#include <future>

namespace aceso::hub::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

void quick_timeouts(HubSettings& settings) {
  settings.header_timeout = milliseconds(400);
  settings.body_timeout = milliseconds(400);
  settings.idle_timeout = milliseconds(800);
}

double ms_since(steady_clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(steady_clock::now() - begin).count();
}

TEST(Limits, MalformedRequestsAreRefused) {
  TestHub hub;
  const auto status = [&](const std::string& bytes) {
    Client client(hub.port());
    client.send(bytes);
    return client.receive().status;
  };
  const std::string host = "Host: localhost\r\n";
  EXPECT_EQ(status("GARBAGE\r\n\r\n"), 400);
  EXPECT_EQ(status("GET / HTTP/9.9\r\n\r\n"), 400);
  EXPECT_EQ(status("GET /\x01 HTTP/1.1\r\n" + host + "\r\n"), 400);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nno colon\r\n\r\n"), 400);
  EXPECT_EQ(status("GET / HTTP/1.1\r\n\r\n"), 400) << "no Host";
  EXPECT_EQ(status("GET / HTTP/1.1\r\n" + host + host + "\r\n"), 400);
  EXPECT_EQ(status("POST /login HTTP/1.1\r\n" + host + "Content-Length: x\r\n\r\n"), 400);
  EXPECT_EQ(status("POST /login HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n"), 400);
  EXPECT_EQ(
      status("POST /login HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n"),
      400);
  EXPECT_EQ(
      status("POST /login HTTP/1.1\r\n" + host + "Content-Length: 99999999999999999999999\r\n\r\n"),
      400);
  EXPECT_EQ(
      status("POST /login HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
      411);
  EXPECT_EQ(status("POST /login HTTP/1.1\r\n" + host +
                   "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n") /
                100,
            4);
  EXPECT_EQ(status("GET http://evil.example/ HTTP/1.1\r\n" + host + "\r\n"), 400);
  EXPECT_EQ(status("TRACE /healthz HTTP/1.1\r\n" + host + "\r\n"), 405);
  EXPECT_EQ(status("GET /healthz HTTP/1.1\r\n" + host + "\r\n"), 200);
}

TEST(Limits, LargeHeadersAreRefused) {
  TestHub hub;
  const auto status = [&](const Headers& headers, const std::string& target) {
    Client client(hub.port());
    client.send(client.head("GET", target, headers));
    return client.receive().status;
  };
  EXPECT_EQ(status({{"X", std::string(10'000, 'x')}}, "/healthz"), 200);
  EXPECT_EQ(status({{"X", std::string(20'000, 'x')}}, "/healthz"), 431);
  EXPECT_EQ(status({}, "/" + std::string(20'000, 'x')), 431);
  EXPECT_EQ(status(Headers(5000, {"X", "y"}), "/healthz"), 431);
  EXPECT_EQ(status({{"X", std::string(5'000'000, 'x')}}, "/healthz"), 431);
}

TEST(Limits, LargeAndDeepBodiesAreRefused) {
  TestHub hub([](HubSettings& settings) { settings.upload_limit_bytes = 100'000; });
  EXPECT_EQ(hub.request("POST", "/v1/runs", std::string(5 << 20, ' ')).status, 413);
  EXPECT_EQ(hub.request("POST", "/v1/runs", std::string(1'000'000, '[')).status, 400);
  EXPECT_EQ(hub.request("POST", "/v1/runs", "{\"app\":\"\xff\"}").status, 400);
  EXPECT_EQ(hub.request("POST", "/v1/runs", R"({"app":1e999999})").status / 100, 4);
  EXPECT_EQ(hub.request("POST", "/v1/data?name=a", std::string(100'001, 'x')).status, 413);
  EXPECT_EQ(hub.request("POST", "/v1/data?name=a", std::string(100'000, 'x')).status, 201);
  EXPECT_EQ(hub.request("POST", "/v1/uploads", R"({"name":"a","bytes":100001})").status, 413);
  Client client(hub.port());
  client.send(client.head("POST", "/v1/data?name=a",
                          hub.with_token({{"Content-Length", "18446744073709551615"}})));
  EXPECT_EQ(client.receive().status, 413) << "before any byte of it";
}

TEST(Limits, SlowClientsAreClosedWhileAGoodOneIsServed) {
  TestHub hub(quick_timeouts);
  const std::string token = hub.hub().ready().token;
  const auto closed_after = [&](const std::string& first, const std::string& drip) {
    Client client(hub.port());
    const auto begin = steady_clock::now();
    client.send(first);
    while (ms_since(begin) < 5000 && (drip.empty() ? !client.is_closed() : client.send(drip)))
      std::this_thread::sleep_for(milliseconds(50));
    return ms_since(begin);
  };
  const std::string start = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n";
  const std::string body =
      "POST /v1/data?name=a HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token +
      "\r\nContent-Length: 100\r\n\r\nabc";
  auto slow_header = std::async(std::launch::async, closed_after, start, std::string("X: y\r\n"));
  auto silent_header = std::async(std::launch::async, closed_after, start, std::string());
  auto silent_body = std::async(std::launch::async, closed_after, body, std::string());
  auto nothing = std::async(std::launch::async, closed_after, std::string(), std::string());
  double slowest = 0;
  for (int i = 0; i < 50; ++i) {
    const auto begin = steady_clock::now();
    EXPECT_EQ(Client(hub.port()).request("GET", "/healthz").status, 200);
    slowest = std::max(slowest, ms_since(begin));
    std::this_thread::sleep_for(milliseconds(20));
  }
  EXPECT_LT(slow_header.get(), 3000) << "a byte now and then does not extend the header's time";
  EXPECT_LT(silent_header.get(), 3000);
  EXPECT_LT(silent_body.get(), 3000);
  EXPECT_LT(nothing.get(), 4000);
  EXPECT_EQ(hub.json("GET", "/v1/data")["data"].size(), 0U);
  EXPECT_TRUE(std::filesystem::is_empty(hub.data() / "uploads")) << "what broke off leaves nothing";
  std::printf("slowest answer to the good client: %.1f ms\n", slowest);
}

TEST(Limits, ManyIdleConnectionsDoNotKeepAGoodOneOut) {
  TestHub hub([](HubSettings& settings) { settings.max_connections = 20; });
  std::vector<std::unique_ptr<Client>> idle;
  for (int i = 0; i < 60; ++i) {
    idle.push_back(std::make_unique<Client>(hub.port()));
    idle.back()->send("GET /");
  }
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Client(hub.port()).request("GET", "/healthz").status, 200);
}

TEST(Limits, WhenAllConnectionsAreAtWorkTheNextIsToldSo) {
  TestHub hub([](HubSettings& settings) { settings.max_connections = 3; });
  const std::string id = hub.add_run({{"seconds", 100}})["id"];
  std::vector<std::unique_ptr<Client>> streams;
  for (int i = 0; i < 3; ++i) {
    streams.push_back(std::make_unique<Client>(hub.port()));
    streams.back()->send(
        streams.back()->head("GET", "/v1/runs/" + id + "/events", hub.with_token()));
    EXPECT_NE(streams.back()->read_until("event: state").find("200 OK"), std::string::npos);
  }
  Client late(hub.port());
  EXPECT_EQ(late.receive().status, 503);
  streams.clear();
  int status = 503;
  for (int i = 0; i < 1500 && status != 200; ++i) {
    std::this_thread::sleep_for(milliseconds(20));
    status = Client(hub.port()).request("GET", "/healthz").status;
  }
  EXPECT_EQ(status, 200) << "streams that nobody reads end";
  hub.request("POST", "/v1/runs/" + id + "/cancel");
  hub.wait_for_end(id);
}

TEST(Limits, AClientThatDoesNotReadHoldsUpNobody) {
  TestHub hub;
  const std::string id = hub.add_data("a.bin", std::string(20'000'000, 'x'));
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<Client>(hub.port()));
    clients.back()->send(
        clients.back()->head("GET", "/v1/data/" + id + "/content", hub.with_token()));
  }
  const auto begin = steady_clock::now();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(hub.request("GET", "/v1/session").status, 200);
  EXPECT_LT(ms_since(begin), 5000);
}

TEST(Limits, StoppingEndsStreamsAndIdleConnectionsAtOnce) {
  TestHub hub;
  const std::string id = hub.add_run({{"seconds", 100}})["id"];
  hub.wait_for(id, "running");
  Client stream(hub.port()), idle(hub.port());
  stream.send(stream.head("GET", "/v1/runs/" + id + "/events", hub.with_token()));
  stream.read_until("event: state");
  idle.send("GET");
  const auto begin = steady_clock::now();
  EXPECT_EQ(hub.stop(), 1U);
  EXPECT_LT(ms_since(begin), 4000);
  EXPECT_TRUE(stream.is_closed());
  hub.start();
  hub.request("POST", "/v1/runs/" + id + "/cancel");
  EXPECT_EQ(hub.wait_for_end(id)["state"], "cancelled");
}

}  // namespace
}  // namespace aceso::hub::test
