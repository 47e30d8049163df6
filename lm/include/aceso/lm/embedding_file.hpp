/// \file
/// Embeddings on disk: safetensors, NPY or HDF5 by the file's ending.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace aceso::lm {

/// Writes, for each sequence, its mean (f32 [hidden], named ID) and perhaps its rows
/// (f32 [length, hidden], named "ID.residues"). The file appears with commit().
/// put() may be called from several threads, once for each sequence, in any order.
///
/// .safetensors: one tensor a name. .h5, .hdf5: one data set a name ('/' in it makes groups).
/// .npy: the means alone, f32 [sequences, hidden], in the order of `ids`.
class EmbeddingFile {
 public:
  struct Sequence {
    std::string id;
    std::int64_t length = 0;
  };

  virtual ~EmbeddingFile() = default;
  virtual void put(std::size_t sequence, std::span<const float> mean,
                   std::span<const float> rows) = 0;
  virtual void commit() = 0;
};

/// \throws Error InvalidArgument for another ending, or for per-residue .npy; Io, NotFound.
[[nodiscard]] std::unique_ptr<EmbeddingFile> new_embedding_file(
    const std::filesystem::path& path, const std::vector<EmbeddingFile::Sequence>& sequences,
    std::int64_t hidden, bool per_residue);

}  // namespace aceso::lm
