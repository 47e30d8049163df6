#include "text_source.hpp"

#include "aceso/genomics/fastq.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"

#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace aceso::genomics {
namespace {

// With its margin a power of two, as the buffers of the pool are.
constexpr std::size_t kPieceSize = (256 << 10) - kTextMargin;
constexpr std::size_t kReadSize = 512 << 10;

enum class Packing { Plain, Gzip, Bgzf };

/// A file read through a window, so that its beginning can be looked at first.
class Window {
 public:
  explicit Window(std::filesystem::path path)
      : path_(std::move(path)), file_(open_for_reading(path_)), bytes_(kReadSize) {}

  /// Tries to have at least `count` (up to kReadSize) bytes in the window; fewer at the file's end.
  void want(std::size_t count) {
    if (size() >= count || ended_) return;
    std::memmove(bytes_.data(), bytes_.data() + begin_, size());
    end_ -= begin_;
    begin_ = 0;
    while (size() < count && !ended_) {
      const std::size_t got =
          read_some(file_.get(), {bytes_.data() + end_, bytes_.size() - end_}, path_);
      ended_ = got == 0;
      end_ += got;
    }
  }

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return {bytes_.data() + begin_, size()};
  }
  [[nodiscard]] std::size_t size() const noexcept { return end_ - begin_; }
  [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }

  void skip(std::size_t count) noexcept {
    begin_ += count;
    offset_ += count;
  }

 private:
  std::filesystem::path path_;
  FileHandle file_;
  Buffer bytes_;
  std::size_t begin_ = 0, end_ = 0;
  std::uint64_t offset_ = 0;
  bool ended_ = false;
};

bool begins_with(std::span<const std::byte> bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

void refuse_other_packings(std::span<const std::byte> bytes, const std::string& name,
                           std::string_view expected) {
  struct Other {
    std::string_view magic, what, hint;
  };
  static constexpr Other kOthers[] = {
      {"BZh", "bzip2", "unpack it with bunzip2"},
      {"\x28\xb5\x2f\xfd", "Zstandard", "unpack it with unzstd"},
      {{"\xfd\x37\x7a\x58\x5a\x00", 6}, "xz", "unpack it with unxz"},
      {"PK\x03\x04", "zip", "unpack it with unzip"},
      {"CRAM", "CRAM", "convert it with samtools fastq"},
      {{"\xff\xfe", 2}, "UTF-16 text", "convert it to ASCII"},
      {"\xef\xbb\xbf", "text with a byte order mark", "save it as ASCII"},
  };
  for (const Other& other : kOthers) {
    if (begins_with(bytes, other.magic))
      fail(Errc::Unsupported,
           "{}: this is {}, expected {}, plain or compressed with gzip or bgzip; {}", name,
           other.what, expected, other.hint);
  }
}

/// One gzip file after the other members; keeps igzip's state across pieces.
class Gunzip {
 public:
  Gunzip() { begin_member(); }

  /// Inflates into `out`; returns the size, which is short of `out.size()` at the file's end only.
  std::size_t read(Window& in, std::span<char> out, const std::string& name) {
    std::size_t done = 0;
    while (done < out.size()) {
      if (between_members_ && !next_member(in, name)) break;
      done += step(in, out.subspan(done), name);
    }
    return done;
  }

 private:
  void begin_member() {
    isal_inflate_init(&state_);
    state_.crc_flag = ISAL_GZIP;
    between_members_ = false;
  }

  bool next_member(Window& in, const std::string& name) {
    in.want(1);
    if (std::ranges::all_of(in.bytes(), [](std::byte b) { return b == std::byte{0}; }) &&
        in.size() < kReadSize) {
      // Tapes pad with zeros; so do some archives.
      in.skip(in.size());
      in.want(1);
      if (in.size() == 0) return false;
    }
    in.want(2);
    if (!begins_with(in.bytes(), "\x1f\x8b"))
      fail(Errc::CorruptData,
           "{}: at byte {}: expected the end of the file or another gzip member, found other bytes",
           name, in.offset());
    begin_member();
    return true;
  }

  std::size_t step(Window& in, std::span<char> out, const std::string& name) {
    in.want(1);
    state_.next_in = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(in.bytes().data()));
    state_.avail_in = static_cast<std::uint32_t>(in.size());
    state_.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    state_.avail_out = static_cast<std::uint32_t>(out.size());
    const int result = isal_inflate(&state_);
    const std::size_t used = in.size() - state_.avail_in;
    const std::size_t made = out.size() - state_.avail_out;
    const bool no_input = in.size() == 0;
    in.skip(used);
    if (result == ISAL_INCORRECT_CHECKSUM)
      fail(Errc::CorruptData,
           "{}: gzip member ending at byte {}: checksum or size differs from what it tells", name,
           in.offset());
    if (result != ISAL_DECOMP_OK && result != ISAL_END_INPUT)
      fail(Errc::CorruptData, "{}: near byte {}: gzip data are damaged", name, in.offset());
    between_members_ = state_.block_state == ISAL_BLOCK_FINISH;
    if (!between_members_ && no_input && made == 0)
      fail(Errc::CorruptData, "{}: ends inside gzip data, at byte {}: the file is truncated", name,
           in.offset());
    return made;
  }

  inflate_state state_{};
  bool between_members_ = false;
};

}  // namespace

struct TextSource::Impl {
  Impl(std::vector<std::filesystem::path> paths, std::vector<std::string> shown, Warnings& sink,
       std::string_view format)
      : files(std::move(paths)),
        names(std::make_shared<const std::vector<std::string>>(std::move(shown))),
        warnings(sink),
        expected(format) {}

  [[nodiscard]] const std::string& name() const { return (*names)[index]; }

  void open() {
    window = std::make_unique<Window>(files[index]);
    window->want(4096);
    text_size = 0;
    bytes_told = 0;
    packing = find_packing();
    if (packing == Packing::Gzip) gunzip = std::make_unique<Gunzip>();
    if (packing == Packing::Bgzf) marker_seen = false;
  }

  Packing find_packing() {
    if (try_read_bgzf_header(window->bytes())) return Packing::Bgzf;
    if (begins_with(window->bytes(), "\x1f\x8b")) return Packing::Gzip;
    refuse_other_packings(window->bytes(), name(), expected);
    return Packing::Plain;
  }

  TextPiece piece() {
    TextPiece out;
    out.file = static_cast<std::uint32_t>(index);
    out.offset = window->offset();
    if (packing == Packing::Plain) read_plain(out);
    if (packing == Packing::Gzip) read_gzip(out);
    if (packing == Packing::Bgzf) read_blocks(out);
    out.source_bytes = window->offset() - bytes_told;
    bytes_told = window->offset();
    if (out.file_ends) end_file();
    return out;
  }

  void read_plain(TextPiece& out) {
    window->want(kPieceSize);
    out.size = std::min(window->size(), kPieceSize);
    out.bytes = Buffer(out.size + kTextMargin);
    std::memcpy(out.bytes.data(), window->bytes().data(), out.size);
    window->skip(out.size);
    out.file_ends = out.size < kPieceSize;
    text_size += out.size;
  }

  void read_gzip(TextPiece& out) {
    out.bytes = Buffer(kPieceSize + kTextMargin);
    out.size =
        gunzip->read(*window, {reinterpret_cast<char*>(out.bytes.data()), kPieceSize}, name());
    out.file_ends = out.size < kPieceSize;
    text_size += out.size;
  }

  void read_blocks(TextPiece& out) {
    // A full window holds a piece and the largest block, so a block it cuts off ends the file.
    static_assert(kReadSize >= kPieceSize + kBgzfMaxBlock);
    window->want(kReadSize);
    out.blocks = true;
    const std::span<const std::byte> bytes = window->bytes();
    while (out.size < kPieceSize) {
      const std::size_t block = block_size(bytes.subspan(out.size), window->offset() + out.size);
      if (block == 0) break;
      note_block(bytes.subspan(out.size, block));
      out.size += block;
    }
    out.bytes = Buffer(std::max<std::size_t>(out.size, 1));
    std::memcpy(out.bytes.data(), bytes.data(), out.size);
    window->skip(out.size);
    window->want(1);
    out.file_ends = window->size() == 0;
  }

  void note_block(std::span<const std::byte> block) {
    for (const std::byte size_byte : block.last(4))
      text_size += std::to_integer<std::uint8_t>(size_byte);
    marker_seen = block.size() == bgzf_end_marker().size() && begins_with(block, bgzf_end_marker());
  }

  /// Size of the whole block at the beginning of `bytes`; 0 at the file's end.
  std::size_t block_size(std::span<const std::byte> bytes, std::uint64_t offset) {
    if (bytes.empty()) return 0;
    std::size_t needed = 0;
    const auto header = try_read_bgzf_header(bytes, &needed);
    if (!header && bytes.size() >= needed)
      fail(
          Errc::CorruptData,
          "{}: at byte {}: expected a BGZF block (gzip with the extra field BC), found other bytes",
          name(), offset);
    if (!header || header->block_size > bytes.size())
      fail(Errc::CorruptData, "{}: ends inside the BGZF block at byte {}: the file is truncated",
           name(), offset);
    return header->block_size;
  }

  void end_file() {
    if (packing == Packing::Bgzf && !marker_seen)
      warnings.add("bgzf.no_end_marker",
                   fmt::format("{}: has no BGZF end marker: it may be truncated", name()));
    if (text_size == 0 && expected == "FASTQ")
      warnings.add("fastq.no_reads", fmt::format("{}: holds no reads", name()));
    window.reset();
    ++index;
  }

  std::vector<std::filesystem::path> files;
  std::shared_ptr<const std::vector<std::string>> names;
  Warnings& warnings;
  std::string expected;
  std::size_t index = 0;
  std::unique_ptr<Window> window;
  std::unique_ptr<Gunzip> gunzip;
  Packing packing = Packing::Plain;
  bool marker_seen = false;
  std::uint64_t text_size = 0;  ///< 0 as long as the file held no text; of BGZF not the exact size
  std::uint64_t bytes_told = 0;
};

TextSource::TextSource(std::vector<std::filesystem::path> files, Warnings& warnings,
                       std::string_view expected) {
  std::vector<std::string> names;
  for (const auto& file : files) names.push_back(file.string());
  impl_ = std::make_unique<Impl>(std::move(files), std::move(names), warnings, expected);
  if (!impl_->files.empty()) impl_->open();
}

TextSource::TextSource(std::filesystem::path file, std::string name, Warnings& warnings,
                       std::string_view expected)
    : impl_(std::make_unique<Impl>(std::vector{std::move(file)}, std::vector{std::move(name)},
                                   warnings, expected)) {
  impl_->open();
}
TextSource::~TextSource() = default;
TextSource::TextSource(TextSource&&) noexcept = default;
TextSource& TextSource::operator=(TextSource&&) noexcept = default;

std::optional<TextPiece> TextSource::next() {
  if (impl_->index >= impl_->files.size()) return std::nullopt;
  if (!impl_->window) impl_->open();
  return impl_->piece();
}

const std::shared_ptr<const std::vector<std::string>>& TextSource::file_names() const noexcept {
  return impl_->names;
}

TextPiece inflate_piece(TextPiece piece, BgzfInflater& inflater,
                        const std::vector<std::string>& files) {
  if (!piece.blocks) return piece;
  TextPiece out = piece;
  out.blocks = false;
  out.size = 0;
  std::span<const std::byte> bytes{piece.bytes.data(), piece.size};
  std::uint64_t offset = piece.offset;
  std::size_t room = 0;
  for (auto rest = bytes; !rest.empty();
       rest = rest.subspan(try_read_bgzf_header(rest)->block_size))
    room += kBgzfMaxBlock;
  out.bytes = Buffer(room + kTextMargin);
  char* text = reinterpret_cast<char*>(out.bytes.data());
  while (!bytes.empty()) {
    // The source cut the piece at whole blocks with good headers.
    const std::size_t block = try_read_bgzf_header(bytes)->block_size;
    out.size += inflater.inflate(bytes.first(block), {text + out.size, kBgzfMaxBlock},
                                 files[piece.file], offset);
    bytes = bytes.subspan(block);
    offset += block;
  }
  return out;
}

std::string first_gzip_text(std::span<const std::byte> bytes, std::size_t most) {
  std::string out(most, '\0');
  inflate_state state{};
  isal_inflate_init(&state);
  state.crc_flag = ISAL_GZIP;
  state.next_in = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(bytes.data()));
  state.avail_in = static_cast<std::uint32_t>(bytes.size());
  state.next_out = reinterpret_cast<std::uint8_t*>(out.data());
  state.avail_out = static_cast<std::uint32_t>(most);
  const int result = isal_inflate(&state);
  out.resize(most - state.avail_out);
  if (out.empty() && result != ISAL_DECOMP_OK && result != ISAL_END_INPUT)
    fail(Errc::CorruptData, "its gzip data are damaged");
  return out;
}

std::uint64_t total_size(const std::vector<std::filesystem::path>& files) {
  std::uint64_t total = 0;
  for (const auto& file : files) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error)) return 0;
    const auto size = std::filesystem::file_size(file, error);
    if (error) return 0;
    total += size;
  }
  return total;
}

}  // namespace aceso::genomics
