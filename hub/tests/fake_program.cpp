/// \file
/// A program that keeps the contract of a run's folder, for tests: `hub_fake_program run job.json`.
///
/// Options of the job: `seconds` to take, `count` of lines, `events` to write, `end` ("", "fail",
/// "kill", "exit", "garbage", "silent"), `stubborn` (does not stop when asked). Each start adds
/// a line to the file that the variable START_LOG names.
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

volatile sig_atomic_t stop_asked = 0;

void write_whole(const fs::path& path, const std::string& text) {
  const fs::path part = path.parent_path() / ("." + path.filename().string() + ".0000.part");
  {
    std::ofstream file(part, std::ios::binary);
    file << text;
  }
  fs::rename(part, path);
}

void append(const fs::path& path, const std::string& line) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return;
  if (::write(file, line.data(), line.size()) < 0) std::perror("write");
  ::close(file);
}

void log_start(const Json& job) {
  const char* path = std::getenv("START_LOG");
  if (path != nullptr) append(path, fs::current_path().string() + "\n");
  std::fprintf(stderr, "fake program runs %s\n", job.value("app", "").c_str());
}

void sleep_while_not_stopped(double seconds, bool stubborn) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (std::chrono::steady_clock::now() < end && (stubborn || stop_asked == 0))
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

void write_events(int count) {
  for (int i = 1; i <= count; ++i)
    append("events.jsonl", Json{{"type", "progress"},
                                {"stage", "lines"},
                                {"unit", "lines"},
                                {"done", i},
                                {"total", count},
                                {"seconds", 0.5}}
                                   .dump() +
                               "\n");
  append("events.jsonl", Json{{"type", "log"},
                              {"time", "2024-05-31T10:20:30Z"},
                              {"level", "info"},
                              {"event", "fake.done"},
                              {"fields", Json::object()}}
                                 .dump() +
                             "\n");
}

/// Slowly, so that a kill finds it half-written.
bool write_output(const fs::path& path, int lines) {
  const fs::path part = path.parent_path() / ("." + path.filename().string() + ".1111.part");
  std::ofstream file(part);
  for (int i = 0; i < lines; ++i) {
    file << "line " << i << '\n';
    if (i % 100 == 0) file.flush();
  }
  file << "end\n";
  file.close();
  if (!file) return false;
  fs::rename(part, path);
  return true;
}

int finish(const char* status, int exit_code, Json error, double seconds) {
  Json result{{"app", "test lines"},       {"version", "0"},           {"status", status},
              {"seconds", seconds},        {"cpu_seconds", 0.01},      {"peak_rss_mb", 1.5},
              {"outputs", Json::object()}, {"metrics", {{"lines", 7}}}};
  for (const char* name : {"lines", "page"}) {
    const std::string file =
        std::string(name) == "lines" ? "outputs/lines.txt" : "outputs/page.html";
    if (fs::exists(file)) result["outputs"][name] = file;
  }
  // Must not lead anywhere.
  result["outputs"]["sly"] = "../../../token";
  if (!error.is_null()) result["error"] = std::move(error);
  result["exit_code"] = exit_code;
  write_whole("result.json", result.dump());
  return exit_code;
}

}  // namespace

int main(int count, char** words) {
  if (count != 3 || std::string(words[1]) != "run") return 2;
  struct sigaction action{};
  action.sa_handler = [](int) { stop_asked = 1; };
  ::sigaction(SIGTERM, &action, nullptr);
  const Json job = Json::parse(std::ifstream(words[2]));
  const Json options = job.value("options", Json::object());
  log_start(job);
  const double seconds = options.value("seconds", 0.0);
  const std::string end = options.value("end", "");
  const bool stubborn = options.value("stubborn", false);
  write_events(options.value("events", 3));
  sleep_while_not_stopped(seconds, stubborn);
  if (stop_asked != 0 && !stubborn)
    return finish("cancelled", 5, {{"code", "cancelled"}, {"message", "a stop was requested"}},
                  seconds);
  if (end == "kill") ::raise(SIGKILL);
  if (end == "exit" || end == "silent") return end == "exit" ? 3 : 0;
  if (end == "garbage") return write_whole("result.json", "{\"status\": 5"), 0;
  if (end == "fail")
    return finish("failed", 4, {{"code", "out_of_resources"}, {"message", "the disk is full"}},
                  seconds);
  if (!write_output("outputs/lines.txt", options.value("count", 7)))
    return finish("failed", 4,
                  {{"code", "out_of_resources"}, {"message", "outputs/lines.txt: cannot write"}},
                  seconds);
  write_whole("outputs/page.html", "<script>alert(1)</script>");
  return finish("succeeded", 0, nullptr, seconds);
}
