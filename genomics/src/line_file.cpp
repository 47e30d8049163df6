#include "line_file.hpp"

#include "aceso/core/error.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <span>

namespace aceso::genomics {
namespace {

constexpr std::size_t kPlainBlock = 1 << 16;
constexpr std::size_t kLongestLine = 64 << 20;

std::span<const std::byte> as_bytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

LineFile::LineFile(int descriptor, std::string_view name) : descriptor_(descriptor), name_(name) {
  struct stat status{};
  if (::fstat(descriptor_, &status) != 0) fail_system(errno, "look at", name_);
  size_ = static_cast<std::uint64_t>(status.st_size);
  read_at(0, kBgzfMaxBlock);
  const bool packed = bytes_.size() >= 2 && bytes_[0] == '\x1f' && bytes_[1] == '\x8b';
  blocks_ = packed && try_read_bgzf_header(as_bytes(bytes_)).has_value();
  if (packed && !blocks_)
    fail(Errc::Unsupported,
         "{}: compressed in one piece, so no page of it can be read; bgzip makes "
         "pieces",
         name_);
}

std::size_t LineFile::read_at(std::uint64_t offset, std::size_t size) {
  bytes_.resize(size);
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t count = ::pread(descriptor_, bytes_.data() + filled, size - filled,
                                  static_cast<off_t>(offset + filled));
    if (count < 0) fail_system(errno, "read", name_);
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  bytes_.resize(filled);
  return filled;
}

void LineFile::seek(std::uint64_t place) {
  text_.clear();
  at_ = 0;
  begin_ = end_ = blocks_ ? place >> 16 : place;
  if (!blocks_ || (place & 0xFFFF) == 0) return;
  (void)load();
  at_ = std::min<std::size_t>(place & 0xFFFF, text_.size());
}

std::uint64_t LineFile::place() const noexcept {
  if (at_ == text_.size()) return blocks_ ? end_ << 16 : end_;
  return blocks_ ? (begin_ << 16) + at_ : begin_ + at_;
}

double LineFile::share() const noexcept {
  if (size_ == 0) return 1;
  const std::uint64_t before = blocks_ || at_ == text_.size() ? end_ : begin_ + at_;
  return std::min(1.0, static_cast<double>(before) / static_cast<double>(size_));
}

bool LineFile::load_block() {
  const std::optional<BgzfHeader> header = try_read_bgzf_header(as_bytes(bytes_));
  if (!header || header->block_size > bytes_.size())
    fail(Errc::CorruptData, "{}: no whole block at byte {}; the file is damaged or cut short",
         name_, begin_);
  text_.resize(kBgzfMaxBlock);
  text_.resize(inflater_.inflate(as_bytes(bytes_).first(header->block_size), text_, name_, begin_));
  end_ = begin_ + header->block_size;
  return true;
}

/// Loads what stands behind what is loaded; false at the end.
bool LineFile::load() {
  at_ = 0;
  text_.clear();
  begin_ = end_;
  if (read_at(begin_, blocks_ ? kBgzfMaxBlock : kPlainBlock) == 0) return false;
  if (blocks_) return load_block();
  text_ = bytes_;
  end_ = begin_ + text_.size();
  return true;
}

bool LineFile::next(std::string_view& line) {
  line_.clear();
  bool any = false;
  while (true) {
    if (at_ == text_.size()) {
      if (!load()) {
        line = line_;
        return any;
      }
      continue;  // a block may be empty
    }
    any = true;
    const std::size_t end = text_.find('\n', at_);
    line_.append(text_, at_, std::min(end, text_.size()) - at_);
    at_ = end == std::string::npos ? text_.size() : end + 1;
    if (line_.size() > kLongestLine)
      fail(Errc::CorruptData, "{}: a line of more than {} bytes", name_, kLongestLine);
    if (end == std::string::npos) continue;
    if (line_.ends_with('\r')) line_.pop_back();
    line = line_;
    return true;
  }
}

std::string LineFile::rest(std::size_t limit) {
  std::string out;
  do {
    out.append(text_, at_);
    if (out.size() > limit) fail(Errc::Unsupported, "{}: more than {} bytes", name_, limit);
  } while (load());
  return out;
}

}  // namespace aceso::genomics
