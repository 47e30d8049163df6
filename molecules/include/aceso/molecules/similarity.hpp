/// \file
/// The most similar molecules of a library, exactly.
#pragma once

#include "aceso/molecules/preparation.hpp"
#include "aceso/nn/tensor_file.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::molecules {

struct Hit {
  std::size_t index = 0;  ///< in the library
  double similarity = 0;
  bool operator==(const Hit&) const = default;
};

/// For each query the `k` library molecules of highest Tanimoto similarity, at least `threshold`;
/// best first, of equals the earlier one first. Looks at every pair that could matter: a pair
/// whose counts of bits rule it out is left out. The same for any number of threads.
/// Costs about 256 bytes of reading for each 16 pairs.
[[nodiscard]] std::vector<std::vector<Hit>> most_similar(std::span<const BitFingerprint> library,
                                                         std::span<const BitFingerprint> queries,
                                                         std::size_t k, double threshold,
                                                         unsigned threads,
                                                         const std::stop_token& stop);

/// How common bits are counted. Each gives the same result.
enum class BitKernel { Portable, Avx512 };
/// The fastest that this CPU has.
[[nodiscard]] BitKernel best_bit_kernel() noexcept;
/// Bits that both have. \pre the CPU has `kernel`.
[[nodiscard]] int common_bits(BitKernel kernel, const BitFingerprint& a,
                              const BitFingerprint& b) noexcept;

/// Fingerprints with names on disk: safetensors with "bits" U64 [n, 32], and texts "ids" and
/// "smiles" as U8 with their ends in "ids.ends" and "smiles.ends" I64 [n]. Memory-mapped.
class FingerprintFile {
 public:
  /// \throws Error NotFound, Io, CorruptData naming the tensor that is missing or has another
  /// shape.
  explicit FingerprintFile(const std::filesystem::path& path);

  [[nodiscard]] std::span<const BitFingerprint> bits() const noexcept { return bits_; }
  [[nodiscard]] std::string_view id(std::size_t index) const { return text(ids_, id_ends_, index); }
  [[nodiscard]] std::string_view smiles(std::size_t index) const {
    return text(smiles_, smiles_ends_, index);
  }

  /// \throws Error OutOfResources, Io.
  static void write(const std::filesystem::path& path, std::span<const BitFingerprint> bits,
                    const std::vector<std::string>& ids, const std::vector<std::string>& smiles);

 private:
  static std::string_view text(const Tensor& bytes, const Tensor& ends, std::size_t index);

  nn::TensorFile file_;
  Tensor bit_words_, ids_, id_ends_, smiles_, smiles_ends_;
  std::span<const BitFingerprint> bits_;
};

}  // namespace aceso::molecules
