#include "store/library.hpp"

#include "refusal.hpp"

#include "aceso/core/text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <set>

namespace aceso::hub {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kUploadLifetimeSeconds = 7 * 24 * 3600;

[[nodiscard]] Sha256 hash_of_first(const fs::path& path, std::uint64_t bytes) {
  Sha256 hash;
  if (bytes == 0) return hash;
  const FileHandle file = open_for_reading(path);
  std::vector<std::byte> block(256 * 1024);
  while (bytes > 0) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, block.size()));
    const std::size_t count = read_some(file.get(), std::span(block).first(wanted), path);
    if (count == 0)
      fail(Errc::CorruptData, "{}: is shorter than what was acknowledged",
           path.filename().string());
    hash.update(std::span(block).first(count));
    bytes -= count;
  }
  return hash;
}

void remove_quietly(const fs::path& path) noexcept {
  std::error_code ignored;
  fs::remove(path, ignored);
}

}  // namespace

HashedFile HashedFile::create(const fs::path& path) {
  FileHandle file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) fail_system(errno, "create", path.filename().string());
  return {path, std::move(file), 0, Sha256()};
}

HashedFile HashedFile::open(const fs::path& path, std::uint64_t bytes, Sha256 hash) {
  FileHandle file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!file) fail_system(errno, "open", path.filename().string());
  if (::ftruncate(file.get(), static_cast<off_t>(bytes)) != 0)
    fail_system(errno, "truncate", path.filename().string());
  if (::lseek(file.get(), static_cast<off_t>(bytes), SEEK_SET) < 0)
    fail_system(errno, "seek in", path.filename().string());
  return {path, std::move(file), bytes, std::move(hash)};
}

void HashedFile::write(std::span<const std::byte> bytes) {
  try {
    write_all(file_.get(), bytes, path_.filename());
  } catch (...) {
    // Part of it may have arrived, e.g. before the disk was full; size and hash do not know it.
    static_cast<void>(::ftruncate(file_.get(), static_cast<off_t>(size_)));
    static_cast<void>(::lseek(file_.get(), static_cast<off_t>(size_), SEEK_SET));
    throw;
  }
  hash_.update(bytes);
  size_ += bytes.size();
}

void HashedFile::flush() {
  if (::fdatasync(file_.get()) != 0) fail_system(errno, "flush", path_.filename().string());
}

Library::Library(Store& store, fs::path blobs, fs::path uploads)
    : store_(store), blobs_(std::move(blobs)), uploads_(std::move(uploads)) {
  fs::create_directories(blobs_);
  fs::create_directories(uploads_);
  store_.remove_uploads_before(utc_before(kUploadLifetimeSeconds));
  repair_uploads();
  remove_unknown_blobs();
}

void Library::check_name(const std::string& name, const std::string& pointer) {
  const bool has_control =
      std::ranges::any_of(name, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  const bool fine = !name.empty() && name.size() <= 200 && is_utf8(name) && !has_control &&
                    name != "." && name != ".." && name.find('/') == std::string::npos &&
                    name.find('\\') == std::string::npos;
  if (fine) return;
  throw Refusal(
      422, Errc::InvalidArgument, "the name is not a file name",
      {{pointer, fmt::format("expected a file name of 1 to 200 bytes without '/', found '{}'",
                             printable(name))}});
}

void Library::check_room(std::uint64_t bytes) const {
  struct statvfs disk{};
  if (::statvfs(uploads_.c_str(), &disk) != 0) return;
  const std::uint64_t free = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  if (bytes > free)
    fail(Errc::OutOfResources, "the disk of the data folder has {} left, the file needs {}",
         format_bytes(free), format_bytes(bytes));
}

HashedFile Library::new_file() const {
  return HashedFile::create(uploads_ / ("new-" + random_hex(8)));
}

DataRecord Library::add(HashedFile file, const std::string& name) {
  try {
    file.flush();
    const DataRecord record = new_record(file, name);
    const std::scoped_lock lock(blob_mutex_);
    link_to_blobs(file.path(), record.sha256);
    store_.add_data(record);
    remove_quietly(file.path());
    return record;
  } catch (...) {
    remove_quietly(file.path());
    throw;
  }
}

DataRecord Library::add_copy_of(FileHandle source, const std::string& name) {
  HashedFile copy = new_file();
  try {
    std::vector<std::byte> block(256 * 1024);
    while (const std::size_t count = read_some(source.get(), block, name))
      copy.write(std::span(block).first(count));
  } catch (...) {
    remove_quietly(copy.path());
    throw;
  }
  return add(std::move(copy), name);
}

FileHandle Library::open(const DataRecord& record) const {
  return open_for_reading(path_of(record));
}

void Library::remove(const std::string& id) {
  const auto record = store_.find_data(id);
  if (!record) fail(Errc::NotFound, "there are no data {}", id);
  const std::scoped_lock lock(blob_mutex_);
  store_.remove_data(id);
  remove_blob_if_unneeded(record->sha256);
}

UploadRecord Library::begin_upload(const std::string& name, std::uint64_t bytes) {
  check_room(bytes);
  const UploadRecord record{.id = random_hex(8), .name = name, .bytes = bytes, .offset = 0};
  store_.add_upload(record, utc_now());
  return record;
}

DataRecord Library::complete(const UploadRecord& upload, HashedFile& file) {
  const DataRecord record = new_record(file, upload.name);
  const std::scoped_lock lock(blob_mutex_);
  link_to_blobs(file.path(), record.sha256);
  store_.complete_upload(upload.id, record);
  remove_quietly(file.path());
  return record;
}

void Library::remove_upload(const std::string& id) {
  const std::scoped_lock lock(parts_mutex_);
  const auto part = parts_.find(id);
  if (part != parts_.end() && !part->second)
    refuse(409, Errc::InvalidArgument, "a part of this upload is being received");
  if (!store_.remove_upload(id)) fail(Errc::NotFound, "there is no upload {}", id);
  parts_.erase(id);
  remove_quietly(upload_path(id));
}

fs::path Library::blob_path(const std::string& sha256) const {
  return blobs_ / sha256.substr(0, 2) / sha256.substr(2);
}

DataRecord Library::new_record(HashedFile& file, const std::string& name) const {
  return {.id = random_hex(8),
          .name = name,
          .sha256 = file.hash().finish(),
          .bytes = file.size(),
          .created = utc_now()};
}

/// The file is flushed already. Afterwards its bytes are at their blob's path as well, on the disk.
void Library::link_to_blobs(const fs::path& file, const std::string& sha256) const {
  const fs::path blob = blob_path(sha256);
  if (fs::create_directory(blob.parent_path())) sync_folder(blobs_);
  // The upload keeps its own link until its record is gone, so that a crash loses neither.
  const bool linked = ::link(file.c_str(), blob.c_str()) == 0 || errno == EEXIST;
  if (!linked && ::rename(file.c_str(), blob.c_str()) != 0)
    fail_system(errno, "move an upload to", "blobs");
  sync_folder(blob.parent_path());
}

void Library::remove_blob_if_unneeded(const std::string& sha256) {
  if (!store_.is_blob_needed(sha256)) remove_quietly(blob_path(sha256));
}

/// Removes files without a record; sets back records that promise more than their file has.
void Library::repair_uploads() {
  std::set<std::string> known;
  for (const auto& id : store_.list_upload_ids()) {
    known.insert(id);
    std::error_code missing;
    const std::uint64_t size = fs::file_size(upload_path(id), missing);
    const auto record = store_.find_upload(id);
    if (record && record->offset > (missing ? 0 : size)) store_.set_upload_offset(id, 0, utc_now());
  }
  for (const auto& entry : fs::directory_iterator(uploads_))
    if (!known.contains(entry.path().filename().string())) remove_quietly(entry.path());
}

void Library::remove_unknown_blobs() {
  for (const auto& folder : fs::directory_iterator(blobs_)) {
    if (!folder.is_directory()) continue;
    for (const auto& entry : fs::directory_iterator(folder.path()))
      remove_blob_if_unneeded(folder.path().filename().string() + entry.path().filename().string());
  }
}

UploadPart::UploadPart(Library& library, const std::string& id, std::uint64_t offset,
                       std::uint64_t bytes)
    : library_(library) {
  upload_.id = id;
  std::optional<Sha256> hash = claim();
  try {
    check(offset, bytes);
    const fs::path path = library_.upload_path(id);
    if (!hash) hash = hash_of_first(path, offset);
    file_ = HashedFile::open(path, offset, std::move(*hash));
    if (offset == 0) sync_folder(library_.uploads_);
  } catch (...) {
    release(std::move(hash));
    throw;
  }
}

UploadPart::~UploadPart() {
  if (done_) return;
  try {
    record_progress();
    release(std::move(file_->hash()));
  } catch (const std::exception&) {
    release(std::nullopt);  // the record stands where it stood; the hash is made anew from there
  }
}

void UploadPart::write(std::span<const std::byte> bytes) { file_->write(bytes); }

std::optional<DataRecord> UploadPart::finish() {
  if (file_->size() < upload_.bytes) {
    record_progress();
    release(std::move(file_->hash()));
    done_ = true;
    return std::nullopt;
  }
  file_->flush();
  try {
    DataRecord record = library_.complete(upload_, *file_);
    release(std::nullopt);
    done_ = true;
    return record;
  } catch (...) {
    file_ =
        HashedFile::open(file_->path(), file_->size(), hash_of_first(file_->path(), file_->size()));
    throw;
  }
}

/// Keeps others out. Returns the hash of what the upload holds, if it is known.
std::optional<Sha256> UploadPart::claim() {
  const std::scoped_lock lock(library_.parts_mutex_);
  const auto [part, is_new] = library_.parts_.try_emplace(upload_.id);
  if (is_new) return std::nullopt;
  if (!part->second)
    refuse(409, Errc::InvalidArgument, "another part of this upload is being received");
  return std::exchange(part->second, std::nullopt);
}

void UploadPart::release(std::optional<Sha256> hash) {
  const std::scoped_lock lock(library_.parts_mutex_);
  if (hash)
    library_.parts_[upload_.id] = std::move(hash);
  else
    library_.parts_.erase(upload_.id);
}

void UploadPart::check(std::uint64_t offset, std::uint64_t bytes) {
  const auto record = library_.store_.find_upload(upload_.id);
  if (!record) fail(Errc::NotFound, "there is no upload {}", upload_.id);
  upload_ = *record;
  if (offset != upload_.offset)
    throw Refusal(
        409, Errc::InvalidArgument,
        fmt::format("the upload stands at byte {}, the part begins at {}", upload_.offset, offset),
        {}, {{"offset", upload_.offset}, {"bytes", upload_.bytes}});
  if (bytes > upload_.bytes - upload_.offset)
    refuse(413, Errc::InvalidArgument, "{} bytes are left of the upload, the part has {}",
           upload_.bytes - upload_.offset, bytes);
  library_.check_room(bytes);
}

void UploadPart::record_progress() {
  file_->flush();
  library_.store_.set_upload_offset(upload_.id, file_->size(), utc_now());
  upload_.offset = file_->size();
}

std::string utc_before(std::int64_t seconds_ago) {
  const std::time_t time = std::time(nullptr) - seconds_ago;
  std::tm utc{};
  gmtime_r(&time, &utc);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

}  // namespace aceso::hub
