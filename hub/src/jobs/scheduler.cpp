#include "jobs/scheduler.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <nlohmann/json.hpp>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

namespace aceso::hub {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

namespace {

constexpr int kIdleMs = 60'000;
constexpr int kTroubleMs = 1'000;  // a full disk, say: until room is made
constexpr int kLookMs = 100;       // at runs that cannot tell of their end, and at deadlines

/// Folders of runs whose deletion a crash cut short.
void remove_unknown_runs(Store& store, const fs::path& runs) {
  const auto ids = store.list_run_ids();
  const std::set<std::string> known(ids.begin(), ids.end());
  for (const auto& entry : fs::directory_iterator(runs)) {
    std::error_code ignored;
    if (!known.contains(entry.path().filename().string())) fs::remove_all(entry.path(), ignored);
  }
}

}  // namespace

fs::path attempt_folder(const fs::path& runs, const RunRecord& run) {
  return runs / run.id / std::to_string(run.attempt);
}

Scheduler::Scheduler(Store& store, Library& library, const app::AppTable& apps,
                     std::unique_ptr<Executor> executor, SchedulerSettings settings, Log log)
    : store_(store),
      library_(library),
      apps_(apps),
      executor_(std::move(executor)),
      settings_(std::move(settings)),
      log_(std::move(log)),
      alarm_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!alarm_) fail_system(errno, "make", "an eventfd");
  remove_unknown_runs(store_, settings_.runs);
  take_up_running();
  thread_ = std::jthread([this] { work(); });
}

Scheduler::~Scheduler() { stop(); }

void Scheduler::wake() noexcept {
  const std::uint64_t one = 1;
  const ssize_t written = ::write(alarm_.get(), &one, sizeof(one));
  static_cast<void>(written);  // it can only be full, and then it rings already
}

void Scheduler::cancel(const std::string& run) {
  {
    const std::scoped_lock lock(cancelled_mutex_);
    cancelled_.insert(run);
  }
  wake();
}

unsigned Scheduler::stop() {
  stopping_ = true;
  wake();
  if (thread_.joinable()) thread_.join();
  return left_running_;
}

void Scheduler::take_up_running() {
  for (RunRecord& run : store_.list_running()) {
    auto execution = executor_->adopt(launch_of(run), run.handle);
    log_.info(execution ? "run.adopted" : "run.found_ended", {{"run", run.id}});
    if (run.cancel_asked) cancelled_.insert(run.id);
    active_.push_back({.run = std::move(run), .execution = std::move(execution)});
  }
}

void Scheduler::work() {
  while (!stopping_) {
    trouble_ = false;
    try {
      follow_active();
      start_queued();
      follow_active();
    } catch (const std::exception& error) {
      trouble_ = true;
      log_.error("scheduler.trouble", {{"message", error.what()}});
    }
    wait();
  }
  left_running_ = static_cast<unsigned>(std::ranges::count_if(
      active_, [](const Active& a) { return a.execution && !a.execution->poll(); }));
}

void Scheduler::wait() const {
  std::vector<pollfd> descriptors{{alarm_.get(), POLLIN, 0}};
  int timeout_ms = trouble_ ? kTroubleMs : kIdleMs;
  for (const auto& active : active_) {
    const int descriptor = active.execution && !trouble_ ? active.execution->descriptor() : -1;
    if (descriptor >= 0) descriptors.push_back({descriptor, POLLIN, 0});
    if ((descriptor < 0 || active.kill_at) && !trouble_) timeout_ms = kLookMs;
  }
  ::poll(descriptors.data(), descriptors.size(), timeout_ms);
  std::uint64_t rings = 0;
  const ssize_t count = ::read(alarm_.get(), &rings, sizeof(rings));
  static_cast<void>(count);  // nothing to read when something else ended the wait
}

void Scheduler::follow_active() {
  std::erase_if(active_, [&](Active& active) {
    try {
      return follow(active);
    } catch (const std::exception& error) {
      trouble_ = true;
      log_.error("run.trouble", {{"run", active.run.id}, {"message", error.what()}});
      return false;
    }
  });
}

/// Returns whether the run has ended and that is written down.
bool Scheduler::follow(Active& active) {
  stop_cancelled(active);
  const auto ending = active.execution ? active.execution->poll() : Ending{};
  return ending && end(active, *ending);
}

void Scheduler::stop_cancelled(Active& active) {
  {
    const std::scoped_lock lock(cancelled_mutex_);
    if (cancelled_.erase(active.run.id) > 0) active.cancel_asked = true;
  }
  if (!active.cancel_asked || !active.execution) return;
  if (!active.kill_at) {
    active.execution->ask_to_stop();
    active.kill_at = steady_clock::now() + settings_.kill_after;
  } else if (steady_clock::now() >= *active.kill_at) {
    active.execution->kill();
  }
}

bool Scheduler::end(const Active& active, const Ending& ending) {
  const Outcome outcome = outcome_of(active, ending);
  store_.mark_ended(active.run.id, outcome.state,
                    outcome.result.dump(-1, ' ', false, Json::error_handler_t::replace), utc_now());
  log_.info("run.ended", {{"run", active.run.id}, {"state", name(outcome.state)}});
  return true;
}

Outcome Scheduler::outcome_of(const Active& active, const Ending& ending) const {
  if (active.start_error)
    return outcome_without_result(RunState::Failed, active.start_error->code(),
                                  active.start_error->what());
  const fs::path folder = attempt_folder(settings_.runs, active.run);
  const app::App* app = apps_.find(active.run.app);
  tidy_run_folder(folder);
  return read_outcome(folder, app != nullptr ? &app->description : nullptr, active.cancel_asked,
                      ending.reason);
}

void Scheduler::start_queued() {
  while (active_.size() < settings_.parallel_runs && !stopping_) {
    const auto run = store_.next_queued();
    if (!run) return;
    start(*run);
  }
}

/// The order matters: a hub that dies after mark_running() finds a run without a lock and without
/// a result, and calls it interrupted rather than start it again.
void Scheduler::start(const RunRecord& run) {
  Active active{.run = run, .execution = nullptr};
  try {
    prepare(run);
  } catch (const std::exception&) {
    active.start_error = current_error();
  }
  if (!store_.mark_running(run.id, run.attempt, utc_now())) return;
  try {
    if (!active.start_error) active.execution = executor_->start(launch_of(run));
  } catch (const std::exception&) {
    active.start_error = current_error();
  }
  log_.info("run.started", {{"run", run.id}, {"attempt", run.attempt}, {"app", run.app}});
  const std::string handle = active.execution ? active.execution->handle() : "";
  active_.push_back(std::move(active));
  if (!handle.empty()) store_.set_handle(run.id, run.attempt, handle);
}

void Scheduler::prepare(const RunRecord& run) const {
  const app::App* app = apps_.find(run.app);
  if (app == nullptr) fail(Errc::NotFound, "this hub has no app '{}'", run.app);
  std::map<std::string, std::vector<InputFile>> inputs;
  const Json wanted = Json::parse(run.inputs);
  for (const auto& [input, files] : wanted.items()) {
    for (const auto& file : files) {
      const auto record = store_.find_data(file.at("id").get<std::string>());
      if (!record)
        fail(Errc::NotFound, "the input data {} have been deleted",
             file.at("id").get<std::string>());
      inputs[input].push_back({record->name, library_.path_of(*record)});
    }
  }
  Json options = Json::parse(run.options);
  // Added to the job only: the run shows what people asked for, and a retry fits the hub it runs
  // on.
  if (app->description.find_option("threads") != nullptr && !options.contains("threads"))
    options["threads"] = settings_.threads_per_run;
  prepare_run_folder(attempt_folder(settings_.runs, run), run, inputs, options);
}

Launch Scheduler::launch_of(const RunRecord& run) const {
  return {.run = run.id,
          .folder = attempt_folder(settings_.runs, run),
          .program = settings_.program,
          .threads = settings_.threads_per_run,
          .memory_bytes = settings_.run_memory_bytes,
          .environment = settings_.environment};
}

}  // namespace aceso::hub
