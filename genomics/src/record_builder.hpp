// From reads and their places to packed records with SAM's flags, mate fields and tags.
#pragma once

#include "duplicates.hpp"
#include "packed_record.hpp"

#include "aceso/genomics/aligner.hpp"
#include "aceso/genomics/fastq.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::genomics {

/// Counts of what was built, as `samtools flagstat` counts.
struct AlignCounts {
  std::uint64_t reads = 0, mapped = 0, pairs = 0, proper = 0, supplementary = 0, secondary = 0,
                singletons = 0;
  std::uint64_t confident = 0;  ///< mapping quality at least 20
  std::uint64_t bases = 0;

  void add(const AlignCounts& other);
  /// Of reads or pairs: as many as are numbered.
  [[nodiscard]] std::uint64_t numbers() const noexcept { return pairs > 0 ? pairs : reads; }
};

/// The records of some reads, one behind the other.
struct RecordBatch {
  std::vector<std::byte> bytes;
  std::vector<DuplicateKey> keys;
  AlignCounts counts;
};

class RecordBuilder {
 public:
  /// `read_group` is the id for the RG tag; empty: none. `complete` false leaves names and tags
  /// out, which calling variants does not need.
  RecordBuilder(const Reference& reference, std::string read_group, bool complete)
      : reference_(reference), read_group_(std::move(read_group)), complete_(complete) {}

  void add_pair(std::uint64_t number, const FastqRecord& read1, const FastqRecord& read2,
                const PairPlaces& places, RecordBatch& out);
  void add_read(std::uint64_t number, const FastqRecord& read, const ReadPlaces& places,
                RecordBatch& out);

 private:
  struct Job;
  void add_one(const Job& job, RecordBatch& out);
  /// The supplementary and secondary records of a read, behind its primary one.
  void add_others(Job job, std::uint8_t& order, RecordBatch& out);
  void write_data(const Job& job, RecordBatch& out, PackedRecord& head);
  void write_tags(const Job& job);
  void write_differences(const Job& job);
  void write_split(const Job& job);
  void tag_text(const char* tag, std::string_view text);
  void tag_number(const char* tag, std::int64_t value);
  [[nodiscard]] std::string place_text(const Alignment& alignment) const;

  const Reference& reference_;
  std::string read_group_;
  bool complete_;
  std::vector<std::uint8_t> tags_;
  std::string text_;
};

/// "10S140M"; "*" if there is none.
[[nodiscard]] std::string cigar_text(std::span<const std::uint32_t> cigar);

}  // namespace aceso::genomics
