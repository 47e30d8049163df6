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

}  // namespace aceso::nn
