#include "tabix_index.hpp"

#include "line_file.hpp"

#include "aceso/core/error.hpp"

#include <fmt/format.h>

#include <cstring>
#include <string>

namespace aceso::genomics {
namespace {

constexpr std::size_t kLargestIndex = 256 << 20;

/// Numbers of an index, which end where its bytes end.
class IndexReader {
 public:
  IndexReader(std::string_view bytes, std::string_view name) : bytes_(bytes), name_(name) {}

  std::string_view take(std::uint64_t size) {
    if (size > bytes_.size() - at_) fail(Errc::CorruptData, "{}: the index is cut short", name_);
    const std::string_view out = bytes_.substr(at_, size);
    at_ += size;
    return out;
  }
  template <typename T>
  T number() {
    T value{};
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));  // little-endian, as we are
    return value;
  }
  std::uint64_t count() {
    const auto value = number<std::int32_t>();
    if (value < 0) fail(Errc::CorruptData, "{}: the index is damaged", name_);
    return static_cast<std::uint64_t>(value);
  }

 private:
  std::string_view bytes_, name_;
  std::size_t at_ = 0;
};

/// The number of `contig` among the names of the index.
std::optional<std::uint64_t> number_of(std::string_view names, std::string_view contig) {
  for (std::uint64_t number = 0; !names.empty(); ++number) {
    const std::size_t end = std::min(names.find('\0'), names.size());
    if (names.substr(0, end) == contig) return number;
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> find_in_tabix(int descriptor, std::string_view name,
                                           std::string_view contig, std::uint64_t position) {
  LineFile file(descriptor, name);
  const std::string bytes = file.rest(kLargestIndex);
  IndexReader reader(bytes, name);
  if (reader.take(4) != std::string_view("TBI\1", 4))
    fail(Errc::CorruptData, "{}: no tabix index", name);
  const std::uint64_t contigs = reader.count();
  reader.take(6 * sizeof(std::int32_t));  // how the file is laid out: as VCF
  const std::optional<std::uint64_t> wanted = number_of(reader.take(reader.count()), contig);
  if (!wanted) return std::nullopt;
  for (std::uint64_t c = 0; c < contigs; ++c) {
    for (std::uint64_t bin = reader.count(); bin > 0; --bin) {
      reader.take(sizeof(std::uint32_t));
      reader.take(reader.count() * 2 * sizeof(std::uint64_t));
    }
    const std::uint64_t windows = reader.count();
    const std::string_view offsets = reader.take(windows * sizeof(std::uint64_t));
    if (c != *wanted) continue;
    const std::uint64_t window = position >> 14;
    if (window >= windows) return std::nullopt;
    return IndexReader(offsets.substr(window * sizeof(std::uint64_t)), name)
        .number<std::uint64_t>();
  }
  return std::nullopt;
}

}  // namespace aceso::genomics
