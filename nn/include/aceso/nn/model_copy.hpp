/// \file
/// Copies of models, file by file.
#pragma once

#include <filesystem>
#include <string>

namespace aceso::nn {

/// Copies the model at `from` to `to`, packed if `to` ends in ".model.tar", else as a folder. Every
/// file keeps its bytes. Nothing is at `to` before all is there; a model that is there is replaced.
/// \throws Error as ModelFolder; InvalidArgument if something else is at `to`; Io, OutOfResources.
void copy_model(const std::filesystem::path& from, const std::filesystem::path& to);

/// The SHA-256 of model.yaml, which has the hashes of all other files: the same for a model as a
/// folder and packed. \throws Error as ModelFolder.
[[nodiscard]] std::string model_hash(const std::filesystem::path& path);

}  // namespace aceso::nn
