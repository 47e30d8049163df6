#include "api/api.hpp"
#include "api/preview.hpp"

#include "aceso/core/text.hpp"

#include <nlohmann/json.hpp>

#include <charconv>
#include <optional>

namespace aceso::hub {

namespace {

[[nodiscard]] Json upload_json(const UploadRecord& upload) {
  return {{"upload", upload.id}, {"offset", upload.offset}, {"bytes", upload.bytes}};
}

[[nodiscard]] Json index_json(const IndexStore::Status& status) {
  Json progress = nullptr, error = nullptr;
  if (!status.progress.stage.empty())
    progress = {{"stage", status.progress.stage},
                {"unit", status.progress.unit},
                {"done", status.progress.done},
                {"total", status.progress.total},
                {"seconds", status.progress.seconds}};
  if (status.error)
    error = {{"code", name(status.error->code())}, {"message", status.error->what()}};
  return {{"state", name(status.state)},
          {"progress", std::move(progress)},
          {"parts", status.parts},
          {"error", std::move(error)}};
}

/// A whole file in one request. What breaks off leaves nothing.
class DataSink : public BodySink {
 public:
  DataSink(Library& library, std::string data_name)
      : library_(library), name_(std::move(data_name)), file_(library.new_file()) {}

  ~DataSink() override {
    std::error_code ignored;
    if (file_) std::filesystem::remove(file_->path(), ignored);
  }

  void write(std::span<const std::byte> bytes) override { file_->write(bytes); }

  Response finish() override {
    HashedFile file = std::move(*file_);
    file_.reset();
    return json_response(201, data_json(library_.add(std::move(file), name_)));
  }

 private:
  Library& library_;
  std::string name_;
  std::optional<HashedFile> file_;
};

class PartSink : public BodySink {
 public:
  PartSink(Library& library, const std::string& id, std::uint64_t offset, std::uint64_t bytes)
      : part_(library, id, offset, bytes) {}

  void write(std::span<const std::byte> bytes) override { part_.write(bytes); }

  Response finish() override {
    if (const auto data = part_.finish()) return json_response(201, data_json(*data));
    return json_response(200, upload_json(part_.upload()));
  }

 private:
  UploadPart part_;
};

[[nodiscard]] std::uint64_t upload_offset(const Request& request) {
  const std::string_view text = request.header("Upload-Offset");
  std::uint64_t offset = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), offset);
  if (error != std::errc() || end != text.data() + text.size())
    throw Refusal(422, Errc::InvalidArgument, "the header Upload-Offset is missing or malformed",
                  {{"/Upload-Offset",
                    fmt::format("expected a number of bytes, found '{}'", printable(text))}});
  return offset;
}

void check_size(std::uint64_t bytes, std::uint64_t limit) {
  if (bytes > limit)
    refuse(413, Errc::InvalidArgument, "a file may have at most {}, this one has {}",
           format_bytes(limit), format_bytes(bytes));
}

}  // namespace

Response Api::list_data(const Request& request) {
  const Page page = parse_page(request);
  const auto records = context_.store.list_data(page, request.query_value("name"));
  Json data = Json::array();
  for (const auto& record : records) data.push_back(data_json(record));
  return json_response(
      200,
      {{"data", std::move(data)},
       {"next", next_cursor(page, records.size(), records.empty() ? 0 : records.back().sequence)}});
}

std::unique_ptr<BodySink> Api::add_data(const Request& request) {
  const std::string data_name = request.query_value("name");
  Library::check_name(data_name, "/name");
  check_size(request.content_length, context_.upload_limit_bytes);
  context_.library.check_room(request.content_length);
  return std::make_unique<DataSink>(context_.library, data_name);
}

DataRecord Api::find_data(const Request& request) {
  const std::string& id = request.parameters.at("id");
  auto record = context_.store.find_data(id);
  if (!record) fail(Errc::NotFound, "there are no data '{}'", printable(id));
  return std::move(*record);
}

Response Api::get_data(const Request& request) {
  return json_response(200, data_json(find_data(request)));
}

Response Api::data_content(const Request& request) {
  const DataRecord record = find_data(request);
  const app::Kind* kind = app::kind_of_file(record.name);
  return file_response(
      request, context_.library.open(record),
      {.file_name = record.name,
       .media_type = std::string(kind != nullptr ? kind->media_type : "application/octet-stream"),
       .viewer = std::string(kind != nullptr ? kind->viewer : "none"),
       .entity_tag = "\"" + record.sha256 + "\""});
}

Response Api::data_preview(const Request& request) {
  const DataRecord record = find_data(request);
  const app::Kind* kind = app::kind_of_file(record.name);
  return json_response(200, with_rows(preview(context_.library.open(record), record.name,
                                              kind != nullptr ? kind->viewer : "none"),
                                      context_.find_view(kind != nullptr ? kind->name : "")));
}

Response Api::data_rows(const Request& request) {
  const DataRecord record = find_data(request);
  const app::Kind* kind = app::kind_of_file(record.name);
  const FileHandle file = context_.library.open(record);
  return rows_response(request, context_.find_view(kind != nullptr ? kind->name : ""),
                       {.file = file.get(), .index = -1, .file_name = record.name});
}

Response Api::data_index(const Request& request) {
  return json_response(200, index_json(context_.indexes.status(find_data(request))));
}

Response Api::data_index_part(const Request& request) {
  const DataRecord record = find_data(request);
  const std::string& part = request.parameters.at("part");
  IndexStore::Part found = context_.indexes.open(record, part);
  return file_response(request, std::move(found.file),
                       {.file_name = record.name + "." + part,
                        .media_type = "application/octet-stream",
                        .viewer = "none",
                        .entity_tag = std::move(found.entity_tag)});
}

Response Api::remove_data(const Request& request) {
  const DataRecord record = find_data(request);
  context_.library.remove(record.id);
  context_.indexes.forget(record);
  return {.status = 204};
}

Response Api::begin_upload(const Request& request) {
  const Json body = parse_object(request, {"name", "bytes"});
  std::vector<app::Mistake> mistakes;
  if (!body.contains("name") || !body["name"].is_string())
    mistakes.push_back({"/name", "expected a file name"});
  if (!body.contains("bytes") || !body["bytes"].is_number_unsigned())
    mistakes.push_back({"/bytes", "expected the size of the file in bytes"});
  if (!mistakes.empty())
    throw Refusal(422, Errc::InvalidArgument, "the request has mistakes", std::move(mistakes));
  const auto data_name = body["name"].get<std::string>();
  Library::check_name(data_name, "/name");
  const auto bytes = body["bytes"].get<std::uint64_t>();
  check_size(bytes, context_.upload_limit_bytes);
  return json_response(201, upload_json(context_.library.begin_upload(data_name, bytes)));
}

Response Api::get_upload(const Request& request) {
  const std::string& id = request.parameters.at("id");
  const auto upload = context_.store.find_upload(id);
  if (!upload) fail(Errc::NotFound, "there is no upload '{}'", printable(id));
  return json_response(200, upload_json(*upload));
}

std::unique_ptr<BodySink> Api::add_upload_part(const Request& request) {
  return std::make_unique<PartSink>(context_.library, request.parameters.at("id"),
                                    upload_offset(request), request.content_length);
}

Response Api::remove_upload(const Request& request) {
  context_.library.remove_upload(request.parameters.at("id"));
  return {.status = 204};
}

}  // namespace aceso::hub
