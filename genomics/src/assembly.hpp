// Local assembly: alleles that alignments do not show, found as detours around the reference in a
// de Bruijn graph of the reads of a small window (Pevzner et al. 2001, doi:10.1073/pnas.171285098).
#pragma once

#include "allele.hpp"
#include "call_reads.hpp"
#include "kernels/band.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace aceso::genomics {

struct AssemblyOptions {
  std::vector<std::uint32_t> word_lengths = {25, 35, 47, 61};  ///< tried until one has no repeats
  std::uint32_t least_support = 2;  ///< reads that show each word of a detour
  double least_share = 0.08;        ///< of the reads in the window
  std::uint8_t least_quality = 10;
  std::uint32_t longest_detour = 600;  ///< bases
  std::uint32_t most_steps = 20'000;   ///< of the search, before it gives up
};

class Assembler {
 public:
  Assembler(const Reference& reference, AssemblyOptions options)
      : reference_(reference), options_(std::move(options)) {}

  /// Alleles in [begin, end) that reads of the window support. Sorted, each once.
  [[nodiscard]] std::vector<Allele> assemble(const CallReads& all,
                                             std::span<const std::uint32_t> reads,
                                             std::uint32_t begin, std::uint32_t end);

 private:
  struct Word {
    std::uint32_t count = 0;  ///< reads
    std::uint32_t last_read = ~0U;
    std::int32_t place = -1;  ///< in the window, if the reference has it
  };
  using Words = std::unordered_map<std::string, Word>;

  [[nodiscard]] bool add_reference(std::uint32_t begin, std::uint32_t end, std::uint32_t length);
  void add_read(const CallReads& all, const CallRead& read, std::uint32_t number,
                std::uint32_t length);
  /// The reads of a window, and where it begins.
  struct Window {
    const CallReads& all;
    std::span<const std::uint32_t> reads;
    std::uint32_t begin = 0, length = 0;  ///< global; of words
  };
  void find_detours(const Window& window, std::vector<Allele>& out);
  void follow(const Window& window, const std::string& from, std::uint32_t place,
              std::vector<Allele>& out);
  [[nodiscard]] bool jumps(const Window& window, const std::string& word) const;
  void add_detour(const Window& window, std::uint32_t from, std::uint32_t to, std::string bases,
                  std::vector<Allele>& out);

  const Reference& reference_;
  AssemblyOptions options_;
  Words words_;
  std::uint32_t least_ = 0, steps_ = 0;
};

/// The changes that turn reference bases [from, to) into `bases`, by affine global alignment.
[[nodiscard]] std::vector<Allele> decompose(const Reference& reference, std::uint32_t from,
                                            std::uint32_t to, std::string_view bases);

}  // namespace aceso::genomics
