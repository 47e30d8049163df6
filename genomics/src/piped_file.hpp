// A pipe for readers that open files by name, once what it begins with was looked at.
#pragma once

#include "aceso/core/files.hpp"

#include <cstddef>
#include <exception>
#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

namespace aceso::genomics {

/// Reads what cannot be read twice (a pipe, a terminal) and hands all of it on through a pipe of
/// its own, from a thread of its own. Linux only: the pipe has a name in /dev/fd.
class PipedFile {
 public:
  /// Waits for the first `head_size` bytes, or the end.
  /// \throws Error NotFound, Io; Cancelled if `stop` is requested before they came.
  PipedFile(const std::filesystem::path& path, std::size_t head_size, std::stop_token stop);
  /// Gives up what was not read.
  ~PipedFile();
  PipedFile(const PipedFile&) = delete;
  PipedFile& operator=(const PipedFile&) = delete;

  [[nodiscard]] std::string_view head() const noexcept { return head_; }
  /// A name under which all, the head first, can be read once and without seeking, as long as this
  /// object lives.
  [[nodiscard]] std::filesystem::path path() const;
  /// When the reader has closed its end: whether all it was given was all.
  /// \throws Error Io if reading failed, Cancelled if `stop` was requested.
  void finish();

 private:
  void hand_on(const std::stop_token& given_up) noexcept;

  std::filesystem::path source_path_;
  std::stop_token stop_;
  FileHandle source_, read_end_, write_end_;
  std::string head_;
  std::exception_ptr error_;
  std::jthread thread_;
};

}  // namespace aceso::genomics
