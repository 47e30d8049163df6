/// \file
/// What a molecule is wanted for, as a small text: a list of terms, each a measurement of the
/// molecule turned into a score from 0 to 1, put together into one. See
/// docs/howto/write-an-objective.md.
#pragma once

#include "aceso/molecules/chemistry.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::molecules {

struct Score {
  double total = 0;
  std::vector<double> parts;  ///< one for each term, after its modifier
};

/// Where the files of an objective are.
struct ObjectiveFiles {
  std::filesystem::path folder = {};    ///< of those that it names
  std::filesystem::path receptor = {};  ///< of docking terms, instead of what they name
};

/// Immutable; may score on many threads, each its own molecule.
class Objective {
 public:
  /// Reads YAML. \throws Error CorruptData naming `source`, the line and what was expected.
  Objective(const std::string& yaml, std::string_view source, const ObjectiveFiles& files = {});
  /// Files that it names lie beside it. \param receptor as in ObjectiveFiles.
  /// \throws also NotFound, Io.
  [[nodiscard]] static Objective load(const std::filesystem::path& path,
                                      const std::filesystem::path& receptor = {});

  [[nodiscard]] Score operator()(const Molecule& molecule) const;

  [[nodiscard]] const std::string& name() const noexcept;
  [[nodiscard]] const std::vector<std::string>& terms() const noexcept;  ///< names, for columns
  /// The text that it was read from; of a built-in task, that task's.
  [[nodiscard]] const std::string& text() const noexcept;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

/// A task that is known by name: `task: NAME`.
struct Task {
  std::string_view name;
  std::string_view yaml;   ///< empty if it cannot be computed here
  std::string_view lacks;  ///< what it would need
};

/// The 23 tasks of the PMO benchmark (Gao et al. 2022), most by GuacaMol's definitions (Brown et
/// al. 2019), sorted by name.
[[nodiscard]] const std::vector<Task>& tasks();

}  // namespace aceso::molecules
