/// \file
/// Small text helpers that several floors need.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aceso {

[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);
[[nodiscard]] std::string join(const std::vector<std::string>& parts, std::string_view separator);
[[nodiscard]] std::string to_lower(std::string_view text);
/// `text` with every `from` replaced by `to`.
[[nodiscard]] std::string replaced(std::string_view text, char from, char to);
/// Escapes &, <, >, " and ' for HTML and SVG.
[[nodiscard]] std::string escape_html(std::string_view text);
/// Bytes as people write them: "912 B", "1.4 MB", "3.0 GB" (powers of 1000).
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);
/// Seconds as people write them: "0.8 s", "2 min 05 s", "1 h 12 min".
[[nodiscard]] std::string format_seconds(double seconds);
/// A size such as "512M", "4G", "1.5GiB" or "1000" in bytes (K, M, G, T: powers of 1024).
/// \throws Error InvalidArgument.
[[nodiscard]] std::uint64_t parse_size(std::string_view text);
/// The word of `candidates` that `word` was most likely meant to be, or "".
[[nodiscard]] std::string closest(std::string_view word,
                                  const std::vector<std::string>& candidates);
/// Whether `text` is well-formed UTF-8 (Unicode 15, table 3-7).
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;
/// `text` with bytes that are not UTF-8 and control characters shown as \xNN, cut to `limit`
/// bytes. For showing foreign bytes in messages.
[[nodiscard]] std::string printable(std::string_view text, std::size_t limit = 80);
/// Now in UTC as "2024-05-31T10:20:30Z".
[[nodiscard]] std::string utc_now();

}  // namespace aceso
