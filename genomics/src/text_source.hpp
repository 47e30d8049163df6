// Files as pieces of text: opens one after the other, finds out how each is compressed, and
// hands on gzip and plain text inflated, BGZF as whole blocks that any thread may inflate.
#pragma once

#include "bgzf.hpp"

#include "aceso/core/tensor.hpp"
#include "aceso/core/warnings.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::genomics {

struct TextPiece {
  Buffer bytes;                    ///< of text with kTextMargin bytes to spare behind it
  std::size_t size = 0;            ///< bytes used
  bool blocks = false;             ///< whole BGZF blocks instead of text
  bool file_ends = false;          ///< behind these bytes
  std::uint32_t file = 0;          ///< index
  std::uint64_t offset = 0;        ///< of the first block in its file
  std::uint64_t source_bytes = 0;  ///< read from the file for this piece
};

class TextSource {
 public:
  /// Opens the first file. `expected` names the format in messages.
  /// \throws Error NotFound, Io.
  TextSource(std::vector<std::filesystem::path> files, Warnings& warnings,
             std::string_view expected = "FASTQ");
  /// One file that messages call `name`.
  TextSource(std::filesystem::path file, std::string name, Warnings& warnings,
             std::string_view expected);
  ~TextSource();
  TextSource(TextSource&&) noexcept;
  TextSource& operator=(TextSource&&) noexcept;

  /// The next piece; nothing behind the last file.
  /// \throws Error CorruptData naming the file, Unsupported for another compression, Io.
  [[nodiscard]] std::optional<TextPiece> next();

  [[nodiscard]] const std::shared_ptr<const std::vector<std::string>>& file_names() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Inflates a piece of BGZF blocks; gives others back as they are.
[[nodiscard]] TextPiece inflate_piece(TextPiece piece, BgzfInflater& inflater,
                                      const std::vector<std::string>& files);

/// What gzip data that begin with `bytes` hold first, `most` bytes of it or as far as they go.
/// \throws Error CorruptData if they hold nothing that can be inflated.
[[nodiscard]] std::string first_gzip_text(std::span<const std::byte> bytes, std::size_t most);

/// Sum of the sizes of `files`; 0 if one is no regular file.
[[nodiscard]] std::uint64_t total_size(const std::vector<std::filesystem::path>& files);

}  // namespace aceso::genomics
