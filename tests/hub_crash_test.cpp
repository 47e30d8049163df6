// The hub and its runs are killed at random moments; nothing that was acknowledged may be lost,
// nothing half-done may be seen, nothing may run twice.
#include "../hub/tests/test_hub.hpp"

#include "aceso/core/hash.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <fstream>
#include <map>
#include <mutex>
#include <random>
#include <set>

extern char** environ;

namespace aceso::hub::test {
namespace {

namespace fs = std::filesystem;

constexpr int kRounds = 20;

fs::path beside_me(const char* name) {
  return fs::read_symlink("/proc/self/exe").parent_path() / name;
}

/// A hub in its own process.
class ServerProcess {
 public:
  ServerProcess(const fs::path& data, const fs::path& starts) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    std::string program = beside_me("hub_test_server").string(), data_text = data.string(),
                starts_text = starts.string(), parallel = "2";
    char* words[] = {program.data(), data_text.data(), starts_text.data(), parallel.data(),
                     nullptr};
    const auto begin = std::chrono::steady_clock::now();
    if (::posix_spawn(&id_, program.c_str(), &actions, nullptr, words, environ) != 0)
      throw std::runtime_error("cannot start " + program);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    const FileHandle reading(ends[0]);
    char line[1000];
    const ssize_t count = ::read(reading.get(), line, sizeof(line));
    ready_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (count <= 0) throw std::runtime_error("the hub did not start");
    const Json ready = Json::parse(std::string(line, static_cast<std::size_t>(count)));
    const auto url = ready["url"].get<std::string>();
    port = static_cast<unsigned short>(std::stoi(url.substr(url.rfind(':') + 1)));
    token = ready["token"];
  }
  ~ServerProcess() { kill(); }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  void kill() {
    if (id_ <= 0) return;
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
    id_ = 0;
  }

  Answer request(const std::string& method, const std::string& target, std::string_view body = {},
                 Headers headers = {}) const {
    headers.emplace_back("Authorization", "Bearer " + token);
    Client client(port);
    return client.request(method, target, headers, body);
  }

  [[nodiscard]] std::string rss() const {
    const std::string status = read_file("/proc/" + std::to_string(id_) + "/status");
    const auto at = status.find("VmRSS:") + 6;
    return status.substr(at, status.find('\n', at) - at);
  }

  unsigned short port = 0;
  std::string token;
  double ready_seconds = 0;

 private:
  pid_t id_ = 0;
};

/// What the hub has promised so far.
struct Promises {
  std::map<std::string, std::string> data;     ///< id -> SHA-256
  std::map<std::string, std::uint64_t> parts;  ///< upload -> acknowledged bytes
  std::set<std::string> last_part_sent;        ///< uploads that may have become data unnoticed
  std::vector<std::string> runs;
};

class Crash : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(beside_me("hub_test_server"))) GTEST_SKIP() << "hub_test_server is not built";
  }

  void upload_until_it_breaks(const ServerProcess& server);
  void run_until_it_breaks(const ServerProcess& server);
  void check(const ServerProcess& server);
  void check_data(const ServerProcess& server);
  void check_runs(const ServerProcess& server);
  void check_files() const;
  std::size_t check_starts() const;

  std::string random_bytes(std::size_t size) {
    std::string bytes(size, '\0');
    for (auto& c : bytes) c = static_cast<char>(random_());
    return bytes;
  }
  unsigned random_below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }

  ScratchFolder folder_{"/tmp"};
  fs::path data_ = folder_.path() / "data", starts_ = folder_.path() / "starts";
  std::mt19937 random_{20240531};
  std::mutex mutex_;
  Promises promises_;
};

void Crash::upload_until_it_breaks(const ServerProcess& server) {
  std::mt19937 random(static_cast<unsigned>(server.port));
  for (int i = 0;; ++i) {
    std::string bytes(random() % 600'000, '\0');
    for (auto& c : bytes) c = static_cast<char>(random());
    if (i % 2 == 0) {
      const Answer answer = server.request("POST", "/v1/data?name=whole.bin", bytes);
      if (answer.status != 201) return;
      const std::scoped_lock lock(mutex_);
      promises_.data[Json::parse(answer.body)["id"]] = sha256(bytes);
      continue;
    }
    const Answer begun = server.request(
        "POST", "/v1/uploads", Json{{"name", "parts.bin"}, {"bytes", bytes.size()}}.dump());
    if (begun.status != 201) return;
    const std::string id = Json::parse(begun.body)["upload"];
    for (std::size_t at = 0; at < bytes.size(); at += 100'000) {
      const bool is_last = at + 100'000 >= bytes.size();
      {
        const std::scoped_lock lock(mutex_);
        promises_.parts[id] = at;
        if (is_last) promises_.last_part_sent.insert(id);
      }
      const Answer answer = server.request("PATCH", "/v1/uploads/" + id, bytes.substr(at, 100'000),
                                           {{"Upload-Offset", std::to_string(at)}});
      if (answer.status != (is_last ? 201 : 200)) return;
      const std::scoped_lock lock(mutex_);
      if (is_last) promises_.data[Json::parse(answer.body)["id"]] = sha256(bytes);
    }
    const std::scoped_lock lock(mutex_);
    promises_.parts.erase(id);
  }
}

void Crash::run_until_it_breaks(const ServerProcess& server) {
  std::mt19937 random(static_cast<unsigned>(server.port) + 1);
  while (true) {
    const Json options{{"seconds", static_cast<double>(random() % 100) / 1000}, {"count", 20'000}};
    const Answer answer = server.request("POST", "/v1/runs",
                                         Json{{"app", "test lines"}, {"options", options}}.dump());
    if (answer.status != 201) return;
    {
      const std::scoped_lock lock(mutex_);
      promises_.runs.push_back(Json::parse(answer.body)["id"]);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 60));
  }
}

void Crash::check(const ServerProcess& server) {
  check_data(server);
  check_runs(server);
  check_files();
  check_starts();
}

void Crash::check_data(const ServerProcess& server) {
  for (const auto& [id, hash] : promises_.data) {
    const Answer content = server.request("GET", "/v1/data/" + id + "/content");
    ASSERT_EQ(content.status, 200) << "acknowledged data are lost";
    ASSERT_EQ(sha256(content.body), hash);
  }
  for (const auto& [id, offset] : promises_.parts) {
    const Answer answer = server.request("GET", "/v1/uploads/" + id);
    if (answer.status == 404 && promises_.last_part_sent.contains(id)) continue;
    ASSERT_EQ(answer.status, 200) << "an acknowledged upload is lost";
    EXPECT_GE(Json::parse(answer.body)["offset"].get<std::uint64_t>(), offset);
  }
}

void Crash::check_runs(const ServerProcess& server) {
  for (const auto& id : promises_.runs) {
    const Answer answer = server.request("GET", "/v1/runs/" + id);
    ASSERT_EQ(answer.status, 200) << "an acknowledged run is lost";
    const Json run = Json::parse(answer.body);
    const bool has_result_file = fs::exists(data_ / "runs" / id / "1" / "result.json");
    EXPECT_TRUE(run["state"] != "succeeded" || has_result_file) << id;
    EXPECT_TRUE(run["state"] != "interrupted" || !has_result_file) << id;
  }
}

/// On the disk: no blob but whole ones, no output but whole ones.
void Crash::check_files() const {
  for (const auto& entry : fs::recursive_directory_iterator(data_ / "blobs")) {
    if (!entry.is_regular_file()) continue;
    EXPECT_EQ(entry.path().parent_path().filename().string() + entry.path().filename().string(),
              sha256_file(entry.path()));
  }
  for (const auto& run : fs::directory_iterator(data_ / "runs")) {
    const fs::path output = run.path() / "1" / "outputs" / "lines.txt";
    EXPECT_TRUE(!fs::exists(output) || read_file(output).ends_with("end\n")) << output;
  }
}

std::size_t Crash::check_starts() const {
  std::ifstream file(starts_);
  std::set<std::string> folders;
  for (std::string line; std::getline(file, line);)
    EXPECT_TRUE(folders.insert(line).second) << "ran twice: " << line;
  return folders.size();
}

TEST_F(Crash, TheHubIsKilledWhileItTakesDataAndRuns) {
  double slowest_start = 0;
  for (int round = 0; round < kRounds; ++round) {
    ServerProcess server(data_, starts_);
    slowest_start = std::max(slowest_start, server.ready_seconds);
    check(server);
    if (HasFatalFailure()) return;
    {
      const std::jthread uploads([&] { upload_until_it_breaks(server); });
      const std::jthread runs([&] { run_until_it_breaks(server); });
      std::this_thread::sleep_for(std::chrono::milliseconds(20 + random_below(400)));
      server.kill();
    }
  }
  ServerProcess server(data_, starts_);
  check(server);
  std::map<std::string, int> states;
  for (const auto& id : promises_.runs) {
    Json run;
    for (int i = 0; i < 2000; ++i) {
      run = Json::parse(server.request("GET", "/v1/runs/" + id).body);
      if (run["state"] != "queued" && run["state"] != "running") break;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ++states[run["state"]];
    EXPECT_TRUE(run["state"] == "succeeded" || run["state"] == "interrupted") << run;
  }
  check(server);
  const std::size_t started = check_starts();
  EXPECT_LE(started,
            static_cast<std::size_t>(states["succeeded"] + states["interrupted"]) + kRounds)
      << "requests whose answer was lost may have run";
  EXPECT_GE(started, static_cast<std::size_t>(states["succeeded"]));
  std::printf(
      "%d kills: %zu data and %zu runs acknowledged; %d runs succeeded, %d interrupted; slowest "
      "start %.0f ms; resident%s\n",
      kRounds, promises_.data.size(), promises_.runs.size(), states["succeeded"],
      states["interrupted"], slowest_start * 1e3, server.rss().c_str());
}

pid_t process_in(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::error_code error;
    if (fs::read_symlink(entry.path() / "cwd", error) == folder && !error)
      return std::stoi(entry.path().filename().string());
  }
  return 0;
}

TEST_F(Crash, RunsAreKilledAndRetried) {
  ServerProcess server(data_, starts_);
  int interrupted = 0;
  for (int round = 0; round < kRounds; ++round) {
    const Answer made = server.request(
        "POST", "/v1/runs", R"({"app":"test lines","options":{"seconds":0.02,"count":200000}})");
    ASSERT_EQ(made.status, 201);
    const std::string id = Json::parse(made.body)["id"];
    const fs::path folder = data_ / "runs" / id / "1";
    std::this_thread::sleep_for(std::chrono::milliseconds(random_below(80)));
    if (const pid_t process = process_in(folder)) ::kill(process, SIGKILL);
    Json run;
    for (int i = 0; i < 2000; ++i) {
      run = Json::parse(server.request("GET", "/v1/runs/" + id).body);
      if (run["state"] != "queued" && run["state"] != "running") break;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    const bool has_result = fs::exists(folder / "result.json");
    EXPECT_EQ(run["state"], has_result ? "succeeded" : "interrupted") << run;
    for (const auto& entry : fs::directory_iterator(folder / "outputs"))
      EXPECT_FALSE(entry.path().filename().string().ends_with(".part")) << entry.path();
    check_files();
    if (run["state"] != "interrupted") continue;
    ++interrupted;
    EXPECT_TRUE(run["outputs"].empty());
    EXPECT_NE(run["error"]["message"].get<std::string>().find("signal 9"), std::string::npos)
        << run["error"];
    EXPECT_EQ(server.request("POST", "/v1/runs/" + id + "/retry").status, 200);
    for (int i = 0; i < 2000 && run["state"] != "succeeded"; ++i) {
      run = Json::parse(server.request("GET", "/v1/runs/" + id).body);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    EXPECT_EQ(run["state"], "succeeded");
    EXPECT_EQ(run["attempt"], 2);
  }
  check_starts();
  std::printf("%d kills of runs: %d interrupted and retried\n", kRounds, interrupted);
}

}  // namespace
}  // namespace aceso::hub::test
