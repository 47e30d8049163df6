#include "api/metrics.hpp"

#include "aceso/core/process.hpp"

#include <fmt/core.h>

#include <unistd.h>

#include <cstdio>
#include <iterator>

namespace aceso::hub {

namespace {

void head(std::string& page, std::string_view metric, std::string_view type,
          std::string_view help) {
  fmt::format_to(std::back_inserter(page), "# HELP {0} {2}\n# TYPE {0} {1}\n", metric, type, help);
}

void single(std::string& page, std::string_view metric, std::string_view type,
            std::string_view help, double value) {
  head(page, metric, type, help);
  fmt::format_to(std::back_inserter(page), "{} {}\n", metric, value);
}

/// Bytes of this process in memory now.
[[nodiscard]] double resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  long total = 0, resident = 0;
  const int found = std::fscanf(file, "%ld %ld", &total, &resident);
  std::fclose(file);
  return found == 2 ? static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE))
                    : 0;
}

}  // namespace

void Metrics::count_request(std::string_view route, int status, double seconds) {
  const std::scoped_lock lock(mutex_);
  RouteFigures& figures = routes_[std::string(route)];
  ++figures.by_status_class[status / 100];
  ++figures.count;
  figures.seconds += seconds;
  for (std::size_t i = 0; i < kBuckets.size(); ++i)
    if (seconds <= kBuckets[i]) ++figures.buckets[i];
}

std::string Metrics::text(Store& store) const {
  std::string page;
  head(page, "aceso_runs", "gauge", "Runs by state.");
  for (const auto& [state, count] : store.count_runs())
    fmt::format_to(std::back_inserter(page), "aceso_runs{{state=\"{}\"}} {}\n", name(state), count);
  write_requests(page);
  write_durations(page);
  const double uptime =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  single(page, "aceso_uploaded_bytes_total", "counter", "Bytes received as data.",
         static_cast<double>(uploaded_bytes_.load()));
  single(page, "aceso_uptime_seconds", "gauge", "Time since the hub started.", uptime);
  single(page, "process_cpu_seconds_total", "counter", "User and system time of the hub.",
         cpu_seconds());
  single(page, "process_resident_memory_bytes", "gauge", "Memory of the hub.", resident_bytes());
  return page;
}

void Metrics::write_requests(std::string& page) const {
  head(page, "aceso_http_requests_total", "counter", "Requests by route and class of status.");
  const std::scoped_lock lock(mutex_);
  for (const auto& [route, figures] : routes_)
    for (const auto& [status_class, count] : figures.by_status_class)
      fmt::format_to(std::back_inserter(page),
                     "aceso_http_requests_total{{route=\"{}\",status=\"{}xx\"}} {}\n", route,
                     status_class, count);
}

void Metrics::write_durations(std::string& page) const {
  constexpr std::string_view kName = "aceso_http_request_duration_seconds";
  head(page, kName, "histogram", "Time from a request's header to its answer.");
  const std::scoped_lock lock(mutex_);
  for (const auto& [route, figures] : routes_) {
    for (std::size_t i = 0; i < kBuckets.size(); ++i)
      fmt::format_to(std::back_inserter(page), "{}_bucket{{route=\"{}\",le=\"{}\"}} {}\n", kName,
                     route, kBuckets[i], figures.buckets[i]);
    fmt::format_to(std::back_inserter(page),
                   "{0}_bucket{{route=\"{1}\",le=\"+Inf\"}} {2}\n{0}_sum{{route=\"{1}\"}} "
                   "{3}\n{0}_count{{route=\"{1}\"}} {2}\n",
                   kName, route, figures.count, figures.seconds);
  }
}

}  // namespace aceso::hub
