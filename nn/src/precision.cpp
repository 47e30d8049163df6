#include "aceso/core/error.hpp"
#include "aceso/nn/transformer.hpp"

namespace aceso::nn {

std::string_view name(Precision precision) noexcept {
  switch (precision) {
    case Precision::Fp32:
      return "fp32";
    case Precision::Bf16:
      return "bf16";
  }
  return "unknown";
}

Precision precision_by_name(std::string_view name) {
  if (name == "fp32") return Precision::Fp32;
  if (name == "bf16") return Precision::Bf16;
  fail(Errc::InvalidArgument, "expected a precision of fp32 or bf16, found {}", name);
}

}  // namespace aceso::nn
