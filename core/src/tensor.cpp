#include "aceso/core/tensor.hpp"

#include "aceso/core/error.hpp"

#include <dlpack/dlpack.h>

#include <array>
#include <bit>
#include <cstdlib>
#include <limits>
#include <mutex>

namespace aceso {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kSmallestBlock = 4096;
constexpr std::size_t kPoolLimit = std::size_t{512} << 20;

/// Freed blocks by power-of-two size class. Never destroyed: buffers may outlive any static.
class Pool {
 public:
  static Pool& instance() {
    static Pool* pool = new Pool;
    return *pool;
  }

  std::byte* take(std::size_t size_class) {
    {
      const std::scoped_lock lock{mutex_};
      auto& blocks = free_[size_class];
      if (!blocks.empty()) {
        std::byte* block = blocks.back();
        blocks.pop_back();
        waiting_ -= std::size_t{1} << size_class;
        return block;
      }
    }
    void* block = std::aligned_alloc(kAlignment, std::size_t{1} << size_class);
    if (!block)
      fail(Errc::OutOfResources, "out of memory: {} bytes were asked for",
           std::size_t{1} << size_class);
    return static_cast<std::byte*>(block);
  }

  void give_back(std::byte* block, std::size_t size_class) noexcept {
    const std::size_t size = std::size_t{1} << size_class;
    {
      const std::scoped_lock lock{mutex_};
      if (waiting_ + size <= kPoolLimit) {
        try {
          free_[size_class].push_back(block);
          waiting_ += size;
          return;
        } catch (...) {
          // No room to remember it: free it instead.
        }
      }
    }
    std::free(block);
  }

  std::size_t waiting() noexcept {
    const std::scoped_lock lock{mutex_};
    return waiting_;
  }

  void trim() noexcept {
    const std::scoped_lock lock{mutex_};
    for (auto& blocks : free_) {
      for (std::byte* block : blocks) std::free(block);
      blocks.clear();
    }
    waiting_ = 0;
  }

 private:
  std::mutex mutex_;
  std::array<std::vector<std::byte*>, 64> free_;
  std::size_t waiting_ = 0;
};

std::size_t size_class_of(std::size_t bytes) {
  if (bytes > (std::numeric_limits<std::size_t>::max() >> 2))
    fail(Errc::OutOfResources, "out of memory: {} bytes were asked for", bytes);
  return static_cast<std::size_t>(std::bit_width(std::max(bytes, kSmallestBlock) - 1));
}

/// Product of `shape`, checked. \throws Error InvalidArgument.
std::int64_t count_of(const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) {
    if (extent < 0) fail(Errc::InvalidArgument, "tensor: an extent is {}", extent);
    if (__builtin_mul_overflow(count, extent, &count))
      fail(Errc::InvalidArgument, "tensor: the shape is too large");
  }
  return count;
}

std::vector<std::int64_t> row_major(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides(shape.size());
  std::int64_t step = 1;
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    strides[axis] = step;
    step *= std::max<std::int64_t>(1, shape[axis]);
  }
  return strides;
}

std::size_t bytes_of(DType type, std::int64_t count) {
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(static_cast<std::size_t>(count), size_in_bytes(type), &bytes))
    fail(Errc::InvalidArgument, "tensor: {} elements of {} are too large", count, name(type));
  return bytes;
}

/// Checks that all elements lie in `size` bytes beginning `offset` bytes into a buffer.
void check_extent(std::size_t size, std::size_t offset, DType type,
                  const std::vector<std::int64_t>& shape,
                  const std::vector<std::int64_t>& strides) {
  if (shape.size() != strides.size())
    fail(Errc::InvalidArgument, "tensor: {} extents but {} strides", shape.size(), strides.size());
  if (count_of(shape) == 0) return;
  std::int64_t last = 0;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    std::int64_t reach = 0;
    if (strides[axis] < 0 || __builtin_mul_overflow(shape[axis] - 1, strides[axis], &reach) ||
        __builtin_add_overflow(last, reach, &last))
      fail(Errc::InvalidArgument, "tensor: stride {} of axis {} leaves the buffer", strides[axis],
           axis);
  }
  std::int64_t count = 0;
  if (__builtin_add_overflow(last, 1, &count))
    fail(Errc::InvalidArgument, "tensor: the strides leave the buffer");
  const std::size_t needed = bytes_of(type, count);
  if (offset > size || needed > size - offset)
    fail(Errc::InvalidArgument, "tensor: its elements end at byte {}, the buffer at {}",
         offset + needed, size);
}

struct DTypeRow {
  DType type;
  std::string_view name;
  std::uint8_t code, bits;
};

constexpr std::array kTypes{
    DTypeRow{DType::U8, "u8", kDLUInt, 8},
    DTypeRow{DType::I8, "i8", kDLInt, 8},
    DTypeRow{DType::I16, "i16", kDLInt, 16},
    DTypeRow{DType::U16, "u16", kDLUInt, 16},
    DTypeRow{DType::I32, "i32", kDLInt, 32},
    DTypeRow{DType::I64, "i64", kDLInt, 64},
    DTypeRow{DType::F16, "f16", kDLFloat, 16},
    DTypeRow{DType::BF16, "bf16", kDLBfloat, 16},
    DTypeRow{DType::F32, "f32", kDLFloat, 32},
    // DLPack 0.6 has no boolean; a byte is what every library of that time sends.
    DTypeRow{DType::F64, "f64", kDLFloat, 64},
    DTypeRow{DType::Bool, "bool", kDLUInt, 8},
    DTypeRow{DType::U32, "u32", kDLUInt, 32},
    DTypeRow{DType::U64, "u64", kDLUInt, 64},
};

const DTypeRow& row(DType type) noexcept { return kTypes[static_cast<std::size_t>(type)]; }

DType from_dl(DLDataType type) {
  for (const DTypeRow& candidate : kTypes) {
    if (candidate.code == type.code && candidate.bits == type.bits && type.lanes == 1)
      return candidate.type;
  }
  fail(Errc::Unsupported, "DLPack: element type code {}, {} bits, {} lanes", int{type.code},
       int{type.bits}, int{type.lanes});
}

}  // namespace

std::size_t size_in_bytes(DType type) noexcept { return row(type).bits / 8U; }
std::string_view name(DType type) noexcept { return row(type).name; }

Buffer::Buffer(std::size_t bytes) : size_(bytes) {
  const std::size_t size_class = size_class_of(bytes);
  data_ = Pool::instance().take(size_class);
  owner_ = std::shared_ptr<void>(data_, [size_class](void* block) {
    Pool::instance().give_back(static_cast<std::byte*>(block), size_class);
  });
}

Buffer::Buffer(std::byte* data, std::size_t bytes, std::shared_ptr<void> owner)
    : data_(data), size_(bytes), owner_(std::move(owner)) {}

std::size_t Buffer::pooled_bytes() noexcept { return Pool::instance().waiting(); }
std::size_t Buffer::pool_limit() noexcept { return kPoolLimit; }
void Buffer::trim_pool() noexcept { Pool::instance().trim(); }

Tensor::Tensor(DType type, std::vector<std::int64_t> shape)
    : buffer_(bytes_of(type, count_of(shape))),
      data_(buffer_.data()),
      type_(type),
      shape_(std::move(shape)),
      strides_(row_major(shape_)) {}

Tensor::Tensor(Buffer buffer, std::size_t offset, DType type, std::vector<std::int64_t> shape,
               std::vector<std::int64_t> strides)
    : buffer_(std::move(buffer)),
      type_(type),
      shape_(std::move(shape)),
      strides_(std::move(strides)) {
  check_extent(buffer_.size(), offset, type_, shape_, strides_);
  data_ = buffer_.data() + offset;
}

std::int64_t Tensor::element_count() const noexcept {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape_) count *= extent;
  return data_ ? count : 0;
}

bool Tensor::is_contiguous() const noexcept {
  std::int64_t step = 1;
  for (std::size_t axis = shape_.size(); axis-- > 0;) {
    if (shape_[axis] != 1 && strides_[axis] != step) return false;
    step *= shape_[axis];
  }
  return true;
}

void Tensor::check_values(std::size_t element_size) const {
  if (element_size != size_in_bytes(type_))
    fail(Errc::InvalidArgument, "tensor: elements are {}, {} bytes each, not {}", name(type_),
         size_in_bytes(type_), element_size);
  if (!is_contiguous()) fail(Errc::InvalidArgument, "tensor: its elements are not contiguous");
}

Tensor Tensor::slice(std::int64_t begin, std::int64_t end) const {
  if (shape_.empty() || begin < 0 || end < begin || end > shape_[0])
    fail(Errc::InvalidArgument, "tensor: slice [{}, {}) of an axis of {}", begin, end,
         shape_.empty() ? 0 : shape_[0]);
  Tensor part = *this;
  part.data_ += static_cast<std::size_t>(begin * strides_[0]) * size_in_bytes(type_);
  part.shape_[0] = end - begin;
  return part;
}

DLManagedTensor* Tensor::to_dlpack() const {
  struct Shared {
    Tensor tensor;
    DLManagedTensor managed;
  };
  auto* shared = new Shared{*this, {}};
  shared->managed.manager_ctx = shared;
  shared->managed.deleter = [](DLManagedTensor* self) {
    delete static_cast<Shared*>(self->manager_ctx);
  };
  DLTensor& view = shared->managed.dl_tensor;
  view.data = shared->tensor.data_;
  view.device = {kDLCPU, 0};
  view.ndim = static_cast<int>(shape_.size());
  view.dtype = {row(type_).code, row(type_).bits, 1};
  view.shape = shared->tensor.shape_.data();
  view.strides = shared->tensor.strides_.data();
  view.byte_offset = 0;
  return &shared->managed;
}

Tensor Tensor::from_dlpack(DLManagedTensor* managed) {
  const DLTensor& view = managed->dl_tensor;
  if (view.device.device_type != kDLCPU)
    fail(Errc::Unsupported, "DLPack: device type {}, expected host memory",
         static_cast<int>(view.device.device_type));
  const DType type = from_dl(view.dtype);
  std::vector<std::int64_t> shape(view.shape, view.shape + view.ndim);
  std::vector<std::int64_t> strides =
      view.strides ? std::vector<std::int64_t>(view.strides, view.strides + view.ndim)
                   : row_major(shape);
  std::int64_t reach = count_of(shape) == 0 ? 0 : 1;
  for (std::size_t axis = 0; axis < shape.size() && reach != 0; ++axis)
    reach += (shape[axis] - 1) * strides[axis];
  auto* data = static_cast<std::byte*>(view.data) + view.byte_offset;
  const std::size_t bytes = bytes_of(type, reach);
  check_extent(bytes, 0, type, shape, strides);
  std::shared_ptr<void> owner(managed, [](void* taken) {
    auto* tensor = static_cast<DLManagedTensor*>(taken);
    if (tensor->deleter) tensor->deleter(tensor);
  });
  return {Buffer{data, bytes, std::move(owner)}, 0, type, std::move(shape), std::move(strides)};
}

}  // namespace aceso
