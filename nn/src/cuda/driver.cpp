#include "cuda/driver.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <dlfcn.h>

#include <array>
#include <iterator>
#include <string>
#include <vector>

#if defined(ACESO_CUDA_PTX)
extern "C" const char aceso_cuda_ptx[];
extern "C" const char aceso_cuda_ptx_end[];
#endif

namespace aceso::nn::cuda {
namespace {

// The driver's interface as NVIDIA documents it ("CUDA Driver API"), with the names that the
// library exports: functions that changed have the number of their version.
using Result = int;
using DeviceNumber = int;
using Context = void*;
using Module = void*;
using Function = void*;
using StreamHandle = void*;
using Address = std::uint64_t;

constexpr Result kOutOfMemory = 2, kUnsupportedPtx = 222;
constexpr int kComputeCapabilityMajor = 75, kComputeCapabilityMinor = 76;  // CUdevice_attribute
constexpr int kErrorLog = 5, kErrorLogSize = 6;                            // CUjit_option
constexpr unsigned kNonBlocking = 1;                                       // CUstream_flags

/// The functions that we call.
struct Api {
  Result (*init)(unsigned flags);
  Result (*error_name)(Result, const char**);
  Result (*error_string)(Result, const char**);
  Result (*device_count)(int*);
  Result (*device)(DeviceNumber*, int ordinal);
  Result (*device_name)(char*, int size, DeviceNumber);
  Result (*device_attribute)(int*, int attribute, DeviceNumber);
  Result (*retain_context)(Context*, DeviceNumber);
  Result (*set_context)(Context);
  Result (*load_module)(Module*, const void* image, unsigned options, int* names, void** values);
  Result (*function)(Function*, Module, const char* name);
  Result (*memory)(std::size_t* free, std::size_t* total);
  Result (*allocate)(Address*, std::size_t);
  Result (*release)(Address);
  Result (*upload)(Address, const void*, std::size_t, StreamHandle);
  Result (*download)(void*, Address, std::size_t, StreamHandle);
  Result (*create_stream)(StreamHandle*, unsigned flags);
  Result (*destroy_stream)(StreamHandle);
  Result (*wait)(StreamHandle);
  Result (*launch)(Function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                   unsigned block_y, unsigned block_z, unsigned shared_bytes, StreamHandle,
                   void** parameters, void** extra);
};

constexpr const char* kAdvice = "compute on the device cpu, or on a machine that has them";

/// Every reason not to open a GPU reads the same.
template <typename... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) {
  fail(Errc::InvalidArgument,
       "device cuda: expected an NVIDIA GPU of compute capability 8.0 or more and its driver, "
       "found {}: {}",
       fmt::format(format, std::forward<Args>(args)...), kAdvice);
}

template <typename Signature>
void look_up(void* library, const char* name, Signature*& function) {
  function = reinterpret_cast<Signature*>(dlsym(library, name));
  if (function == nullptr) refuse("a driver without {}, which is too old", name);
}

Api load_api() {
  // Never unloaded: threads of the driver may run.
  void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = dlerror();
    refuse("no driver ({})", printable(reason != nullptr ? reason : "unknown reason", 200));
  }
  Api api{};
  look_up(library, "cuInit", api.init);
  look_up(library, "cuGetErrorName", api.error_name);
  look_up(library, "cuGetErrorString", api.error_string);
  look_up(library, "cuDeviceGetCount", api.device_count);
  look_up(library, "cuDeviceGet", api.device);
  look_up(library, "cuDeviceGetName", api.device_name);
  look_up(library, "cuDeviceGetAttribute", api.device_attribute);
  look_up(library, "cuDevicePrimaryCtxRetain", api.retain_context);
  look_up(library, "cuCtxSetCurrent", api.set_context);
  look_up(library, "cuModuleLoadDataEx", api.load_module);
  look_up(library, "cuModuleGetFunction", api.function);
  look_up(library, "cuMemGetInfo_v2", api.memory);
  look_up(library, "cuMemAlloc_v2", api.allocate);
  look_up(library, "cuMemFree_v2", api.release);
  look_up(library, "cuMemcpyHtoDAsync_v2", api.upload);
  look_up(library, "cuMemcpyDtoHAsync_v2", api.download);
  look_up(library, "cuStreamCreate", api.create_stream);
  look_up(library, "cuStreamDestroy_v2", api.destroy_stream);
  look_up(library, "cuStreamSynchronize", api.wait);
  look_up(library, "cuLaunchKernel", api.launch);
  return api;
}

std::string reason_of(const Api& api, Result result) {
  const char *name = nullptr, *text = nullptr;
  api.error_name(result, &name);
  api.error_string(result, &text);
  if (name == nullptr || text == nullptr) return fmt::format("error {}", result);
  return fmt::format("{}: {}", name, text);
}

Address address_of(const void* memory) { return reinterpret_cast<Address>(memory); }

/// What the executor and its streams share: the functions, the context and the kernels.
struct Gpu {
  Api api;
  DeviceNumber device = 0;
  std::string name;
  Context context = nullptr;
  std::array<Function, std::size(kKernels)> functions{};

  /// \throws Error OutOfResources or Internal if the driver refused to do something.
  template <typename... Args>
  void check(Result result, fmt::format_string<Args...> doing, Args&&... args) const {
    if (result == 0) return;
    fail(result == kOutOfMemory ? Errc::OutOfResources : Errc::Internal, "{}: cannot {}: {}", name,
         fmt::format(doing, std::forward<Args>(args)...), reason_of(api, result));
  }

  /// The driver has one current context for each thread of ours.
  void enter() const { check(api.set_context(context), "enter its context"); }
};

void check_capability(const Gpu& gpu) {
  int major = 0, minor = 0;
  gpu.check(gpu.api.device_attribute(&major, kComputeCapabilityMajor, gpu.device), "be described");
  gpu.check(gpu.api.device_attribute(&minor, kComputeCapabilityMinor, gpu.device), "be described");
  if (major < 8) refuse("{} of compute capability {}.{}", gpu.name, major, minor);
}

void find_gpu(Gpu& gpu) {
  if (const Result result = gpu.api.init(0); result != 0)
    refuse("a driver that finds none ({})", reason_of(gpu.api, result));
  int count = 0;
  if (const Result result = gpu.api.device_count(&count); result != 0 || count == 0)
    refuse("a driver that finds none");
  gpu.name = "the first GPU";
  gpu.check(gpu.api.device(&gpu.device, 0), "be opened");
  std::array<char, 128> text{};
  gpu.check(gpu.api.device_name(text.data(), static_cast<int>(text.size()) - 1, gpu.device),
            "be named");
  gpu.name = printable(text.data(), 100);
  check_capability(gpu);
}

/// The driver compiles the PTX for its GPU, and keeps the result for the next process.
void load_kernels(Gpu& gpu) {
  std::vector<char> log(8192);
  std::array names{kErrorLog, kErrorLogSize};
  std::array<void*, 2> values{log.data(), reinterpret_cast<void*>(log.size() - 1)};
  Module module = nullptr;
  const Result result =
      gpu.api.load_module(&module, kernels_ptx().data(), 2, names.data(), values.data());
  if (result == kUnsupportedPtx) refuse("{} with a driver that is older than CUDA 11", gpu.name);
  gpu.check(result, "take the kernels ({})", printable(log.data(), 600));
  for (std::size_t i = 0; i < std::size(kKernels); ++i)
    gpu.check(gpu.api.function(&gpu.functions[i], module, kKernels[i].name), "find the kernel {}",
              kKernels[i].name);
}

class DriverStream final : public Stream {
 public:
  explicit DriverStream(std::shared_ptr<const Gpu> gpu) : gpu_(std::move(gpu)) {
    gpu_->enter();
    gpu_->check(gpu_->api.create_stream(&handle_, kNonBlocking), "make a stream");
  }
  ~DriverStream() override {
    gpu_->api.set_context(gpu_->context);
    gpu_->api.destroy_stream(handle_);
  }

  void upload(void* to, const void* from, std::size_t bytes) override {
    gpu_->enter();
    gpu_->check(gpu_->api.upload(address_of(to), from, bytes, handle_), "take {} bytes", bytes);
  }
  void download(void* to, const void* from, std::size_t bytes) override {
    gpu_->enter();
    gpu_->check(gpu_->api.download(to, address_of(from), bytes, handle_), "give {} bytes", bytes);
  }
  void launch(Kernel kernel, Grid grid, const void* arguments) override {
    const auto index = static_cast<std::size_t>(kernel);
    void* parameters[] = {const_cast<void*>(arguments)};  // NOLINT: only read
    gpu_->enter();
    gpu_->check(gpu_->api.launch(gpu_->functions[index], static_cast<unsigned>(grid.x),
                                 static_cast<unsigned>(grid.y), 1,
                                 static_cast<unsigned>(kKernels[index].threads), 1, 1, 0, handle_,
                                 static_cast<void**>(parameters), nullptr),
                "start {}", kKernels[index].name);
  }
  void wait() override {
    gpu_->enter();
    gpu_->check(gpu_->api.wait(handle_), "finish its work");
  }

 private:
  std::shared_ptr<const Gpu> gpu_;
  StreamHandle handle_ = nullptr;
};

class DriverExecutor final : public Executor {
 public:
  explicit DriverExecutor(std::shared_ptr<const Gpu> gpu) : gpu_(std::move(gpu)) {}

  [[nodiscard]] std::string name() const override { return gpu_->name; }

  [[nodiscard]] Memory memory() const override {
    Memory memory{};
    gpu_->enter();
    gpu_->check(gpu_->api.memory(&memory.free, &memory.total), "tell its memory");
    return memory;
  }

  [[nodiscard]] void* allocate(std::size_t bytes) override {
    gpu_->enter();
    Address address = 0;
    const Result result = gpu_->api.allocate(&address, bytes);
    if (result == kOutOfMemory) {
      const auto [free, total] = memory();
      fail(Errc::OutOfResources, "{}: {} MB of its memory are needed, and {} of {} MB are free",
           name(), (bytes >> 20) + 1, free >> 20, total >> 20);
    }
    gpu_->check(result, "give {} bytes of memory", bytes);
    return reinterpret_cast<void*>(address);
  }

  void release(void* memory) noexcept override {
    gpu_->api.set_context(gpu_->context);
    gpu_->api.release(address_of(memory));
  }

  [[nodiscard]] std::unique_ptr<Stream> stream() override {
    return std::make_unique<DriverStream>(gpu_);
  }

 private:
  std::shared_ptr<const Gpu> gpu_;
};

std::shared_ptr<Executor> open_first_gpu() {
  if (kernels_ptx().empty())
    fail(Errc::InvalidArgument,
         "device cuda: expected a build with kernels for GPUs, found one that was made without "
         "clang-19, which compiles them: compute on the device cpu, or install clang-19 and build "
         "again");
  auto gpu = std::make_shared<Gpu>();
  gpu->api = load_api();
  find_gpu(*gpu);
  // Kept until the process ends, as the driver itself.
  gpu->check(gpu->api.retain_context(&gpu->context, gpu->device), "be used");
  gpu->enter();
  load_kernels(*gpu);
  return std::make_shared<DriverExecutor>(std::move(gpu));
}

}  // namespace

std::shared_ptr<Executor> first_gpu() {
  static const std::shared_ptr<Executor> executor = open_first_gpu();
  return executor;
}

std::string_view kernels_ptx() noexcept {
#if defined(ACESO_CUDA_PTX)
  return {aceso_cuda_ptx, static_cast<std::size_t>(aceso_cuda_ptx_end - aceso_cuda_ptx)};
#else
  return {};
#endif
}

}  // namespace aceso::nn::cuda
