// Runs in steps: what is finished is kept in a folder, so that a run that was cut off goes on from
// there, and several processes, on one machine or many, share the steps of one run.
//
// A folder of steps holds
//   job.json          what the steps belong to
//   reads.json        how many chunks the reads have: written when one process has seen them all
//   part-000000 …     aligned reads of some chunks, by bucket, with their keys of duplicates
//   errors.json       errors of bases, with --recalibrate
//   repeats.json      lengths of repeats, of which their errors are learnt
//   piece-000000.* …  calls of some buckets
// Every file is written beside and renamed: what has its name is whole.
#pragma once

#include "align_job.hpp"
#include "sorted_reads.hpp"

#include "aceso/app/app.hpp"
#include "aceso/core/json.hpp"
#include "aceso/genomics/seed_index.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::genomics {

/// The steps that one of several processes does.
struct Share {
  std::uint64_t index = 0, count = 1;

  [[nodiscard]] bool owns(std::uint64_t step) const noexcept { return step % count == index; }
};
/// Reads "2/4". \throws Error InvalidArgument.
[[nodiscard]] Share share_of(std::string_view text);

/// The files of a folder of steps that hold the errors of bases, and the lengths of repeats.
inline constexpr const char *kErrorsFile = "errors.json", *kRepeatsFile = "repeats.json";

class StepFolder {
 public:
  /// Makes the folder, or takes up the one that is there. `identity` tells runs apart whose steps
  /// do not fit each other.
  /// \throws Error InvalidArgument if it holds the steps of another run; Io.
  StepFolder(std::filesystem::path path, const Json& identity);

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  /// "piece-000007" + `ending`, in the folder.
  [[nodiscard]] std::filesystem::path file(std::string_view kind, std::uint64_t number,
                                           std::string_view ending = {}) const;
  /// Removes all steps, and the folder if nothing else is in it.
  void remove() const;

 private:
  std::filesystem::path path_;
};

/// The reads of a run, aligned part by part.
class AlignedParts {
 public:
  AlignedParts(const StepFolder& folder, const AlignJob& job);

  /// Whether all parts are there.
  [[nodiscard]] bool complete() const;
  /// Aligns the parts of `share` that are not there yet. \throws Error as align_chunks does.
  void align(const SeedIndex& index, bool with_tags, const Share& share, app::RunContext& context);
  /// All parts as one. \throws Error NotFound if some are missing; CorruptData, Io.
  [[nodiscard]] SortedReads open(const Reference& reference, app::RunContext& context) const;

 private:
  [[nodiscard]] std::optional<std::uint64_t> part_count() const;

  const StepFolder& folder_;
  const AlignJob& job_;
  std::uint64_t chunks_per_part_;
};

/// What the aligned reads of a job depend on, and how they are written.
[[nodiscard]] Json align_identity(const AlignJob& job);

/// What tells one file from another, or from itself after a change.
[[nodiscard]] Json file_identity(const std::vector<std::filesystem::path>& files);

}  // namespace aceso::genomics
