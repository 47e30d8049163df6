#include "bgzf.hpp"

#include "aceso/core/error.hpp"

#include <isa-l/igzip_lib.h>
#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <vector>

namespace aceso::genomics {
namespace {

constexpr std::size_t kTrailerSize = 8;  // CRC-32 and size of the text
constexpr std::size_t kGzipHeaderSize = 12;

std::uint32_t little16(const std::byte* p) {
  return std::to_integer<std::uint32_t>(p[0]) | std::to_integer<std::uint32_t>(p[1]) << 8;
}

std::uint32_t little32(const std::byte* p) { return little16(p) | little16(p + 2) << 16; }

void put16(char* p, std::size_t value) {
  p[0] = static_cast<char>(value & 0xFF);
  p[1] = static_cast<char>(value >> 8 & 0xFF);
}

void put32(char* p, std::uint32_t value) {
  put16(p, value & 0xFFFF);
  put16(p + 2, value >> 16);
}

/// The value of the extra subfield "BC", plus one; 0 if there is none.
std::size_t block_size_of_extra(std::span<const std::byte> extra) {
  while (extra.size() >= 4) {
    const std::size_t size = little16(extra.data() + 2);
    if (size > extra.size() - 4) return 0;
    if (extra[0] == std::byte{'B'} && extra[1] == std::byte{'C'} && size == 2)
      return little16(extra.data() + 4) + 1;
    extra = extra.subspan(4 + size);
  }
  return 0;
}

}  // namespace

std::string_view bgzf_end_marker() noexcept {
  static constexpr char kMarker[] =
      "\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\xff\x06\x00\x42\x43\x02\x00\x1b\x00\x03\x00\x00\x00\x00"
      "\x00\x00\x00\x00\x00";
  return {kMarker, sizeof(kMarker) - 1};
}

std::optional<BgzfHeader> try_read_bgzf_header(std::span<const std::byte> bytes,
                                               std::size_t* min_bytes) {
  const auto need = [&](std::size_t count) {
    if (min_bytes != nullptr) *min_bytes = count;
    return bytes.size() >= count;
  };
  if (!need(kGzipHeaderSize)) return std::nullopt;
  constexpr std::byte kExtraOnly{4};
  if (bytes[0] != std::byte{0x1f} || bytes[1] != std::byte{0x8b} || bytes[2] != std::byte{8} ||
      bytes[3] != kExtraOnly)
    return std::nullopt;
  const std::size_t extra_size = little16(bytes.data() + 10);
  if (!need(kGzipHeaderSize + extra_size)) return std::nullopt;
  const std::size_t block_size = block_size_of_extra(bytes.subspan(kGzipHeaderSize, extra_size));
  const std::size_t header_size = kGzipHeaderSize + extra_size;
  if (block_size < header_size + kTrailerSize) return std::nullopt;
  return BgzfHeader{header_size, block_size};
}

struct BgzfInflater::Impl {
  libdeflate_decompressor* decompressor = libdeflate_alloc_decompressor();
  ~Impl() { libdeflate_free_decompressor(decompressor); }
};

BgzfInflater::BgzfInflater() : impl_(std::make_unique<Impl>()) {
  if (impl_->decompressor == nullptr) throw std::bad_alloc();
}
BgzfInflater::~BgzfInflater() = default;
BgzfInflater::BgzfInflater(BgzfInflater&&) noexcept = default;

std::size_t BgzfInflater::inflate(std::span<const std::byte> block, std::span<char> out,
                                  std::string_view file, std::uint64_t offset) {
  const auto header = try_read_bgzf_header(block);
  if (!header || header->block_size != block.size())
    fail(Errc::CorruptData, "{}: BGZF block at byte {}: its header is damaged", file, offset);
  const std::byte* trailer = block.data() + block.size() - kTrailerSize;
  const std::size_t expected_size = little32(trailer + 4);
  if (expected_size > kBgzfMaxBlock || expected_size > out.size())
    fail(Errc::CorruptData,
         "{}: BGZF block at byte {}: tells a text of {} bytes, at most 65536 are allowed", file,
         offset, expected_size);
  std::size_t size = 0;
  const auto result = libdeflate_deflate_decompress(
      impl_->decompressor, block.data() + header->header_size,
      block.size() - header->header_size - kTrailerSize, out.data(), expected_size, &size);
  if (result != LIBDEFLATE_SUCCESS || size != expected_size)
    fail(Errc::CorruptData, "{}: BGZF block at byte {}: its compressed data are damaged", file,
         offset);
  const std::uint32_t expected = little32(trailer);
  if (const std::uint32_t found = libdeflate_crc32(0, out.data(), size); found != expected)
    fail(Errc::CorruptData, "{}: BGZF block at byte {}: checksum is {:08x}, expected {:08x}", file,
         offset, found, expected);
  return size;
}

namespace {

/// What igzip's hash table knows four bytes by: their CRC-32C, begun with 0.
std::uint32_t igzip_hash(std::uint32_t bytes) noexcept {
  constexpr std::uint32_t kCastagnoliReflected = 0x82F63B78;
  for (int bit = 0; bit < 32; ++bit)
    bytes = (bytes >> 1) ^ ((bytes & 1) != 0 ? kCastagnoliReflected : 0);
  // The shorter a text, the smaller the table, but who differs here differs in any. (Texts of
  // less than 288 bytes do not come this way.)
  constexpr std::uint32_t kFewestPlaces = 256;
  return bytes % kFewestPlaces;
}

/// igzip 2.30's kernels for x86-64 (isal_deflate_icf_body_hash_hist) put the third position of a
/// text where the address of the stream, not the text, would have it. This changes what is found,
/// and so the bytes, only if one of the first three positions belongs to that place.
bool address_may_matter(const isal_zstream& stream, std::string_view text) noexcept {
  constexpr std::size_t kPositions = 3;
  if (text.size() < kPositions + sizeof(std::uint32_t)) return false;
  const auto address = reinterpret_cast<std::uintptr_t>(&stream);
  const std::uint32_t place = igzip_hash(static_cast<std::uint32_t>(address >> 16));
  for (std::size_t i = 0; i < kPositions; ++i) {
    std::uint32_t bytes = 0;
    std::memcpy(&bytes, text.data() + i, sizeof(bytes));
    if (igzip_hash(bytes) == place) return true;
  }
  return false;
}

}  // namespace

struct BgzfDeflater::Impl {
  int level = 1;
  libdeflate_compressor* compressor = nullptr;
  std::vector<std::uint8_t> level_buffer;
  // One to three; each is larger than 64 KiB, so no two hash their address alike.
  std::vector<std::unique_ptr<isal_zstream>> streams;

  ~Impl() { libdeflate_free_compressor(compressor); }

  /// Returns the size, 0 if it does not fit.
  std::size_t compress(std::string_view text, char* out, std::size_t capacity) {
    if (level == 0) return 0;
    if (level >= 2)
      return libdeflate_deflate_compress(compressor, text.data(), text.size(), out, capacity);
    isal_zstream& stream = stream_for(text);
    isal_deflate_stateless_init(&stream);
    stream.level = kIgzipLevel;
    stream.level_buf = level_buffer.data();
    stream.level_buf_size = static_cast<std::uint32_t>(level_buffer.size());
    stream.end_of_stream = 1;
    stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<std::uint32_t>(text.size());
    stream.next_out = reinterpret_cast<std::uint8_t*>(out);
    stream.avail_out = static_cast<std::uint32_t>(capacity);
    const bool good = isal_deflate_stateless(&stream) == COMP_OK && stream.avail_in == 0;
    return good ? stream.total_out : 0;
  }

  isal_zstream& stream_for(std::string_view text) {
    for (const auto& stream : streams) {
      if (!address_may_matter(*stream, text)) return *stream;
    }
    streams.push_back(std::make_unique<isal_zstream>());
    return stream_for(text);
  }

  static std::size_t store(std::string_view text, char* out) {
    out[0] = 1;  // last block, not compressed
    put16(out + 1, text.size());
    put16(out + 3, ~text.size() & 0xFFFF);
    std::memcpy(out + 5, text.data(), text.size());
    return text.size() + 5;
  }

  void block(std::string_view text, std::string& out) {
    const std::size_t begin = out.size();
    out.resize(begin + kBgzfMaxBlock);
    char* p = out.data() + begin;
    std::memcpy(p, bgzf_end_marker().data(), kBgzfHeaderSize);
    constexpr std::size_t kRoom = kBgzfMaxBlock - kBgzfHeaderSize - kTrailerSize;
    std::size_t size = compress(text, p + kBgzfHeaderSize, kRoom);
    if (size == 0) size = store(text, p + kBgzfHeaderSize);
    put16(p + 16, kBgzfHeaderSize + size + kTrailerSize - 1);
    put32(p + kBgzfHeaderSize + size, libdeflate_crc32(0, text.data(), text.size()));
    put32(p + kBgzfHeaderSize + size + 4, static_cast<std::uint32_t>(text.size()));
    out.resize(begin + kBgzfHeaderSize + size + kTrailerSize);
  }

  // Of igzip's levels, 2 is as fast as 1 on FASTQ here and 0.5 % smaller.
  static constexpr std::uint32_t kIgzipLevel = 2;
};

BgzfDeflater::BgzfDeflater(int level) : impl_(std::make_unique<Impl>()) {
  if (level < 0 || level > 9)
    fail(Errc::InvalidArgument, "compression level {}: 0 to 9 are known", level);
  impl_->level = level;
  if (level == 1) impl_->level_buffer.resize(ISAL_DEF_LVL2_DEFAULT);
  // libdeflate's level 2 is hardly smaller than its 1, but half as fast.
  if (level >= 2) impl_->compressor = libdeflate_alloc_compressor(level == 2 ? 1 : level);
  if (level >= 2 && impl_->compressor == nullptr) throw std::bad_alloc();
}
BgzfDeflater::~BgzfDeflater() = default;
BgzfDeflater::BgzfDeflater(BgzfDeflater&&) noexcept = default;

void BgzfDeflater::deflate(std::string_view text, std::string& out) {
  // Blocks of equal size compress better than full ones and a small rest.
  std::size_t blocks = (text.size() + kBgzfTextPerBlock - 1) / kBgzfTextPerBlock;
  for (; blocks > 0; --blocks) {
    const std::size_t size = (text.size() + blocks - 1) / blocks;
    impl_->block(text.substr(0, size), out);
    text.remove_prefix(size);
  }
}

}  // namespace aceso::genomics
