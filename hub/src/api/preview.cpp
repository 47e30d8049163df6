#include "api/preview.hpp"

#include "aceso/app/description.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <zlib.h>
#include <nlohmann/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace aceso::hub {

namespace {

constexpr std::size_t kTextBytes = 64 * 1024;
constexpr std::size_t kTableBytes = 1024 * 1024;
constexpr std::size_t kTableRows = 200;
constexpr std::size_t kTableColumns = 500;

struct Beginning {
  std::string text;
  bool complete = true;
};

[[nodiscard]] std::string read_beginning(const FileHandle& file, std::size_t limit) {
  std::string bytes(limit, '\0');
  std::size_t size = 0;
  while (size < limit) {
    const ssize_t count =
        ::pread(file.get(), bytes.data() + size, limit - size, static_cast<off_t>(size));
    if (count < 0) fail_system(errno, "read", "file");
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  bytes.resize(size);
  return bytes;
}

/// At most `limit` bytes of what `packed` holds. Several gzip members in a row are one text, as
/// in BGZF. Damaged ones end the text.
[[nodiscard]] Beginning gunzipped(const std::string& packed, std::size_t limit) {
  z_stream stream{};
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) throw std::bad_alloc();
  const std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, inflateEnd);
  Beginning result{std::string(limit, '\0'), false};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.text.data());
  stream.avail_out = static_cast<uInt>(limit);
  int code = Z_OK;
  while (stream.avail_out > 0 && (code == Z_OK || (code == Z_STREAM_END && stream.avail_in > 0))) {
    if (code == Z_STREAM_END) inflateReset(&stream);
    code = inflate(&stream, Z_NO_FLUSH);
  }
  result.text.resize(limit - stream.avail_out);
  result.complete = code == Z_STREAM_END && stream.avail_in == 0;
  return result;
}

[[nodiscard]] Beginning beginning_of(const FileHandle& file, std::size_t limit) {
  std::string bytes = read_beginning(file, limit + 1);
  const bool is_gzip = bytes.size() >= 2 && bytes[0] == '\x1f' && bytes[1] == '\x8b';
  const bool whole_file = bytes.size() <= limit;
  if (is_gzip) {
    Beginning result = gunzipped(bytes, limit);
    result.complete = result.complete && whole_file;
    return result;
  }
  bytes.resize(std::min(bytes.size(), limit));
  return {std::move(bytes), whole_file};
}

/// Drops a character that the end cut in two.
void drop_cut_character(std::string& text) {
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (byte < 0x80) return;
    if (byte >= 0xC0) {
      const std::size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
      if (back < length) text.resize(text.size() - back);
      return;
    }
  }
}

[[nodiscard]] Json text_preview(std::string_view viewer, Beginning beginning) {
  if (!beginning.complete) drop_cut_character(beginning.text);
  return {
      {"viewer", viewer}, {"text", std::move(beginning.text)}, {"truncated", !beginning.complete}};
}

[[nodiscard]] bool is_table(std::string_view file_name) {
  const std::string lower = to_lower(file_name);
  return std::ranges::any_of(app::kind("table").endings,
                             [&](std::string_view ending) { return lower.ends_with(ending); });
}

[[nodiscard]] char separator_of(std::string_view file_name, std::string_view text) {
  const std::string lower = to_lower(file_name);
  if (lower.find(".csv") != std::string::npos) return ',';
  const std::string_view first_line = text.substr(0, text.find('\n'));
  return first_line.find('\t') == std::string_view::npos &&
                 first_line.find(',') != std::string_view::npos
             ? ','
             : '\t';
}

[[nodiscard]] Json table_preview(std::string_view file_name, const Beginning& beginning) {
  Json rows = parse_table(beginning.text, separator_of(file_name, beginning.text), kTableRows + 2,
                          beginning.complete);
  Json columns = Json::array();
  if (!rows.empty()) {
    columns = rows.front();
    rows.erase(0);
  }
  const bool truncated = !beginning.complete || rows.size() > kTableRows;
  while (rows.size() > kTableRows) rows.erase(rows.size() - 1);
  return {{"viewer", "table"},
          {"columns", std::move(columns)},
          {"rows", std::move(rows)},
          {"truncated", truncated}};
}

}  // namespace

Json parse_table(std::string_view text, char separator, std::size_t limit, bool complete) {
  Json rows = Json::array(), row = Json::array();
  std::string cell;
  bool quoted = false;
  const auto end_cell = [&] {
    if (row.size() < kTableColumns) row.push_back(cell);
    cell.clear();
  };
  const auto end_row = [&] {
    end_cell();
    rows.push_back(std::move(row));
    row = Json::array();
  };
  for (std::size_t i = 0; i < text.size() && rows.size() < limit; ++i) {
    const char c = text[i];
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"')
      cell += text[++i];
    else if (quoted && c == '"')
      quoted = false;
    else if (quoted)
      cell += c;
    else if (c == '"' && separator == ',' && cell.empty())
      quoted = true;
    else if (c == separator)
      end_cell();
    else if (c == '\n')
      end_row();
    else if (c != '\r')
      cell += c;
  }
  if (complete && rows.size() < limit && (!cell.empty() || !row.empty())) end_row();
  return rows;
}

Json preview(const FileHandle& file, std::string_view file_name, std::string_view viewer) {
  // The console draws structures from the file itself; here is the beginning of its text.
  if (viewer == "molecules") viewer = is_table(file_name) ? "table" : "text";
  if (viewer == "text" || viewer == "json")
    return text_preview(viewer, beginning_of(file, kTextBytes));
  if (viewer == "table") return table_preview(file_name, beginning_of(file, kTableBytes));
  if (viewer == "image" || viewer == "html") return {{"viewer", viewer}};
  return {{"viewer", "none"}};
}

}  // namespace aceso::hub
