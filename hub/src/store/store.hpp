/// \file
/// The hub's records: data, uploads, runs, sessions. Every change is on the disk when its
/// function returns.
#pragma once

#include "store/database.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::hub {

struct DataRecord {
  std::int64_t sequence = 0;  ///< rises with creation; the cursor of lists
  std::string id, name, sha256;
  std::uint64_t bytes = 0;
  std::string created;
};

struct UploadRecord {
  std::string id, name;
  std::uint64_t bytes = 0;
  std::uint64_t offset = 0;  ///< so many bytes are on the disk
};

/// The names are stored; do not change existing ones.
enum class RunState { Queued, Running, Succeeded, Failed, Cancelled, Interrupted };

inline constexpr RunState kRunStates[] = {RunState::Queued,    RunState::Running,
                                          RunState::Succeeded, RunState::Failed,
                                          RunState::Cancelled, RunState::Interrupted};

[[nodiscard]] std::string_view name(RunState state) noexcept;
[[nodiscard]] std::optional<RunState> run_state(std::string_view name) noexcept;
[[nodiscard]] bool has_ended(RunState state) noexcept;

struct RunRecord {
  std::int64_t sequence = 0;
  std::string id, app;
  RunState state = RunState::Queued;
  std::int64_t attempt = 1;
  std::string created;
  std::optional<std::string> started = {}, finished = {};
  std::string inputs;       ///< JSON {NAME: [{"id", "name"}]}
  std::string options;      ///< JSON
  std::string result = {};  ///< JSON of what came of it, or "" before its end
  bool cancel_asked = false;
  std::string handle = {};  ///< the executor's name for the running attempt
};

struct Page {
  std::int64_t before = INT64_MAX;  ///< records older than this one
  std::int64_t limit = 100;
};

/// Thread-safe. Ids are opaque here; only known ones find anything.
class Store {
 public:
  /// \throws Error as Database(); Unsupported if a newer program wrote it.
  /// Beside `path` it keeps a few megabytes in reserve: deleting needs room too, and must work
  /// on a full disk.
  explicit Store(const std::filesystem::path& path);

  // data
  void add_data(const DataRecord& record);
  [[nodiscard]] std::optional<DataRecord> find_data(const std::string& id);
  [[nodiscard]] std::vector<DataRecord> list_data(const Page& page, const std::string& only_name);
  /// \returns false if it was not there. \throws Refusal 409 while a queued or running run needs
  /// it.
  bool remove_data(const std::string& id);
  [[nodiscard]] bool is_blob_needed(const std::string& sha256);

  // uploads
  void add_upload(const UploadRecord& record, const std::string& created);
  [[nodiscard]] std::optional<UploadRecord> find_upload(const std::string& id);
  [[nodiscard]] std::vector<std::string> list_upload_ids();
  void set_upload_offset(const std::string& id, std::uint64_t offset, const std::string& now);
  bool remove_upload(const std::string& id);
  /// Removes uploads untouched since before `time`.
  void remove_uploads_before(const std::string& time);
  /// Turns an upload into data, in one step.
  void complete_upload(const std::string& upload, const DataRecord& record);

  // runs
  /// \throws Refusal 409 if one of `data_ids` has been removed meanwhile.
  void add_run(const RunRecord& record, const std::vector<std::string>& data_ids);
  [[nodiscard]] std::optional<RunRecord> find_run(const std::string& id);
  [[nodiscard]] std::vector<RunRecord> list_runs(const Page& page, const std::string& only_app,
                                                 std::optional<RunState> only_state);
  [[nodiscard]] std::vector<RunRecord> list_running();
  [[nodiscard]] std::optional<RunRecord> next_queued();
  [[nodiscard]] std::vector<std::string> list_run_ids();
  [[nodiscard]] std::vector<std::pair<RunState, std::int64_t>> count_runs();

  // The changes of a run's state. Each returns false, changing nothing, if the run was no longer
  // in a state from which it may go there; so two that race cannot both win.
  bool mark_running(const std::string& id, std::int64_t attempt, const std::string& now);
  bool set_handle(const std::string& id, std::int64_t attempt, const std::string& handle);
  bool mark_ended(const std::string& id, RunState state, const std::string& result,
                  const std::string& now);
  bool mark_cancelled_in_queue(const std::string& id, const std::string& result,
                               const std::string& now);
  bool mark_cancel_asked(const std::string& id);
  /// \throws Refusal 409 if input data have been removed.
  bool mark_queued_again(const std::string& id);
  bool remove_run(const std::string& id);

  // sessions, by the SHA-256 of their secret; times are seconds since 1970
  void add_session(const std::string& hash, std::int64_t expires);
  [[nodiscard]] bool has_session(const std::string& hash, std::int64_t now);
  void remove_session(const std::string& hash);
  void remove_expired_sessions(std::int64_t now);

 private:
  bool remove_with_reserve(const std::function<bool()>& remove);
  void refill_reserve() const noexcept;

  std::filesystem::path reserve_;
  // A reader of its own: reads need not wait for a commit to reach the disk.
  Database writer_, reader_;
};

}  // namespace aceso::hub
