#include "fasta_index.hpp"

#include "bgzf.hpp"
#include "fasta_lines.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>

namespace aceso::genomics {
namespace {

constexpr std::size_t kReadAtOnce = 1 << 20;
/// A browser reads all of it.
constexpr std::size_t kLargestIndex = 64 << 20;

[[nodiscard]] bool is_letter(char c) noexcept { return c > ' ' && c <= '~'; }
[[nodiscard]] bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\r'; }

/// The lines of a .fai, from the text of a FASTA file in pieces.
class FaiLines {
 public:
  explicit FaiLines(std::string_view file) : file_(file) {}

  void add(std::string_view text) { lines_.add(text, *this); }

  std::string finish() {
    lines_.finish(*this);
    end_contig();
    if (names_.empty()) fail(Errc::CorruptData, "{}: expected FASTA, found no contig", file_);
    return std::move(index_);
  }

 private:
  friend FastaLines;

  /// Of a line of bases, or what all lines of a contig but its last are like.
  struct Line {
    std::uint64_t bases = 0, bytes = 0;  ///< bytes with the line's end
    bool operator==(const Line&) const = default;
  };

  void begin_contig(std::string_view name) {
    end_contig();
    if (name.empty() || name.size() >= kLongestName)
      fail(Errc::CorruptData, "{}: line {}: contig {} has {}", file_, lines_.number(),
           names_.size() + 1, name.empty() ? "no name" : "a name of more than 65535 letters");
    name_ = name;
    if (!names_.insert(name_).second)
      fail(Errc::CorruptData, "{}: line {}: two contigs are called '{}'", file_, lines_.number(),
           printable(name_));
    begin_ = lines_.offset();
    length_ = 0;
    all_ = {};
    short_line_ = 0;
  }

  void take_bases(std::string_view text) {
    if (line_.bytes == 0) line_begin_ = lines_.offset();
    line_.bytes += text.size();
    const auto letters = static_cast<std::size_t>(std::ranges::count_if(text, is_letter));
    if (letters == text.size() && !blank_seen_) {
      line_.bases += letters;
      return;
    }
    for (const char c : text) take_letter(c);
  }

  /// Blanks may only end a line: between bases they would count as some.
  void take_letter(char c) {
    if (is_blank(c)) {
      blank_seen_ = true;
    } else if (is_letter(c) && !blank_seen_) {
      ++line_.bases;
    } else {
      expect_contig();
      fail(Errc::CorruptData, "{}: contig {}, line {}: expected letters only, found {}", file_,
           printable(name_), lines_.number(),
           is_letter(c) ? "a blank among them"
                        : fmt::format("byte {}", static_cast<unsigned char>(c)));
    }
  }

  void end_bases() {
    const Line line{line_.bases, line_.bytes + 1};  // (the file's last line may lack its LF)
    line_ = {};
    blank_seen_ = false;
    if (line.bases > 0) expect_contig();
    if (all_.bases == 0 && line.bases > 0) {
      begin_ = line_begin_;
      all_ = line;
    }
    length_ += line.bases;
    if (all_.bases > 0) check_length(line);
  }

  void expect_contig() const {
    if (names_.empty())
      fail(Errc::CorruptData, "{}: line {}: expected FASTA, found no '>' before it", file_,
           lines_.number());
  }

  /// A base is found by dividing its place by the bases of a line, so only the last may differ.
  void check_length(const Line& line) {
    if (short_line_ > 0 && line.bases > 0) refuse_line(short_line_, short_);
    if (line.bases > all_.bases || line.bytes > all_.bytes) refuse_line(lines_.number(), line);
    if (line == all_ || short_line_ > 0) return;
    short_line_ = lines_.number();
    short_ = line;
  }

  [[noreturn]] void refuse_line(std::uint64_t number, const Line& line) const {
    fail(Errc::CorruptData,
         "{}: contig {}, line {}: has {} bases in {} bytes, the lines before it {} in {}; parts of "
         "a FASTA file can be found if all lines of a contig but its last are alike",
         file_, printable(name_), number, line.bases, line.bytes, all_.bases, all_.bytes);
  }

  void end_contig() {
    if (names_.empty()) return;
    fmt::format_to(std::back_inserter(index_), "{}\t{}\t{}\t{}\t{}\n", name_, length_, begin_,
                   all_.bases, all_.bytes);
    if (index_.size() > kLargestIndex)
      fail(Errc::Unsupported, "{}: has more contigs than can be shown, {} up to {}", file_,
           names_.size(), printable(name_));
  }

  std::string_view file_;
  FastaLines lines_;
  std::string index_, name_;
  std::unordered_set<std::string> names_;
  std::uint64_t begin_ = 0, length_ = 0;  ///< of the contig: place of its first base, bases
  Line line_, all_, short_;
  std::uint64_t line_begin_ = 0;
  std::uint64_t short_line_ = 0;  ///< the contig's line that was shorter, which must be its last
  bool blank_seen_ = false;       ///< in this line
};

/// The places of BGZF blocks, kept on the disk: a count, then for each block with text but the
/// first where it stands in the file and in the text.
class GziWriter {
 public:
  explicit GziWriter(const std::filesystem::path& path) : file_(path) { put(0); }

  void add_block(std::uint64_t offset, std::uint64_t text_offset) {
    if (offset == 0) return;
    put(offset);
    put(text_offset);
    ++count_;
    if (waiting_.size() >= kReadAtOnce) flush();
  }

  void finish() {
    flush();
    put(count_);
    if (::pwrite(file_.descriptor(), waiting_.data(), waiting_.size(), 0) !=
        static_cast<ssize_t>(waiting_.size()))
      fail_system(errno, "write", file_.path().filename().string());
    file_.commit();
  }

 private:
  void put(std::uint64_t number) {
    for (int byte = 0; byte < 8; ++byte) waiting_ += static_cast<char>(number >> (8 * byte) & 0xFF);
  }

  void flush() {
    file_.write(waiting_);
    waiting_.clear();
  }

  AtomicFile file_;
  std::string waiting_;
  std::uint64_t count_ = 0;
};

/// What is read of a file, from its beginning to its end.
class Window {
 public:
  explicit Window(const app::IndexRequest& request) : request_(request) {}

  /// Reads on behind what is held; false at the file's end. \throws Error Cancelled, Io.
  bool fill() {
    if (request_.stop.stop_requested())
      fail(Errc::Cancelled, "{}: indexing was stopped", request_.file_name);
    bytes_.erase(0, at_);
    at_ = 0;
    const std::size_t held = bytes_.size();
    bytes_.resize(held + kReadAtOnce);
    ssize_t count = 0;
    do {
      count = ::pread(request_.file, bytes_.data() + held, kReadAtOnce,
                      static_cast<off_t>(offset_ + held));
    } while (count < 0 && errno == EINTR);
    bytes_.resize(held + static_cast<std::size_t>(std::max<ssize_t>(0, count)));
    if (count < 0) fail_system(errno, "read", request_.file_name);
    return count > 0;
  }

  [[nodiscard]] std::string_view held() const { return std::string_view(bytes_).substr(at_); }
  [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }  ///< of held()

  void drop(std::size_t size) {
    at_ += size;
    offset_ += size;
    request_.progress.advance(size);
  }

 private:
  const app::IndexRequest& request_;
  std::string bytes_;
  std::size_t at_ = 0;
  std::uint64_t offset_ = 0;
};

[[nodiscard]] std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

void read_plain(Window& window, FaiLines& lines) {
  do {
    lines.add(window.held());
    window.drop(window.held().size());
  } while (window.fill());
}

/// The size of the whole block at the window's beginning; nothing at the end of the file.
[[nodiscard]] std::optional<std::size_t> next_block(Window& window, std::string_view file) {
  while (true) {
    const auto header = try_read_bgzf_header(as_bytes(window.held()));
    if (header && header->block_size <= window.held().size()) return header->block_size;
    if (window.held().size() < kBgzfMaxBlock && window.fill()) continue;
    if (window.held().empty()) return std::nullopt;
    fail(Errc::CorruptData, "{}: no whole BGZF block at byte {}; the file is damaged or cut short",
         file, window.offset());
  }
}

void read_blocks(Window& window, FaiLines& lines, const app::IndexRequest& request) {
  GziWriter gzi(request.folder / "gzi");
  BgzfInflater inflater;
  std::string text(kBgzfMaxBlock, '\0');
  std::uint64_t text_offset = 0;
  while (const auto size = next_block(window, request.file_name)) {
    const std::size_t count = inflater.inflate(as_bytes(window.held().substr(0, *size)), text,
                                               request.file_name, window.offset());
    if (count > 0) gzi.add_block(window.offset(), text_offset);  // (as htslib: not the end marker)
    lines.add(std::string_view(text).substr(0, count));
    text_offset += count;
    window.drop(*size);
  }
  gzi.finish();
}

void make_index(const app::IndexRequest& request) {
  struct stat status{};
  if (::fstat(request.file, &status) != 0) fail_system(errno, "look at", request.file_name);
  request.progress.stage("index", static_cast<std::uint64_t>(status.st_size), "bytes");
  FaiLines lines(request.file_name);
  Window window(request);
  window.fill();
  if (!window.held().starts_with("\x1f\x8b")) {
    read_plain(window, lines);
  } else if (try_read_bgzf_header(as_bytes(window.held()))) {
    read_blocks(window, lines, request);
  } else {
    fail(Errc::Unsupported,
         "{}: is compressed in one piece (gzip), so no part of it can be read alone; compress it "
         "with bgzip, or not at all",
         request.file_name);
  }
  write_file(request.folder / "fai", lines.finish());
  request.progress.finish();
}

}  // namespace

app::FileIndex fasta_index() { return {.kind = "fasta", .version = 1, .make = make_index}; }

}  // namespace aceso::genomics
