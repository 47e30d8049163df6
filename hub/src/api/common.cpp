#include "api/api.hpp"

#include "http/range.hpp"

#include "aceso/core/text.hpp"

#include <nlohmann/json.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

namespace aceso::hub {

namespace {

constexpr std::int64_t kLargestPage = 500;

[[nodiscard]] std::int64_t parse_number(const Request& request, const std::string& key,
                                        std::int64_t least, std::int64_t most,
                                        std::int64_t otherwise) {
  const std::string text = request.query_value(key);
  if (text.empty()) return otherwise;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number >= least && number <= most)
    return number;
  throw Refusal(422, Errc::InvalidArgument, "the query has mistakes",
                {{"/" + key, fmt::format("expected a number from {} to {}, found '{}'", least, most,
                                         printable(text))}});
}

/// Foreign bytes: a page among them runs without our origin, so it has neither session nor API.
void guard_foreign_content(Response& response) {
  response.with("Content-Security-Policy",
                "sandbox allow-scripts allow-downloads; default-src 'none'; script-src "
                "'unsafe-inline'; style-src 'unsafe-inline'; "
                "img-src data: blob:; frame-ancestors 'self'");
  response.with("X-Frame-Options", "SAMEORIGIN");
}

[[nodiscard]] bool is_current(const Request& request, const Offer& offer) {
  return !offer.entity_tag.empty() && request.header("If-None-Match") == offer.entity_tag;
}

/// Range counts only for the very bytes the client has the beginning of.
[[nodiscard]] Range wanted_range(const Request& request, const Offer& offer, std::uint64_t size) {
  const std::string_view condition = request.header("If-Range");
  if (!condition.empty() && condition != offer.entity_tag) return {.length = size};
  return parse_range(request.header("Range"), size);
}

}  // namespace

const app::FileView* ApiContext::find_view(std::string_view kind) const noexcept {
  const auto found = std::ranges::find(views, kind, &app::FileView::kind);
  return found == views.end() ? nullptr : &*found;
}

Json data_json(const DataRecord& record) {
  const app::Kind* kind = app::kind_of_file(record.name);
  return {{"id", record.id},
          {"name", record.name},
          {"sha256", record.sha256},
          {"bytes", record.bytes},
          {"kind", kind != nullptr ? kind->name : ""},
          {"viewer", kind != nullptr ? kind->viewer : "none"},
          {"created", record.created}};
}

Page parse_page(const Request& request) {
  return {.before = parse_number(request, "cursor", 1, INT64_MAX, INT64_MAX),
          .limit = parse_number(request, "limit", 1, kLargestPage, 100)};
}

Json next_cursor(const Page& page, std::size_t count, std::int64_t last_sequence) {
  if (static_cast<std::int64_t>(count) < page.limit || last_sequence <= 1) return nullptr;
  return std::to_string(last_sequence);
}

Json parse_object(const Request& request, const std::vector<std::string>& members) {
  Json body = parse_json(request.body, "the body");
  if (!body.is_object())
    throw Refusal(422, Errc::InvalidArgument, "the request has mistakes",
                  {{"", "expected an object"}});
  std::vector<app::Mistake> mistakes;
  for (const auto& [key, value] : body.items())
    if (std::ranges::find(members, key) == members.end())
      mistakes.push_back({"/" + key, "unknown member; expected " + join(members, ", ")});
  if (!mistakes.empty())
    throw Refusal(422, Errc::InvalidArgument, "the request has mistakes", std::move(mistakes));
  return body;
}

Response rows_response(const Request& request, const app::FileView* view,
                       const app::ViewSource& source) {
  if (view == nullptr) fail(Errc::NotFound, "files of this kind are not shown row by row");
  std::vector<app::Mistake> mistakes;
  for (const auto& [key, value] : request.query) {
    const bool known =
        key == "cursor" || key == "limit" ||
        std::ranges::find(view->filters, key, &app::ViewFilter::name) != view->filters.end();
    if (!known) mistakes.push_back({"/" + key, "there is no such filter"});
  }
  if (!mistakes.empty())
    throw Refusal(422, Errc::InvalidArgument, "the query has mistakes", std::move(mistakes));
  return json_response(200, view->page(source, request.query));
}

Json with_rows(Json preview, const app::FileView* view) {
  if (view == nullptr) return preview;
  Json filters = Json::array();
  for (const app::ViewFilter& filter : view->filters)
    filters.push_back({{"name", filter.name},
                       {"label", filter.label},
                       {"placeholder", filter.placeholder},
                       {"choices", filter.choices}});
  preview["rows_of"] = {{"noun", view->noun}, {"filters", std::move(filters)}};
  return preview;
}

Response file_response(const Request& request, FileHandle file, const Offer& offer) {
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) fail_system(errno, "look at", offer.file_name);
  const auto size = static_cast<std::uint64_t>(status.st_size);
  const bool shown_in_place = offer.viewer == "html" || offer.viewer == "image";
  Response response;
  response.with("Content-Type", offer.media_type)
      .with("Content-Disposition",
            content_disposition(shown_in_place ? "inline" : "attachment", offer.file_name))
      .with("Accept-Ranges", "bytes")
      .with("Cache-Control", "private, no-cache");
  if (!offer.entity_tag.empty()) response.with("ETag", offer.entity_tag);
  guard_foreign_content(response);
  if (is_current(request, offer)) {
    response.status = 304;
    return response;
  }
  const Range range = wanted_range(request, offer, size);
  if (range.kind == Range::Kind::Unsatisfiable) {
    Response refusal =
        error_response(416, Errc::InvalidArgument, fmt::format("the file has {} bytes", size));
    refusal.with("Content-Range", fmt::format("bytes */{}", size));
    return refusal;
  }
  if (range.kind == Range::Kind::Part) {
    response.status = 206;
    response.with("Content-Range", fmt::format("bytes {}-{}/{}", range.offset,
                                               range.offset + range.length - 1, size));
  }
  response.file = FileBody{std::move(file), range.offset, range.length};
  return response;
}

}  // namespace aceso::hub
