#include "aceso/core/bytes.hpp"

namespace aceso {

std::uint64_t checked_product(std::uint64_t a, std::uint64_t b, std::string_view what) {
  std::uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product))
    fail(Errc::CorruptData, "{}: {} x {} is too large", what, a, b);
  return product;
}

std::span<const std::byte> ByteReader::take(std::size_t count, std::string_view what) {
  if (count > remaining())
    fail(Errc::CorruptData, "{}: offset {}: {} needs {} bytes, {} are left", source_, offset_, what,
         count, remaining());
  const auto taken = bytes_.subspan(offset_, count);
  offset_ += count;
  return taken;
}

std::string_view ByteReader::text(std::size_t count, std::string_view what) {
  const auto bytes = take(count, what);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace aceso
