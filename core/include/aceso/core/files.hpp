/// \file
/// Files: read whole or mapped; written beside their place and renamed, so that nobody ever
/// sees half of one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace aceso {

/// Owns a file descriptor.
class FileHandle {
 public:
  FileHandle() = default;
  explicit FileHandle(int descriptor) noexcept : descriptor_(descriptor) {}
  FileHandle(FileHandle&& other) noexcept : descriptor_(other.release()) {}
  FileHandle& operator=(FileHandle&& other) noexcept;
  FileHandle(const FileHandle&) = delete;
  FileHandle& operator=(const FileHandle&) = delete;
  ~FileHandle() { reset(); }

  [[nodiscard]] int get() const noexcept { return descriptor_; }
  [[nodiscard]] explicit operator bool() const noexcept { return descriptor_ >= 0; }
  int release() noexcept;
  void reset() noexcept;

 private:
  int descriptor_ = -1;
};

/// Opens `path` for reading. \throws Error NotFound, Io (a folder, no permission).
[[nodiscard]] FileHandle open_for_reading(const std::filesystem::path& path);

/// Reads up to `buffer.size()` bytes; returns how many, 0 at the end. Retries interrupted calls.
/// \throws Error Io naming `path`.
[[nodiscard]] std::size_t read_some(int descriptor, std::span<std::byte> buffer,
                                    const std::filesystem::path& path);

/// Writes all of `bytes`. \throws Error OutOfResources when the disk is full, else Io.
void write_all(int descriptor, std::span<const std::byte> bytes, const std::filesystem::path& path);

/// Returns the content of a small file. \throws Error NotFound, Io, or CorruptData when it is
/// larger than `limit` bytes.
[[nodiscard]] std::string read_file(const std::filesystem::path& path,
                                    std::uint64_t limit = 256ULL << 20);

/// Writes `content` through an AtomicFile.
void write_file(const std::filesystem::path& path, std::string_view content);

/// A file that appears under its name only when it is complete.
///
/// Bytes go to a hidden sibling (".NAME.RANDOM.part"); commit() flushes it to the disk,
/// renames it over `path` and flushes the folder. Destroyed without commit(), it removes the
/// sibling and leaves what was at `path` alone. Not thread-safe.
///
/// When `path` is a character device or a pipe (/dev/stdout, /dev/null), bytes go there directly.
class AtomicFile {
 public:
  /// \throws Error NotFound if the folder does not exist, Io if it cannot be written.
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(AtomicFile&&) noexcept;
  AtomicFile& operator=(AtomicFile&&) noexcept;

  /// Appends. \throws Error OutOfResources when the disk is full, else Io.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);

  /// \throws Error OutOfResources, Io; then nothing is at `path` that was not there before.
  void commit();

  [[nodiscard]] const std::filesystem::path& path() const noexcept;
  [[nodiscard]] std::uint64_t size() const noexcept;  ///< bytes written so far
  [[nodiscard]] int descriptor() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A folder that appears under its name only when it is complete.
///
/// Files are put into staging(), a hidden sibling; commit() flushes them and renames the folder
/// to `path`, taking the place of a folder that is there. Destroyed without commit(), it removes
/// the sibling and leaves what was at `path` alone. Not thread-safe.
class AtomicFolder {
 public:
  /// \throws Error NotFound if the parent does not exist, Io if it cannot be written or a file is
  /// at `path`.
  explicit AtomicFolder(std::filesystem::path path);
  ~AtomicFolder();
  AtomicFolder(AtomicFolder&&) noexcept;
  AtomicFolder& operator=(AtomicFolder&&) noexcept;

  [[nodiscard]] const std::filesystem::path& path() const noexcept;
  [[nodiscard]] const std::filesystem::path& staging() const noexcept;

  /// \throws Error OutOfResources, Io; then nothing is at `path` that was not there before.
  void commit();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Flushes a folder's entries to the disk, so that a rename in it survives a power cut.
void sync_folder(const std::filesystem::path& folder);

/// A whole file mapped read-only. Empty files map to an empty span.
class MappedFile {
 public:
  /// \throws Error NotFound, Io.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

/// A folder that is removed, with all in it, when this object goes.
class ScratchFolder {
 public:
  /// Makes a new folder with a random name below `parent`, readable by its owner only.
  explicit ScratchFolder(const std::filesystem::path& parent);
  ~ScratchFolder();
  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::move(other.path_)) {
    other.path_.clear();
  }
  ScratchFolder& operator=(ScratchFolder&& other) noexcept;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace aceso
