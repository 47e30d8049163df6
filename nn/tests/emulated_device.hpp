// The GPU's kernels on the CPU: the same source, each thread of a block a coroutine that is
// suspended where threads of a warp or block do something together. Fragments lie as the PTX ISA
// says (mma.m16n8k16), shared memory begins as NaN and ends where it was said to end, and lanes
// that do not meet at the same operation are an error. Order chooses what CUDA leaves open.
#pragma once

#include "aceso/core/error.hpp"
#include "cuda/arguments.hpp"
#include "cuda/executor.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <coroutine>
#include <cstdint>
#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace aceso::nn::cuda {
namespace emulation {

/// What a kernel's result must not depend on.
struct Order {
  bool backwards = false;     ///< blocks, warps and lanes from the last to the first
  bool eager_copies = false;  ///< asynchronous copies happen at once, else when they are waited for
};

/// Something that lanes do together.
struct Together {
  enum class Kind { Barrier, Shuffle, Load, Multiply } kind = Kind::Barrier;
  float value = 0;  ///< Shuffle: given, then received
  int mask = 0;
  unsigned* fragments = nullptr;   ///< Load: received
  const std::byte* row = nullptr;  ///< Load: of a matrix in shared memory
  bool transposed = false;
  float* sums = nullptr;
  std::array<unsigned, 4> a{};
  std::array<unsigned, 2> b{};

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) noexcept;
  [[nodiscard]] float await_resume() const noexcept { return value; }
};

struct Copy {
  void* to;
  const void* from;
  int present;

  void run() const {
    std::memset(to, 0, 16);
    std::memcpy(to, from, static_cast<std::size_t>(present));
  }
};

/// The coroutine of one thread.
struct Thread {
  struct promise_type {
    Thread get_return_object() {
      return {std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() { throw; }
  };
  std::coroutine_handle<promise_type> handle;
};

/// A thread and what it waits for.
struct Running {
  int index = 0;
  std::coroutine_handle<Thread::promise_type> handle = nullptr;
  Together* waits = nullptr;
  std::size_t shared_arrays = 0;  ///< that it has named so far
  std::deque<std::vector<Copy>> groups{{}};

  Running() = default;
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    if (handle) handle.destroy();
  }
  [[nodiscard]] bool done() const { return handle.done(); }
};

class Block;
inline thread_local Block* block = nullptr;
inline thread_local Running* running = nullptr;

inline void Together::await_suspend(std::coroutine_handle<> /*handle*/) noexcept {
  running->waits = this;
}

inline float number_of(unsigned pair, int half) {
  return std::bit_cast<float>(half == 0 ? pair << 16 : pair & 0xffff0000U);
}

/// One block of threads.
class Block {
 public:
  Block(int the_x, int the_y, int threads, Order order)
      : x(the_x), y(the_y), order_(order), threads_(static_cast<std::size_t>(threads)) {}

  const int x, y;

  template <typename Kernel, typename Arguments>
  void run(const Kernel& kernel, const Arguments& arguments) {
    block = this;
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      threads_[i].index = static_cast<int>(i);
      threads_[i].handle = kernel(arguments).handle;
    }
    do run_warps();
    while (meet_at_barrier());
  }

  /// The array that a thread names as its next one.
  void* shared(std::size_t bytes) {
    const std::size_t number = running->shared_arrays++;
    if (number == shared_.size()) {
      shared_.emplace_back(static_cast<std::byte*>(::operator new(bytes, std::align_val_t{16})));
      std::memset(shared_.back().get(), 0xff, bytes);
      shared_bytes_ += bytes;
      if (shared_bytes_ > 48 * 1024)
        fail(Errc::Internal, "a block has 48 KB of shared memory, {} are wanted", shared_bytes_);
    }
    return shared_[number].get();
  }

  void copy(const Copy& copy) const {
    const auto misaligned = [](const void* p) {
      return std::bit_cast<std::uintptr_t>(p) % 16 != 0;
    };
    if (misaligned(copy.to) || misaligned(copy.from))
      fail(Errc::Internal, "a copy of 16 bytes that are not aligned");
    order_.eager_copies ? copy.run() : running->groups.back().push_back(copy);
  }

 private:
  struct Free {
    void operator()(std::byte* bytes) const { ::operator delete(bytes, std::align_val_t{16}); }
  };

  static void resume(Running& thread) {
    thread.waits = nullptr;
    running = &thread;
    thread.handle.resume();
    if (thread.done())
      for (const auto& group : thread.groups)
        if (!group.empty()) fail(Errc::Internal, "a thread ends while its copies are on the way");
  }

  template <typename Body>
  void in_order(std::size_t count, const Body& body) const {
    for (std::size_t i = 0; i < count; ++i) body(order_.backwards ? count - 1 - i : i);
  }

  /// Lets one warp after another run to its next barrier or its end, so that the first ones are as
  /// far ahead as they can be.
  void run_warps() {
    in_order(threads_.size() / 32, [&](std::size_t w) {
      const std::span<Running> warp = std::span(threads_).subspan(w * 32, 32);
      do in_order(32, [&](std::size_t lane) { resume(warp[lane]); });
      while (meets(warp));
    });
  }

  /// Whether all threads wait at a barrier; else all have ended.
  [[nodiscard]] bool meet_at_barrier() const {
    const auto ended = std::ranges::count_if(threads_, &Running::done);
    if (ended != 0 && ended != std::ssize(threads_))
      fail(Errc::Internal, "threads wait for some that have ended");
    return ended == 0;
  }

  /// Does what a warp has met for. False if it waits for others or has ended.
  static bool meets(std::span<Running> warp) {
    const Together* first = warp[0].waits;
    for (const Running& lane : warp) {
      if (lane.done() != warp[0].done() ||
          (first != nullptr &&
           (lane.waits->kind != first->kind || lane.waits->mask != first->mask ||
            lane.waits->transposed != first->transposed)))
        fail(Errc::Internal, "lanes of a warp do not meet");
    }
    if (warp[0].done() || first->kind == Together::Kind::Barrier) return false;
    if (first->kind == Together::Kind::Shuffle) shuffle(warp);
    if (first->kind == Together::Kind::Load) load(warp);
    if (first->kind == Together::Kind::Multiply) multiply(warp);
    return true;
  }

  static void shuffle(std::span<Running> warp) {
    std::array<float, 32> given{};
    for (std::size_t i = 0; i < 32; ++i) given[i] = warp[i].waits->value;
    for (std::size_t i = 0; i < 32; ++i)
      warp[i].waits->value = given[i ^ static_cast<std::size_t>(warp[i].waits->mask)];
  }

  /// PTX ISA, "ldmatrix", .m8n8.x4.b16. The four matrices are read before any lane goes on.
  static void load(std::span<Running> warp) {
    std::array<std::array<Bf16, 8>, 32> rows{};
    for (std::size_t i = 0; i < 32; ++i) {
      if (std::bit_cast<std::uintptr_t>(warp[i].waits->row) % 16 != 0)
        fail(Errc::Internal, "a matrix's row that is not aligned");
      std::memcpy(rows[i].data(), warp[i].waits->row, 16);
    }
    for (std::size_t lane = 0; lane < 32; ++lane) {
      const std::size_t across = lane / 4, along = lane % 4 * 2;
      for (std::size_t m = 0; m < 4; ++m) {
        const auto at = [&](std::size_t k) -> unsigned {
          return warp[lane].waits->transposed ? rows[8 * m + k][across] : rows[8 * m + across][k];
        };
        warp[lane].waits->fragments[m] = at(along) | at(along + 1) << 16;
      }
    }
  }

  /// PTX ISA, "Matrix Fragments for mma.m16n8k16", .bf16.
  static void multiply(std::span<Running> warp) {
    std::array<std::array<float, 16>, 16> a{};
    std::array<std::array<float, 8>, 16> b{};
    for (int lane = 0; lane < 32; ++lane) {
      const Together& given = *warp[static_cast<std::size_t>(lane)].waits;
      const int group = lane / 4, in_group = lane % 4;
      for (int i = 0; i < 8; ++i) {
        const int row = i % 4 < 2 ? group : group + 8;
        const int column = in_group * 2 + (i & 1) + (i < 4 ? 0 : 8);
        a[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)] =
            number_of(given.a[static_cast<std::size_t>(i / 2)], i & 1);
      }
      for (int i = 0; i < 4; ++i) {
        const int row = in_group * 2 + (i & 1) + (i < 2 ? 0 : 8);
        b[static_cast<std::size_t>(row)][static_cast<std::size_t>(group)] =
            number_of(given.b[static_cast<std::size_t>(i / 2)], i & 1);
      }
    }
    for (int lane = 0; lane < 32; ++lane) {
      float* sums = warp[static_cast<std::size_t>(lane)].waits->sums;
      for (int i = 0; i < 4; ++i) {
        const auto row = static_cast<std::size_t>(i < 2 ? lane / 4 : lane / 4 + 8);
        const auto column = static_cast<std::size_t>(lane % 4 * 2 + (i & 1));
        for (std::size_t k = 0; k < 16; ++k) sums[i] += a[row][k] * b[k][column];
      }
    }
  }

  Order order_;
  std::vector<Running> threads_;
  std::vector<std::unique_ptr<std::byte, Free>> shared_;
  std::size_t shared_bytes_ = 0;
};

template <typename T>
T* shared(std::size_t count) {
  return static_cast<T*>(block->shared(count * sizeof(T)));
}

}  // namespace emulation

// ---- what kernels.inl is written in ----

#define ACESO_BODY inline emulation::Thread
#define ACESO_DEVICE inline
#define ACESO_SHARED(type, name, count) type* const name = emulation::shared<type>(count)
#define ACESO_TOGETHER(operation) co_await operation
#define ACESO_RETURN co_return
#define ACESO_UNROLL

inline int thread_index() { return emulation::running->index; }
inline int block_x() { return emulation::block->x; }
inline int block_y() { return emulation::block->y; }
inline emulation::Together barrier() { return {}; }
inline emulation::Together shuffle_xor(float x, int mask) {
  return {.kind = emulation::Together::Kind::Shuffle, .value = x, .mask = mask};
}
inline float multiply_add(float a, float b, float c) { return std::fma(a, b, c); }
inline float square_root(float x) { return std::sqrt(x); }
inline float reciprocal(float x) { return 1.0F / x; }
inline float power_of_2(float x) { return std::exp2(x); }
inline float larger(float a, float b) { return std::fmax(a, b); }
inline float infinity() { return std::numeric_limits<float>::infinity(); }
inline float widen(Bf16 x) { return std::bit_cast<float>(static_cast<std::uint32_t>(x) << 16); }
inline unsigned narrowed(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  if (x != x) return 0x7fff;
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}
inline unsigned narrow_pair(float low, float high) { return narrowed(low) | narrowed(high) << 16; }
inline void copy_later(void* to, const void* from, int present) {
  emulation::block->copy({to, from, present});
}
inline void end_copy_group() { emulation::running->groups.emplace_back(); }
template <std::size_t kPending>
void copies_landed() {
  auto& groups = emulation::running->groups;
  // The last one is still being made.
  for (; groups.size() > kPending + 1; groups.pop_front())
    for (const emulation::Copy& copy : groups.front()) copy.run();
}
inline emulation::Together load_fragments(unsigned* fragments, const void* row) {
  return {.kind = emulation::Together::Kind::Load,
          .fragments = fragments,
          .row = static_cast<const std::byte*>(row)};
}
inline emulation::Together load_transposed_fragments(unsigned* fragments, const void* row) {
  return {.kind = emulation::Together::Kind::Load,
          .fragments = fragments,
          .row = static_cast<const std::byte*>(row),
          .transposed = true};
}
inline emulation::Together multiply_fragments(float* sums, const unsigned* a, const unsigned* b) {
  return {.kind = emulation::Together::Kind::Multiply,
          .sums = sums,
          .a = {a[0], a[1], a[2], a[3]},
          .b = {b[0], b[1]}};
}

}  // namespace aceso::nn::cuda

#include "cuda/kernels.inl"

namespace aceso::nn::cuda {

/// Work that is done when it is waited for, as late as a GPU might.
class EmulatedStream : public Stream {
 public:
  explicit EmulatedStream(emulation::Order order) : order_(order) {}

  void upload(void* to, const void* from, std::size_t bytes) override {
    work_.emplace_back([=] { std::memcpy(to, from, bytes); });
  }
  void download(void* to, const void* from, std::size_t bytes) override {
    work_.emplace_back([=] { std::memcpy(to, from, bytes); });
  }
  void launch(Kernel kernel, Grid grid, const void* arguments) override {
    switch (kernel) {
#define ACESO_LAUNCH(name, Arguments, threads, body)                                     \
  case Kernel::name:                                                                     \
    work_.emplace_back([this, grid, given = *static_cast<const Arguments*>(arguments)] { \
      run_blocks(grid, threads, [](const Arguments& a) { return body(a); }, given);      \
    });                                                                                  \
    break;
      ACESO_CUDA_KERNELS(ACESO_LAUNCH)
#undef ACESO_LAUNCH
    }
  }
  void wait() override {
    for (const auto& one : std::exchange(work_, {})) one();
  }

 private:
  template <typename Body, typename Arguments>
  void run_blocks(Grid grid, int threads, const Body& body, const Arguments& arguments) const {
    const int count = grid.x * grid.y;
    for (int i = 0; i < count; ++i) {
      const int number = order_.backwards ? count - 1 - i : i;
      emulation::Block block(number % grid.x, number / grid.x, threads, order_);
      block.run(body, arguments);
    }
  }

  emulation::Order order_;
  std::vector<std::function<void()>> work_;
};

/// A device of `bytes` bytes of memory, which begins as NaN.
class EmulatedDevice : public Executor {
 public:
  explicit EmulatedDevice(emulation::Order order = {}, std::size_t bytes = std::size_t{1} << 30)
      : order_(order), bytes_(bytes) {}

  [[nodiscard]] std::string name() const override { return "emulated device"; }
  [[nodiscard]] Memory memory() const override { return {bytes_ - used_.load(), bytes_}; }
  [[nodiscard]] void* allocate(std::size_t bytes) override {
    used_ += bytes;
    auto* made = static_cast<std::byte*>(::operator new(kFront + bytes, std::align_val_t{kFront}));
    std::memcpy(made, &bytes, sizeof bytes);
    return std::memset(made + kFront, 0xff, bytes);
  }
  void release(void* memory) noexcept override {
    std::byte* made = static_cast<std::byte*>(memory) - kFront;
    std::size_t bytes = 0;
    std::memcpy(&bytes, made, sizeof bytes);
    used_ -= bytes;
    ::operator delete(made, std::align_val_t{kFront});
  }
  [[nodiscard]] std::unique_ptr<Stream> stream() override {
    return std::make_unique<EmulatedStream>(order_);
  }

 private:
  static constexpr std::size_t kFront = 256;  ///< the block's size lies before it

  emulation::Order order_;
  std::size_t bytes_;
  std::atomic<std::size_t> used_ = 0;
};

}  // namespace aceso::nn::cuda
