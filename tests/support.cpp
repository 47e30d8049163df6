#include "support.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <thread>

namespace aceso::tests {
namespace fs = std::filesystem;
namespace {

std::string quoted(const std::string& word) {
  std::string safe = "'";
  for (const char c : word) safe += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return safe + "'";
}

/// Starts `command` with standard output to `out` and, if given, standard error to `err`.
pid_t start(const std::vector<std::string>& command, int out, int err) {
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const pid_t pid = fork();
  if (pid != 0) return pid;
  dup2(out, STDOUT_FILENO);
  if (err >= 0) dup2(err, STDERR_FILENO);
  execvp(words[0], words.data());
  _exit(127);
}

int code_of(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

fs::path shared_data(const fs::path& inside) {
  for (fs::path folder = ACESO_SOURCE_DIR; folder != folder.parent_path();
       folder = folder.parent_path())
    if (fs::path data = folder / "shared" / "data" / inside; fs::exists(data)) return data;
  return {};
}

Ended run(const std::vector<std::string>& command, const std::string& shell_prefix) {
  const ScratchFolder folder{fs::temp_directory_path()};
  const fs::path out = folder.path() / "out", err = folder.path() / "err";
  std::string line = shell_prefix + " exec";
  for (const std::string& word : command) line += " " + quoted(word);
  const FileHandle out_file{::open(out.c_str(), O_WRONLY | O_CREAT, 0600)},
      err_file{::open(err.c_str(), O_WRONLY | O_CREAT, 0600)};
  const pid_t pid = start({"bash", "-c", line}, out_file.get(), err_file.get());
  int status = 0;
  waitpid(pid, &status, 0);
  return {code_of(status), read_file(out), read_file(err)};
}

HubProcess::HubProcess(const std::string& program, fs::path data,
                       std::vector<std::string> options) {
  const auto begin = std::chrono::steady_clock::now();
  std::array<int, 2> pipe_ends{};
  if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) fail_system(errno, "make", "a pipe");
  const FileHandle read_end{pipe_ends[0]};
  FileHandle write_end{pipe_ends[1]};
  std::vector<std::string> command{program,       "hub",    "up", "--data",
                                   data.string(), "--port", "0",  "--json"};
  command.insert(command.end(), options.begin(), options.end());
  pid_ = start(command, write_end.get(), -1);
  write_end.reset();
  std::string line;
  char letter = 0;
  while (::read(read_end.get(), &letter, 1) == 1 && letter != '\n') line += letter;
  const Json ready = parse_json(line, "first line of the hub");
  url_ = ready["url"].get<std::string>();
  token_ = ready["token"].get<std::string>();
  login_url_ = ready["login_url"].get<std::string>();
  seconds_to_ready_ =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

HubProcess::~HubProcess() {
  if (pid_ > 0) end(SIGKILL);
}

int HubProcess::end(int signal) {
  if (pid_ <= 0) return 0;  // ended before; -1 would mean every process there is
  kill(pid_, signal);
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return status;
}

HubProcess::Answer HubProcess::request(const std::string& method, const std::string& path,
                                       const std::vector<std::string>& arguments) const {
  std::vector<std::string> command{
      "curl",           "-sS",        "-X", method, "-H", "Authorization: Bearer " + token_, "-w",
      "\n%{http_code}", "--max-time", "60"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  command.push_back(url_ + path);
  const Ended ended = run(command);
  const std::size_t line = ended.out.rfind('\n');
  if (line == std::string::npos) fail(Errc::Io, "curl: {}", ended.err);
  return {std::stoi(ended.out.substr(line + 1)), ended.out.substr(0, line)};
}

std::string HubProcess::upload(const std::string& name, const std::string& content) const {
  const Answer answer =
      request("POST", "/v1/data?name=" + name,
              {"--data-binary", content, "-H", "Content-Type: application/octet-stream"});
  if (answer.status != 201) fail(Errc::Io, "upload answered {}: {}", answer.status, answer.body);
  return answer.json()["id"].get<std::string>();
}

Json HubProcess::wait_for_run(const std::string& id, double seconds) const {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (true) {
    Json run = request("GET", "/v1/runs/" + id).json();
    const auto state = run["state"].get<std::string>();
    if (state != "queued" && state != "running") return run;
    if (std::chrono::steady_clock::now() > end)
      fail(Errc::Io, "run {} is still {} after {} s", id, state, seconds);
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  }
}

}  // namespace aceso::tests
