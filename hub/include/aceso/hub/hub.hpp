/// \file
/// The hub: the server that keeps data and runs, runs apps for people, and shows it all in the
/// browser.
#pragma once

#include "aceso/app/app.hpp"
#include "aceso/app/file_index.hpp"
#include "aceso/app/file_view.hpp"
#include "aceso/core/log.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace aceso::hub {

/// How a hub works. Everything but `data` and `program` has a usable default.
struct HubSettings {
  std::filesystem::path data;           ///< the folder it owns; made if it does not exist
  std::filesystem::path program;        ///< the executable started as `program run job.json`
  std::string address = "127.0.0.1";    ///< a numeric IPv4 or IPv6 address
  unsigned short port = 0;              ///< 0: any free one, told by Hub::url()
  bool allow_remote = false;            ///< permits an `address` that is not loopback
  std::vector<std::string> hosts = {};  ///< names in `Host` accepted beside the loopback ones

  unsigned parallel_runs = 1;                     ///< runs at once; the others wait in the queue
  std::uint64_t run_memory_bytes = 0;             ///< address space of one run; 0: no limit
  std::uint64_t upload_limit_bytes = 1ULL << 40;  ///< largest single file
  std::chrono::milliseconds kill_after{10'000};   ///< from asking a run to stop until it is killed
  std::vector<std::pair<std::string, std::string>> run_environment =
      {};  ///< added to a run's few variables

  unsigned worker_threads = 4;     ///< for requests; the network has one thread of its own
  unsigned max_connections = 512;  ///< beyond them the one idle for longest is closed
  std::chrono::milliseconds header_timeout{10'000};  ///< for a whole request header
  std::chrono::milliseconds body_timeout{30'000};    ///< without a byte of an unfinished body
  std::chrono::milliseconds idle_timeout{60'000};    ///< of a connection between two requests
  std::chrono::hours session_lifetime{24 * 30};

  std::vector<app::FileView> views = {};     ///< how files are shown row by row, one a kind
  std::vector<app::FileIndex> indexes = {};  ///< how files are indexed, one a kind

  Log log = {};
};

/// What a front end tells people once the hub answers.
struct HubReady {
  std::string url;        ///< "http://127.0.0.1:8765"
  std::string token;      ///< for `Authorization: Bearer`; a secret
  std::string login_url;  ///< logs a browser in, once, within 15 minutes; a secret
};

/// A running hub. Thread-safe but for construction and destruction.
class Hub {
 public:
  /// Opens the data folder, takes up what an earlier hub left, and answers requests from then on.
  ///
  /// \param apps the apps on offer; must outlive the hub.
  /// \throws Error InvalidArgument for settings that contradict themselves or a remote address
  ///         without `allow_remote`; OutOfResources if another hub works on the data folder;
  ///         Unsupported if a newer version wrote it; Io if the port is taken or the folder
  ///         cannot be written.
  Hub(HubSettings settings, const app::AppTable& apps);
  /// Like stop().
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  [[nodiscard]] const HubReady& ready() const noexcept;
  [[nodiscard]] unsigned short port() const noexcept;

  /// Answers what is under way, refuses the rest, and returns how many runs go on without the
  /// hub. The next hub on this data folder follows them.
  unsigned stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Runs a hub until `stop` is requested; calls `ready` once it answers.
/// \returns how many runs go on without it. \throws Error as Hub() does.
unsigned run_hub(HubSettings settings, const app::AppTable& apps, const std::stop_token& stop,
                 const std::function<void(const HubReady&)>& ready);

}  // namespace aceso::hub
