/// \file
/// Message passing nets as chemprop saves them, versions 1 and 2.
#pragma once

#include "aceso/nn/foreign_weights.hpp"
#include "aceso/nn/message_passing.hpp"

#include <string>
#include <vector>

namespace aceso::models {

/// One checkpoint of an ensemble.
struct ForeignMember {
  std::string source;  ///< its file
  nn::ForeignWeights weights;
};

struct ImportedNet {
  nn::MessagePassingSpec spec;
  nn::TensorSet tensors;
};

/// \throws Error CorruptData naming the file and what is missing or has another shape; Unsupported
/// for variants with other inputs, messages or targets than the common ones; CorruptData if the
/// members differ in shape.
[[nodiscard]] ImportedNet from_chemprop(const std::vector<ForeignMember>& members);

}  // namespace aceso::models
