#include "api/event_stream.hpp"

#include "jobs/scheduler.hpp"

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <unistd.h>

namespace aceso::hub {

namespace {

constexpr std::size_t kReadAtOnce = 128 * 1024;
constexpr std::chrono::seconds kHeartbeat{15};

/// One event from a line of events.jsonl; "" for a line that is none.
[[nodiscard]] std::string to_event(std::string_view line, std::uint64_t offset_after) {
  Json event = Json::parse(line, nullptr, false);
  if (!event.is_object()) return {};
  const std::string type =
      event.contains("type") && event["type"].is_string() ? event["type"].get<std::string>() : "";
  if (type != "progress" && type != "log") return {};
  event.erase("type");
  return fmt::format("id: {}\nevent: {}\ndata: {}\n\n", offset_after, type,
                     event.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

EventStream::EventStream(Store& store, std::filesystem::path runs, std::string run,
                         std::uint64_t offset,
                         std::function<std::string(const RunRecord&)> describe)
    : store_(store),
      runs_(std::move(runs)),
      run_(std::move(run)),
      offset_(offset),
      describe_(std::move(describe)) {}

std::string EventStream::next() {
  // The state is read before the events: when it says that the run has ended, all are written.
  const auto run = store_.find_run(run_);
  if (!run) {
    ended_ = true;
    return {};
  }
  std::string text;
  const auto tell_state = [&] {
    if (told_state_ == run->state) return;
    told_state_ = run->state;
    text += fmt::format("event: state\ndata: {{\"state\":\"{}\"}}\n\n", name(run->state));
  };
  if (!told_state_ || !has_ended(run->state)) tell_state();
  bool more = false;
  text += read_events(*run, more);
  if (has_ended(run->state) && !more) {
    tell_state();
    text += fmt::format("event: end\ndata: {}\n\n", describe_(*run));
    ended_ = true;
  }
  const auto now = std::chrono::steady_clock::now();
  if (text.empty() && now - last_sent_ >= kHeartbeat) text = ": still here\n\n";
  if (!text.empty()) last_sent_ = now;
  return text;
}

/// Returns whether the event file of the run's current attempt is open and offset_ fits it.
bool EventStream::open_events(const RunRecord& run) {
  if (attempt_ != run.attempt) {
    if (attempt_ != 0) offset_ = 0;
    attempt_ = run.attempt;
    file_.reset();
  }
  if (file_) return true;
  const auto path = attempt_folder(runs_, run) / "events.jsonl";
  file_ = FileHandle(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file_) return false;
  char before = 0;
  if (offset_ > 0 &&
      (::pread(file_.get(), &before, 1, static_cast<off_t>(offset_ - 1)) != 1 || before != '\n'))
    offset_ = 0;
  return true;
}

std::string EventStream::read_events(const RunRecord& run, bool& more) {
  if (!open_events(run)) return {};
  std::string bytes(kReadAtOnce, '\0');
  const ssize_t count =
      ::pread(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset_));
  if (count <= 0) return {};
  bytes.resize(static_cast<std::size_t>(count));
  more = bytes.size() == kReadAtOnce;
  std::string events;
  std::size_t begin = 0;
  for (auto end = bytes.find('\n'); end != std::string::npos; end = bytes.find('\n', begin)) {
    events += to_event(std::string_view(bytes).substr(begin, end - begin), offset_ + end + 1);
    begin = end + 1;
  }
  // A line longer than a whole read is no event of ours.
  offset_ += begin == 0 && more ? bytes.size() : begin;
  return events;
}

}  // namespace aceso::hub
