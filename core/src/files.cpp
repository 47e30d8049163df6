#include "aceso/core/files.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/hash.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

namespace aceso {
namespace fs = std::filesystem;

FileHandle& FileHandle::operator=(FileHandle&& other) noexcept {
  if (this != &other) {
    reset();
    descriptor_ = other.release();
  }
  return *this;
}

int FileHandle::release() noexcept { return std::exchange(descriptor_, -1); }

void FileHandle::reset() noexcept {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

FileHandle open_for_reading(const fs::path& path) {
  FileHandle file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file) fail_system(errno, "open", path.string());
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) fail_system(errno, "read", path.string());
  if (S_ISDIR(status.st_mode)) fail(Errc::Io, "{}: is a folder, expected a file", path.string());
  return file;
}

std::size_t read_some(int descriptor, std::span<std::byte> buffer, const fs::path& path) {
  while (true) {
    const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) fail_system(errno, "read", path.string());
  }
}

void write_all(int descriptor, std::span<const std::byte> bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) fail_system(errno, "write", path.string());
    if (count > 0) bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

std::string read_file(const fs::path& path, std::uint64_t limit) {
  const FileHandle file = open_for_reading(path);
  std::string content;
  std::string block(1U << 16, '\0');
  while (const std::size_t count =
             read_some(file.get(), std::as_writable_bytes(std::span(block)), path)) {
    content.append(block, 0, count);
    if (content.size() > limit)
      fail(Errc::CorruptData, "{}: larger than {} bytes, the most that is read here", path.string(),
           limit);
  }
  return content;
}

void write_file(const fs::path& path, std::string_view content) {
  AtomicFile file{path};
  file.write(content);
  file.commit();
}

void sync_folder(const fs::path& folder) {
  const FileHandle handle{
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!handle) fail_system(errno, "open", folder.string());
  // Some file systems cannot flush a folder and say EINVAL; there is nothing more to do then.
  if (::fsync(handle.get()) != 0 && errno != EINVAL) fail_system(errno, "flush", folder.string());
}

// ---------------------------------------------------------------------------------- AtomicFile

struct AtomicFile::Impl {
  fs::path path;
  fs::path part;  ///< empty: bytes go to `path` directly
  FileHandle file;
  std::uint64_t size = 0;

  ~Impl() {
    if (!part.empty()) ::unlink(part.c_str());
  }
};

namespace {

/// Devices and pipes cannot be renamed over.
bool is_special(const fs::path& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

fs::path sibling(const fs::path& path) {
  // Long names are cut, so that the sibling's name fits wherever the name itself does.
  return path.parent_path() /
         ("." + path.filename().string().substr(0, 200) + "." + random_hex(4) + ".part");
}

/// Where `path` leads when it is a symbolic link, so that the link stays and its target is
/// replaced.
fs::path followed(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_symlink(path, ignored)) return path;
  fs::path target = fs::weakly_canonical(path, ignored);
  return ignored ? path : target;
}

}  // namespace

AtomicFile::AtomicFile(fs::path path) : impl_(std::make_unique<Impl>()) {
  impl_->path = followed(path);
  if (is_special(impl_->path)) {
    impl_->file = FileHandle{::open(impl_->path.c_str(), O_WRONLY | O_CLOEXEC)};
    if (!impl_->file) fail_system(errno, "open", impl_->path.string());
    return;
  }
  std::error_code ignored;
  if (fs::is_directory(impl_->path, ignored))
    fail(Errc::Io, "{}: is a folder, expected a file name", path.string());
  fs::path part = sibling(impl_->path);
  impl_->file = FileHandle{::open(part.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666)};
  if (!impl_->file) fail_system(errno, "create", path.string());
  impl_->part = std::move(part);
}

AtomicFile::~AtomicFile() = default;
AtomicFile::AtomicFile(AtomicFile&&) noexcept = default;
AtomicFile& AtomicFile::operator=(AtomicFile&&) noexcept = default;

void AtomicFile::write(std::span<const std::byte> bytes) {
  write_all(impl_->file.get(), bytes, impl_->path);
  impl_->size += bytes.size();
}

void AtomicFile::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

void AtomicFile::commit() {
  if (impl_->part.empty()) return;
  const std::string name = impl_->path.string();
  if (::fsync(impl_->file.get()) != 0) fail_system(errno, "write", name);
  if (::rename(impl_->part.c_str(), impl_->path.c_str()) != 0) fail_system(errno, "write", name);
  impl_->part.clear();
  sync_folder(impl_->path.parent_path());
}

const fs::path& AtomicFile::path() const noexcept { return impl_->path; }
std::uint64_t AtomicFile::size() const noexcept { return impl_->size; }
int AtomicFile::descriptor() const noexcept { return impl_->file.get(); }

// -------------------------------------------------------------------------------- AtomicFolder

struct AtomicFolder::Impl {
  fs::path path;
  fs::path part;

  ~Impl() {
    std::error_code ignored;
    if (!part.empty()) fs::remove_all(part, ignored);
  }
};

AtomicFolder::AtomicFolder(fs::path path) : impl_(std::make_unique<Impl>()) {
  impl_->path = followed(path.has_filename() ? path : path.parent_path());
  std::error_code ignored;
  if (fs::exists(impl_->path, ignored) && !fs::is_directory(impl_->path, ignored))
    fail(Errc::Io, "{}: is a file, expected a folder or a new name", path.string());
  fs::path part = sibling(impl_->path);
  if (::mkdir(part.c_str(), 0777) != 0) fail_system(errno, "create", path.string());
  impl_->part = std::move(part);
}

AtomicFolder::~AtomicFolder() = default;
AtomicFolder::AtomicFolder(AtomicFolder&&) noexcept = default;
AtomicFolder& AtomicFolder::operator=(AtomicFolder&&) noexcept = default;

const fs::path& AtomicFolder::path() const noexcept { return impl_->path; }
const fs::path& AtomicFolder::staging() const noexcept { return impl_->part; }

void AtomicFolder::commit() {
  const std::string name = impl_->path.string();
  for (const auto& entry : fs::recursive_directory_iterator(impl_->part)) {
    const FileHandle file{::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file || (::fsync(file.get()) != 0 && errno != EINVAL)) fail_system(errno, "write", name);
  }
  std::error_code ignored;
  if (fs::exists(impl_->path, ignored)) {
    // The two change places, so that a reader finds one or the other at any moment.
    if (::renameat2(AT_FDCWD, impl_->part.c_str(), AT_FDCWD, impl_->path.c_str(),
                    RENAME_EXCHANGE) != 0)
      fail_system(errno, "replace", name);
    fs::remove_all(impl_->part, ignored);
  } else if (::rename(impl_->part.c_str(), impl_->path.c_str()) != 0) {
    fail_system(errno, "write", name);
  }
  impl_->part.clear();
  sync_folder(impl_->path.parent_path());
}

// ---------------------------------------------------------------------------------- MappedFile

MappedFile::MappedFile(const fs::path& path) {
  const FileHandle file = open_for_reading(path);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) fail_system(errno, "read", path.string());
  if (!S_ISREG(status.st_mode))
    fail(Errc::Io, "{}: not a regular file, cannot be mapped", path.string());
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return;
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (address == MAP_FAILED) fail_system(errno, "map", path.string());
  bytes_ = {static_cast<const std::byte*>(address), size};
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

// ------------------------------------------------------------------------------- ScratchFolder

ScratchFolder::ScratchFolder(const fs::path& parent) : path_(parent / ("aceso-" + random_hex(8))) {
  if (::mkdir(path_.c_str(), 0700) != 0) fail_system(errno, "create a folder in", parent.string());
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

ScratchFolder& ScratchFolder::operator=(ScratchFolder&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}

}  // namespace aceso
