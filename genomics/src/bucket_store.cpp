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

std::vector<std::byte> BucketStore::take(std::size_t index) {
  Bucket& bucket = buckets_[index];
  if (bucket.spilled.empty()) return std::move(bucket.bytes);
  std::uint64_t size = bucket.bytes.size();
  for (const Piece& piece : bucket.spilled) size += piece.size;
  std::vector<std::byte> out(size);
  std::size_t at = 0;
  for (const Piece& piece : bucket.spilled) {
    for (std::uint64_t done = 0; done < piece.size;) {
      const ssize_t got = ::pread(file_.get(), out.data() + at, piece.size - done,
                                  static_cast<off_t>(piece.offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) fail_system(got < 0 ? errno : EIO, "read", path_.string());
      done += static_cast<std::uint64_t>(got);
      at += static_cast<std::size_t>(got);
    }
  }
  std::ranges::copy(bucket.bytes, out.begin() + static_cast<std::ptrdiff_t>(at));
  bucket = {};
  return out;
}

}  // namespace aceso::genomics
