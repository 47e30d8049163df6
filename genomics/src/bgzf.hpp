// BGZF (SAM specification, section 4.1): gzip members of at most 64 KiB that tell their size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace aceso::genomics {

inline constexpr std::size_t kBgzfMaxBlock = 65536;  ///< compressed or not
inline constexpr std::size_t kBgzfHeaderSize = 18;   ///< of the blocks we write
inline constexpr std::size_t kBgzfTextPerBlock = 65280;

/// The 28 bytes that end a complete BGZF file.
[[nodiscard]] std::string_view bgzf_end_marker() noexcept;

/// One block, as its header tells.
struct BgzfHeader {
  std::size_t header_size = 0;
  std::size_t block_size = 0;  ///< all of it, with header and trailer
};

/// Reads the header at the beginning of `bytes`; nothing if it is not complete yet or no BGZF.
/// `min_bytes` (if given) is set to what must be there to tell.
[[nodiscard]] std::optional<BgzfHeader> try_read_bgzf_header(std::span<const std::byte> bytes,
                                                             std::size_t* min_bytes = nullptr);

/// Inflates BGZF blocks. One per thread.
class BgzfInflater {
 public:
  BgzfInflater();
  ~BgzfInflater();
  BgzfInflater(BgzfInflater&&) noexcept;

  /// Inflates the block `block` into `out` (at least kBgzfMaxBlock bytes); returns the size.
  /// \throws Error CorruptData naming `file` and `offset`, the place of the block in it.
  [[nodiscard]] std::size_t inflate(std::span<const std::byte> block, std::span<char> out,
                                    std::string_view file, std::uint64_t offset);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Deflates text into BGZF blocks. One per thread.
class BgzfDeflater {
 public:
  /// `level` 0: stored; 1: fastest (igzip); 2 to 9: libdeflate, smaller and slower with each.
  explicit BgzfDeflater(int level);
  ~BgzfDeflater();
  BgzfDeflater(BgzfDeflater&&) noexcept;

  /// Appends the blocks of `text` to `out`. The same text always gives the same bytes.
  void deflate(std::string_view text, std::string& out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aceso::genomics
