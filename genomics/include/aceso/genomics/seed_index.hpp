/// \file
/// The index of a reference: where its seeds stand. Made once, kept beside the FASTA file, and
/// mapped into memory by every run.
///
/// Seeds are canonical open syncmers (k 20, s 16), one in five k-mers. Each is kept with 15 bits
/// of the hash of a second seed further on, so that a seed that is too common to be looked at can
/// be narrowed to the places where the same two seeds follow each other.
///
/// Cost for a genome of G bases: G bytes of codes, 8 G/5 bytes of entries, and a table of at most
/// G/3 bytes; 10 GB for a human genome, mapped and shared by all runs on a machine.
#pragma once

#include "aceso/genomics/reference.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <stop_token>
#include <string>

namespace aceso::genomics {

/// One place of a seed.
struct SeedEntry {
  std::uint32_t tag = 0;  ///< 16 bits of the seed's hash, its strand, 15 bits of its link's hash
  std::uint32_t position = 0;  ///< global, of the seed's first base
};

/// What a seed is looked up with; see SeedIndex::find.
[[nodiscard]] constexpr std::uint32_t seed_tag(std::uint64_t hash) noexcept {
  return static_cast<std::uint32_t>(hash & 0xffff0000U);
}
[[nodiscard]] constexpr std::uint32_t linked_tag(std::uint64_t hash, bool reversed,
                                                 std::uint64_t link) noexcept {
  return seed_tag(hash) | (reversed ? 0x8000U : 0U) | static_cast<std::uint32_t>(link >> 49);
}

class SeedIndex {
 public:
  /// Makes the index of `reference` and keeps it. Same bytes for any number of threads.
  /// \throws Error OutOfResources, Cancelled.
  [[nodiscard]] static SeedIndex build(std::shared_ptr<const OwnedReference> reference,
                                       unsigned threads, const std::stop_token& stop = {});
  /// Maps an index file. \throws Error NotFound; CorruptData, Unsupported (another version) with
  /// the file's name.
  [[nodiscard]] static SeedIndex open(const std::filesystem::path& file);

  /// Writes the index with the reference. `source` is the FASTA file it was made from, whose size
  /// and time are kept to tell a stale index.
  void save(const std::filesystem::path& file, const std::filesystem::path& source) const;
  /// Compares the content of the index at `file` with its checksum. \throws Error CorruptData.
  static void verify(const std::filesystem::path& file, const std::stop_token& stop = {});
  /// Whether the index at `file` was made from `source` as it is now.
  [[nodiscard]] static bool is_current(const std::filesystem::path& file,
                                       const std::filesystem::path& source);

  [[nodiscard]] const Reference& reference() const noexcept { return reference_; }
  [[nodiscard]] std::size_t entry_count() const noexcept { return entries_.size(); }

  /// Asks for the memory that find(hash) will look at.
  void prefetch(std::uint64_t hash) const noexcept {
    __builtin_prefetch(buckets_.data() + (hash >> shift_));
  }
  void prefetch_entries(std::uint64_t hash) const noexcept {
    __builtin_prefetch(entries_.data() + buckets_[hash >> shift_]);
  }

  /// Entries of the seed with this hash (and, rarely, of another one: 16 bits and the bucket are
  /// compared), sorted by tag and position.
  [[nodiscard]] std::span<const SeedEntry> find(std::uint64_t hash) const noexcept;
  /// The part of `found` whose tag is `tag`.
  [[nodiscard]] static std::span<const SeedEntry> narrow(std::span<const SeedEntry> found,
                                                         std::uint32_t tag) noexcept;

 private:
  Reference reference_;
  std::span<const std::uint32_t> buckets_;  ///< where each begins, and the end of the last
  std::span<const SeedEntry> entries_;
  int shift_ = 0;
  std::shared_ptr<void> memory_;
};

/// "REF.aceso" beside `fasta`.
[[nodiscard]] std::filesystem::path index_path(const std::filesystem::path& fasta);

/// The index of `fasta`: mapped if a current one is beside it; otherwise made, and written beside
/// it if that folder can be written.
/// \throws Error as read_reference and SeedIndex::build do.
[[nodiscard]] SeedIndex open_or_build_index(const std::filesystem::path& fasta, unsigned threads,
                                            const std::stop_token& stop = {});

}  // namespace aceso::genomics
