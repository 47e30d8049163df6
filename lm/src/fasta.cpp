#include "aceso/lm/fasta.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"
#include "aceso/lm/lines.hpp"

#include <string_view>
#include <unordered_map>

namespace aceso::lm {
namespace fs = std::filesystem;
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r'; }

void trim_end(std::string& text) {
  while (!text.empty() && is_space(text.back())) text.pop_back();
}

}  // namespace

struct FastaReader::Impl {
  Lines lines;
  std::string line;  ///< the header of the next record
  bool at_header = false;
  std::uint64_t records = 0;

  explicit Impl(const fs::path& path) : lines(path) { find_first(); }

  void find_first() {
    while (lines.next(line)) {
      trim_end(line);
      if (line.empty()) continue;
      if (line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);  // a UTF-8 byte order mark
      if (!line.starts_with('>'))
        fail(Errc::CorruptData, "{}: expected a FASTA header that begins with '>', found \"{}\"{}",
             lines.name(), printable(line, 40),
             line.starts_with('@') ? " (this looks like FASTQ)" : "");
      at_header = true;
      return;
    }
  }

  [[nodiscard]] std::string place() const {
    return fmt::format("{}: record {}", lines.name(), records);
  }

  void read_header(FastaRecord& record) const {
    record.header = line.substr(1);
    const auto begin = record.header.find_first_not_of(" \t");
    if (begin == std::string::npos)
      fail(Errc::CorruptData, "{}: expected a name behind '>', found none", place());
    const auto end = record.header.find_first_of(" \t", begin);
    record.id = record.header.substr(begin, end == std::string::npos ? end : end - begin);
    if (!is_utf8(record.header) || record.header.find('\0') != std::string::npos)
      fail(Errc::CorruptData, "{}: expected a header of text, found \"{}\"", place(),
           printable(record.header, 40));
  }

  void append(std::string& sequence) const {
    for (const char c : line) {
      if (is_space(c)) continue;
      const auto code = static_cast<unsigned char>(c);
      if (code < 0x21 || code > 0x7e)
        fail(Errc::CorruptData, "{}: expected residues, found \"{}\"", place(),
             printable(std::string_view(&c, 1)));
      sequence.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
    }
  }

  bool next(FastaRecord& record) {
    if (!at_header) return false;
    ++records;
    read_header(record);
    record.sequence.clear();
    at_header = false;
    while (lines.next(line)) {
      if (line.starts_with('>')) {
        trim_end(line);
        at_header = true;
        break;
      }
      append(record.sequence);
    }
    if (record.sequence.ends_with('*')) record.sequence.pop_back();
    return true;
  }
};

FastaReader::FastaReader(const fs::path& path) : impl_(std::make_unique<Impl>(path)) {}
FastaReader::~FastaReader() = default;
FastaReader::FastaReader(FastaReader&&) noexcept = default;
FastaReader& FastaReader::operator=(FastaReader&&) noexcept = default;

bool FastaReader::next(FastaRecord& record) { return impl_->next(record); }

std::vector<FastaRecord> read_fasta(const fs::path& path) {
  FastaReader reader(path);
  std::vector<FastaRecord> records;
  std::unordered_map<std::string, std::size_t> seen;
  for (FastaRecord record; reader.next(record);) {
    const auto [other, fresh] = seen.emplace(record.id, records.size() + 1);
    if (!fresh)
      fail(Errc::CorruptData, "{}: record {}: the id {} was already used by record {}",
           path.string(), records.size() + 1, printable(record.id), other->second);
    records.push_back(std::move(record));
  }
  if (records.empty())
    fail(Errc::CorruptData, "{}: expected at least one FASTA record, found none", path.string());
  return records;
}

}  // namespace aceso::lm
