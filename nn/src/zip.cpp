#include "zip.hpp"

#include "aceso/core/bytes.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace aceso::nn {
namespace {

constexpr std::uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50,
                        kEnd64 = 0x06064b50, kLocator64 = 0x07064b50;
constexpr std::size_t kEndSize = 22, kLocatorSize = 20, kLongestComment = 65535;
constexpr std::uint32_t kIn64 = 0xffffffff;  ///< the value stands in a 64-bit field

struct Directory {
  std::uint64_t offset = 0, entries = 0;
};

struct Member {
  std::string name;
  std::uint64_t size = 0, packed = 0, local = 0;
  std::uint16_t flags = 0, method = 0;
};

class Zip {
 public:
  Zip(std::span<const std::byte> bytes, const std::string& source)
      : bytes_(bytes), source_(source) {}

  ZipMembers read() {
    const Directory directory = find_directory();
    ByteReader reader = at(directory.offset);
    ZipMembers members;
    for (std::uint64_t i = 0; i < directory.entries; ++i) {
      const Member member = read_entry(reader);
      if (member.name.ends_with('/')) continue;
      if (!members.emplace(member.name, content(member)).second)
        fail(Errc::CorruptData, "{}: the archive holds {} twice", source_, printable(member.name));
    }
    return members;
  }

 private:
  [[nodiscard]] ByteReader at(std::uint64_t offset) const {
    if (offset > bytes_.size())
      fail(Errc::CorruptData, "{}: the archive points to byte {}, the file has {}", source_, offset,
           bytes_.size());
    return {bytes_.subspan(offset), source_};
  }

  void expect(ByteReader& reader, std::uint32_t signature, std::string_view what) const {
    if (reader.little<std::uint32_t>(what) != signature)
      fail(Errc::CorruptData, "{}: expected a zip {}, found other bytes", source_, what);
  }

  [[nodiscard]] Directory find_directory() const {
    if (bytes_.size() < kEndSize) fail(Errc::CorruptData, "{}: too short for an archive", source_);
    const std::size_t last = bytes_.size() - kEndSize;
    const std::size_t first = last > kLongestComment ? last - kLongestComment : 0;
    for (std::size_t place = last + 1; place-- > first;) {
      std::uint32_t signature = 0;
      std::memcpy(&signature, bytes_.data() + place, sizeof signature);
      if (signature == kEnd) return read_end(place);
    }
    fail(Errc::CorruptData, "{}: the end of the archive is missing; is the file cut off?", source_);
  }

  [[nodiscard]] Directory read_end(std::size_t place) const {
    ByteReader reader = at(place + 10);
    Directory directory;
    directory.entries = reader.little<std::uint16_t>("entries");
    reader.skip(4, "size");
    directory.offset = reader.little<std::uint32_t>("offset");
    if (directory.offset != kIn64 && directory.entries != 0xffff) return directory;
    if (place < kLocatorSize) return directory;
    ByteReader locator = at(place - kLocatorSize);
    if (locator.little<std::uint32_t>("locator") != kLocator64) return directory;
    locator.skip(4, "disk");
    ByteReader end = at(locator.little<std::uint64_t>("offset of the 64-bit end"));
    expect(end, kEnd64, "end record");
    end.skip(28, "end record");
    directory.entries = end.little<std::uint64_t>("entries");
    end.skip(8, "size");
    directory.offset = end.little<std::uint64_t>("offset");
    return directory;
  }

  Member read_entry(ByteReader& reader) const {
    expect(reader, kCentral, "directory entry");
    Member m;
    reader.skip(4, "versions");
    m.flags = reader.little<std::uint16_t>("flags");
    m.method = reader.little<std::uint16_t>("method");
    reader.skip(8, "time and checksum");
    m.packed = reader.little<std::uint32_t>("size");
    m.size = reader.little<std::uint32_t>("size");
    const auto name = reader.little<std::uint16_t>("length of the name");
    const auto extra = reader.little<std::uint16_t>("length of the extra field");
    const auto comment = reader.little<std::uint16_t>("length of the comment");
    reader.skip(8, "attributes");
    m.local = reader.little<std::uint32_t>("offset");
    m.name = std::string(reader.text(name, "name"));
    read_extra({reader.take(extra, "extra field"), source_}, m);
    reader.skip(comment, "comment");
    return m;
  }

  static void read_extra(ByteReader reader, Member& m) {
    while (reader.remaining() >= 4) {
      const auto id = reader.little<std::uint16_t>("extra field");
      const auto size = reader.little<std::uint16_t>("extra field");
      ByteReader field(reader.take(size, "extra field"), "extra field");
      if (id != 1) continue;
      for (std::uint64_t* value : {&m.size, &m.packed, &m.local})
        if (*value == kIn64) *value = field.little<std::uint64_t>("64-bit size");
    }
  }

  [[nodiscard]] std::span<const std::byte> content(const Member& m) const {
    if ((m.flags & 1U) != 0 || m.method != 0)
      fail(Errc::Unsupported, "{}: {} is {}; weights are stored plainly", source_,
           printable(m.name), (m.flags & 1U) != 0 ? "encrypted" : "compressed");
    ByteReader local = at(m.local);
    expect(local, kLocal, "member");
    local.skip(22, "member header");
    const auto name = local.little<std::uint16_t>("length of the name");
    const auto extra = local.little<std::uint16_t>("length of the extra field");
    local.skip(std::size_t{name} + extra, "name");
    return local.take(m.size, m.name);
  }

  std::span<const std::byte> bytes_;
  std::string source_;
};

}  // namespace

ZipMembers read_zip(std::span<const std::byte> bytes, const std::string& source) {
  return Zip(bytes, source).read();
}

}  // namespace aceso::nn
