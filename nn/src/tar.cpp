#include "tar.hpp"

#include "aceso/core/bytes.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace aceso::nn {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kBlock = 512;

/// Where a header keeps what (POSIX.1-1988).
struct Field {
  std::size_t offset, size;
};
constexpr Field kName{0, 100}, kMode{100, 8}, kOwner{108, 8}, kGroup{116, 8}, kSize{124, 12},
    kTime{136, 12}, kChecksum{148, 8}, kMagic{257, 8};
constexpr std::size_t kType = 156;

std::uint64_t checksum(std::string_view header) {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const bool own = i >= kChecksum.offset && i < kChecksum.offset + kChecksum.size;
    total += own ? ' ' : static_cast<unsigned char>(header[i]);
  }
  return total;
}

/// The number in a field: octal digits, or a base-256 number marked by its first bit (GNU).
std::uint64_t number(std::string_view header, Field field, const std::string& source) {
  const std::string_view text = header.substr(field.offset, field.size);
  std::uint64_t value = 0;
  if ((static_cast<unsigned char>(text[0]) & 0x80U) != 0) {
    for (std::size_t i = field.size - 8; i < field.size; ++i)
      value = value << 8 | static_cast<unsigned char>(text[i]);
    return value;
  }
  for (const char c : text) {
    if (c == '\0' || c == ' ') continue;
    if (c < '0' || c > '7')
      fail(Errc::CorruptData, "{}: expected an octal number in a tar header, found \"{}\"", source,
           printable(text));
    value = value * 8 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

std::string plain_name(std::string_view header, const std::string& source) {
  std::string name(header.substr(kName.offset, kName.size));
  name.resize(std::min(name.find('\0'), name.size()));
  if (name.starts_with("./")) name.erase(0, 2);
  if (name.empty() || name.front() == '.' || name.find('/') != std::string::npos || !is_utf8(name))
    fail(Errc::CorruptData, "{}: a packed model holds plain file names, found \"{}\"", source,
         printable(name));
  return name;
}

void put(std::array<char, kBlock>& header, Field field, std::string_view text) {
  std::memcpy(header.data() + field.offset, text.data(), std::min(text.size(), field.size));
}

std::array<char, kBlock> header_of(const std::string& name, std::uint64_t size) {
  std::array<char, kBlock> header{};
  put(header, kName, name);
  put(header, kMode, "0000644");
  put(header, kOwner, "0000000");
  put(header, kGroup, "0000000");
  put(header, kSize, fmt::format("{:011o}", size));
  put(header, kTime, "00000000000");
  header[kType] = '0';
  put(header, kMagic, std::string_view("ustar\00000", 8));
  put(header, kChecksum,
      fmt::format("{:06o}", checksum({header.data(), kBlock})) + std::string("\0 ", 2));
  return header;
}

}  // namespace

std::vector<TarEntry> list_tar(std::span<const std::byte> bytes, const std::string& source) {
  std::vector<TarEntry> entries;
  ByteReader reader(bytes, source);
  while (reader.remaining() > 0) {
    const std::string_view header = reader.text(kBlock, "header of a packed file");
    if (std::ranges::all_of(header, [](char c) { return c == '\0'; })) break;
    if (number(header, kChecksum, source) != checksum(header))
      fail(Errc::CorruptData, "{}: the tar header at byte {} has a wrong checksum", source,
           reader.offset() - kBlock);
    if (header[kType] == '5') continue;  // the folder itself, as tar(1) writes it
    if (header[kType] != '0' && header[kType] != '\0')
      fail(Errc::CorruptData, "{}: expected regular files only, found an entry of type '{}'",
           source, printable({&header[kType], 1}));
    TarEntry entry{plain_name(header, source), reader.offset(), number(header, kSize, source)};
    for (const TarEntry& other : entries) {
      if (other.name == entry.name)
        fail(Errc::CorruptData, "{}: {} is packed twice", source, entry.name);
    }
    reader.skip(entry.size, entry.name);
    const std::uint64_t rest = (kBlock - entry.size % kBlock) % kBlock;
    reader.skip(std::min<std::uint64_t>(rest, reader.remaining()), "padding");
    entries.push_back(std::move(entry));
  }
  return entries;
}

void write_tar(const fs::path& folder, const std::vector<std::string>& names,
               const fs::path& archive) {
  AtomicFile out(archive);
  static constexpr std::array<char, 2 * kBlock> kZeros{};
  for (const std::string& name : names) {
    const MappedFile file(folder / name);
    const std::uint64_t size = file.bytes().size();
    if (name.size() > kName.size || size >= 1ULL << 33)
      fail(Errc::Unsupported, "{}: too large for a packed model; use a folder", name);
    const auto header = header_of(name, size);
    out.write({header.data(), header.size()});
    out.write(file.bytes());
    out.write({kZeros.data(), (kBlock - size % kBlock) % kBlock});
  }
  out.write({kZeros.data(), kZeros.size()});
  out.commit();
}

}  // namespace aceso::nn
