/// \file
/// A model: a folder with model.yaml, weights.safetensors, perhaps further files, and a card; or
/// the same packed in one uncompressed .model.tar, which is read in place and never extracted.
#pragma once

#include "aceso/core/files.hpp"
#include "aceso/core/json.hpp"
#include "aceso/nn/tensor_file.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::nn {

/// What model.yaml says; see docs/design/0004-models.md for the layout.
struct ModelDescription {
  std::string name;
  std::string version = "1";
  std::string architecture;      ///< e.g. "transformer", "dmpnn"
  Json config = Json::object();  ///< the architecture's own settings
  Json tokenizer = nullptr;      ///< see tokenizer.hpp; null: none
  std::string licence, intended_use, training_data, source;
  Json metrics = Json::object();     ///< figures on named data, as measured
  Json provenance = Json::object();  ///< command, seed, versions, parent model
};

/// What `models verify` found.
struct ModelProblem {
  std::string file;     ///< inside the model
  std::string message;  ///< what was expected and what was found
};

/// An open model. Cheap to copy; thread-safe.
class ModelFolder {
 public:
  /// Opens a folder or a .model.tar.
  /// \throws Error NotFound, Io, or CorruptData naming the file and what is wrong.
  explicit ModelFolder(const std::filesystem::path& path);
  /// A .model.tar in memory that outlives all views of it (compiled into the program). `source`
  /// names it. \throws Error CorruptData as above.
  ModelFolder(std::span<const std::byte> packed, const std::string& source);

  [[nodiscard]] const ModelDescription& description() const noexcept;
  [[nodiscard]] const std::filesystem::path& path() const noexcept;
  /// All files, sorted by name, with their sizes.
  [[nodiscard]] const std::vector<std::pair<std::string, std::uint64_t>>& files() const noexcept;
  /// weights.safetensors (or another file of that format). Opened once, then shared.
  [[nodiscard]] const TensorFile& weights() const;
  [[nodiscard]] TensorFile tensor_file(const std::string& file) const;
  /// The content of a small file. \throws Error NotFound, CorruptData when larger than 64 MB.
  [[nodiscard]] std::string text(const std::string& file) const;
  [[nodiscard]] bool contains(const std::string& file) const noexcept;

  /// Checks hashes and sizes against model.yaml, every tensor for NaN and infinity.
  [[nodiscard]] std::vector<ModelProblem> verify(const std::stop_token& stop = {}) const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

/// Writes a model: a folder, or one file if `path` ends in ".model.tar". Nothing is at `path`
/// before commit(). A model that is there is replaced; another folder is not.
class ModelWriter {
 public:
  /// \throws Error InvalidArgument if a folder that is no model is at `path`, NotFound, Io.
  explicit ModelWriter(std::filesystem::path path);
  ~ModelWriter();
  ModelWriter(ModelWriter&&) noexcept;
  ModelWriter& operator=(ModelWriter&&) noexcept;

  /// Adds weights.safetensors.
  void weights(const TensorSet& tensors);
  void tensors(const std::string& file, const TensorSet& tensors);
  void text(const std::string& file, std::string_view content);
  /// Writes model.yaml, with the files' sizes and hashes, and README.md (the card); then the model
  /// is there.
  void commit(const ModelDescription& description);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aceso::nn
