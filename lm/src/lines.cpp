#include "aceso/lm/lines.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"

#include <zlib.h>

#include <new>
#include <string_view>

namespace aceso::lm {

Lines::Lines(const std::filesystem::path& path) : name_(path.string()) {
  FileHandle file = open_for_reading(path);
  file_ = gzdopen(file.get(), "rb");
  if (file_ == nullptr) throw std::bad_alloc();
  file.release();
  gzbuffer(file_, 1U << 17);
}

Lines::~Lines() { gzclose(file_); }

bool Lines::next(std::string& line) {
  line.clear();
  while (true) {
    if (at_ == size_ && !fill()) return !line.empty();
    const std::string_view rest(block_.data() + at_, size_ - at_);
    const auto end = rest.find('\n');
    line.append(rest.substr(0, end));
    if (end == std::string_view::npos) {
      at_ = size_;
      continue;
    }
    at_ += end + 1;
    return true;
  }
}

bool Lines::fill() {
  const int count = gzread(file_, block_.data(), static_cast<unsigned>(block_.size()));
  int code = Z_OK;
  const char* message = gzerror(file_, &code);
  if (count < 0 || (code != Z_OK && code != Z_STREAM_END))
    fail(code == Z_ERRNO ? Errc::Io : Errc::CorruptData, "{}: damaged or cut-off gzip stream ({})",
         name_, code == Z_BUF_ERROR ? "unexpected end of file" : message);
  at_ = 0;
  size_ = static_cast<std::size_t>(count);
  return count > 0;
}

}  // namespace aceso::lm
