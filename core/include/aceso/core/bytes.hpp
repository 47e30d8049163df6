/// \file
/// Reading foreign bytes without ever passing their end.
#pragma once

#include "aceso/core/error.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace aceso {

/// Returns a * b. \throws Error CorruptData if it does not fit; `what` names the quantity.
[[nodiscard]] std::uint64_t checked_product(std::uint64_t a, std::uint64_t b,
                                            std::string_view what);

/// A cursor over borrowed bytes. Every read checks the end and fails with the name of the
/// source, the offset, what was wanted and what is left.
class ByteReader {
 public:
  ByteReader(std::span<const std::byte> bytes, std::string_view source)
      : bytes_(bytes), source_(source) {}

  [[nodiscard]] std::size_t offset() const noexcept { return offset_; }
  [[nodiscard]] std::size_t remaining() const noexcept { return bytes_.size() - offset_; }

  /// Returns the next `count` bytes. \throws Error CorruptData if fewer are left.
  [[nodiscard]] std::span<const std::byte> take(std::size_t count, std::string_view what);

  /// Returns the next little-endian number. \throws Error CorruptData if it is cut off.
  template <typename T>
    requires std::is_arithmetic_v<T>
  [[nodiscard]] T little(std::string_view what) {
    static_assert(std::endian::native == std::endian::little,
                  "a big-endian machine needs byte swaps here");
    T value;
    std::memcpy(&value, take(sizeof(T), what).data(), sizeof(T));
    return value;
  }

  [[nodiscard]] std::string_view text(std::size_t count, std::string_view what);
  void skip(std::size_t count, std::string_view what) { static_cast<void>(take(count, what)); }

 private:
  std::span<const std::byte> bytes_;
  std::string source_;
  std::size_t offset_ = 0;
};

}  // namespace aceso
