#include "front_end.hpp"

#include "aceso/core/text.hpp"

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <thread>

namespace aceso::cli {
namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

std::size_t terminal_width() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

std::string amount(std::uint64_t value, const std::string& unit) {
  return unit == "bytes" ? format_bytes(value) : fmt::format("{} {}", value, unit);
}

std::string bar(double fraction, std::size_t width) {
  const auto filled = static_cast<std::size_t>(fraction * static_cast<double>(width));
  std::string text(width, ' ');
  std::fill_n(text.begin(), std::min(filled, width), '=');
  if (filled < width) text[filled] = '>';
  return text;
}

std::string progress_line(const ProgressEvent& event) {
  const double rate = event.seconds > 0 ? static_cast<double>(event.done) / event.seconds : 0;
  std::string line = fmt::format("{}  {}", event.stage, amount(event.done, event.unit));
  if (event.total > 0) {
    const double fraction =
        std::min(1.0, static_cast<double>(event.done) / static_cast<double>(event.total));
    line = fmt::format("{} [{}] {:3.0f} %", event.stage, bar(fraction, 24), 100 * fraction);
    if (rate > 0 && fraction < 1)
      line += fmt::format("  {} left",
                          format_seconds(static_cast<double>(event.total - event.done) / rate));
  }
  if (rate > 0) line += fmt::format("  {}/s", amount(static_cast<std::uint64_t>(rate), event.unit));
  return line;
}

}  // namespace

void prepare_signals() {
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

void keep_standard_streams() {
  // In the order of their numbers: open() takes the lowest that is free.
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) >= 0 || errno != EBADF) continue;
    // (Standard input is never written, standard output never read.)
    static_cast<void>(open("/dev/null", stream == STDERR_FILENO ? O_WRONLY : O_RDONLY));
  }
}

void tell(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

StopOnSignal::StopOnSignal() {
  waiter_ = std::jthread([this](const std::stop_token& end) {
    const sigset_t set = stop_signals();
    while (!end.stop_requested()) {
      // Wakes up now and then to see whether it is still needed.
      const timespec timeout{0, 50'000'000};
      if (sigtimedwait(&set, nullptr, &timeout) < 0) continue;
      if (stop_.stop_requested()) std::_Exit(exit_code(Errc::Cancelled));
      stop_.request_stop();
    }
  });
}

StopOnSignal::~StopOnSignal() { waiter_.request_stop(); }

bool stderr_is_terminal() { return isatty(STDERR_FILENO) == 1; }

Progress::Sink terminal_progress() {
  return [](const ProgressEvent& event) {
    std::string line = progress_line(event);
    line.resize(std::min(line.size(), terminal_width() - 1));
    // "\33[K" clears what a longer line left behind.
    const bool ended = event.total > 0 && event.done >= event.total;
    tell(fmt::format("\r{}\33[K{}", line, ended ? "\n" : ""));
  };
}

Progress::Sink json_progress() {
  return [](const ProgressEvent& event) {
    const Json line{{"type", "progress"}, {"stage", event.stage}, {"unit", event.unit},
                    {"done", event.done}, {"total", event.total}, {"seconds", event.seconds}};
    tell(line.dump() + "\n");
  };
}

void print_outcome(const app::RunResult& result) {
  for (const WarningCount& warning : result.warnings) {
    for (const std::string& example : warning.examples) tell(fmt::format("warning: {}\n", example));
    if (warning.count > warning.examples.size())
      tell(fmt::format("warning: … {} more of {}\n", warning.count - warning.examples.size(),
                       warning.kind));
  }
  if (result.error) tell(fmt::format("error: {}\n", result.error->what()));
}

void print_summary(const app::RunResult& result) {
  fmt::print("{}: done in {}, {} CPU, {:.0f} MB at most\n", result.app,
             format_seconds(result.seconds), format_seconds(result.cpu_seconds),
             result.peak_rss_mb);
  for (const auto& [name, path] : result.outputs) fmt::print("  {:<14}{}\n", name, path.string());
  if (result.metrics.empty()) return;
  fmt::print("  metrics\n");
  // What is nested deeper is for programs: --json and the report have it.
  constexpr int kShownLevels = 3;
  const Json flat = result.metrics.flatten();
  for (const auto& [pointer, value] : flat.items()) {
    // (What is empty flattens to null.)
    if (std::ranges::count(pointer, '/') <= kShownLevels && !value.is_null())
      fmt::print("    {:<30} {}\n", replaced(pointer.substr(1), '/', '.'), value.dump());
  }
}

int report_error(const Error& error, bool json) {
  tell(fmt::format("error: {}\n", error.what()));
  if (json) {
    const Json object{{"status", "failed"},
                      {"error", {{"code", name(error.code())}, {"message", error.what()}}}};
    fmt::print("{}\n", object.dump(-1, ' ', false, Json::error_handler_t::replace));
    std::fflush(stdout);
  }
  return exit_code(error.code());
}

}  // namespace aceso::cli
