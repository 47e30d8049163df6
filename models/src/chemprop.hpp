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

/// `molecule_features`: which numbers of whole molecules a net read that was trained with some from
/// a file, whose name does not say: "rdkit-2d-normalised", or empty if none is expected.
/// \throws Error CorruptData naming the file and what is missing or has another shape; Unsupported
/// for variants with other inputs, messages or targets than the common ones; CorruptData if the
/// members differ in shape.
[[nodiscard]] ImportedNet from_chemprop(const std::vector<ForeignMember>& members,
                                        const std::string& molecule_features = {});

}  // namespace aceso::models
