/// \file
/// A hub for tests, with apps that know nothing of life science.
#pragma once

#include "http_client.hpp"

#include "aceso/app/app.hpp"
#include "aceso/core/files.hpp"
#include "aceso/hub/hub.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace aceso::hub::test {

/// Built beside the test program.
inline std::filesystem::path fake_program() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "hub_fake_program";
}

/// Whether a page in `answer` would have neither the hub's origin nor any way to it.
inline bool is_caged(const Answer& answer) {
  const std::string& policy = answer.headers.at("content-security-policy");
  return policy.starts_with("sandbox ") && policy.find("allow-same-origin") == std::string::npos &&
         policy.find("; default-src 'none';") != std::string::npos &&
         policy.find("connect-src") == std::string::npos;
}

struct LinesJob {
  std::vector<std::filesystem::path> words;
  std::optional<std::filesystem::path> lines, page;
  double seconds = 0;
  int line_count = 7, events = 3;
  std::string end;
  bool stubborn = false;
};

inline app::AppTable test_apps() {
  app::Describe<LinesJob> d{"test lines", "Writes lines"};
  d.help("Writes lines, for tests of the hub.");
  d.example("aceso test lines --words a.txt --lines b.txt");
  d.input("words", &LinesJob::words, {.kind = "text", .help = "words", .required = false});
  d.output("lines", &LinesJob::lines, {.kind = "text", .file_name = "lines.txt", .help = "lines"});
  d.output("page", &LinesJob::page, {.kind = "html", .file_name = "page.html", .help = "a page"});
  d.option("seconds", &LinesJob::seconds,
           {.help = "time to take", .unit = "s", .minimum = 0, .maximum = 1000});
  d.option("count", &LinesJob::line_count,
           {.help = "lines to write", .minimum = 0, .maximum = 100'000'000});
  d.option("events", &LinesJob::events,
           {.help = "events to write", .minimum = 0, .maximum = 100'000});
  d.option("end", &LinesJob::end, {.help = "how to end"});
  d.option("stubborn", &LinesJob::stubborn, {.help = "does not stop when asked"});
  app::AppTable apps;
  apps.add(d.build([](const LinesJob&, app::RunContext&) {}));
  return apps;
}

/// A hub in this process on a data folder of its own.
class TestHub {
 public:
  explicit TestHub(const std::function<void(HubSettings&)>& change = {}) {
    settings_.data = folder_.path() / "data";
    settings_.program = fake_program();
    settings_.run_environment = {{"START_LOG", start_log().string()}};
    if (change) change(settings_);
    start();
  }

  void start() { hub_ = std::make_unique<Hub>(settings_, apps_); }
  unsigned stop() {
    const unsigned left = hub_ ? hub_->stop() : 0;
    hub_.reset();
    return left;
  }

  [[nodiscard]] Hub& hub() { return *hub_; }
  [[nodiscard]] HubSettings& settings() { return settings_; }
  [[nodiscard]] unsigned short port() const { return hub_->port(); }
  [[nodiscard]] std::filesystem::path data() const { return settings_.data; }
  [[nodiscard]] std::filesystem::path start_log() const { return folder_.path() / "starts"; }
  [[nodiscard]] Headers with_token(Headers more = {}) const {
    more.emplace_back("Authorization", "Bearer " + hub_->ready().token);
    return more;
  }

  /// A request with the token on a connection of its own.
  Answer request(const std::string& method, const std::string& target, std::string_view body = {},
                 Headers headers = {}) {
    return Client(port()).request(method, target, with_token(std::move(headers)), body);
  }
  Json json(const std::string& method, const std::string& target, std::string_view body = {}) {
    const Answer answer = request(method, target, body);
    return Json::parse(answer.body, nullptr, false);
  }
  std::string add_data(const std::string& name, std::string_view bytes) {
    return json("POST", "/v1/data?name=" + name, bytes).at("id");
  }
  Json add_run(const Json& options, const Json& inputs = Json::object()) {
    return json("POST", "/v1/runs",
                Json{{"app", "test lines"}, {"inputs", inputs}, {"options", options}}.dump());
  }
  Json run(const std::string& id) { return json("GET", "/v1/runs/" + id); }
  /// The run once it is in `state`, or as it is after 20 s.
  Json wait_for(const std::string& id, const std::string& state) {
    Json now;
    for (int i = 0; i < 2000; ++i) {
      now = run(id);
      if (now.value("state", "") == state) return now;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return now;
  }
  Json wait_for_end(const std::string& id) {
    Json now;
    for (int i = 0; i < 2000; ++i) {
      now = run(id);
      const std::string state = now.value("state", "");
      if (state != "queued" && state != "running") return now;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return now;
  }

 private:
  ScratchFolder folder_{"/tmp"};
  app::AppTable apps_ = test_apps();
  HubSettings settings_;
  std::unique_ptr<Hub> hub_;
};

}  // namespace aceso::hub::test
