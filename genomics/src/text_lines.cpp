#include "text_lines.hpp"

#include "aceso/core/error.hpp"

namespace aceso::genomics {

TextLines::TextLines(const std::filesystem::path& path, Warnings& warnings,
                     std::string_view expected)
    : path_(path.string()), source_({path}, warnings, expected) {}

bool TextLines::read_more() {
  const std::optional<TextPiece> piece = source_.next();
  if (!piece) return false;
  source_bytes_ += piece->source_bytes;
  const TextPiece text = inflate_piece(*piece, inflater_, *source_.file_names());
  text_.erase(0, at_);
  at_ = 0;
  if (text_.size() + text.size > kLongestLine)
    fail(Errc::CorruptData, "{}: line {} is longer than {} bytes", path_, number_ + 1,
         kLongestLine);
  text_.append(reinterpret_cast<const char*>(text.bytes.data()), text.size);
  return true;
}

bool TextLines::next(std::string_view& line) {
  std::size_t end = text_.find('\n', at_);
  while (end == std::string::npos) {
    const std::size_t searched = text_.size() - at_;
    if (!read_more()) break;
    end = text_.find('\n', searched);
  }
  if (end == std::string::npos && at_ == text_.size()) return false;
  const std::size_t stop = std::min(end, text_.size());
  line = std::string_view(text_).substr(at_, stop - at_);
  complete_ = end != std::string::npos;
  carriage_return_ = line.ends_with('\r');
  if (carriage_return_) line.remove_suffix(1);
  at_ = std::min(stop + 1, text_.size());
  ++number_;
  return true;
}

std::uint64_t TextLines::take_source_bytes() noexcept { return std::exchange(source_bytes_, 0); }

}  // namespace aceso::genomics
