// Small grammars that the specifications of SAM, VCF and BED share.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace aceso::genomics {

[[nodiscard]] constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
[[nodiscard]] constexpr bool is_letter(char c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/// Whether all of `text` lies in [least, most]; true of nothing.
[[nodiscard]] constexpr bool all_within(std::string_view text, char least, char most) noexcept {
  for (const char c : text) {
    if (c < least || c > most) return false;
  }
  return true;
}
/// Whether `text` is one digit or more, and nothing else.
[[nodiscard]] constexpr bool all_digits(std::string_view text) noexcept {
  return !text.empty() && all_within(text, '0', '9');
}

/// A decimal integer with an optional sign; nothing if it is none, or beyond 64 bits.
[[nodiscard]] inline std::optional<std::int64_t> try_parse_integer(std::string_view text) noexcept {
  if (text.starts_with('+') && text.size() > 1 && is_digit(text[1])) text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Whether `text` is a number as SAM writes it: [-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?
[[nodiscard]] constexpr bool is_decimal(std::string_view text) noexcept {
  const auto skip_sign = [&] {
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  };
  const auto skip_digits = [&] {
    std::size_t count = 0;
    while (count < text.size() && is_digit(text[count])) ++count;
    text.remove_prefix(count);
    return count;
  };
  skip_sign();
  const std::size_t before = skip_digits();
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (skip_digits() == 0) return false;
  } else if (before == 0) {
    return false;
  }
  if (text.empty()) return true;
  if (text[0] != 'e' && text[0] != 'E') return false;
  text.remove_prefix(1);
  skip_sign();
  return skip_digits() > 0 && text.empty();
}

/// Takes the text before the next `separator` off `text`, and the separator.
[[nodiscard]] constexpr std::string_view take_part(std::string_view& text,
                                                   char separator) noexcept {
  const std::size_t end = text.find(separator);
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

/// Calls `take` with each part of `text` between separators: once, with nothing, for no text.
template <typename Take>
void for_parts(std::string_view text, char separator, const Take& take) {
  while (true) {
    const std::size_t end = text.find(separator);
    take(text.substr(0, end));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

/// Names met so far, borrowed: mostly few, where looking through them is fastest.
class NamesSeen {
 public:
  void clear() {
    few_.clear();
    many_.clear();
  }
  /// False if `name` was here before.
  [[nodiscard]] bool add(std::string_view name) {
    if (few_.size() == kFew) return many_.insert(name).second && !among_few(name);
    if (among_few(name)) return false;
    few_.push_back(name);
    return true;
  }

 private:
  static constexpr std::size_t kFew = 32;
  [[nodiscard]] bool among_few(std::string_view name) const {
    return std::ranges::find(few_, name) != few_.end();
  }
  std::vector<std::string_view> few_;
  std::unordered_set<std::string_view> many_;
};

}  // namespace aceso::genomics
