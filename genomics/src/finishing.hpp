// The last touch to records on their way to a file or to the caller.
#pragma once

#include "recalibration.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace aceso::genomics {

struct Finishing {
  std::shared_ptr<const Recalibration> recalibration;  ///< null: qualities stay
  bool original_qualities = false;                     ///< keep those before as the tag OQ
  bool tag_duplicates =
      false;  ///< Picard's tag DT: LB for copies of a molecule, SQ for optical ones

  [[nodiscard]] bool changes_anything() const noexcept {
    return recalibration != nullptr || tag_duplicates;
  }
};

/// Appends a record with its changes to `out`. `duplicate_kind` is for DT; null: none.
void append_finished(const PackedRecord& record, const Finishing& finishing,
                     const char* duplicate_kind, std::vector<std::byte>& out);

}  // namespace aceso::genomics
