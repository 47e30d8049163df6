/// \file
/// The Range header (RFC 9110, section 14).
#pragma once

#include <cstdint>
#include <string_view>

namespace aceso::hub {

/// What a Range header means for a body of a known size.
struct Range {
  enum class Kind {
    Whole,          ///< no header, or one that a server may ignore: send everything
    Part,           ///< [offset, offset + length)
    Unsatisfiable,  ///< answer 416
  };
  Kind kind = Kind::Whole;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

/// One byte range is served; several are answered with the whole, as the standard permits.
[[nodiscard]] Range parse_range(std::string_view header, std::uint64_t size) noexcept;

}  // namespace aceso::hub
