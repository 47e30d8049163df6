// The work on one chunk of reads or pairs: check, measure, trim, filter, write as text.
#pragma once

#include "bgzf.hpp"
#include "counting.hpp"
#include "read_stats.hpp"
#include "rules.hpp"
#include "trim.hpp"

#include "aceso/genomics/fastq.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace aceso::genomics {

/// The files that may be written.
enum class Sink : std::uint8_t { Read1, Read2, Unpaired, Failed };
inline constexpr std::size_t kSinks = 4;

/// Which of them are, and how.
struct SinkPlan {
  struct One {
    bool wanted = false;
    bool packed = false;  ///< BGZF
  };
  std::array<One, kSinks> sinks;
  bool interleave = false;  ///< both mates go to Read1
  int compression_level = 1;

  [[nodiscard]] const One& of(Sink sink) const { return sinks[static_cast<std::size_t>(sink)]; }
  [[nodiscard]] One& of(Sink sink) { return sinks[static_cast<std::size_t>(sink)]; }
};

/// Bytes for the files, as they are to be appended.
struct Packet {
  std::array<std::string, kSinks> bytes;
  std::uint64_t source_bytes = 0;
};

/// Figures of one mate.
struct MateTally {
  ReadTotals before, after;
  CycleTable cycles_before;
  CycleTable removed, added;  ///< after = before - removed + added
  SampledStats sampled;
  CountTable adapters;  ///< prefix_key() of what was cut as adapter
  std::unordered_map<std::string, std::uint64_t>
      starts;  ///< first kStartLength letters of sampled reads
  std::uint64_t starts_sampled = 0;
  std::uint8_t quality_least = 255, quality_most = 0;
};

inline constexpr std::uint64_t kStartEvery = 20;
inline constexpr std::uint64_t kStartMostReads = 2'000'000;
inline constexpr std::size_t kStartLength = 50;
inline constexpr std::uint64_t kStartFewest = 5;  ///< below, 0.1 % is chance
inline constexpr std::size_t kMostInsert = 512;

/// Everything that is counted. All of it is sums, so that the order of chunks does not matter.
struct Tally {
  std::array<MateTally, 2> mates;
  std::array<std::uint64_t, kVerdicts> reads_by_verdict{};
  std::array<std::uint64_t, kMostInsert + 1>
      inserts{};  ///< pairs by fragment length; last: unknown
  DuplicateSketch duplicates;
  std::uint64_t adapter_reads = 0, adapter_bases = 0;
  std::uint64_t poly_x_reads = 0, poly_x_bases = 0;
  std::uint64_t poly_g_reads = 0, poly_g_bases = 0;
  std::uint64_t corrected_reads = 0, corrected_bases = 0;

  void add(const Tally& other);
};

/// Says that `record` of `chunk` has no mate since the files of `other` end with `other`.
[[noreturn]] void refuse_lonely(const FastqChunk& chunk, std::size_t record,
                                const FastqChunk& other);

class ReadsWorker {
 public:
  ReadsWorker(const Rules& rules, const SinkPlan& plan, Warnings& warnings);
  ~ReadsWorker();

  /// Single reads. \throws Error CorruptData.
  [[nodiscard]] Packet single(const FastqChunk& chunk);
  /// Pairs; both chunks hold the same number of records. \throws Error CorruptData.
  [[nodiscard]] Packet pairs(const FastqChunk& chunk1, const FastqChunk& chunk2);
  /// Pairs of one chunk, mates one behind the other. \throws Error CorruptData.
  [[nodiscard]] Packet interleaved(const FastqChunk& chunk);

  [[nodiscard]] const Tally& tally() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aceso::genomics
