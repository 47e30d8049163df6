/// \file
/// Lines of a text file, plain or gzip.
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <string>

struct gzFile_s;  // of zlib

namespace aceso::lm {

class Lines {
 public:
  /// \throws Error NotFound, Io.
  explicit Lines(const std::filesystem::path& path);
  ~Lines();
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  /// The next line without its '\n'; false behind the last one.
  /// \throws Error CorruptData on a damaged or cut-off gzip stream, Io.
  bool next(std::string& line);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  bool fill();

  std::string name_;
  gzFile_s* file_ = nullptr;
  std::array<char, 1U << 16> block_;
  std::size_t at_ = 0, size_ = 0;
};

}  // namespace aceso::lm
