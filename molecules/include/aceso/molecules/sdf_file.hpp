/// \file
/// Molecules from SDF files: V2000 and V3000 connection tables with named properties.
#pragma once

#include "aceso/molecules/chemistry.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace aceso::molecules {

/// One record. Atoms' places are used for stereochemistry only; hydrogens need not be there.
struct SdfRecord {
  std::string title;    ///< the first line
  std::string smiles;   ///< canonical; empty if the record has a problem
  std::string problem;  ///< why it is no molecule; empty if it is one
  std::string place;    ///< "FILE: record 3 (line 120)"
  std::vector<std::pair<std::string, std::string>> properties;  ///< in order; lines joined by '\n'
  /// Heavy atoms with their places; nothing if the record has a problem.
  std::optional<Molecule> molecule = {};

  /// The property's text; null if there is none of that name.
  [[nodiscard]] const std::string* find(const std::string& property) const;
};

/// Whether a file's name says that it is an SDF or molfile (.sdf, .sd, .mol, perhaps with .gz).
[[nodiscard]] bool is_sdf(const std::filesystem::path& path);

/// Reads record by record, plain or gzip; holds one in memory.
class SdfReader {
 public:
  /// \throws Error NotFound, Io.
  explicit SdfReader(const std::filesystem::path& path);
  ~SdfReader();
  SdfReader(SdfReader&&) noexcept;

  /// The next record; false at the end. A record that is no molecule is one with a problem.
  /// \throws Error CorruptData for a damaged gzip stream, or a record of more than 16 MB.
  bool next(SdfRecord& record);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aceso::molecules
