/// \file
/// HDF5 files as plain data: the one place of this module that knows libhdf5.
#pragma once

#include "aceso/nn/foreign_weights.hpp"

#include <filesystem>

namespace aceso::models {

/// All data sets of floating point numbers, by their path ("group/name"), and the attributes of
/// texts of the root and its groups: values[path][attribute] is a text or a list of texts; the
/// root's path is "". Data sets of other types are left out. Whatever a file says, no other file is
/// opened and no filter is loaded.
/// \throws Error NotFound, Io; CorruptData naming the file and what is wrong; Unsupported for data
/// that lie outside the file; OutOfResources beyond 16 GB of numbers.
[[nodiscard]] nn::ForeignWeights read_hdf5(const std::filesystem::path& path);

}  // namespace aceso::models
