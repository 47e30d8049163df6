#include "call_pileup.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"
#include "aceso/genomics/aligner.hpp"
#include "aceso/nn/tensor_file.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string>

namespace aceso::genomics {
namespace {

constexpr std::size_t kCounts = 6, kDeleted = 4, kInserted = 5;
constexpr std::size_t kCountsBegin = 4, kBaseQuality = 28, kMappingQuality = 30, kDepth = 32;
constexpr std::string_view kFormat = "aceso pileups 1";

/// Sums over the reads of one side at one place.
struct Sums {
  std::uint32_t bases = 0, base_quality = 0;
  std::uint32_t reads = 0, mapping_quality = 0;
};

/// part / whole of 255, rounded.
std::uint8_t share(std::uint32_t part, std::uint32_t whole) {
  return whole == 0 ? 0
                    : static_cast<std::uint8_t>(std::min(255U, (255 * part + whole / 2) / whole));
}

class PileupMaker {
 public:
  PileupMaker(const CallReads& all, std::uint32_t place)
      : all_(all), first_(std::int64_t{place} - static_cast<std::int64_t>(kPileupReach)) {}

  void add(const CallRead& read, const Vote& vote) {
    const std::size_t side = vote.number > 0 ? 1 : 0;
    auto& counts = counts_[2 * side + (read.reversed ? 1 : 0)];
    std::int64_t at = std::int64_t{read.position} - first_;
    std::uint32_t base = 0;
    for (const std::uint32_t packed : read.cigar) {
      const std::uint32_t length = cigar_length(packed);
      switch (cigar_op(packed)) {
        case CigarOp::Match:
          for (std::uint32_t i = 0; i < length; ++i, ++at, ++base) {
            if (inside(at)) add_base(read, base, index(at), side, counts);
          }
          break;
        case CigarOp::Deletion:
          for (std::uint32_t i = 0; i < length; ++i, ++at) {
            if (!inside(at)) continue;
            ++counts[kDeleted][index(at)];
            note_read(read, sums_[side][index(at)]);
          }
          break;
        case CigarOp::Insertion:
          if (inside(at - 1)) ++counts[kInserted][index(at - 1)];
          base += length;
          break;
        case CigarOp::SoftClip:
          base += length;
          break;
        case CigarOp::HardClip:
          break;
      }
    }
  }

  [[nodiscard]] CallPileup made(const Reference& reference, std::size_t depth) const {
    CallPileup out(kPileupBytes);
    const auto reads = static_cast<std::uint32_t>(depth);
    const auto codes = reference.codes();
    for (std::size_t p = 0; p < kPileupPlaces; ++p) {
      const auto put = [&](std::size_t channel, std::uint8_t value) {
        out[channel * kPileupPlaces + p] = value;
      };
      const std::int64_t global = first_ + static_cast<std::int64_t>(p);
      if (global >= 0 && static_cast<std::size_t>(global) < codes.size() &&
          codes[static_cast<std::size_t>(global)] < kCodeN)
        put(codes[static_cast<std::size_t>(global)], 255);
      for (std::size_t g = 0; g < counts_.size(); ++g) {
        for (std::size_t c = 0; c < kCounts; ++c)
          put(kCountsBegin + g * kCounts + c, share(counts_[g][c][p], reads));
      }
      for (std::size_t side = 0; side < sums_.size(); ++side) {
        const Sums& s = sums_[side][p];
        put(kBaseQuality + side, share(6 * s.base_quality, 255 * s.bases));
        put(kMappingQuality + side, share(4 * s.mapping_quality, 255 * s.reads));
      }
      put(kDepth, static_cast<std::uint8_t>(std::min<std::size_t>(255, 2 * depth)));
    }
    return out;
  }

 private:
  using Counts = std::array<std::array<std::uint32_t, kPileupPlaces>, kCounts>;

  static bool inside(std::int64_t at) {
    return at >= 0 && at < static_cast<std::int64_t>(kPileupPlaces);
  }
  static std::size_t index(std::int64_t at) { return static_cast<std::size_t>(at); }

  static void note_read(const CallRead& read, Sums& sums) {
    ++sums.reads;
    sums.mapping_quality += read.mapping_quality;
  }

  void add_base(const CallRead& read, std::uint32_t base, std::size_t at, std::size_t side,
                Counts& counts) {
    const std::uint8_t code = all_.codes_of(read)[base];
    if (code < kCodeN) ++counts[code][at];
    Sums& sums = sums_[side][at];
    note_read(read, sums);
    ++sums.bases;
    sums.base_quality += all_.qualities_of(read)[base];
  }

  const CallReads& all_;
  std::int64_t first_;  ///< global position of the first place; below 0 at the genome's begin
  std::array<Counts, 4> counts_{};
  std::array<std::array<Sums, kPileupPlaces>, 2> sums_{};
};

}  // namespace

CallPileup pileup_of(const Reference& reference, const CallReads& all,
                     std::span<const std::uint32_t> numbers, std::span<const Vote> votes,
                     std::uint32_t place) {
  PileupMaker maker(all, place);
  for (std::size_t r = 0; r < numbers.size(); ++r) maker.add(all.reads[numbers[r]], votes[r]);
  return maker.made(reference, numbers.size());
}

CallPileup reversed(std::span<const std::uint8_t> image) {
  CallPileup out(kPileupBytes);
  const auto mirror = [&](std::size_t from, std::size_t to, std::size_t shift) {
    for (std::size_t p = 0; p + shift < kPileupPlaces; ++p)
      out[to * kPileupPlaces + kPileupPlaces - 1 - p - shift] = image[from * kPileupPlaces + p];
  };
  for (std::size_t base = 0; base < 4; ++base) mirror(base, 3 - base, 0);
  for (std::size_t group = 0; group < 4; ++group) {
    const std::size_t from = kCountsBegin + group * kCounts;
    const std::size_t to = kCountsBegin + (group ^ 1U) * kCounts;
    for (std::size_t base = 0; base < 4; ++base) mirror(from + base, to + 3 - base, 0);
    mirror(from + kDeleted, to + kDeleted, 0);
    // What was behind a base is in front of its mirror image, behind the one before.
    mirror(from + kInserted, to + kInserted, 1);
  }
  for (std::size_t c = kBaseQuality; c < kPileupChannels; ++c) mirror(c, c, 0);
  return out;
}

void CallPileups::add(std::uint32_t position, std::span<const std::uint8_t> image) {
  positions.push_back(static_cast<std::int32_t>(position));
  bytes.insert(bytes.end(), image.begin(), image.end());
}

void CallPileups::append(const CallPileups& other) {
  positions.insert(positions.end(), other.positions.begin(), other.positions.end());
  bytes.insert(bytes.end(), other.bytes.begin(), other.bytes.end());
}

void write_pileups(const std::filesystem::path& path, const CallPileups& pileups) {
  const auto calls = static_cast<std::int64_t>(pileups.size());
  nn::TensorFileWriter file(
      path,
      {{"pileups", DType::U8, {calls, std::int64_t{kPileupChannels}, std::int64_t{kPileupPlaces}}},
       {"positions", DType::I32, {calls}}},
      {{"format", std::string(kFormat)}});
  file.put(0, std::as_bytes(std::span(pileups.bytes)));
  file.put(1, std::as_bytes(std::span(pileups.positions)));
  file.commit();
}

namespace {

constexpr std::string_view kExpected =
    "pileups (a safetensors file that genomics germline --pileups writes)";

/// What a file that cannot be read as safetensors seems to be; nothing if it is damaged
/// safetensors.
std::string other_format_of(const std::filesystem::path& path) {
  std::array<char, 40> begin{};
  const std::size_t size =
      read_some(open_for_reading(path).get(), std::as_writable_bytes(std::span(begin)), path);
  const std::string_view text(begin.data(), size);
  // (Behind eight bytes of its size a header begins.)
  if (text.size() > 8 && text[8] == '{') return {};
  if (text.empty()) return "an empty file";
  if (text.starts_with("\x1f\x8b")) return "gzip or BGZF data";
  return fmt::format("a file that begins with \"{}\"", printable(text.substr(0, text.find('\n'))));
}

nn::TensorFile open_pileups(const std::filesystem::path& path) {
  try {
    return nn::TensorFile(path);
  } catch (const Error& error) {
    if (error.code() != Errc::CorruptData) throw;
    const std::string found = other_format_of(path);
    if (found.empty()) throw;
    fail(Errc::CorruptData, "{}: expected {}, found {}", path.string(), kExpected, found);
  }
}

}  // namespace

void check_pileups(const std::filesystem::path& path) {
  const nn::TensorFile file = open_pileups(path);
  const auto format = file.metadata().find("format");
  if (format == file.metadata().end())
    fail(Errc::CorruptData, "{}: expected {}, found a safetensors file of something else",
         path.string(), kExpected);
  if (format->second != kFormat)
    fail(Errc::CorruptData, "{}: expected {} of the format \"{}\", found \"{}\"", path.string(),
         kExpected, kFormat, printable(format->second));
}

CallPileups read_pileups(const std::filesystem::path& path) {
  check_pileups(path);
  const nn::TensorFile file(path);
  const Tensor images = file.tensor("pileups"), positions = file.tensor("positions");
  const std::vector<std::int64_t> shape{positions.element_count(), std::int64_t{kPileupChannels},
                                        std::int64_t{kPileupPlaces}};
  if (images.type() != DType::U8 || images.shape() != shape || positions.type() != DType::I32 ||
      positions.shape().size() != 1)
    fail(Errc::CorruptData, "{}: expected pileups u8 {} and as many positions i32, found {} {}",
         path.string(), nn::shape_text(shape), name(images.type()), nn::shape_text(images.shape()));
  CallPileups out;
  const auto bytes = images.values<const std::uint8_t>();
  const auto places = positions.values<const std::int32_t>();
  out.bytes.assign(bytes.begin(), bytes.end());
  out.positions.assign(places.begin(), places.end());
  return out;
}

}  // namespace aceso::genomics
