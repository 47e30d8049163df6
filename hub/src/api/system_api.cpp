#include "api/api.hpp"

#include "aceso/app/documents.hpp"
#include "aceso/assets/assets.hpp"
#include "aceso/core/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace aceso::hub {

namespace {

struct MediaType {
  std::string_view ending, type;
};

constexpr MediaType kMediaTypes[] = {{".html", "text/html; charset=utf-8"},
                                     {".js", "text/javascript; charset=utf-8"},
                                     {".mjs", "text/javascript; charset=utf-8"},
                                     {".css", "text/css; charset=utf-8"},
                                     {".json", "application/json"},
                                     {".map", "application/json"},
                                     {".svg", "image/svg+xml"},
                                     {".png", "image/png"},
                                     {".ico", "image/x-icon"},
                                     {".webp", "image/webp"},
                                     {".woff2", "font/woff2"},
                                     {".wasm", "application/wasm"},
                                     {".txt", "text/plain; charset=utf-8"},
                                     {".webmanifest", "application/manifest+json"}};

[[nodiscard]] std::string media_type(std::string_view path) {
  const auto* found = std::ranges::find_if(
      kMediaTypes, [&](const MediaType& known) { return path.ends_with(known.ending); });
  return std::string(found == std::end(kMediaTypes) ? "application/octet-stream" : found->type);
}

/// Scripts that run in a worker of their own: the console's build puts them there.
[[nodiscard]] bool is_worker(std::string_view path) { return path.starts_with("workers/"); }

/// Vite puts a hash of the content into the names of all that is in these folders.
[[nodiscard]] bool is_immutable(std::string_view path) {
  return path.starts_with("assets/") || is_worker(path);
}

constexpr std::string_view kConsolePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: "
    "blob:; font-src 'self'; "
    "connect-src 'self'; frame-src 'self' blob:; worker-src 'self' blob:; manifest-src 'self'; "
    "base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'";

/// A worker has a policy of its own: it may run WebAssembly of this origin, and the page may not.
constexpr std::string_view kWorkerPolicy =
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

[[nodiscard]] Response asset_response(const assets::Asset& asset) {
  Response response = text_response(200, std::string(asset.bytes), media_type(asset.path));
  response
      .with("Content-Security-Policy",
            std::string(is_worker(asset.path) ? kWorkerPolicy : kConsolePolicy))
      .with("Cross-Origin-Opener-Policy", "same-origin")
      .with("Cache-Control",
            is_immutable(asset.path) ? "public, max-age=31536000, immutable" : "no-cache");
  return response;
}

[[nodiscard]] std::string describe_all(const app::AppTable& apps) {
  Json list = Json::array();
  for (const auto& app : apps.all()) list.push_back(app::describe(app.description));
  return Json{{"apps", std::move(list)}}.dump();
}

}  // namespace

Response Api::health(const Request&) { return json_response(200, {{"status", "ok"}}); }

Response Api::apps(const Request&) { return text_response(200, apps_json_, "application/json"); }

Response Api::openapi(const Request&) {
  return text_response(200, openapi_json_, "application/json");
}

Response Api::metrics(const Request&) {
  return text_response(200, context_.metrics.text(context_.store),
                       "text/plain; version=0.0.4; charset=utf-8");
}

Response Api::console_file(const Request& request) {
  const std::string& path = request.parameters.at("file");
  const auto files = assets::console();
  const auto found =
      std::ranges::find(files, path.empty() ? "index.html" : path, &assets::Asset::path);
  if (found != files.end()) return asset_response(*found);
  if (files.empty() && path.empty())
    return text_response(200,
                         "The Aceso hub is running. This build has no web console; the API is "
                         "described at /openapi.json.\n");
  fail(Errc::NotFound, "there is nothing at this path");
}

Api::Api(const ApiContext& context) : context_(context), apps_json_(describe_all(context.apps)) {
  openapi_json_ = openapi_document(routes(), context_.apps).dump();
}

}  // namespace aceso::hub
