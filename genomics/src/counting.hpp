// Counting things by 64-bit keys, and duplicates by a sample of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aceso::genomics {

/// Counts per key; open addressing. Key 0 counts as key 1.
class CountTable {
 public:
  void add(std::uint64_t key, std::uint64_t count = 1);
  void add(const CountTable& other);
  /// Removes the keys above `limit`.
  void keep_up_to(std::uint64_t limit);
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// All keys and counts, keys rising.
  [[nodiscard]] std::vector<std::pair<std::uint64_t, std::uint64_t>> sorted() const;

 private:
  struct Entry {
    std::uint64_t key = 0;
    std::uint64_t count = 0;
  };
  void grow();
  std::vector<Entry> entries_;
  std::size_t size_ = 0;
};

/// Estimates duplication from the fragments whose hash lies below a limit that falls as more
/// distinct ones are seen. Exact below kMostKept distinct fragments. The result depends on the
/// fragments only, not on their order nor on how they were split among sketches.
class DuplicateSketch {
 public:
  static constexpr std::size_t kMostKept = std::size_t{1} << 19;
  static constexpr std::size_t kLevels = 32;

  void add(std::uint64_t hash);
  void add(const DuplicateSketch& other);

  struct Result {
    double rate = 0;  ///< share of reads that repeat another one
    std::vector<std::uint64_t>
        levels;  ///< [n]: distinct sampled fragments seen n times; last: or more
    double sampled_fraction = 1;
  };
  [[nodiscard]] Result result() const;

 private:
  void thin();
  CountTable table_;
  std::uint64_t limit_ = ~std::uint64_t{0};
};

/// A hash of a read's letters, going on from `seed`.
[[nodiscard]] std::uint64_t hash_bases(std::string_view bases, std::uint64_t seed) noexcept;

/// The first 16 letters of a sequence as a key, and back. Letters other than A C G T become N.
[[nodiscard]] std::uint64_t prefix_key(std::string_view bases) noexcept;
[[nodiscard]] std::string prefix_of_key(std::uint64_t key);

}  // namespace aceso::genomics
