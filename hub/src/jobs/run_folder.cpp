#include "jobs/run_folder.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <set>

namespace aceso::hub {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kLargestResult = 32ULL << 20;
constexpr off_t kProgressTail = 16 * 1024;

/// Links one input's files; returns their places as job.json names them.
[[nodiscard]] Json link_inputs(const fs::path& folder, const std::string& input,
                               const std::vector<InputFile>& files) {
  Json places = Json::array();
  std::set<std::string> taken;
  for (std::size_t i = 0; i < files.size(); ++i) {
    fs::path place = fs::path("inputs") / input;
    if (!taken.insert(files[i].name).second) place /= std::to_string(i + 1);
    fs::create_directories(folder / place);
    place /= files[i].name;
    fs::create_symlink(files[i].bytes, folder / place);
    places.push_back(place.string());
  }
  return places;
}

[[nodiscard]] std::uint64_t size_of(const FileHandle& file) {
  struct stat status{};
  return ::fstat(file.get(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

[[nodiscard]] const app::Kind* kind_of_output(const app::Description* description,
                                              const std::string& output,
                                              const std::string& file_name) {
  const auto* spec = description != nullptr ? description->find_output(output) : nullptr;
  if (spec == nullptr) return app::kind_of_file(file_name);
  try {
    return &app::kind(spec->kind);
  } catch (const Error&) {
    return app::kind_of_file(file_name);
  }
}

[[nodiscard]] Json describe_output(const fs::path& folder, const app::Description* description,
                                   const std::string& output, const std::string& file_name) {
  const FileHandle file = open_output(folder, file_name);
  const app::Kind* kind = kind_of_output(description, output, file_name);
  return {{"name", output},
          {"kind", kind != nullptr ? kind->name : ""},
          {"viewer", kind != nullptr ? kind->viewer : "none"},
          {"file_name", file_name},
          {"media_type", kind != nullptr ? kind->media_type : "application/octet-stream"},
          {"bytes", size_of(file)}};
}

/// The outputs that result.json names and that are really there.
[[nodiscard]] Json list_outputs(const fs::path& folder, const app::Description* description,
                                const Json& result) {
  Json outputs = Json::array();
  if (!result.contains("outputs") || !result["outputs"].is_object()) return outputs;
  for (const auto& [output, place] : result["outputs"].items()) {
    if (!place.is_string()) continue;
    const std::string file_name = fs::path(place.get<std::string>()).filename().string();
    try {
      outputs.push_back(describe_output(folder, description, output, file_name));
    } catch (const Error&) {
      // Named but not written: it is not an output.
    }
  }
  return outputs;
}

[[nodiscard]] Json member_or(const Json& object, const char* key, Json otherwise) {
  const auto found = object.find(key);
  return found == object.end() ? std::move(otherwise) : *found;
}

[[nodiscard]] Json checked_error(const Json& result) {
  const auto error = result.find("error");
  if (error == result.end() || !error->is_object()) return nullptr;
  const Json code = member_or(*error, "code", "internal"),
             message = member_or(*error, "message", "");
  if (!code.is_string() || !message.is_string())
    return {{"code", "internal"}, {"message", "the run failed"}};
  return {{"code", code}, {"message", message}};
}

[[nodiscard]] Json empty_result(Json error) {
  return {{"outputs", Json::array()}, {"metrics", Json::object()}, {"warnings", Json::array()},
          {"seconds", nullptr},       {"cpu_seconds", nullptr},    {"peak_rss_mb", nullptr},
          {"error", std::move(error)}};
}

[[nodiscard]] Outcome outcome_of(const fs::path& folder, const app::Description* description,
                                 const Json& json) {
  if (!json.is_object()) fail(Errc::CorruptData, "result.json is not an object");
  const std::string status = json.value("status", "failed");
  Outcome outcome{.state = RunState::Failed, .result = empty_result(checked_error(json))};
  if (status == "succeeded")
    outcome.state = RunState::Succeeded;
  else if (status == "cancelled")
    outcome.state = RunState::Cancelled;
  outcome.result["outputs"] = list_outputs(folder, description, json);
  for (const char* key : {"metrics", "warnings", "seconds", "cpu_seconds", "peak_rss_mb"})
    if (json.contains(key)) outcome.result[key] = json[key];
  return outcome;
}

[[nodiscard]] std::string without_result(std::string_view reason) {
  return reason.empty() ? "the run ended without a result"
                        : fmt::format("the run ended without a result: {}", reason);
}

}  // namespace

void prepare_run_folder(const fs::path& folder, const RunRecord& run,
                        const std::map<std::string, std::vector<InputFile>>& inputs,
                        const Json& options) {
  try {
    fs::remove_all(folder);
    for (const char* part : {"inputs", "outputs", "tmp"}) fs::create_directories(folder / part);
    Json places = Json::object();
    for (const auto& [input, files] : inputs) places[input] = link_inputs(folder, input, files);
    const Json job{{"app", run.app}, {"inputs", places}, {"options", options}, {"folder", "."}};
    write_file(folder / "job.json", job.dump(1) + "\n");
  } catch (const fs::filesystem_error& error) {
    fail_system(error.code().value(), "prepare", "the folder of run " + run.id);
  }
}

Outcome read_outcome(const fs::path& folder, const app::Description* description, bool cancel_asked,
                     std::string_view reason) {
  try {
    return outcome_of(folder, description,
                      parse_json(read_file(folder / "result.json", kLargestResult), "result.json"));
  } catch (const Error& error) {
    if (error.code() != Errc::NotFound)
      return outcome_without_result(RunState::Failed, Errc::CorruptData, error.what());
  } catch (const Json::exception& error) {
    return outcome_without_result(RunState::Failed, Errc::CorruptData, error.what());
  }
  if (cancel_asked)
    return outcome_without_result(RunState::Cancelled, Errc::Cancelled, "cancelled while it ran");
  return outcome_without_result(RunState::Interrupted, Errc::Internal, without_result(reason));
}

Outcome outcome_without_result(RunState state, Errc code, const std::string& message) {
  return {.state = state, .result = empty_result(Json{{"code", name(code)}, {"message", message}})};
}

void tidy_run_folder(const fs::path& folder) noexcept {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string file_name = entry->path().filename().string();
    std::error_code ignored;
    // Scratch folders of a run that was killed among them.
    if (entry->is_directory(ignored) && file_name != "inputs" && file_name != "outputs")
      fs::remove_all(entry->path(), ignored);
  }
  // AtomicFile's siblings, left by a process that was killed.
  for (fs::directory_iterator entry(folder / "outputs", error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string file_name = entry->path().filename().string();
    std::error_code ignored;
    if (file_name.starts_with('.') && file_name.ends_with(".part"))
      fs::remove(entry->path(), ignored);
  }
}

FileHandle open_output(const fs::path& folder, const std::string& file_name) {
  if (file_name.empty() || file_name == "." || file_name == ".." ||
      file_name.find('/') != std::string::npos)
    fail(Errc::NotFound, "there is no such output");
  FileHandle file(::open((folder / "outputs" / file_name).c_str(),
                         O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))
    fail(Errc::NotFound, "there is no output '{}'", file_name);
  return file;
}

Json last_progress(const fs::path& folder) {
  const FileHandle file(
      ::open((folder / "events.jsonl").c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file) return nullptr;
  const off_t size = static_cast<off_t>(size_of(file));
  std::string tail(static_cast<std::size_t>(std::min(size, kProgressTail)), '\0');
  const ssize_t count =
      ::pread(file.get(), tail.data(), tail.size(), size - static_cast<off_t>(tail.size()));
  auto lines = split(
      std::string_view(tail).substr(0, count < 0 ? 0 : static_cast<std::size_t>(count)), '\n');
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    const Json event = Json::parse(*line, nullptr, false);
    if (!event.is_object() || !event.contains("type") || event["type"] != "progress") continue;
    Json progress = Json::object();
    for (const char* key : {"stage", "unit", "done", "total", "seconds"})
      progress[key] = member_or(event, key, nullptr);
    return progress;
  }
  return nullptr;
}

}  // namespace aceso::hub
