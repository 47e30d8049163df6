#include "aceso/core/log.hpp"

#include "aceso/core/text.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <nlohmann/json.hpp>

#include <mutex>

namespace aceso {

struct Log::Shared {
  Sink sink;
  LogLevel least;
  std::mutex mutex;
};

std::string_view name(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::Debug:
      return "debug";
    case LogLevel::Info:
      return "info";
    case LogLevel::Warning:
      return "warning";
    case LogLevel::Error:
      return "error";
  }
  return "error";
}

Log::Log(Sink sink, LogLevel least) : shared_(std::make_shared<Shared>()) {
  shared_->sink = std::move(sink);
  shared_->least = least;
}

void Log::write(LogLevel level, std::string_view event, LogFields fields) const {
  if (!shared_ || level < shared_->least) return;
  Json json = Json::object();
  for (const LogField& field : fields) {
    std::visit([&](const auto& value) { json[std::string(field.key)] = value; }, field.value);
  }
  const std::scoped_lock lock{shared_->mutex};
  shared_->sink(level, event, json);
}

namespace {

std::string text_of(const Json& value) {
  if (!value.is_string()) return value.dump();
  const std::string text = value.get<std::string>();
  // Quotes only where a reader would not see the end of the value.
  return text.find_first_of(" =\"") == text.npos && !text.empty()
             ? text
             : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string text_line(std::string_view event, const Json& fields) {
  std::string line{event};
  for (const auto& [key, value] : fields.items())
    line += fmt::format(" {}={}", key, text_of(value));
  return line;
}

std::string json_line(LogLevel level, std::string_view event, const Json& fields) {
  Json line{{"time", utc_now()}, {"level", name(level)}, {"event", event}};
  line.update(fields);
  return line.dump(-1, ' ', false, Json::error_handler_t::replace);
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      return spdlog::level::debug;
    case LogLevel::Info:
      return spdlog::level::info;
    case LogLevel::Warning:
      return spdlog::level::warn;
    case LogLevel::Error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

}  // namespace

Log::Sink stderr_log_sink(bool as_json) {
  auto logger =
      std::make_shared<spdlog::logger>("aceso", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_level(spdlog::level::debug);
  logger->set_pattern(as_json ? "%v" : "%H:%M:%S %l %v");
  return [logger, as_json](LogLevel level, std::string_view event, const Json& fields) {
    logger->log(spdlog_level(level), "{}",
                as_json ? json_line(level, event, fields) : text_line(event, fields));
  };
}

}  // namespace aceso
