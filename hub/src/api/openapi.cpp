#include "api/api.hpp"

#include "aceso/app/documents.hpp"
#include "aceso/core/process.hpp"
#include "aceso/core/text.hpp"

#include <nlohmann/json.hpp>

#include <cctype>
#include <map>

namespace aceso::hub {

namespace {

/// The parts of answers and requests that no app changes.
constexpr std::string_view kSchemas = R"json({
"Health": {"type": "object", "required": ["status"], "properties": {"status": {"const": "ok"}}},
"Login": {"type": "object", "required": ["token"], "additionalProperties": false,
  "properties": {"token": {"type": "string", "description": "The content of the file `token` in the hub's data folder."}}},
"Session": {"type": "object", "required": ["version"], "properties": {"version": {"type": "string"}}},
"Apps": {"type": "object", "required": ["apps"], "properties": {"apps": {"type": "array", "items": {"type": "object"}}}},
"Viewer": {"enum": ["text", "table", "molecules", "json", "image", "html", "none"]},
"Cursor": {"type": ["string", "null"], "description": "The cursor of the next page."},
"Data": {"type": "object", "required": ["id", "name", "sha256", "bytes", "kind", "viewer", "created"],
  "properties": {"id": {"type": "string"}, "name": {"type": "string"}, "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    "bytes": {"type": "integer", "minimum": 0}, "kind": {"type": "string"}, "viewer": {"$ref": "#/components/schemas/Viewer"},
    "created": {"type": "string", "format": "date-time"}}},
"DataPage": {"type": "object", "required": ["data", "next"], "properties": {
    "data": {"type": "array", "items": {"$ref": "#/components/schemas/Data"}}, "next": {"$ref": "#/components/schemas/Cursor"}}},
"NewUpload": {"type": "object", "required": ["name", "bytes"], "additionalProperties": false,
  "properties": {"name": {"type": "string"}, "bytes": {"type": "integer", "minimum": 0}}},
"Upload": {"type": "object", "required": ["upload", "offset", "bytes"], "properties": {"upload": {"type": "string"},
    "offset": {"type": "integer", "minimum": 0}, "bytes": {"type": "integer", "minimum": 0}}},
"RunState": {"enum": ["queued", "running", "succeeded", "failed", "cancelled", "interrupted"]},
"Progress": {"type": ["object", "null"], "properties": {"stage": {"type": "string"}, "unit": {"type": "string"},
    "done": {"type": "integer"}, "total": {"type": "integer"}, "seconds": {"type": "number"}}},
"Output": {"type": "object", "required": ["name", "kind", "viewer", "file_name", "media_type", "bytes"], "properties": {
    "name": {"type": "string"}, "kind": {"type": "string"}, "viewer": {"$ref": "#/components/schemas/Viewer"},
    "file_name": {"type": "string"}, "media_type": {"type": "string"}, "bytes": {"type": "integer", "minimum": 0}}},
"RunError": {"type": ["object", "null"], "properties": {"code": {"type": "string"}, "message": {"type": "string"}}},
"Run": {"type": "object", "required": ["id", "app", "state", "attempt", "created", "started", "finished", "inputs", "options",
    "progress", "outputs", "metrics", "warnings", "seconds", "cpu_seconds", "peak_rss_mb", "error"],
  "properties": {"id": {"type": "string"}, "app": {"type": "string"}, "state": {"$ref": "#/components/schemas/RunState"},
    "attempt": {"type": "integer", "minimum": 1}, "created": {"type": "string", "format": "date-time"},
    "started": {"type": ["string", "null"], "format": "date-time"}, "finished": {"type": ["string", "null"], "format": "date-time"},
    "inputs": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "object", "required": ["id", "name"],
      "properties": {"id": {"type": "string"}, "name": {"type": "string"}}}}},
    "options": {"type": "object"}, "progress": {"$ref": "#/components/schemas/Progress"},
    "outputs": {"type": "array", "items": {"$ref": "#/components/schemas/Output"}},
    "metrics": {"type": "object"}, "warnings": {"type": "array", "items": {"type": "object"}},
    "seconds": {"type": ["number", "null"]}, "cpu_seconds": {"type": ["number", "null"]}, "peak_rss_mb": {"type": ["number", "null"]},
    "error": {"$ref": "#/components/schemas/RunError"}}},
"RunPage": {"type": "object", "required": ["runs", "next"], "properties": {
    "runs": {"type": "array", "items": {"$ref": "#/components/schemas/Run"}}, "next": {"$ref": "#/components/schemas/Cursor"}}},
"Preview": {"type": "object", "required": ["viewer"], "properties": {"viewer": {"$ref": "#/components/schemas/Viewer"},
    "text": {"type": "string"}, "columns": {"type": "array", "items": {"type": "string"}},
    "rows": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}}, "truncated": {"type": "boolean"},
    "rows_of": {"type": "object", "description": "The file is shown row by row: what a row is, and the filters of /rows.",
      "required": ["noun", "filters"], "properties": {"noun": {"type": "string"}, "filters": {"type": "array", "items": {"type": "object",
        "required": ["name", "label", "placeholder", "choices"], "properties": {"name": {"type": "string"}, "label": {"type": "string"},
        "placeholder": {"type": "string"}, "choices": {"type": "array", "items": {"type": "string"}}}}}}}}},
"Rows": {"type": "object", "required": ["columns", "rows", "next", "share"], "properties": {
    "columns": {"type": "array", "items": {"type": "string"}}, "rows": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}},
    "next": {"type": ["string", "null"]}, "share": {"type": "number", "description": "How much of the file has been looked through, 0 to 1."}}},
"Index": {"type": "object", "required": ["state", "progress", "parts", "error"], "properties": {
    "state": {"enum": ["waiting", "building", "ready", "failed"]}, "progress": {"$ref": "#/components/schemas/Progress"},
    "parts": {"type": "array", "description": "What /index/{part} has, once it is ready.", "items": {"type": "string"}},
    "error": {"$ref": "#/components/schemas/RunError"}}},
"Keep": {"type": "object", "additionalProperties": false, "properties": {"name": {"type": "string", "description": "Else the output's file name."}}},
"Mistake": {"type": "object", "required": ["pointer", "message"], "properties": {
    "pointer": {"type": "string", "description": "A JSON pointer (RFC 6901) into the request."}, "message": {"type": "string"}}},
"Error": {"type": "object", "required": ["error"], "properties": {
    "error": {"type": "object", "required": ["code", "message", "mistakes"], "properties": {"code": {"type": "string"},
      "message": {"type": "string"}, "mistakes": {"type": "array", "items": {"$ref": "#/components/schemas/Mistake"}}}},
    "offset": {"type": "integer", "description": "Where the upload stands (409 of a part)."}, "bytes": {"type": "integer"}}}
})json";

const std::map<int, std::string_view> kStatusTexts{
    {200, "Done"},
    {201, "Made"},
    {204, "Done"},
    {206, "The range asked for"},
    {303, "Go to the console"},
    {400, "Malformed request"},
    {401, "Not logged in"},
    {403, "Wrong origin or host"},
    {404, "There is no such thing"},
    {409, "Not in this state"},
    {411, "No Content-Length"},
    {413, "Too large"},
    {416, "The file has no such bytes"},
    {422, "Mistakes in the request, each with a pointer"},
    {429, "Too many failed logins"},
    {507, "The disk is full"}};

constexpr std::pair<std::string_view, std::string_view> kTags[] = {
    {"session", "Logging in and out."},
    {"apps", "What the hub can run."},
    {"data", "Files, stored by their content."},
    {"uploads", "Large files, in parts."},
    {"runs", "Apps at work."},
    {"system", "The hub itself."}};

[[nodiscard]] Json reference(std::string_view kind, std::string_view component) {
  return {{"$ref", fmt::format("#/components/{}/{}", kind, component)}};
}

/// "toolkit app" -> "NewRun_toolkit_app"
[[nodiscard]] std::string run_schema_name(const std::string& app) {
  return "NewRun_" + replaced(app, ' ', '_');
}

[[nodiscard]] Json schemas(const app::AppTable& apps) {
  Json all = Json::parse(kSchemas);
  Json choices = Json::array(), mapping = Json::object();
  for (const auto& app : apps.all()) {
    const std::string component = run_schema_name(app.description.name);
    Json schema = app::request_schema(app.description);
    schema.erase("$schema");
    schema["properties"].erase("outputs");
    all[component] = std::move(schema);
    choices.push_back(reference("schemas", component));
    mapping[app.description.name] = "#/components/schemas/" + component;
  }
  all["NewRun"] = choices.empty()
                      ? Json{{"type", "object"}}
                      : Json{{"oneOf", choices},
                             {"discriminator", {{"propertyName", "app"}, {"mapping", mapping}}}};
  return all;
}

/// "/v1/data/{id}" as it is; "/{file*}" becomes "/{file}".
[[nodiscard]] std::string documented_path(std::string_view pattern) {
  std::string path;
  for (const char c : pattern)
    if (c != '*') path += c;
  return path;
}

/// "GET /v1/data/{id}/content" -> "get_data_id_content"
[[nodiscard]] std::string operation_id(const Route& route) {
  std::string id = to_lower(name(route.method));
  bool in_word = false;
  for (const char c : route.pattern.starts_with("/v1") ? route.pattern.substr(3) : route.pattern) {
    const bool is_letter = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (is_letter && !in_word) id += '_';
    if (is_letter) id += c;
    in_word = is_letter;
  }
  return id;
}

[[nodiscard]] std::string tag_of(const Route& route) {
  if (!route.pattern.starts_with("/v1/"))
    return route.access == Access::Login || route.pattern == "/logout" ? "session" : "system";
  return split(route.pattern, '/')[2];
}

[[nodiscard]] Json parameters_of(const Route& route) {
  Json parameters = Json::array();
  for (const auto& segment : split(route.pattern, '/'))
    if (const auto parameter = parameter_name(segment); !parameter.empty())
      parameters.push_back({{"in", "path"},
                            {"name", parameter},
                            {"required", true},
                            {"schema", {{"type", "string"}}}});
  for (const auto& parameter : route.parameters)
    parameters.push_back({{"in", parameter.in},
                          {"name", parameter.name},
                          {"required", parameter.required},
                          {"description", parameter.help},
                          {"schema", {{"type", parameter.type}}}});
  return parameters;
}

[[nodiscard]] Json body_of(const Route& route) {
  if (route.body == "bytes")
    return {{"required", true}, {"content", {{"application/octet-stream", Json::object()}}}};
  return {{"required", route.body != "Keep"},
          {"content", {{"application/json", {{"schema", reference("schemas", route.body)}}}}}};
}

[[nodiscard]] Json answers_of(const Route& route) {
  Json answers = Json::object();
  for (const auto& answer : route.answers) {
    Json& entry = answers[std::to_string(answer.status)];
    entry["description"] = kStatusTexts.at(answer.status);
    if (answer.media_type.empty()) continue;
    Json media = Json::object();
    if (!answer.schema.empty()) media["schema"] = reference("schemas", answer.schema);
    entry["content"][std::string(answer.media_type)] = std::move(media);
  }
  std::vector<int> refusals = route.refusals;
  refusals.insert(refusals.end(), {400, 403});
  if (route.access == Access::User) refusals.push_back(401);
  if (!route.body.empty()) refusals.push_back(411);
  for (const int status : refusals)
    answers[std::to_string(status)] = reference("responses", std::to_string(status));
  return answers;
}

[[nodiscard]] Json operation(const Route& route) {
  Json operation{{"operationId", operation_id(route)},
                 {"summary", route.summary},
                 {"tags", Json::array({tag_of(route)})}};
  operation["security"] =
      route.access == Access::User
          ? Json::array({{{"token", Json::array()}}, {{"session", Json::array()}}})
          : Json::array();
  if (Json parameters = parameters_of(route); !parameters.empty())
    operation["parameters"] = std::move(parameters);
  if (!route.body.empty()) operation["requestBody"] = body_of(route);
  operation["responses"] = answers_of(route);
  return operation;
}

[[nodiscard]] Json refusals() {
  Json all = Json::object();
  for (const auto& [status, text] : kStatusTexts)
    if (status >= 400)
      all[std::to_string(status)] = {
          {"description", text},
          {"content", {{"application/json", {{"schema", reference("schemas", "Error")}}}}}};
  return all;
}

}  // namespace

Json openapi_document(const std::vector<Route>& routes, const app::AppTable& apps) {
  Json paths = Json::object();
  for (const auto& route : routes)
    paths[documented_path(route.pattern)][to_lower(name(route.method))] = operation(route);
  const Json token{{"type", "http"}, {"scheme", "bearer"}};
  const Json session{{"type", "apiKey"}, {"in", "cookie"}, {"name", kSessionCookie}};
  Json tags = Json::array();
  for (const auto& [tag, description] : kTags)
    tags.push_back({{"name", tag}, {"description", description}});
  return {{"openapi", "3.1.0"},
          {"info",
           {{"title", "Aceso hub"},
            {"version", version()},
            {"description", "Data, apps and runs of one hub."}}},
          {"servers", Json::array({{{"url", "/"}}})},
          {"tags", std::move(tags)},
          {"paths", std::move(paths)},
          {"components",
           {{"schemas", schemas(apps)},
            {"responses", refusals()},
            {"securitySchemes", {{"token", token}, {"session", session}}}}}};
}

}  // namespace aceso::hub
