#include "aceso/core/tensor.hpp"

#include "aceso/core/error.hpp"

#include <dlpack/dlpack.h>
#include <gtest/gtest.h>

#include <limits>
#include <numeric>

namespace aceso {
namespace {

Tensor ramp(std::vector<std::int64_t> shape) {
  Tensor tensor{DType::F32, std::move(shape)};
  std::iota(tensor.values<float>().begin(), tensor.values<float>().end(), 0.0F);
  return tensor;
}

TEST(Tensor, IsRowMajorAndAligned) {
  const Tensor tensor{DType::F32, {2, 3, 4}};
  EXPECT_EQ(tensor.strides(), (std::vector<std::int64_t>{12, 4, 1}));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.data()) % 64, 0U);
  EXPECT_TRUE(tensor.is_contiguous());
}

TEST(Tensor, ASliceSharesMemory) {
  const Tensor whole = ramp({4, 3});
  const Tensor part = whole.slice(1, 3);
  EXPECT_EQ(part.values<float>()[0], 3.0F);
  part.values<float>()[0] = 99;
  EXPECT_EQ(whole.values<float>()[3], 99.0F);
  EXPECT_THROW(static_cast<void>(whole.slice(3, 5)), Error);
}

TEST(Tensor, RefusesShapesThatLie) {
  constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max() / 2;
  EXPECT_THROW((Tensor{DType::F32, {kHuge, kHuge}}), Error);
  EXPECT_THROW((Tensor{DType::F32, {-1}}), Error);
  EXPECT_THROW((Tensor{DType::F64, {kHuge}}), Error);
  const Buffer buffer{64};
  EXPECT_NO_THROW((Tensor{buffer, 0, DType::F32, {4, 4}, {4, 1}}));
  EXPECT_THROW((Tensor{buffer, 4, DType::F32, {4, 4}, {4, 1}}), Error);
  EXPECT_THROW((Tensor{buffer, 0, DType::F32, {4, 4}, {kHuge, 1}}), Error);
  EXPECT_THROW((Tensor{buffer, 0, DType::F32, {4}, {1, 1}}), Error);
  EXPECT_THROW(static_cast<void>((Tensor{DType::F32, {2}}.values<double>())), Error);
}

TEST(Tensor, GoesThroughDlpackWithoutACopy) {
  const Tensor original = ramp({2, 3});
  DLManagedTensor* managed = original.to_dlpack();
  EXPECT_EQ(managed->dl_tensor.ndim, 2);
  EXPECT_EQ(managed->dl_tensor.shape[1], 3);
  const Tensor back = Tensor::from_dlpack(managed);
  EXPECT_EQ(back.data(), original.data());
  EXPECT_EQ(back.type(), DType::F32);
  EXPECT_EQ(back.values<float>()[5], 5.0F);
}

TEST(Tensor, CallsTheDeleterOfAForeignTensorOnce) {
  static int deleted = 0;
  deleted = 0;
  std::vector<float> values{1, 2, 3};
  std::vector<std::int64_t> shape{3};
  DLManagedTensor foreign{};
  foreign.dl_tensor = {values.data(), {kDLCPU, 0}, 1, {kDLFloat, 32, 1}, shape.data(), nullptr, 0};
  foreign.deleter = [](DLManagedTensor*) { ++deleted; };
  {
    const Tensor one = Tensor::from_dlpack(&foreign);
    const Tensor two = one.slice(1, 3);
    EXPECT_EQ(two.values<float>()[0], 2.0F);
  }
  EXPECT_EQ(deleted, 1);
  foreign.dl_tensor.device.device_type = kDLCUDA;
  EXPECT_THROW(static_cast<void>(Tensor::from_dlpack(&foreign)), Error);
  EXPECT_EQ(deleted, 1);
}

TEST(Buffer, MemoryReturnsToThePoolAndIsUsedAgain) {
  Buffer::trim_pool();
  const std::byte* first = nullptr;
  {
    const Buffer buffer{100'000};
    first = buffer.data();
  }
  EXPECT_EQ(Buffer::pooled_bytes(), 131'072U);
  const Buffer again{120'000};
  EXPECT_EQ(again.data(), first);
  EXPECT_EQ(Buffer::pooled_bytes(), 0U);
  EXPECT_THROW(Buffer{std::numeric_limits<std::size_t>::max()}, Error);
}

TEST(DType, NamesAndSizesAgree) {
  EXPECT_EQ(name(DType::BF16), "bf16");
  EXPECT_EQ(size_in_bytes(DType::BF16), 2U);
  EXPECT_EQ(size_in_bytes(DType::I64), 8U);
  EXPECT_EQ(static_cast<int>(DType::U64), 12);
}

}  // namespace
}  // namespace aceso
