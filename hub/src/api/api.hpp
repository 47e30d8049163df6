/// \file
/// The hub's handlers. Each parses, asks the floor below, and answers; none knows an app by name.
#pragma once

#include "api/metrics.hpp"
#include "api/route.hpp"
#include "auth/auth.hpp"
#include "jobs/scheduler.hpp"
#include "store/index_store.hpp"
#include "store/library.hpp"
#include "store/store.hpp"

#include "aceso/app/app.hpp"
#include "aceso/app/file_view.hpp"
#include "aceso/core/json.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace aceso::hub {

/// What the handlers work on; outlives them.
struct ApiContext {
  Store& store;
  Library& library;
  Auth& auth;
  Scheduler& scheduler;
  const app::AppTable& apps;
  Metrics& metrics;
  std::filesystem::path runs;
  std::uint64_t upload_limit_bytes = 0;
  const std::vector<app::FileView>& views;
  IndexStore& indexes;

  /// How files of `kind` are shown row by row; null if they are not.
  [[nodiscard]] const app::FileView* find_view(std::string_view kind) const noexcept;
};

/// Thread-safe: its handlers hold nothing but the context.
class Api {
 public:
  explicit Api(const ApiContext& context);
  /// The table of all routes. They refer to this object.
  [[nodiscard]] std::vector<Route> routes();

 private:
  // session_api.cpp
  Response log_in_by_code(const Request& request);
  Response log_in(const Request& request);
  Response log_out(const Request& request);
  Response session(const Request& request);

  // data_api.cpp
  Response list_data(const Request& request);
  std::unique_ptr<BodySink> add_data(const Request& request);
  Response get_data(const Request& request);
  Response data_content(const Request& request);
  Response data_preview(const Request& request);
  Response data_rows(const Request& request);
  Response data_index(const Request& request);
  Response data_index_part(const Request& request);
  Response remove_data(const Request& request);
  Response begin_upload(const Request& request);
  Response get_upload(const Request& request);
  std::unique_ptr<BodySink> add_upload_part(const Request& request);
  Response remove_upload(const Request& request);
  [[nodiscard]] DataRecord find_data(const Request& request);

  // runs_api.cpp
  Response list_runs(const Request& request);
  Response add_run(const Request& request);
  Response get_run(const Request& request);
  Response run_events(const Request& request);
  Response run_log(const Request& request);
  Response output_content(const Request& request);
  Response output_preview(const Request& request);
  Response output_rows(const Request& request);
  Response output_index(const Request& request);
  Response keep_output(const Request& request);
  Response cancel_run(const Request& request);
  Response retry_run(const Request& request);
  Response remove_run(const Request& request);
  [[nodiscard]] RunRecord find_run(const Request& request);
  [[nodiscard]] RunRecord checked_run(const Json& body, std::vector<std::string>& data_ids);
  [[nodiscard]] Json run_json(const RunRecord& run) const;
  [[nodiscard]] Json find_output(const Request& request, const RunRecord& run) const;

  // system_api.cpp
  Response health(const Request& request);
  Response apps(const Request& request);
  Response openapi(const Request& request);
  Response metrics(const Request& request);
  Response console_file(const Request& request);

  ApiContext context_;
  std::string apps_json_, openapi_json_;
};

/// DATA of the API.
[[nodiscard]] Json data_json(const DataRecord& record);

/// The page that `?limit=` and `?cursor=` ask for. \throws Refusal 422.
[[nodiscard]] Page parse_page(const Request& request);
/// The cursor of the next page, or null, given how many records this one has.
[[nodiscard]] Json next_cursor(const Page& page, std::size_t count, std::int64_t last_sequence);

/// The JSON object in the body. \throws Refusal 400 if it is not JSON, 422 if no object, or if it
/// has members other than `members`.
[[nodiscard]] Json parse_object(const Request& request, const std::vector<std::string>& members);

/// How a file is offered.
struct Offer {
  std::string file_name, media_type, viewer, entity_tag;
};
/// The answer that sends `file`, or the part that the request's Range asks for.
[[nodiscard]] Response file_response(const Request& request, FileHandle file, const Offer& offer);

/// The rows of a file that the request's query asks for. \throws Refusal 404 if files of its kind
/// are not shown row by row, 422 for members of the query that the view does not know.
[[nodiscard]] Response rows_response(const Request& request, const app::FileView* view,
                                     const app::ViewSource& source);
/// `preview` with what filters the file's rows have, if it is shown row by row.
[[nodiscard]] Json with_rows(Json preview, const app::FileView* view);

/// The OpenAPI 3.1 document of `routes`, with a request schema per app.
[[nodiscard]] Json openapi_document(const std::vector<Route>& routes, const app::AppTable& apps);

}  // namespace aceso::hub
