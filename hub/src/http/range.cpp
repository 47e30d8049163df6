#include "http/range.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace aceso::hub {

namespace {

[[nodiscard]] std::optional<std::uint64_t> number(std::string_view text) noexcept {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

/// "-N": the last N bytes.
[[nodiscard]] Range suffix(std::string_view text, std::uint64_t size) noexcept {
  const auto count = number(text);
  if (!count) return {.length = size};
  if (*count == 0 || size == 0) return {.kind = Range::Kind::Unsatisfiable};
  const std::uint64_t length = std::min(*count, size);
  return {.kind = Range::Kind::Part, .offset = size - length, .length = length};
}

}  // namespace

Range parse_range(std::string_view header, std::uint64_t size) noexcept {
  const Range whole{.length = size};
  if (!header.starts_with("bytes=")) return whole;
  header.remove_prefix(6);
  const auto dash = header.find('-');
  if (dash == std::string_view::npos || header.find(',') != std::string_view::npos) return whole;
  if (dash == 0) return suffix(header.substr(1), size);

  const auto first = number(header.substr(0, dash));
  const auto last =
      dash + 1 == header.size() ? std::optional(UINT64_MAX) : number(header.substr(dash + 1));
  if (!first || !last || *last < *first) return whole;
  if (*first >= size) return {.kind = Range::Kind::Unsatisfiable};
  return {.kind = Range::Kind::Part,
          .offset = *first,
          .length = std::min(*last, size - 1) - *first + 1};
}

}  // namespace aceso::hub
