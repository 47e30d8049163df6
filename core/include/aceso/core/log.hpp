/// \file
/// Structured log: an event name and fields. Libraries report; the front end decides where it goes.
#pragma once

#include "aceso/core/json.hpp"

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace aceso {

enum class LogLevel { Debug, Info, Warning, Error };

/// Returns "debug", "info", "warning" or "error".
[[nodiscard]] std::string_view name(LogLevel level) noexcept;

/// One value of a log event.
struct LogField {
  std::string_view key;
  std::variant<std::int64_t, double, bool, std::string> value;

  LogField(std::string_view k, std::integral auto v)
      : key(k), value(static_cast<std::int64_t>(v)) {}
  LogField(std::string_view k, bool v) : key(k), value(v) {}
  LogField(std::string_view k, double v) : key(k), value(v) {}
  LogField(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
  LogField(std::string_view k, std::string_view v) : key(k), value(std::string(v)) {}
  LogField(std::string_view k, const char* v) : key(k), value(std::string(v)) {}
};

using LogFields = std::initializer_list<LogField>;

/// A handle to a sink; cheap to copy, thread-safe. A default-made Log drops everything.
///
/// \code log.info("run.finished", {{"run", id}, {"seconds", 1.5}}); \endcode
class Log {
 public:
  /// Receives each event, one call at a time, in the order of the calls.
  using Sink = std::function<void(LogLevel, std::string_view event, const Json& fields)>;

  Log() = default;
  explicit Log(Sink sink, LogLevel least = LogLevel::Info);

  void debug(std::string_view event, LogFields fields = {}) const {
    write(LogLevel::Debug, event, fields);
  }
  void info(std::string_view event, LogFields fields = {}) const {
    write(LogLevel::Info, event, fields);
  }
  void warning(std::string_view event, LogFields fields = {}) const {
    write(LogLevel::Warning, event, fields);
  }
  void error(std::string_view event, LogFields fields = {}) const {
    write(LogLevel::Error, event, fields);
  }

 private:
  struct Shared;
  void write(LogLevel level, std::string_view event, LogFields fields) const;
  std::shared_ptr<Shared> shared_;
};

/// A sink that writes one line an event to standard error, as readable text or as JSON.
/// For front ends (command, hub) only.
[[nodiscard]] Log::Sink stderr_log_sink(bool as_json);

}  // namespace aceso
