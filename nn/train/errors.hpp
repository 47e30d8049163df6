/// \file
/// What may go wrong in the training plugin; plugin.cpp turns each into a failure of the interface.
#pragma once

#include <stdexcept>

namespace aceso::train {

/// What was given does not fit.
struct Mistake : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// A stop was asked for.
struct Stopped : std::runtime_error {
  Stopped() : std::runtime_error("stopped") {}
};
/// Another rank cannot be reached.
struct Unreachable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace aceso::train
