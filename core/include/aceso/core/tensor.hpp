/// \file
/// Dense n-dimensional arrays that own pooled memory or borrow it, and pass through DLPack.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

struct DLManagedTensor;  // of <dlpack/dlpack.h>

namespace aceso {

/// Element types. Fixed numbers: they are written to files; do not change existing entries.
enum class DType : std::uint8_t {
  U8 = 0,
  I8 = 1,
  I16 = 2,
  U16 = 3,
  I32 = 4,
  I64 = 5,
  F16 = 6,
  BF16 = 7,
  F32 = 8,
  F64 = 9,
  Bool = 10,
  U32 = 11,
  U64 = 12
};

[[nodiscard]] std::size_t size_in_bytes(DType type) noexcept;
[[nodiscard]] std::string_view name(DType type) noexcept;  ///< "u8", "bf16", "f32", …

/// 64-byte aligned memory, given back to a process-wide pool when its last owner goes.
///
/// The pool keeps freed blocks by power-of-two size class up to `pool_limit()` bytes in all,
/// so that steady work allocates nothing. Thread-safe.
class Buffer {
 public:
  Buffer() = default;
  /// Memory of `bytes` bytes, not initialised. \throws Error OutOfResources.
  explicit Buffer(std::size_t bytes);
  /// Borrows `data`; `owner` is kept until the last Buffer over it goes.
  Buffer(std::byte* data, std::size_t bytes, std::shared_ptr<void> owner);

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// Bytes that wait in the pool for reuse.
  [[nodiscard]] static std::size_t pooled_bytes() noexcept;
  [[nodiscard]] static std::size_t pool_limit() noexcept;
  /// Gives all waiting bytes back to the system.
  static void trim_pool() noexcept;

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::shared_ptr<void> owner_;
};

/// A strided view with shared ownership. Strides count elements, as in DLPack.
class Tensor {
 public:
  Tensor() = default;
  /// A new contiguous (row-major) tensor, not initialised.
  /// \throws Error InvalidArgument on a negative or overflowing shape, OutOfResources.
  Tensor(DType type, std::vector<std::int64_t> shape);
  /// A view of `buffer` beginning at `offset` bytes. \throws Error InvalidArgument if the
  /// elements it reaches do not lie inside `buffer`.
  Tensor(Buffer buffer, std::size_t offset, DType type, std::vector<std::int64_t> shape,
         std::vector<std::int64_t> strides);

  [[nodiscard]] DType type() const noexcept { return type_; }
  [[nodiscard]] const std::vector<std::int64_t>& shape() const noexcept { return shape_; }
  [[nodiscard]] const std::vector<std::int64_t>& strides() const noexcept { return strides_; }
  [[nodiscard]] std::int64_t element_count() const noexcept;
  [[nodiscard]] bool is_contiguous() const noexcept;
  [[nodiscard]] std::byte* data() const noexcept { return data_; }

  /// The elements of a contiguous tensor. \throws Error InvalidArgument if `T` is not its
  /// element type's size or it is not contiguous.
  template <typename T>
  [[nodiscard]] std::span<T> values() const {
    check_values(sizeof(T));
    return {reinterpret_cast<T*>(data_), static_cast<std::size_t>(element_count())};
  }

  /// The part [begin, end) of the first axis, sharing memory. \throws Error InvalidArgument.
  [[nodiscard]] Tensor slice(std::int64_t begin, std::int64_t end) const;

  /// Hands this tensor to another library; the receiver calls the result's deleter once.
  [[nodiscard]] DLManagedTensor* to_dlpack() const;
  /// Takes over a host tensor from another library, calling its deleter when the last view goes.
  /// \throws Error Unsupported for other devices or element types; then `managed` is not taken.
  [[nodiscard]] static Tensor from_dlpack(DLManagedTensor* managed);

 private:
  void check_values(std::size_t element_size) const;

  Buffer buffer_;
  std::byte* data_ = nullptr;
  DType type_ = DType::F32;
  std::vector<std::int64_t> shape_, strides_;
};

}  // namespace aceso
