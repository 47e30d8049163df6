#include "aceso/hub/hub.hpp"

#include "api/api.hpp"
#include "api/exchange.hpp"
#include "auth/auth.hpp"
#include "data_folder.hpp"
#include "http/server.hpp"
#include "jobs/executor.hpp"
#include "jobs/scheduler.hpp"
#include "store/index_store.hpp"
#include "store/library.hpp"
#include "store/store.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/process.hpp"
#include "aceso/core/text.hpp"
#include "aceso/core/threads.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <mutex>

namespace aceso::hub {

namespace fs = std::filesystem;

namespace {

[[nodiscard]] HubSettings checked(HubSettings settings) {
  if (!is_loopback_address(settings.address) && !settings.allow_remote)
    fail(Errc::InvalidArgument,
         "{} can be reached from other machines, and the hub speaks plain HTTP; put a TLS proxy "
         "before a loopback address, "
         "or allow remote access explicitly",
         settings.address);
  if (settings.parallel_runs == 0 || settings.worker_threads == 0 || settings.max_connections == 0)
    fail(Errc::InvalidArgument,
         "parallel runs, worker threads and connections must each be at least 1");
  settings.program = fs::absolute(settings.program);
  if (::access(settings.program.c_str(), X_OK) != 0)
    fail_system(errno, "run", settings.program.string());
  for (auto& host : settings.hosts) host = to_lower(host);
  return settings;
}

[[nodiscard]] unsigned threads_per_run(const HubSettings& settings) {
  return std::max(1U, available_cpus() / settings.parallel_runs);
}

[[nodiscard]] SchedulerSettings scheduler_settings(const HubSettings& settings,
                                                   const DataFolder& folder) {
  return {.runs = folder.runs(),
          .program = settings.program,
          .parallel_runs = settings.parallel_runs,
          .threads_per_run = threads_per_run(settings),
          .run_memory_bytes = settings.run_memory_bytes,
          .kill_after = settings.kill_after,
          .environment = settings.run_environment};
}

[[nodiscard]] ServerSettings server_settings(const HubSettings& settings) {
  return {.address = settings.address,
          .port = settings.port,
          .worker_threads = settings.worker_threads,
          .max_connections = settings.max_connections,
          .header_timeout = settings.header_timeout,
          .body_timeout = settings.body_timeout,
          .idle_timeout = settings.idle_timeout};
}

[[nodiscard]] std::string url_of(const std::string& address, unsigned short port) {
  return address.find(':') == std::string::npos ? fmt::format("http://{}:{}", address, port)
                                                : fmt::format("http://[{}]:{}", address, port);
}

}  // namespace

/// From the data folder upwards; destroyed from the server downwards.
struct Hub::Impl {
  Impl(HubSettings s, const app::AppTable& apps)
      : settings(checked(std::move(s))),
        folder(settings.data),
        store(folder.database()),
        library(store, folder.blobs(), folder.uploads()),
        indexes(store, library, folder.indexes(), settings.indexes, settings.log),
        auth(store, load_or_make_token(folder.token()), settings.session_lifetime),
        hosts(settings.hosts),
        scheduler(store, library, apps, local_executor(), scheduler_settings(settings, folder),
                  settings.log),
        api(ApiContext{store, library, auth, scheduler, apps, metrics, folder.runs(),
                       settings.upload_limit_bytes, settings.views, indexes}),
        router(api.routes()),
        exchanges{router, auth, hosts, metrics, settings.log},
        server(
            server_settings(settings),
            [this](Request request) { return make_exchange(exchanges, std::move(request)); },
            settings.log) {
    const std::string url = url_of(settings.address, server.port());
    ready = {url, auth.token(), url + "/login?code=" + auth.new_login_code()};
    settings.log.info("hub.ready", {{"url", url}, {"version", version()}});
  }

  unsigned stop() {
    const std::scoped_lock lock(stop_mutex);
    server.stop();
    indexes.stop();
    const unsigned left = scheduler.stop();
    if (!std::exchange(stopped, true)) settings.log.info("hub.stopped", {{"runs_going_on", left}});
    return left;
  }

  HubSettings settings;
  DataFolder folder;
  Store store;
  Library library;
  IndexStore indexes;
  Auth auth;
  HostCheck hosts;
  Metrics metrics;
  Scheduler scheduler;
  Api api;
  Router router;
  ExchangeContext exchanges;
  Server server;
  HubReady ready;
  std::mutex stop_mutex;
  bool stopped = false;
};

Hub::Hub(HubSettings settings, const app::AppTable& apps)
    : impl_(std::make_unique<Impl>(std::move(settings), apps)) {}

Hub::~Hub() { stop(); }

const HubReady& Hub::ready() const noexcept { return impl_->ready; }

unsigned short Hub::port() const noexcept { return impl_->server.port(); }

unsigned Hub::stop() { return impl_->stop(); }

unsigned run_hub(HubSettings settings, const app::AppTable& apps, const std::stop_token& stop,
                 const std::function<void(const HubReady&)>& ready) {
  Hub hub(std::move(settings), apps);
  ready(hub.ready());
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait(lock, stop, [] { return false; });
  return hub.stop();
}

}  // namespace aceso::hub
