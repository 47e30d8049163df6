#include "fastq_cutter.hpp"

#include "kernels/kernels.hpp"

#include "aceso/core/error.hpp"

#include <algorithm>
#include <cstring>

namespace aceso::genomics {
namespace {

constexpr std::size_t kFirstCapacity = 64 << 10;
// A file with lines beyond this is no FASTQ; longest reads so far have some 4 million bases.
constexpr std::size_t kMostText = std::size_t{1} << 30;

bool is_blank(char c) { return c == '\n' || c == '\r'; }

}  // namespace

FastqCutter::FastqCutter(std::uint32_t records,
                         std::shared_ptr<const std::vector<std::string>> files)
    : records_(records) {
  chunk_.files = std::move(files);
  chunk_.origins.push_back({0, 0, 1});
}

void FastqCutter::add(const TextPiece& piece, const Emit& emit) {
  chunk_.source_bytes += piece.source_bytes;
  const char* text = reinterpret_cast<const char*>(piece.bytes.data());
  std::size_t size = broken_ ? 0 : piece.size;
  if (blank_tail_) {
    check_nothing_behind_blanks(text, size);
    size = 0;
  }
  while (size > 0) {
    const std::size_t wanted = std::size_t{4} * records_ - lines_;
    std::size_t missing = wanted;
    const std::size_t used = kernels().skip_lines(text, size, missing);
    append(text, used);
    lines_ += wanted - missing;
    text += used;
    size -= used;
    if (missing > 0) continue;
    drop_blank_tail();
    if (lines_ == std::size_t{4} * records_) flush(emit);
    if (blank_tail_) {
      check_nothing_behind_blanks(text, size);
      break;
    }
  }
  if (piece.file_ends) end_file(emit);
}

void FastqCutter::finish(const Emit& emit) {
  if (lines_ > 0) flush(emit);
}

void FastqCutter::append(const char* text, std::size_t size) {
  if (size > kMostText - chunk_.size)
    fail(Errc::CorruptData, "{}: lines of more than 1 GiB: is this FASTQ?",
         chunk_.place(records_begun()));
  reserve(chunk_.size + size);
  std::memcpy(chunk_.text() + chunk_.size, text, size);
  chunk_.size += size;
}

void FastqCutter::reserve(std::size_t size) {
  const std::size_t wanted = size + 2 * kTextMargin;
  if (chunk_.buffer.size() >= wanted) return;
  Buffer larger(std::max({wanted, kFirstCapacity, 2 * chunk_.buffer.size()}));
  std::memset(larger.data(), 0, kTextMargin);
  if (chunk_.size > 0) std::memcpy(larger.data() + kTextMargin, chunk_.text(), chunk_.size);
  chunk_.buffer = std::move(larger);
}

void FastqCutter::end_file(const Emit& emit) {
  if (!broken_ && chunk_.size > 0 && chunk_.text()[chunk_.size - 1] != '\n') {
    append("\n", 1);
    ++lines_;
  }
  drop_blank_tail();
  if (lines_ % 4 != 0) {
    flush(emit);
    broken_ = true;
  }
  const std::uint64_t records = lines_ / 4;
  blank_tail_ = false;
  ++file_;
  if (file_ >= chunk_.files->size()) return;
  if (records == 0) chunk_.origins.clear();
  chunk_.origins.push_back({static_cast<std::uint32_t>(records), file_, 1});
}

/// Blank lines behind the last record are dropped; the empty fourth line of a read of length 0
/// is none of them.
void FastqCutter::drop_blank_tail() {
  const char* text = chunk_.text();
  if (chunk_.size < 2 || !is_blank(text[chunk_.size - 1]) || !is_blank(text[chunk_.size - 2]))
    return;
  std::size_t solid = chunk_.size;
  while (solid > 0 && is_blank(text[solid - 1])) --solid;
  const auto blank_lines =
      static_cast<std::size_t>(std::count(text + solid, text + chunk_.size, '\n'));
  // The first '\n' ends the last solid line, if there is one.
  std::size_t kept = solid > 0 ? 1 : 0;
  const std::size_t solid_lines = lines_ - blank_lines + kept;
  if (solid_lines % 4 == 3) ++kept;
  if (kept >= blank_lines) return;
  const char* end = text + solid;
  for (std::size_t i = 0; i < kept; ++i) end = std::find(end, text + chunk_.size, '\n') + 1;
  chunk_.size = static_cast<std::size_t>(end - text);
  lines_ -= blank_lines - kept;
  blank_tail_ = true;
}

void FastqCutter::check_nothing_behind_blanks(const char* text, std::size_t size) {
  if (std::all_of(text, text + size, is_blank)) return;
  fail(Errc::CorruptData,
       "{}: expected '@' and a name, found blank lines with more text behind them",
       chunk_.place(records_begun()));
}

void FastqCutter::flush(const Emit& emit) {
  const std::uint32_t count = records_begun();
  FastqChunk out = std::move(chunk_);
  chunk_ = FastqChunk{};
  chunk_.files = out.files;
  const Origin last = out.origins.back();
  chunk_.origins.push_back({0, file_, last.number_1based + count - last.begin});
  std::memset(out.text() + out.size, 0, kTextMargin);
  out.record_count = count;
  out.first_record = first_record_;
  first_record_ += count;
  lines_ = 0;
  emit(std::move(out));
}

}  // namespace aceso::genomics
