#include "fastq_rules.hpp"

#include "field_rules.hpp"

#include "aceso/core/error.hpp"

#include <algorithm>
#include <cstring>

namespace aceso::genomics {
namespace {

constexpr std::size_t kLinesHeld = 4096, kBytesHeld = 4 << 20, kMostBytes = std::size_t{1} << 30;

bool are_letters(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return is_letter(c) || c == '.' || c == '-' || c == '*'; });
}

}  // namespace

FastqRules::FastqRules(const std::filesystem::path& path, Warnings& warnings, Findings& findings)
    : files_(std::make_shared<const std::vector<std::string>>(1, path.string())),
      warnings_(warnings),
      findings_(findings) {}

void FastqRules::add(std::string_view line) {
  if (text_.size() + line.size() > kMostBytes)
    fail(Errc::CorruptData, "line {}: lines of more than 1 GiB: is this FASTQ?",
         dropped_ + lines_.size() + 1);
  const std::size_t begin = text_.size();
  text_ += line;
  lines_.push_back({begin, text_.size()});
  text_ += '\n';
  if (lines_.size() >= kLinesHeld || text_.size() >= kBytesHeld) take_records(false);
}

void FastqRules::finish() {
  take_records(true);
  findings_.at_file();
  if (records_ == 0 && !broken_) findings_.warn("NO_READS", "holds no reads");
}

std::string_view FastqRules::line(std::size_t i) const {
  return std::string_view(text_).substr(lines_[i].begin, lines_[i].end - lines_[i].begin);
}

/// Whether line `i` begins a plausible record, as far as there are lines.
bool FastqRules::begins_record(std::size_t i, bool last) const {
  if (!line(i).starts_with('@') || i + 1 >= lines_.size()) return false;
  return are_letters(line(i + 1)) && (i + 2 < lines_.size() ? line(i + 2).starts_with('+') : last);
}

/// A chunk of the records that begin at line `first`.
FastqChunk FastqRules::chunk_of(std::size_t first, std::size_t records) const {
  const std::size_t behind = std::min(first + 4 * records, lines_.size());
  const std::size_t begin = lines_[first].begin;
  FastqChunk out;
  out.size = lines_[behind - 1].end + 1 - begin;
  out.buffer = Buffer(out.size + 2 * kTextMargin);
  std::memset(out.buffer.data(), 0, kTextMargin);
  std::memcpy(out.text(), text_.data() + begin, out.size);
  std::memset(out.text() + out.size, 0, kTextMargin);
  out.record_count = static_cast<std::uint32_t>(records);
  out.first_record = records_;
  out.origins.push_back({0, 0, records_ + 1});
  out.files = files_;
  return out;
}

/// Checks what is whole; with `last`, all.
void FastqRules::take_records(bool last) {
  if (last) drop_blank_tail();
  while (true) {
    if (lost_ && !find_record(last)) break;
    const std::size_t left = lines_.size() - next_;
    const std::size_t records = std::min(last ? (left + 3) / 4 : left / 4, at_once_);
    if (records == 0) break;
    parse(records);
  }
  drop_lines(next_);
}

void FastqRules::parse(std::size_t records) {
  try {
    parse_fastq(chunk_of(next_, records), 0, warnings_, parsed_);
    records_ += parsed_.records.size();
    next_ = std::min(next_ + 4 * records, lines_.size());
    at_once_ = std::min(2 * at_once_, kRecordsAtOnce);
  } catch (const Error& error) {
    if (error.code() != Errc::CorruptData) throw;
    // Those before the broken one were parsed.
    records_ += parsed_.records.size();
    next_ += 4 * parsed_.records.size();
    std::string_view message = error.what();
    const std::string place = fmt::format("{}: record {}: ", files_->front(), records_ + 1);
    if (message.starts_with(place)) message.remove_prefix(place.size());
    findings_.at_record(records_ + 1);
    findings_.error("INVALID_FASTQ", "{} (the record begins at line {})", message,
                    dropped_ + next_ + 1);
    if (line(next_).starts_with('@')) ++records_;
    ++next_;
    lost_ = broken_ = true;
    at_once_ = 1;
  }
}

/// Goes to the next line that begins a record; false if that needs more lines.
bool FastqRules::find_record(bool last) {
  while (next_ < lines_.size()) {
    if (!last && next_ + 2 >= lines_.size()) return false;
    if (begins_record(next_, last)) {
      lost_ = false;
      return true;
    }
    ++next_;
  }
  return false;
}

/// Blank lines behind the last record; the empty fourth line of a read of length 0 is none of them.
void FastqRules::drop_blank_tail() {
  std::size_t solid = lines_.size();
  while (solid > next_ && line(solid - 1).empty()) --solid;
  if (!lost_ && (solid - next_) % 4 == 3 && solid < lines_.size()) ++solid;
  lines_.resize(solid);
}

void FastqRules::drop_lines(std::size_t count) {
  const std::size_t bytes = count < lines_.size() ? lines_[count].begin : text_.size();
  text_.erase(0, bytes);
  lines_.erase(lines_.begin(), lines_.begin() + static_cast<std::ptrdiff_t>(count));
  for (Line& one : lines_) {
    one.begin -= bytes;
    one.end -= bytes;
  }
  dropped_ += count;
  next_ = 0;
}

}  // namespace aceso::genomics
