// Bytes put into buckets, kept in memory up to a limit and beyond it in one scratch file.
#pragma once

#include "aceso/core/files.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

namespace aceso::genomics {

class BucketStore {
 public:
  /// `folder` is where the scratch file is made when it is needed.
  BucketStore(std::size_t buckets, std::uint64_t memory_limit, std::filesystem::path folder);

  /// Appends to a bucket. One thread at a time. \throws Error OutOfResources, Io.
  void add(std::size_t bucket, std::span<const std::byte> bytes);

  /// Takes all of a bucket out, in the order in which it was put in. Any thread.
  [[nodiscard]] std::vector<std::byte> take(std::size_t bucket);

  /// Likewise, and leaves it there.
  [[nodiscard]] std::vector<std::byte> look(std::size_t bucket) const;

  /// Adds a stretch of a file to a bucket. The file stays as it is: such stretches can be taken
  /// again. It is opened when they are. `file` is what add_file() returned.
  void adopt(std::size_t bucket, std::uint32_t file, std::uint64_t offset, std::uint64_t size);
  [[nodiscard]] std::uint32_t add_file(std::filesystem::path path);

  [[nodiscard]] std::size_t size() const noexcept { return buckets_.size(); }
  [[nodiscard]] std::uint64_t spilled_bytes() const noexcept { return spilled_; }

 private:
  struct Piece {
    std::uint64_t offset = 0, size = 0;
  };
  struct Bucket {
    std::vector<std::byte> bytes;
    std::vector<Piece> spilled;
    std::vector<std::pair<std::uint32_t, Piece>> adopted;  ///< with the file's number
  };

  void spill();

  std::vector<Bucket> buckets_;
  std::uint64_t limit_, held_ = 0, spilled_ = 0;
  std::filesystem::path folder_, path_;
  FileHandle file_;
  std::vector<std::filesystem::path> files_;
};

}  // namespace aceso::genomics
