#include "jobs/executor.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <set>

namespace aceso::hub {

namespace fs = std::filesystem;

namespace {

constexpr int kNiceness = 5;         // the hub answers first
constexpr char kOomScore[] = "500";  // and is the last to be killed for memory

[[nodiscard]] FileHandle open_file(const fs::path& path, int flags) {
  FileHandle file(::open(path.c_str(), flags | O_CLOEXEC, 0600));
  if (!file) fail_system(errno, "open", path.filename().string());
  return file;
}

/// Whether anybody holds the run's lock.
[[nodiscard]] bool is_locked(const fs::path& folder) {
  const FileHandle lock(::open((folder / "lock").c_str(), O_RDWR | O_CLOEXEC));
  if (!lock) return false;
  return ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

[[nodiscard]] std::optional<pid_t> process_id(const std::string& text) noexcept {
  pid_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id <= 1) return std::nullopt;
  return id;
}

/// Whether process `id` has the file `lock` open, which only processes of that run have.
[[nodiscard]] bool has_open(pid_t id, const struct stat& lock) {
  std::error_code error;
  for (fs::directory_iterator entry(fmt::format("/proc/{}/fd", id), error), end;
       !error && entry != end; entry.increment(error)) {
    struct stat other{};
    if (::stat(entry->path().c_str(), &other) == 0 && other.st_dev == lock.st_dev &&
        other.st_ino == lock.st_ino)
      return true;
  }
  return false;
}

/// The process groups of all processes that hold the run's lock.
[[nodiscard]] std::set<pid_t> groups_of_run(const fs::path& folder) {
  std::set<pid_t> groups;
  // Open for the time of the search, so that its number cannot become another file's.
  const FileHandle file(::open((folder / "lock").c_str(), O_RDONLY | O_CLOEXEC));
  struct stat lock{};
  if (!file || ::fstat(file.get(), &lock) != 0) return groups;
  std::error_code error;
  for (fs::directory_iterator entry("/proc", error), end; !error && entry != end;
       entry.increment(error)) {
    const auto id = process_id(entry->path().filename().string());
    if (!id || *id == ::getpid() || !has_open(*id, lock)) continue;
    const pid_t group = ::getpgid(*id);
    if (group > 1 && group != ::getpgrp()) groups.insert(group);
  }
  return groups;
}

void signal_run(const fs::path& folder, int signal_number) noexcept {
  try {
    for (const pid_t group : groups_of_run(folder)) ::kill(-group, signal_number);
  } catch (const std::exception&) {
    // Out of memory; the scheduler asks again.
  }
}

[[nodiscard]] std::string reason_of(const siginfo_t& info) {
  if (info.si_code == CLD_EXITED) return fmt::format("exit code {}", info.si_status);
  const char* abbreviation = ::sigabbrev_np(info.si_status);
  return fmt::format("killed by signal {}{}", info.si_status,
                     abbreviation != nullptr ? fmt::format(" (SIG{})", abbreviation) : "");
}

/// Everything that the new process needs, made before fork(): between fork() and exec() only
/// functions that are safe in a signal handler may be called.
struct Plan {
  std::string folder, program;
  std::vector<std::string> variables;
  std::vector<char*> arguments, environment;
  FileHandle lock, log, null;
  std::uint64_t memory_bytes = 0;
};

[[nodiscard]] Plan make_plan(const Launch& launch) {
  Plan plan{.folder = launch.folder.string(),
            .program = launch.program.string(),
            .variables = {},
            .arguments = {},
            .environment = {},
            .lock = open_file(launch.folder / "lock", O_RDWR | O_CREAT),
            .log = open_file(launch.folder / "log.txt", O_WRONLY | O_CREAT | O_APPEND),
            .null = open_file("/dev/null", O_RDONLY),
            .memory_bytes = launch.memory_bytes};
  plan.variables = {"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "HOME=" + plan.folder,
                    "TMPDIR=" + plan.folder + "/tmp"};
  for (const auto& [key, value] : launch.environment)
    plan.variables.push_back(fmt::format("{}={}", key, value));
  return plan;
}

void point_to_strings(Plan& plan) {
  static char run[] = "run";
  static char job[] = "job.json";
  plan.arguments = {plan.program.data(), run, job, nullptr};
  for (auto& variable : plan.variables) plan.environment.push_back(variable.data());
  plan.environment.push_back(nullptr);
}

void reset_signals() noexcept {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &action, nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void set_limits(std::uint64_t memory_bytes) noexcept {
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  if (memory_bytes > 0) {
    const rlimit memory{memory_bytes, memory_bytes};
    ::setrlimit(RLIMIT_AS, &memory);
  }
  ::setpriority(PRIO_PROCESS, 0, kNiceness);
  const int score = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (score >= 0) {
    const ssize_t written = ::write(score, kOomScore, sizeof(kOomScore) - 1);
    static_cast<void>(written);  // a matter of taste, not of correctness
    ::close(score);
  }
}

/// Libraries do not open all their sockets so that exec() closes them.
void let_exec_close_all() noexcept {
  constexpr unsigned kFirst = 3, kCloseOnExec = 4;  // CLOSE_RANGE_CLOEXEC
  if (::syscall(SYS_close_range, kFirst, ~0U, kCloseOnExec) == 0) return;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  for (int descriptor = kFirst;
       descriptor < static_cast<int>(std::min<rlim_t>(files.rlim_cur, 1 << 20)); ++descriptor)
    ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

/// In the new process. Returns only if something failed, with errno set.
void become_run(const Plan& plan) noexcept {
  ::umask(077);
  reset_signals();
  set_limits(plan.memory_bytes);
  if (::setsid() < 0 || ::chdir(plan.folder.c_str()) != 0) return;
  if (::dup2(plan.null.get(), 0) < 0 || ::dup2(plan.log.get(), 1) < 0 ||
      ::dup2(plan.log.get(), 2) < 0)
    return;
  let_exec_close_all();
  // The one descriptor the run inherits beside these three: with it, the lock.
  if (::fcntl(plan.lock.get(), F_SETFD, 0) != 0) return;
  ::execve(plan.program.c_str(), plan.arguments.data(), plan.environment.data());
}

/// A child of this process.
class ChildExecution : public Execution {
 public:
  explicit ChildExecution(pid_t id)
      : id_(id), end_(static_cast<int>(::syscall(SYS_pidfd_open, id, 0))) {}

  ~ChildExecution() override { static_cast<void>(poll()); }

  std::optional<Ending> poll() override {
    if (!ending_) {
      siginfo_t info{};
      const int code = ::waitid(P_PID, static_cast<id_t>(id_), &info, WEXITED | WNOHANG | WNOWAIT);
      if (code == 0 && info.si_pid == 0) return std::nullopt;
      // Not yet waited for, so the id is still its own: what the run has left behind goes with it.
      ::kill(-id_, SIGKILL);
      ::waitid(P_PID, static_cast<id_t>(id_), &info, WEXITED | WNOHANG);
      ending_ = Ending{code == 0 ? reason_of(info) : ""};
    }
    return ending_;
  }

  void ask_to_stop() noexcept override { send(SIGTERM); }
  void kill() noexcept override { send(SIGKILL); }
  [[nodiscard]] int descriptor() const noexcept override { return end_.get(); }
  [[nodiscard]] std::string handle() const override { return std::to_string(id_); }

 private:
  void send(int signal_number) noexcept {
    if (!ending_) ::kill(-id_, signal_number);
  }

  pid_t id_;
  FileHandle end_;
  std::optional<Ending> ending_;
};

/// A run of an earlier hub: seen through its lock only.
class AdoptedExecution : public Execution {
 public:
  AdoptedExecution(fs::path folder, std::string handle)
      : folder_(std::move(folder)), handle_(std::move(handle)) {}

  std::optional<Ending> poll() override {
    return is_locked(folder_) ? std::nullopt : std::optional(Ending{});
  }
  void ask_to_stop() noexcept override { signal_run(folder_, SIGTERM); }
  void kill() noexcept override { signal_run(folder_, SIGKILL); }
  [[nodiscard]] std::string handle() const override { return handle_; }

 private:
  fs::path folder_;
  std::string handle_;
};

class LocalExecutor : public Executor {
 public:
  std::unique_ptr<Execution> start(const Launch& launch) override {
    Plan plan = make_plan(launch);
    point_to_strings(plan);
    if (::flock(plan.lock.get(), LOCK_EX | LOCK_NB) != 0)
      fail(Errc::Internal, "run {}: its folder is locked by another process", launch.run);
    std::array<int, 2> failure{};
    if (::pipe2(failure.data(), O_CLOEXEC) != 0) fail_system(errno, "make", "a pipe");
    const FileHandle reading(failure[0]);
    FileHandle writing(failure[1]);

    const pid_t id = ::fork();
    if (id < 0) fail_system(errno, "start", launch.program.string());
    if (id == 0) {
      become_run(plan);
      const int reason = errno;
      const ssize_t written = ::write(writing.get(), &reason, sizeof(reason));
      ::_exit(written == sizeof(reason) ? 127 : 126);
    }
    writing.reset();
    auto execution = std::make_unique<ChildExecution>(id);
    throw_if_not_started(reading, *execution, launch);
    return execution;
  }

  std::unique_ptr<Execution> adopt(const Launch& launch, const std::string& handle) override {
    if (!is_locked(launch.folder)) return nullptr;
    return std::make_unique<AdoptedExecution>(launch.folder, handle);
  }

 private:
  /// The pipe closes without a word when exec() succeeds.
  static void throw_if_not_started(const FileHandle& pipe, ChildExecution& execution,
                                   const Launch& launch) {
    int reason = 0;
    const std::size_t count =
        read_some(pipe.get(), std::as_writable_bytes(std::span(&reason, 1)), "pipe");
    if (count == 0) return;
    while (!execution.poll()) ::usleep(1000);
    fail_system(reason, "start", launch.program.string());
  }
};

}  // namespace

std::unique_ptr<Executor> local_executor() { return std::make_unique<LocalExecutor>(); }

}  // namespace aceso::hub
