/// \file
/// The tiny second app of tests/describe_once_test.cpp: one source file, and one line in main.cpp.
#pragma once

#include "aceso/app/app.hpp"

namespace aceso::tests {

[[nodiscard]] app::App tiny_app();

}  // namespace aceso::tests
