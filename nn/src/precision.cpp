#include "aceso/core/error.hpp"
#include "aceso/nn/transformer.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace aceso::nn {

std::string_view name(Precision precision) noexcept {
  switch (precision) {
    case Precision::Fp32:
      return "fp32";
    case Precision::Bf16:
      return "bf16";
    case Precision::Int8:
      return "int8";
  }
  return "unknown";
}

std::vector<std::string> precision_names() { return {"fp32", "bf16", "int8"}; }

Precision precision_by_name(std::string_view name) {
  if (name == "fp32") return Precision::Fp32;
  if (name == "bf16") return Precision::Bf16;
  if (name == "int8") return Precision::Int8;
  fail(Errc::InvalidArgument, "expected a precision of fp32, bf16 or int8, found {}", name);
}

std::string_view name(Device device) noexcept {
  switch (device) {
    case Device::Cpu:
      return "cpu";
    case Device::Cuda:
      return "cuda";
  }
  return "unknown";
}

std::vector<std::string> device_names() { return {"cpu", "cuda"}; }

Device device_by_name(std::string_view name) {
  if (name == "cpu") return Device::Cpu;
  if (name == "cuda") return Device::Cuda;
  fail(Errc::InvalidArgument, "expected a device of cpu or cuda, found {}", name);
}

}  // namespace aceso::nn
