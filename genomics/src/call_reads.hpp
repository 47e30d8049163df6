// Reads as the caller wants them: base codes and what each base costs when it does not match.
#pragma once

#include "packed_record.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace aceso::genomics {

struct CallRead {
  std::uint64_t fragment = 0;           ///< number of its pair
  std::uint32_t position = 0, end = 0;  ///< global, of the aligned part
  std::int64_t left = 0, right = 0;     ///< the same with clipped bases
  std::uint32_t length = 0;
  std::uint32_t clipped_front = 0, clipped_back = 0;
  std::uint8_t mapping_quality = 0;
  bool reversed = false;
  std::span<const std::uint32_t> cigar;
  std::size_t begin = 0;  ///< of its bases in CallReads::codes
};

/// Reads in rising order of position. Codes of each read have kCodeMargin to spare behind them.
struct CallReads {
  std::vector<CallRead> reads;
  std::vector<std::uint8_t> codes;
  std::vector<std::uint8_t> qualities;  ///< phred, capped
  std::vector<std::uint8_t> costs;      ///< phred of a mismatch
  std::uint32_t longest = 0;            ///< reach of a read on the reference

  [[nodiscard]] const std::uint8_t* codes_of(const CallRead& r) const {
    return codes.data() + r.begin;
  }
  [[nodiscard]] const std::uint8_t* costs_of(const CallRead& r) const {
    return costs.data() + r.begin;
  }
  [[nodiscard]] const std::uint8_t* qualities_of(const CallRead& r) const {
    return qualities.data() + r.begin;
  }
  void clear();
  void add(const PackedRecord& record);
};

/// Whether the caller looks at a record.
struct ReadFilter {
  std::uint8_t least_mapping_quality = 20;
  [[nodiscard]] bool takes(const PackedRecord& record, bool duplicate) const noexcept;
};

}  // namespace aceso::genomics
