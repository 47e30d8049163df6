#include "bucket_store.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/hash.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace aceso::genomics {

BucketStore::BucketStore(std::size_t buckets, std::uint64_t memory_limit,
                         std::filesystem::path folder)
    : buckets_(buckets), limit_(memory_limit), folder_(std::move(folder)) {}

void BucketStore::add(std::size_t bucket, std::span<const std::byte> bytes) {
  std::vector<std::byte>& to = buckets_[bucket].bytes;
  held_ -= to.capacity();
  to.insert(to.end(), bytes.begin(), bytes.end());
  held_ += to.capacity();
  if (held_ > limit_) spill();
}

void BucketStore::spill() {
  if (!file_) {
    path_ = folder_ / ("buckets-" + random_hex(8));
    file_ = FileHandle(::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file_) fail_system(errno, "make", path_.string());
    // It goes with its descriptor, however the run ends.
    ::unlink(path_.c_str());
  }
  for (Bucket& bucket : buckets_) {
    if (bucket.bytes.empty()) continue;
    write_all(file_.get(), bucket.bytes, path_);
    bucket.spilled.push_back({spilled_, bucket.bytes.size()});
    spilled_ += bucket.bytes.size();
    bucket.bytes = {};
  }
  held_ = 0;
}

std::uint32_t BucketStore::add_file(std::filesystem::path path) {
  files_.push_back(std::move(path));
  return static_cast<std::uint32_t>(files_.size() - 1);
}

void BucketStore::adopt(std::size_t bucket, std::uint32_t file, std::uint64_t offset,
                        std::uint64_t size) {
  buckets_[bucket].adopted.push_back({file, {offset, size}});
}

namespace {

/// Reads all of `to`. \throws Error Io.
void read_at(int descriptor, std::span<std::byte> to, std::uint64_t offset,
             const std::filesystem::path& path) {
  while (!to.empty()) {
    const ssize_t got = ::pread(descriptor, to.data(), to.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) fail_system(got < 0 ? errno : EIO, "read", path.string());
    offset += static_cast<std::uint64_t>(got);
    to = to.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace

std::vector<std::byte> BucketStore::take(std::size_t index) {
  Bucket& bucket = buckets_[index];
  if (bucket.spilled.empty() && bucket.adopted.empty()) return std::move(bucket.bytes);
  std::vector<std::byte> out = look(index);
  bucket.bytes = {};
  bucket.spilled.clear();
  return out;
}

std::vector<std::byte> BucketStore::look(std::size_t index) const {
  const Bucket& bucket = buckets_[index];
  std::uint64_t size = bucket.bytes.size();
  for (const Piece& piece : bucket.spilled) size += piece.size;
  for (const auto& [file, piece] : bucket.adopted) size += piece.size;
  std::vector<std::byte> out(size);
  std::span<std::byte> rest(out);
  const auto next = [&](std::uint64_t bytes) {
    const std::span<std::byte> part = rest.first(bytes);
    rest = rest.subspan(bytes);
    return part;
  };
  for (const auto& [file, piece] : bucket.adopted)
    read_at(open_for_reading(files_[file]).get(), next(piece.size), piece.offset, files_[file]);
  for (const Piece& piece : bucket.spilled)
    read_at(file_.get(), next(piece.size), piece.offset, path_);
  std::ranges::copy(bucket.bytes, rest.begin());
  return out;
}

}  // namespace aceso::genomics
