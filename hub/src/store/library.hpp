/// \file
/// Data as people see them: bytes stored once by their content, uploads in parts, safe against a
/// crash at any moment.
#pragma once

#include "store/store.hpp"

#include "aceso/core/files.hpp"
#include "aceso/core/hash.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

namespace aceso::hub {

/// A growing file with the hash of what it holds. Not thread-safe.
class HashedFile {
 public:
  /// Makes a new file. \throws Error Io, OutOfResources.
  [[nodiscard]] static HashedFile create(const std::filesystem::path& path);
  /// Opens one whose first `bytes` bytes count; cuts off the rest. `hash` is of those bytes.
  [[nodiscard]] static HashedFile open(const std::filesystem::path& path, std::uint64_t bytes,
                                       Sha256 hash);

  /// Appends. After an error the size is that before the call.
  void write(std::span<const std::byte> bytes);
  /// What was written is on the disk when this returns.
  void flush();

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] Sha256& hash() noexcept { return hash_; }

 private:
  HashedFile(std::filesystem::path path, FileHandle file, std::uint64_t size, Sha256 hash)
      : path_(std::move(path)), file_(std::move(file)), size_(size), hash_(std::move(hash)) {}

  std::filesystem::path path_;
  FileHandle file_;
  std::uint64_t size_ = 0;
  Sha256 hash_;
};

class UploadPart;

/// The hub's data. Thread-safe.
///
/// `blobs/ab/cdef…` holds the bytes whose SHA-256 is abcdef…; `uploads/` holds what is not
/// complete. A flushed file is linked from the one to the other before the record that makes it
/// visible is committed, so every record has its bytes. What a crash leaves without a record is
/// removed at the next start.
class Library {
 public:
  /// Cleans up after a crash. Uploads untouched for a week are given up.
  Library(Store& store, std::filesystem::path blobs, std::filesystem::path uploads);

  /// A file name people may give to data. \throws Refusal 422 pointing to `pointer`.
  static void check_name(const std::string& name, const std::string& pointer);
  /// \throws Error OutOfResources if the disk has no room for `bytes` more.
  void check_room(std::uint64_t bytes) const;

  /// A new file in `uploads/`, to be given to add().
  [[nodiscard]] HashedFile new_file() const;
  /// Takes over `file` as data of that name. Removes the file in any case.
  [[nodiscard]] DataRecord add(HashedFile file, const std::string& name);
  /// Makes data of a copy of `source`, e.g. an output of a run.
  [[nodiscard]] DataRecord add_copy_of(FileHandle source, const std::string& name);

  [[nodiscard]] std::filesystem::path path_of(const DataRecord& record) const {
    return blob_path(record.sha256);
  }
  /// \throws Error NotFound.
  [[nodiscard]] FileHandle open(const DataRecord& record) const;
  /// Removes the record, and the bytes when no other record needs them.
  /// \throws Refusal 409 while a run needs them; Error NotFound.
  void remove(const std::string& id);

  [[nodiscard]] UploadRecord begin_upload(const std::string& name, std::uint64_t bytes);
  /// \throws Error NotFound; Refusal 409 while a part is being received.
  void remove_upload(const std::string& id);

 private:
  friend class UploadPart;

  [[nodiscard]] std::filesystem::path blob_path(const std::string& sha256) const;
  [[nodiscard]] std::filesystem::path upload_path(const std::string& id) const {
    return uploads_ / id;
  }
  [[nodiscard]] DataRecord new_record(HashedFile& file, const std::string& name) const;
  [[nodiscard]] DataRecord complete(const UploadRecord& upload, HashedFile& file);
  void link_to_blobs(const std::filesystem::path& file, const std::string& sha256) const;
  void remove_blob_if_unneeded(const std::string& sha256);
  void repair_uploads();
  void remove_unknown_blobs();

  Store& store_;
  std::filesystem::path blobs_, uploads_;
  std::mutex
      blob_mutex_;  ///< held from a file's link to its record's commit, and the other way round

  std::mutex parts_mutex_;
  std::map<std::string, std::optional<Sha256>>
      parts_;  ///< by upload: hash so far; nullopt while one is received
};

/// One part of an upload while it is received. Whatever ends it, what came is kept.
class UploadPart {
 public:
  /// \throws Error NotFound; Refusal 409 if another part is being received or `offset` is not
  ///         where the upload stands, 413 if `bytes` are more than are left.
  UploadPart(Library& library, const std::string& id, std::uint64_t offset, std::uint64_t bytes);
  ~UploadPart();
  UploadPart(const UploadPart&) = delete;
  UploadPart& operator=(const UploadPart&) = delete;

  void write(std::span<const std::byte> bytes);
  /// Puts the part on the disk. Returns the data if it was the last one.
  [[nodiscard]] std::optional<DataRecord> finish();
  [[nodiscard]] const UploadRecord& upload() const noexcept { return upload_; }

 private:
  std::optional<Sha256> claim();
  void release(std::optional<Sha256> hash);
  void check(std::uint64_t offset, std::uint64_t bytes);
  void record_progress();

  Library& library_;
  UploadRecord upload_;
  std::optional<HashedFile> file_;
  bool done_ = false;
};

/// Times as the store keeps them, so that text order is time order.
[[nodiscard]] std::string utc_before(std::int64_t seconds_ago);

}  // namespace aceso::hub
