#include "fasta_index.hpp"

#include "bgzf.hpp"
#include "fasta_lines.hpp"
#include "text_source.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"
#include "aceso/core/warnings.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>

namespace aceso::genomics {
namespace {

constexpr std::size_t kWrittenAtOnce = 1 << 20;
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
    header_line_ = lines_.number();
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
         "a FASTA file can be found if all lines of a contig but its last are alike: write it anew "
         "with lines of one length",
         file_, printable(name_), number, line.bases, line.bytes, all_.bases, all_.bytes);
  }

  void end_contig() {
    if (names_.empty()) return;
    // (Its line has no length to divide by: a viewer that goes there reads the whole file.)
    if (length_ == 0)
      fail(Errc::CorruptData, "{}: line {}: contig {} has no bases", file_, header_line_,
           printable(name_));
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
  std::uint64_t header_line_ = 0, begin_ = 0, length_ = 0;  ///< of the contig; begin of its bases
  Line line_, all_, short_;
  std::uint64_t line_begin_ = 0;
  std::uint64_t short_line_ = 0;  ///< the contig's line that was shorter, which must be its last
  bool blank_seen_ = false;       ///< in this line
};

/// The places of BGZF blocks, kept on the disk: a count, then for each block with text but the
/// first where it stands in the file and in the text, and last of all where both end. (bgzip ends
/// before the last; igv.js finds nothing in the last block then.)
class GziWriter {
 public:
  explicit GziWriter(const std::filesystem::path& path) : file_(path) { put(0); }

  void add_block(std::uint64_t offset, std::uint64_t text_offset) {
    if (offset == 0) return;
    put(offset);
    put(text_offset);
    ++count_;
    if (waiting_.size() >= kWrittenAtOnce) flush();
  }

  void finish(std::uint64_t end, std::uint64_t text_end) {
    add_block(end, text_end);
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

[[nodiscard]] std::string_view text_of(const TextPiece& piece) {
  return {reinterpret_cast<const char*>(piece.bytes.data()), piece.size};
}

/// A copy in blocks of what gzip has packed in one piece, of which no part could be read alone.
class BlockCopy {
 public:
  explicit BlockCopy(const std::filesystem::path& folder)
      : file_(folder / "bgz"), gzi_(folder / "gzi") {}

  void add(std::string_view text) {
    for (; !text.empty(); text.remove_prefix(std::min(text.size(), kBgzfTextPerBlock))) {
      const std::string_view part = text.substr(0, kBgzfTextPerBlock);
      gzi_.add_block(file_.size(), text_size_);
      block_.clear();
      deflater_.deflate(part, block_);
      file_.write(block_);
      text_size_ += part.size();
    }
  }

  void finish() {
    gzi_.finish(file_.size(), text_size_);
    file_.write(bgzf_end_marker());
    file_.commit();
  }

 private:
  AtomicFile file_;
  GziWriter gzi_;
  BgzfDeflater deflater_{1};
  std::string block_;
  std::uint64_t text_size_ = 0;
};

/// A FASTA file on its way into its index.
class FastaIndexer {
 public:
  explicit FastaIndexer(const app::IndexRequest& request)
      : request_(request), name_(request.file_name), lines_(name_) {}

  void add(const TextPiece& piece) {
    if (piece.blocks) return add_blocks(piece);
    lines_.add(text_of(piece));
    if (copy_) copy_->add(text_of(piece));
  }

  /// What comes is the text of gzip without blocks.
  void copy_in_blocks() { copy_.emplace(request_.folder); }

  void finish() {
    const std::string fai = lines_.finish();
    if (copy_) copy_->finish();
    if (gzi_) gzi_->finish(end_, text_size_);
    write_file(request_.folder / "fai", fai);
  }

 private:
  void add_blocks(const TextPiece& piece) {
    if (!gzi_) gzi_.emplace(request_.folder / "gzi");
    // The source cut the piece at whole blocks with good headers.
    std::uint64_t offset = piece.offset;
    for (std::span bytes = std::span(piece.bytes.data(), piece.size); !bytes.empty();) {
      const std::size_t size = try_read_bgzf_header(bytes)->block_size;
      const std::size_t count = inflater_.inflate(bytes.first(size), text_, name_, offset);
      if (count > 0) gzi_->add_block(offset, text_size_);
      lines_.add(std::string_view(text_).substr(0, count));
      text_size_ += count;
      offset += size;
      if (count > 0) end_ = offset;
      bytes = bytes.subspan(size);
    }
  }

  const app::IndexRequest& request_;
  std::string name_;
  FaiLines lines_;
  std::optional<GziWriter> gzi_;
  std::optional<BlockCopy> copy_;
  BgzfInflater inflater_;
  std::string text_ = std::string(kBgzfMaxBlock, '\0');
  std::uint64_t text_size_ = 0, end_ = 0;  ///< of the blocks' text; of the last block with any
};

[[nodiscard]] bool is_gzip(const std::filesystem::path& path) {
  std::array<std::byte, 2> bytes{};
  const std::size_t size = read_some(open_for_reading(path).get(), bytes, path);
  return size == 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
}

void make_index(const app::IndexRequest& request) {
  request.progress.stage("index", total_size({request.file}), "bytes");
  Warnings unheard;  // a missing end marker of BGZF does not matter here: the text is what counts
  TextSource source(request.file, std::string(request.file_name), unheard, "FASTA");
  FastaIndexer indexer(request);
  const bool packed = is_gzip(request.file);
  for (bool first = true; auto piece = source.next(); first = false) {
    if (request.stop.stop_requested())
      fail(Errc::Cancelled, "{}: indexing was stopped", request.file_name);
    if (first && packed && !piece->blocks) indexer.copy_in_blocks();
    indexer.add(*piece);
    request.progress.advance(piece->source_bytes);
  }
  indexer.finish();
  request.progress.finish();
}

}  // namespace

app::FileIndex fasta_index() { return {.kind = "fasta", .version = 1, .make = make_index}; }

}  // namespace aceso::genomics
