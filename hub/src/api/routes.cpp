#include "api/api.hpp"

namespace aceso::hub {

namespace {

constexpr std::string_view kNoBody = "";
constexpr std::string_view kAnyMedia = "application/octet-stream";

constexpr Parameter kLimit{"query", "limit", "Records on a page, 1 to 500.", "integer"};
constexpr Parameter kCursor{"query", "cursor", "The `next` of the page before.", "string"};
constexpr Parameter kRange{"header", "Range", "One range of bytes.", "string"};

}  // namespace

std::vector<Route> Api::routes() {
  const auto on = [this](Response (Api::*member)(const Request&)) -> Handler {
    return [this, member](const Request& request) { return (this->*member)(request); };
  };
  const auto into = [this](std::unique_ptr<BodySink> (Api::*member)(const Request&)) -> SinkHandler {
    return [this, member](const Request& request) { return (this->*member)(request); };
  };
  using enum Method;
  using enum Access;
  return {
      {Get, "/healthz", Everybody, "Whether the hub answers", on(&Api::health), "", {{200, "Health"}}},
      {Get, "/login", Login, "Log in with a one-time code", on(&Api::log_in_by_code), "", {{303, "", kNoBody}}, {429},
       {{"query", "code", "The code of a login link.", "string", true}}},
      {Post, "/login", Login, "Log in with the hub's token", on(&Api::log_in), "Login", {{204, "", kNoBody}}, {401, 422, 429}},
      {Post, "/logout", User, "End the session", on(&Api::log_out), "", {{204, "", kNoBody}}},
      {Get, "/v1/session", User, "Whether one is logged in", on(&Api::session), "", {{200, "Session"}}},
      {Get, "/v1/apps", User, "What the hub can run", on(&Api::apps), "", {{200, "Apps"}}},

      {Get, "/v1/data", User, "List data, newest first", on(&Api::list_data), "", {{200, "DataPage"}}, {422},
       {{"query", "name", "Only data of exactly this name."}, kLimit, kCursor}},
      {Post, "/v1/data", User, "Add a file in one request", into(&Api::add_data), "bytes", {{201, "Data"}}, {413, 422, 507},
       {{"query", "name", "The name of the file.", "string", true}}},
      {Get, "/v1/data/{id}", User, "One file's record", on(&Api::get_data), "", {{200, "Data"}}, {404}},
      {Get, "/v1/data/{id}/content", User, "The bytes of a file", on(&Api::data_content), "", {{200, "", kAnyMedia}, {206, "", kAnyMedia}}, {404, 416}, {kRange}},
      {Get, "/v1/data/{id}/preview", User, "The beginning of a file", on(&Api::data_preview), "", {{200, "Preview"}}, {404}},
      {Delete, "/v1/data/{id}", User, "Delete a file", on(&Api::remove_data), "", {{204, "", kNoBody}}, {404, 409}},

      {Post, "/v1/uploads", User, "Begin an upload in parts", on(&Api::begin_upload), "NewUpload", {{201, "Upload"}}, {413, 422, 507}},
      {Get, "/v1/uploads/{id}", User, "How far an upload has come", on(&Api::get_upload), "", {{200, "Upload"}}, {404}},
      {Patch, "/v1/uploads/{id}", User, "Add a part; the last one answers 201", into(&Api::add_upload_part), "bytes",
       {{200, "Upload"}, {201, "Data"}}, {404, 409, 413, 422, 507},
       {{"header", "Upload-Offset", "Where the part begins: where the upload stands.", "integer", true}}},
      {Delete, "/v1/uploads/{id}", User, "Give an upload up", on(&Api::remove_upload), "", {{204, "", kNoBody}}, {404, 409}},

      {Get, "/v1/runs", User, "List runs, newest first", on(&Api::list_runs), "", {{200, "RunPage"}}, {422},
       {{"query", "app", "Only runs of this app."}, {"query", "state", "Only runs in this state."}, kLimit, kCursor}},
      {Post, "/v1/runs", User, "Run an app", on(&Api::add_run), "NewRun", {{201, "Run"}}, {409, 413, 422, 507}},
      {Get, "/v1/runs/{id}", User, "One run", on(&Api::get_run), "", {{200, "Run"}}, {404}},
      {Get, "/v1/runs/{id}/events", User, "Follow a run", on(&Api::run_events), "", {{200, "", "text/event-stream"}}, {404},
       {{"header", "Last-Event-ID", "The id of the last event seen."}, {"query", "after", "The same, for clients that cannot set headers."}}},
      {Get, "/v1/runs/{id}/log", User, "What the run has printed", on(&Api::run_log), "", {{200, "", "text/plain"}, {206, "", "text/plain"}}, {404, 416}, {kRange}},
      {Get, "/v1/runs/{id}/outputs/{name}", User, "The bytes of an output", on(&Api::output_content), "", {{200, "", kAnyMedia}, {206, "", kAnyMedia}}, {404, 416}, {kRange}},
      {Get, "/v1/runs/{id}/outputs/{name}/preview", User, "The beginning of an output", on(&Api::output_preview), "", {{200, "Preview"}}, {404}},
      {Post, "/v1/runs/{id}/outputs/{name}/keep", User, "Make data of an output", on(&Api::keep_output), "Keep", {{201, "Data"}}, {404, 422, 507}},
      {Post, "/v1/runs/{id}/cancel", User, "Stop a run", on(&Api::cancel_run), "", {{200, "Run"}}, {404, 409}},
      {Post, "/v1/runs/{id}/retry", User, "Queue a run again", on(&Api::retry_run), "", {{200, "Run"}}, {404, 409}},
      {Delete, "/v1/runs/{id}", User, "Delete a run and its outputs", on(&Api::remove_run), "", {{204, "", kNoBody}}, {404, 409}},

      {Get, "/openapi.json", User, "This API's description", on(&Api::openapi), "", {{200, ""}}},
      {Get, "/metrics", User, "Figures for Prometheus", on(&Api::metrics), "", {{200, "", "text/plain"}}},
      {Get, "/{file*}", Everybody, "The web console", on(&Api::console_file), "", {{200, "", "text/html"}}, {404}},
  };
}

}  // namespace aceso::hub
