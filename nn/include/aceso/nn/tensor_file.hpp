/// \file
/// Weights on disk: safetensors files, read through a memory map and written whole or not at all.
///
/// Format: https://huggingface.co/docs/safetensors (an 8-byte little-endian header length, a JSON
/// header of at most 100 MB, then the tensors' bytes without gaps).
#pragma once

#include "aceso/core/files.hpp"
#include "aceso/core/tensor.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::nn {

/// Tensors by name, as a checkpoint holds them.
using TensorSet = std::map<std::string, Tensor>;

struct TensorInfo {
  std::string name;
  DType type = DType::F32;
  std::vector<std::int64_t> shape;
  bool operator==(const TensorInfo&) const = default;
};

/// A shape as people read it: "[2, 3]".
[[nodiscard]] std::string shape_text(const std::vector<std::int64_t>& shape);

/// A safetensors file, memory mapped: opening reads the header only. Thread-safe once open.
class TensorFile {
 public:
  /// \throws Error NotFound, Io, or CorruptData naming the file, the tensor and what is wrong:
  /// lengths beyond the file, overlaps and gaps, repeated names, unknown types, shapes that do
  /// not give the length.
  explicit TensorFile(const std::filesystem::path& path);
  /// A safetensors file inside a larger mapped file (a packed model). `source` names it.
  TensorFile(std::shared_ptr<const MappedFile> file, std::size_t offset, std::size_t size,
             std::string source);

  /// A safetensors file in memory that outlives all views of it (compiled into the program).
  TensorFile(std::span<const std::byte> bytes, std::string source);

  /// In the order of their bytes.
  [[nodiscard]] const std::vector<TensorInfo>& tensors() const noexcept;
  /// The header's "__metadata__".
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const noexcept;
  [[nodiscard]] bool contains(std::string_view name) const noexcept;
  /// A read-only view of the mapped bytes, which live as long as any view of them.
  /// Copied if its bytes are not aligned for its type. \throws Error NotFound.
  [[nodiscard]] Tensor tensor(std::string_view name) const;
  /// All of them, as views.
  [[nodiscard]] TensorSet all() const;
  [[nodiscard]] const std::string& source() const noexcept;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

/// Writes a safetensors file whose tensors are known beforehand and whose bytes come in any order.
/// The file appears with commit(), if every tensor was given. put() may be called from several
/// threads at once.
class TensorFileWriter {
 public:
  /// \throws Error InvalidArgument on repeated names, NotFound, Io.
  TensorFileWriter(const std::filesystem::path& path, std::vector<TensorInfo> tensors,
                   const std::map<std::string, std::string>& metadata = {});
  ~TensorFileWriter();
  TensorFileWriter(TensorFileWriter&&) noexcept;
  TensorFileWriter& operator=(TensorFileWriter&&) noexcept;

  /// Writes tensor `index` of the constructor's list. \throws Error InvalidArgument if `bytes` has
  /// not its size, OutOfResources, Io.
  void put(std::size_t index, std::span<const std::byte> bytes);
  /// \throws Error Internal if a tensor is missing, OutOfResources, Io.
  void commit();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Writes `tensors` (contiguous) as a safetensors file.
void write_tensor_file(const std::filesystem::path& path, const TensorSet& tensors,
                       const std::map<std::string, std::string>& metadata = {});

/// Returns `tensor` as contiguous float32, converting from f16, bf16, f64 and integers.
/// A contiguous f32 tensor is returned as it is. \throws Error Unsupported for other types.
[[nodiscard]] Tensor to_float32(const Tensor& tensor);

/// Returns `tensor` as contiguous bfloat16, rounded to the nearest, ties to even.
/// \throws Error Unsupported as to_float32().
[[nodiscard]] Tensor to_bfloat16(const Tensor& tensor);

}  // namespace aceso::nn
