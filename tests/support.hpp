/// \file
/// Running programs and talking to a hub, for scenarios.
#pragma once

#include "aceso/core/files.hpp"
#include "aceso/core/json.hpp"

#include <nlohmann/json.hpp>

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace aceso::tests {

/// What a program that ended left behind.
struct Ended {
  int exit_code = 0;  ///< 128 + the signal if one killed it
  std::string out, err;

  /// Standard output as JSON.
  [[nodiscard]] Json json() const { return parse_json(out, "standard output"); }
};

/// Runs `command` (program first) to its end. `shell_prefix`, e.g. "ulimit -f 10;", runs before it.
[[nodiscard]] Ended run(const std::vector<std::string>& command,
                        const std::string& shell_prefix = {});

/// A folder or file of real data beside a checkout, in any folder above it; empty: not there.
[[nodiscard]] std::filesystem::path shared_data(const std::filesystem::path& inside);

/// A hub process on a free port, killed when this object goes.
class HubProcess {
 public:
  HubProcess(const std::string& program, std::filesystem::path data,
             std::vector<std::string> options = {});
  ~HubProcess();
  HubProcess(const HubProcess&) = delete;
  HubProcess& operator=(const HubProcess&) = delete;

  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] const std::string& token() const { return token_; }
  [[nodiscard]] const std::string& login_url() const { return login_url_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] double seconds_to_ready() const { return seconds_to_ready_; }

  /// Sends a signal and waits for the process to end. \returns its wait status.
  int end(int signal);

  struct Answer {
    int status = 0;
    std::string body;
    [[nodiscard]] Json json() const { return parse_json(body, "answer"); }
  };
  /// One request with the token, through curl. `arguments` go to curl as they are.
  [[nodiscard]] Answer request(const std::string& method, const std::string& path,
                               const std::vector<std::string>& arguments = {}) const;
  /// Uploads text as data; returns its id.
  [[nodiscard]] std::string upload(const std::string& name, const std::string& content) const;
  /// Waits until a run has ended, at most `seconds`; returns it.
  [[nodiscard]] Json wait_for_run(const std::string& id, double seconds = 60) const;

 private:
  pid_t pid_ = -1;
  std::string url_, token_, login_url_;
  double seconds_to_ready_ = 0;
};

}  // namespace aceso::tests
