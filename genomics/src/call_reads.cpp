#include "call_reads.hpp"

#include "kernels/band.hpp"

#include "aceso/genomics/reference.hpp"

#include <algorithm>
#include <array>

namespace aceso::genomics {
namespace {

// Sequencers promise more than this, and errors made before sequencing are not in their promise.
constexpr std::uint8_t kMostQuality = 40;
// A wrong base is one of three others: 10 log10 3.
constexpr int kOtherBases = 5;

constexpr std::array<std::uint8_t, 16> packed_codes() {
  std::array<std::uint8_t, 16> table{};
  table.fill(kCodeN);
  table[1] = 0;
  table[2] = 1;
  table[4] = 2;
  table[8] = 3;
  return table;
}
constexpr std::array<std::uint8_t, 16> kCodes = packed_codes();

}  // namespace

void CallReads::clear() {
  reads.clear();
  codes.clear();
  qualities.clear();
  costs.clear();
  longest = 0;
}

void CallReads::add(const PackedRecord& record) {
  CallRead out;
  out.fragment = record.number;
  out.position = out.end = record.position;
  out.length = record.read_length;
  out.mapping_quality = record.mapping_quality;
  out.reversed = (record.flags & kReversed) != 0;
  out.cigar = record.cigar();
  for (std::size_t i = 0; i < out.cigar.size(); ++i) {
    const std::uint32_t length = cigar_length(out.cigar[i]);
    switch (cigar_op(out.cigar[i])) {
      case CigarOp::Match:
      case CigarOp::Deletion:
        out.end += length;
        break;
      case CigarOp::SoftClip:
        (i == 0 ? out.clipped_front : out.clipped_back) = length;
        break;
      default:
        break;
    }
  }
  out.left = std::int64_t{out.position} - out.clipped_front;
  out.right = std::int64_t{out.end} + out.clipped_back;
  out.begin = codes.size();
  const std::size_t size = out.begin + out.length + kCodeMargin;
  codes.resize(size, kCodeN);
  qualities.resize(size);
  costs.resize(size);
  for (std::uint32_t i = 0; i < out.length; ++i) {
    codes[out.begin + i] = kCodes[record.bases()[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15U];
    const std::uint8_t quality = std::min(record.qualities()[i], kMostQuality);
    qualities[out.begin + i] = quality;
    costs[out.begin + i] = static_cast<std::uint8_t>(quality + kOtherBases);
  }
  longest = std::max(longest, static_cast<std::uint32_t>(out.right - out.left));
  reads.push_back(out);
}

bool ReadFilter::takes(const PackedRecord& record, bool duplicate) const noexcept {
  constexpr std::uint16_t kNever = kUnmapped | kSecondary | kFailed | kDuplicate | kSupplementary;
  return (record.flags & kNever) == 0 && !duplicate && record.cigar_count > 0 &&
         record.mapping_quality >= least_mapping_quality;
}

}  // namespace aceso::genomics
