#include "api/api.hpp"
#include "api/event_stream.hpp"
#include "api/preview.hpp"
#include "jobs/run_folder.hpp"

#include "aceso/app/request.hpp"
#include "aceso/core/hash.hpp"
#include "aceso/core/text.hpp"

#include <nlohmann/json.hpp>

#include <fcntl.h>

#include <algorithm>
#include <charconv>

namespace aceso::hub {

namespace fs = std::filesystem;

namespace {

/// What an HTTP client must not say: where things are on this machine.
void refuse_places(const Json& body, std::vector<app::Mistake>& mistakes) {
  for (const char* member : {"outputs", "folder"})
    if (body.contains(member))
      mistakes.push_back({std::string("/") + member, "the hub chooses where outputs are written"});
}

[[nodiscard]] std::optional<RunState> parse_state(const Request& request) {
  const std::string text = request.query_value("state");
  if (text.empty()) return std::nullopt;
  if (const auto state = run_state(text)) return state;
  throw Refusal(
      422, Errc::InvalidArgument, "the query has mistakes",
      {{"/state",
        fmt::format(
            "expected queued, running, succeeded, failed, cancelled or interrupted, found '{}'",
            printable(text))}});
}

/// Those that the client gave, by their names in the description; an absent one keeps the app's
/// default.
[[nodiscard]] Json given_options(const Json& body) {
  Json options = Json::object();
  if (!body.contains("options") || !body["options"].is_object()) return options;
  for (const auto& [key, value] : body["options"].items())
    if (!value.is_null()) options[replaced(key, '-', '_')] = value;
  return options;
}

/// Where the client of an event stream stands.
[[nodiscard]] std::uint64_t event_offset(const Request& request) {
  const std::string after = request.query_value("after");
  const std::string_view text = request.header("Last-Event-ID").empty()
                                    ? std::string_view(after)
                                    : request.header("Last-Event-ID");
  std::uint64_t offset = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), offset);
  // What is no offset of ours means the beginning.
  return error == std::errc() && end == text.data() + text.size() && offset < INT64_MAX ? offset
                                                                                        : 0;
}

/// A file beside an output; without a file if there is none.
struct Beside {
  std::string name;
  FileHandle file;
};

Beside open_beside(const fs::path& folder, const std::string& file_name,
                   const std::vector<std::string>& endings) {
  for (const std::string& ending : endings) {
    std::error_code ignored;
    if (!fs::is_regular_file(folder / "outputs" / (file_name + ending), ignored)) continue;
    return {file_name + ending, open_output(folder, file_name + ending)};
  }
  return {};
}

[[nodiscard]] Json optional_json(const std::optional<std::string>& text) {
  return text ? Json(*text) : Json(nullptr);
}

}  // namespace

RunRecord Api::find_run(const Request& request) {
  const std::string& id = request.parameters.at("id");
  auto run = context_.store.find_run(id);
  if (!run) fail(Errc::NotFound, "there is no run '{}'", printable(id));
  return std::move(*run);
}

Json Api::run_json(const RunRecord& run) const {
  const Json result = run.result.empty() ? Json::object() : Json::parse(run.result);
  const auto of_result = [&](const char* key, Json otherwise) {
    return result.contains(key) ? result[key] : std::move(otherwise);
  };
  const bool is_running = run.state == RunState::Running;
  return {
      {"id", run.id},
      {"app", run.app},
      {"state", name(run.state)},
      {"attempt", run.attempt},
      {"created", run.created},
      {"started", optional_json(run.started)},
      {"finished", optional_json(run.finished)},
      {"inputs", Json::parse(run.inputs)},
      {"options", Json::parse(run.options)},
      {"progress", is_running ? last_progress(attempt_folder(context_.runs, run)) : Json(nullptr)},
      {"outputs", of_result("outputs", Json::array())},
      {"metrics", of_result("metrics", Json::object())},
      {"warnings", of_result("warnings", Json::array())},
      {"seconds", of_result("seconds", nullptr)},
      {"cpu_seconds", of_result("cpu_seconds", nullptr)},
      {"peak_rss_mb", of_result("peak_rss_mb", nullptr)},
      {"error", of_result("error", nullptr)}};
}

Response Api::list_runs(const Request& request) {
  const Page page = parse_page(request);
  const auto records =
      context_.store.list_runs(page, request.query_value("app"), parse_state(request));
  Json runs = Json::array();
  for (const auto& run : records) runs.push_back(run_json(run));
  return json_response(
      200,
      {{"runs", std::move(runs)},
       {"next", next_cursor(page, records.size(), records.empty() ? 0 : records.back().sequence)}});
}

/// The run that `body` asks for. \throws Refusal 422 with all mistakes.
RunRecord Api::checked_run(const Json& body, std::vector<std::string>& data_ids) {
  std::vector<app::Mistake> mistakes;
  const app::App* app = nullptr;
  if (!body.contains("app") || !body["app"].is_string())
    mistakes.push_back({"/app", "missing; expected the name of an app"});
  else if ((app = context_.apps.find(body["app"].get<std::string>())) == nullptr)
    mistakes.push_back(
        {"/app", fmt::format("there is no app '{}'", printable(body["app"].get<std::string>()))});
  refuse_places(body, mistakes);

  Json inputs = Json::object();
  Json options = given_options(body);
  if (app != nullptr) {
    Json request = body;
    request.erase("outputs");
    request.erase("folder");
    std::map<std::string, DataRecord> known;
    const auto resolve = [&](const std::string& value, const app::Kind&,
                             std::string& problem) -> fs::path {
      if (const auto record = context_.store.find_data(value))
        known[value] = *record;
      else
        problem = fmt::format("expected the id of data of this hub, found '{}'", printable(value));
      return value;
    };
    const app::Request checked = app::check_request(app->description, request, resolve, mistakes);
    for (const auto& [input, ids] : checked.inputs) {
      for (const auto& id : ids) {
        inputs[input].push_back({{"id", id.string()}, {"name", known.at(id.string()).name}});
        data_ids.push_back(id.string());
      }
    }
  }
  if (!mistakes.empty())
    throw Refusal(422, Errc::InvalidArgument,
                  mistakes.size() == 1
                      ? "the request has a mistake"
                      : fmt::format("the request has {} mistakes", mistakes.size()),
                  mistakes);
  return {.id = random_hex(8),
          .app = app->description.name,
          .created = utc_now(),
          .inputs = inputs.dump(),
          .options = options.dump()};
}

Response Api::add_run(const Request& request) {
  const Json body = parse_json(request.body, "the body");
  if (!body.is_object())
    throw Refusal(422, Errc::InvalidArgument, "the request has a mistake",
                  {{"", "expected an object"}});
  std::vector<std::string> data_ids;
  const RunRecord run = checked_run(body, data_ids);
  context_.store.add_run(run, data_ids);
  context_.scheduler.wake();
  return json_response(201, run_json(context_.store.find_run(run.id).value_or(run)));
}

Response Api::get_run(const Request& request) {
  return json_response(200, run_json(find_run(request)));
}

Response Api::run_events(const Request& request) {
  const RunRecord run = find_run(request);
  Response response;
  response.with("Content-Type", "text/event-stream");
  response.stream = std::make_unique<EventStream>(
      context_.store, context_.runs, run.id, event_offset(request), [this](const RunRecord& now) {
        return run_json(now).dump(-1, ' ', false, Json::error_handler_t::replace);
      });
  return response;
}

Response Api::run_log(const Request& request) {
  const RunRecord run = find_run(request);
  const fs::path path = attempt_folder(context_.runs, run) / "log.txt";
  FileHandle file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file) return text_response(200, "");
  return file_response(request, std::move(file),
                       {.file_name = run.id + ".log.txt",
                        .media_type = "text/plain; charset=utf-8",
                        .viewer = "text",
                        .entity_tag = ""});
}

/// The output of the path among those of the run's end, so that no path from outside is ever
/// opened.
Json Api::find_output(const Request& request, const RunRecord& run) const {
  const std::string& output_name = request.parameters.at("name");
  const Json result = run.result.empty() ? Json::object() : Json::parse(run.result);
  if (result.contains("outputs"))
    for (const auto& output : result["outputs"])
      if (output["name"] == output_name) return output;
  fail(Errc::NotFound, "run {} has no output '{}'", run.id, printable(output_name));
}

Response Api::output_content(const Request& request) {
  const RunRecord run = find_run(request);
  const Json output = find_output(request, run);
  const auto file_name = output["file_name"].get<std::string>();
  return file_response(request, open_output(attempt_folder(context_.runs, run), file_name),
                       {.file_name = file_name,
                        .media_type = output["media_type"].get<std::string>(),
                        .viewer = output["viewer"].get<std::string>(),
                        .entity_tag = fmt::format("\"{}-{}-{}\"", run.id, run.attempt,
                                                  output["bytes"].get<std::uint64_t>())});
}

Response Api::output_preview(const Request& request) {
  const RunRecord run = find_run(request);
  const Json output = find_output(request, run);
  const auto file_name = output["file_name"].get<std::string>();
  return json_response(
      200, with_rows(preview(open_output(attempt_folder(context_.runs, run), file_name), file_name,
                             output["viewer"].get<std::string>()),
                     context_.find_view(output["kind"].get<std::string>())));
}

Response Api::output_rows(const Request& request) {
  const RunRecord run = find_run(request);
  const Json output = find_output(request, run);
  const fs::path folder = attempt_folder(context_.runs, run);
  const auto file_name = output["file_name"].get<std::string>();
  const app::FileView* view = context_.find_view(output["kind"].get<std::string>());
  const FileHandle file = open_output(folder, file_name);
  FileHandle index;
  if (view != nullptr) index = open_beside(folder, file_name, view->index_endings).file;
  return rows_response(request, view,
                       {.file = file.get(), .index = index.get(), .file_name = file_name});
}

/// The index that an app has written beside an output, for viewers that read parts of it.
Response Api::output_index(const Request& request) {
  const RunRecord run = find_run(request);
  const Json output = find_output(request, run);
  const auto file_name = output["file_name"].get<std::string>();
  Beside index =
      open_beside(attempt_folder(context_.runs, run), file_name, {".bai", ".csi", ".crai", ".tbi"});
  if (!index.file)
    fail(Errc::NotFound, "the output '{}' of run {} has no index",
         output["name"].get<std::string>(), run.id);
  return file_response(request, std::move(index.file),
                       {.file_name = index.name,
                        .media_type = "application/octet-stream",
                        .viewer = "none",
                        .entity_tag = fmt::format("\"{}-{}-index\"", run.id, run.attempt)});
}

Response Api::keep_output(const Request& request) {
  const Json body = request.body.empty() ? Json::object() : parse_object(request, {"name"});
  const RunRecord run = find_run(request);
  const Json output = find_output(request, run);
  if (body.contains("name") && !body["name"].is_string())
    throw Refusal(422, Errc::InvalidArgument, "the request has a mistake",
                  {{"/name", "expected a file name"}});
  const auto file_name = output["file_name"].get<std::string>();
  const std::string data_name = body.value("name", file_name);
  Library::check_name(data_name, "/name");
  context_.library.check_room(output["bytes"].get<std::uint64_t>());
  return json_response(201,
                       data_json(context_.library.add_copy_of(
                           open_output(attempt_folder(context_.runs, run), file_name), data_name)));
}

Response Api::cancel_run(const Request& request) {
  const RunRecord run = find_run(request);
  const Outcome outcome =
      outcome_without_result(RunState::Cancelled, Errc::Cancelled, "cancelled before it began");
  const bool cancelled =
      context_.store.mark_cancelled_in_queue(run.id, outcome.result.dump(), utc_now());
  if (!cancelled && !context_.store.mark_cancel_asked(run.id))
    refuse(409, Errc::InvalidArgument, "the run has ended already");
  if (!cancelled) context_.scheduler.cancel(run.id);
  return get_run(request);
}

Response Api::retry_run(const Request& request) {
  const RunRecord run = find_run(request);
  if (!context_.store.mark_queued_again(run.id))
    refuse(409, Errc::InvalidArgument,
           "only a failed, cancelled or interrupted run can be retried; this one is {}",
           name(run.state));
  context_.scheduler.wake();
  return get_run(request);
}

Response Api::remove_run(const Request& request) {
  const RunRecord run = find_run(request);
  if (!context_.store.remove_run(run.id))
    refuse(409, Errc::InvalidArgument, "the run is running; cancel it first");
  std::error_code ignored;  // what is left goes at the next start
  fs::remove_all(context_.runs / run.id, ignored);
  return {.status = 204};
}

}  // namespace aceso::hub
