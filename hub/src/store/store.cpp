#include "store/store.hpp"

#include "refusal.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"

#include <fcntl.h>

#include <algorithm>

namespace aceso::hub {

namespace {

constexpr std::uint64_t kReserveBytes = 4U << 20U;

// Never edit one that has been released: add the next.
constexpr std::string_view kMigrations[] = {R"sql(
CREATE TABLE data(
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  created TEXT NOT NULL) STRICT;
CREATE INDEX data_by_sha256 ON data(sha256);
CREATE INDEX data_by_name ON data(name);
CREATE TABLE uploads(
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  touched TEXT NOT NULL) STRICT;
CREATE TABLE runs(
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  app TEXT NOT NULL,
  state TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  created TEXT NOT NULL,
  started TEXT,
  finished TEXT,
  inputs TEXT NOT NULL,
  options TEXT NOT NULL,
  result TEXT NOT NULL DEFAULT '',
  cancel_asked INTEGER NOT NULL DEFAULT 0,
  handle TEXT NOT NULL DEFAULT '') STRICT;
CREATE INDEX runs_by_state ON runs(state, sequence);
CREATE INDEX runs_by_app ON runs(app, sequence);
CREATE TABLE run_inputs(
  run TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
  data TEXT NOT NULL) STRICT;
CREATE INDEX run_inputs_by_run ON run_inputs(run);
CREATE INDEX run_inputs_by_data ON run_inputs(data);
CREATE TABLE sessions(
  hash TEXT NOT NULL PRIMARY KEY,
  expires INTEGER NOT NULL) STRICT;
)sql"};

#define ACESO_DATA_COLUMNS "sequence, id, name, sha256, bytes, created"
#define ACESO_RUN_COLUMNS                                                                    \
  "sequence, id, app, state, attempt, created, started, finished, inputs, options, result, " \
  "cancel_asked, handle"

[[nodiscard]] DataRecord read_data(const Statement& row) {
  return {row.number(0),
          row.text(1),
          row.text(2),
          row.text(3),
          static_cast<std::uint64_t>(row.number(4)),
          row.text(5)};
}

[[nodiscard]] std::optional<std::string> optional_text(const Statement& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional(row.text(column));
}

[[nodiscard]] RunRecord read_run(const Statement& row) {
  const auto state = run_state(row.text(3));
  if (!state)
    fail(Errc::CorruptData, "database: run {} has the unknown state '{}'", row.text(1),
         row.text(3));
  return {.sequence = row.number(0),
          .id = row.text(1),
          .app = row.text(2),
          .state = *state,
          .attempt = row.number(4),
          .created = row.text(5),
          .started = optional_text(row, 6),
          .finished = optional_text(row, 7),
          .inputs = row.text(8),
          .options = row.text(9),
          .result = row.text(10),
          .cancel_asked = row.number(11) != 0,
          .handle = row.text(12)};
}

[[nodiscard]] std::vector<RunRecord> read_runs(Statement& rows) {
  std::vector<RunRecord> runs;
  while (rows.step()) runs.push_back(read_run(rows));
  return runs;
}

void insert_data(Database& database, const DataRecord& record) {
  database.prepare("INSERT INTO data(id, name, sha256, bytes, created) VALUES(?,?,?,?,?)")
      .bind(record.id)
      .bind(record.name)
      .bind(record.sha256)
      .bind(static_cast<std::int64_t>(record.bytes))
      .bind(record.created)
      .run();
}

constexpr std::string_view kNeededBy =
    "SELECT 1 FROM run_inputs JOIN runs ON runs.id = run_inputs.run "
    "WHERE run_inputs.data = ? AND runs.state IN ('queued', 'running') LIMIT 1";

/// Fails if an input of `run` is no longer there.
void check_inputs_exist(Database& database, const std::string& run) {
  Statement missing = database.prepare(
      "SELECT data FROM run_inputs WHERE run = ? AND data NOT IN (SELECT id FROM data) LIMIT 1");
  missing.bind(run);
  if (missing.step())
    refuse(409, Errc::NotFound, "the input data {} have been deleted", missing.text(0));
}

}  // namespace

std::string_view name(RunState state) noexcept {
  switch (state) {
    case RunState::Queued:
      return "queued";
    case RunState::Running:
      return "running";
    case RunState::Succeeded:
      return "succeeded";
    case RunState::Failed:
      return "failed";
    case RunState::Cancelled:
      return "cancelled";
    case RunState::Interrupted:
      return "interrupted";
  }
  return "interrupted";
}

std::optional<RunState> run_state(std::string_view text) noexcept {
  const auto* found =
      std::ranges::find_if(kRunStates, [&](RunState state) { return name(state) == text; });
  return found == std::end(kRunStates) ? std::nullopt : std::optional(*found);
}

bool has_ended(RunState state) noexcept {
  return state != RunState::Queued && state != RunState::Running;
}

Store::Store(const std::filesystem::path& path)
    : reserve_(path.string() + "-reserve"), writer_(path), reader_(path) {
  writer_.migrate(kMigrations);
  refill_reserve();
}

bool Store::remove_with_reserve(const std::function<bool()>& remove) {
  bool removed = false;
  try {
    removed = remove();
  } catch (const Error& error) {
    std::error_code ignored;
    if (error.code() != Errc::OutOfResources || !std::filesystem::remove(reserve_, ignored)) throw;
    removed = remove();
  }
  refill_reserve();
  return removed;
}

void Store::refill_reserve() const noexcept {
  std::error_code ignored;
  if (std::filesystem::file_size(reserve_, ignored) == kReserveBytes && !ignored) return;
  const FileHandle file(::open(reserve_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  // Without room now, the next removal tries again.
  if (!file || ::posix_fallocate(file.get(), 0, kReserveBytes) != 0)
    std::filesystem::remove(reserve_, ignored);
}

void Store::add_data(const DataRecord& record) {
  const auto lock = writer_.lock();
  insert_data(writer_, record);
}

std::optional<DataRecord> Store::find_data(const std::string& id) {
  const auto lock = reader_.lock();
  Statement row = reader_.prepare("SELECT " ACESO_DATA_COLUMNS " FROM data WHERE id = ?");
  row.bind(id);
  return row.step() ? std::optional(read_data(row)) : std::nullopt;
}

std::vector<DataRecord> Store::list_data(const Page& page, const std::string& only_name) {
  const auto lock = reader_.lock();
  Statement rows = reader_.prepare(
      only_name.empty()
          ? "SELECT " ACESO_DATA_COLUMNS
            " FROM data WHERE sequence < ? AND ? = '' ORDER BY sequence DESC LIMIT ?"
          : "SELECT " ACESO_DATA_COLUMNS
            " FROM data WHERE sequence < ? AND name = ? ORDER BY sequence DESC LIMIT ?");
  rows.bind(page.before).bind(only_name).bind(page.limit);
  std::vector<DataRecord> data;
  while (rows.step()) data.push_back(read_data(rows));
  return data;
}

bool Store::remove_data(const std::string& id) {
  return remove_with_reserve([&] {
    const auto lock = writer_.lock();
    Transaction transaction(writer_);
    if (Statement needed = writer_.prepare(kNeededBy); needed.bind(id).step())
      refuse(409, Errc::InvalidArgument, "a queued or running run needs these data");
    writer_.prepare("DELETE FROM data WHERE id = ?").bind(id).run();
    const bool removed = writer_.changed_rows() > 0;
    transaction.commit();
    return removed;
  });
}

bool Store::is_blob_needed(const std::string& sha256) {
  const auto lock = writer_.lock();
  Statement row = writer_.prepare("SELECT 1 FROM data WHERE sha256 = ? LIMIT 1");
  return row.bind(sha256).step();
}

void Store::add_upload(const UploadRecord& record, const std::string& created) {
  const auto lock = writer_.lock();
  writer_.prepare("INSERT INTO uploads(id, name, bytes, offset, touched) VALUES(?,?,?,?,?)")
      .bind(record.id)
      .bind(record.name)
      .bind(static_cast<std::int64_t>(record.bytes))
      .bind(static_cast<std::int64_t>(record.offset))
      .bind(created)
      .run();
}

std::optional<UploadRecord> Store::find_upload(const std::string& id) {
  const auto lock = reader_.lock();
  Statement row = reader_.prepare("SELECT id, name, bytes, offset FROM uploads WHERE id = ?");
  if (!row.bind(id).step()) return std::nullopt;
  return UploadRecord{row.text(0), row.text(1), static_cast<std::uint64_t>(row.number(2)),
                      static_cast<std::uint64_t>(row.number(3))};
}

std::vector<std::string> Store::list_upload_ids() {
  const auto lock = reader_.lock();
  std::vector<std::string> ids;
  for (Statement rows = reader_.prepare("SELECT id FROM uploads"); rows.step();)
    ids.push_back(rows.text(0));
  return ids;
}

void Store::set_upload_offset(const std::string& id, std::uint64_t offset, const std::string& now) {
  const auto lock = writer_.lock();
  writer_.prepare("UPDATE uploads SET offset = ?, touched = ? WHERE id = ?")
      .bind(static_cast<std::int64_t>(offset))
      .bind(now)
      .bind(id)
      .run();
}

bool Store::remove_upload(const std::string& id) {
  return remove_with_reserve([&] {
    const auto lock = writer_.lock();
    writer_.prepare("DELETE FROM uploads WHERE id = ?").bind(id).run();
    return writer_.changed_rows() > 0;
  });
}

void Store::remove_uploads_before(const std::string& time) {
  const auto lock = writer_.lock();
  writer_.prepare("DELETE FROM uploads WHERE touched < ?").bind(time).run();
}

void Store::complete_upload(const std::string& upload, const DataRecord& record) {
  const auto lock = writer_.lock();
  Transaction transaction(writer_);
  insert_data(writer_, record);
  writer_.prepare("DELETE FROM uploads WHERE id = ?").bind(upload).run();
  transaction.commit();
}

void Store::add_run(const RunRecord& record, const std::vector<std::string>& data_ids) {
  const auto lock = writer_.lock();
  Transaction transaction(writer_);
  writer_
      .prepare(
          "INSERT INTO runs(id, app, state, attempt, created, inputs, options) "
          "VALUES(?,?,'queued',1,?,?,?)")
      .bind(record.id)
      .bind(record.app)
      .bind(record.created)
      .bind(record.inputs)
      .bind(record.options)
      .run();
  for (const auto& data : data_ids)
    writer_.prepare("INSERT INTO run_inputs(run, data) VALUES(?,?)")
        .bind(record.id)
        .bind(data)
        .run();
  check_inputs_exist(writer_, record.id);
  transaction.commit();
}

std::optional<RunRecord> Store::find_run(const std::string& id) {
  const auto lock = reader_.lock();
  Statement row = reader_.prepare("SELECT " ACESO_RUN_COLUMNS " FROM runs WHERE id = ?");
  row.bind(id);
  return row.step() ? std::optional(read_run(row)) : std::nullopt;
}

std::vector<RunRecord> Store::list_runs(const Page& page, const std::string& only_app,
                                        std::optional<RunState> only_state) {
  // One statement each, so that each can use its index; ?2 and ?3 are bound in any case.
  static constexpr std::string_view kByNothing =
      "SELECT " ACESO_RUN_COLUMNS
      " FROM runs WHERE sequence < ?1 AND ?2 = '' AND ?3 = '' ORDER BY sequence DESC LIMIT ?4";
  static constexpr std::string_view kByApp =
      "SELECT " ACESO_RUN_COLUMNS
      " FROM runs WHERE sequence < ?1 AND app = ?2 AND ?3 = '' ORDER BY sequence DESC LIMIT ?4";
  static constexpr std::string_view kByState =
      "SELECT " ACESO_RUN_COLUMNS
      " FROM runs WHERE sequence < ?1 AND ?2 = '' AND state = ?3 ORDER BY sequence DESC LIMIT ?4";
  static constexpr std::string_view kByBoth =
      "SELECT " ACESO_RUN_COLUMNS
      " FROM runs WHERE sequence < ?1 AND app = ?2 AND state = ?3 ORDER BY sequence DESC LIMIT ?4";
  const std::string_view sql =
      only_app.empty() ? (only_state ? kByState : kByNothing) : (only_state ? kByBoth : kByApp);
  const std::string_view state = only_state ? name(*only_state) : std::string_view();
  const auto lock = reader_.lock();
  Statement rows = reader_.prepare(sql);
  rows.bind(page.before).bind(only_app).bind(state).bind(page.limit);
  return read_runs(rows);
}

std::vector<RunRecord> Store::list_running() {
  const auto lock = reader_.lock();
  Statement rows = reader_.prepare("SELECT " ACESO_RUN_COLUMNS
                                   " FROM runs WHERE state = 'running' ORDER BY sequence");
  return read_runs(rows);
}

std::optional<RunRecord> Store::next_queued() {
  const auto lock = reader_.lock();
  Statement row = reader_.prepare("SELECT " ACESO_RUN_COLUMNS
                                  " FROM runs WHERE state = 'queued' ORDER BY sequence LIMIT 1");
  return row.step() ? std::optional(read_run(row)) : std::nullopt;
}

std::vector<std::string> Store::list_run_ids() {
  const auto lock = reader_.lock();
  std::vector<std::string> ids;
  for (Statement rows = reader_.prepare("SELECT id FROM runs"); rows.step();)
    ids.push_back(rows.text(0));
  return ids;
}

std::vector<std::pair<RunState, std::int64_t>> Store::count_runs() {
  const auto lock = reader_.lock();
  std::vector<std::pair<RunState, std::int64_t>> counts;
  for (const RunState state : kRunStates) {
    Statement row = reader_.prepare("SELECT count(*) FROM runs WHERE state = ?");
    counts.emplace_back(state, row.bind(name(state)).step() ? row.number(0) : 0);
  }
  return counts;
}

bool Store::mark_running(const std::string& id, std::int64_t attempt, const std::string& now) {
  const auto lock = writer_.lock();
  writer_
      .prepare(
          "UPDATE runs SET state = 'running', started = ?, handle = '' WHERE id = ? AND attempt = "
          "? AND state = 'queued'")
      .bind(now)
      .bind(id)
      .bind(attempt)
      .run();
  return writer_.changed_rows() > 0;
}

bool Store::set_handle(const std::string& id, std::int64_t attempt, const std::string& handle) {
  const auto lock = writer_.lock();
  writer_.prepare("UPDATE runs SET handle = ? WHERE id = ? AND attempt = ? AND state = 'running'")
      .bind(handle)
      .bind(id)
      .bind(attempt)
      .run();
  return writer_.changed_rows() > 0;
}

bool Store::mark_ended(const std::string& id, RunState state, const std::string& result,
                       const std::string& now) {
  const auto lock = writer_.lock();
  writer_
      .prepare(
          "UPDATE runs SET state = ?, result = ?, finished = ? WHERE id = ? AND state = 'running'")
      .bind(name(state))
      .bind(result)
      .bind(now)
      .bind(id)
      .run();
  return writer_.changed_rows() > 0;
}

bool Store::mark_cancelled_in_queue(const std::string& id, const std::string& result,
                                    const std::string& now) {
  const auto lock = writer_.lock();
  writer_
      .prepare(
          "UPDATE runs SET state = 'cancelled', result = ?, finished = ? WHERE id = ? AND state = "
          "'queued'")
      .bind(result)
      .bind(now)
      .bind(id)
      .run();
  return writer_.changed_rows() > 0;
}

bool Store::mark_cancel_asked(const std::string& id) {
  const auto lock = writer_.lock();
  writer_.prepare("UPDATE runs SET cancel_asked = 1 WHERE id = ? AND state = 'running'")
      .bind(id)
      .run();
  return writer_.changed_rows() > 0;
}

bool Store::mark_queued_again(const std::string& id) {
  const auto lock = writer_.lock();
  Transaction transaction(writer_);
  writer_
      .prepare(
          "UPDATE runs SET state = 'queued', attempt = attempt + 1, started = NULL, finished = "
          "NULL, result = '', "
          "cancel_asked = 0, handle = '' WHERE id = ? AND state IN ('failed', 'cancelled', "
          "'interrupted')")
      .bind(id)
      .run();
  if (writer_.changed_rows() == 0) return false;
  check_inputs_exist(writer_, id);
  transaction.commit();
  return true;
}

bool Store::remove_run(const std::string& id) {
  return remove_with_reserve([&] {
    const auto lock = writer_.lock();
    writer_.prepare("DELETE FROM runs WHERE id = ? AND state <> 'running'").bind(id).run();
    return writer_.changed_rows() > 0;
  });
}

void Store::add_session(const std::string& hash, std::int64_t expires) {
  const auto lock = writer_.lock();
  writer_.prepare("INSERT INTO sessions(hash, expires) VALUES(?,?)").bind(hash).bind(expires).run();
}

bool Store::has_session(const std::string& hash, std::int64_t now) {
  const auto lock = reader_.lock();
  Statement row = reader_.prepare("SELECT 1 FROM sessions WHERE hash = ? AND expires > ?");
  return row.bind(hash).bind(now).step();
}

void Store::remove_session(const std::string& hash) {
  const auto lock = writer_.lock();
  writer_.prepare("DELETE FROM sessions WHERE hash = ?").bind(hash).run();
}

void Store::remove_expired_sessions(std::int64_t now) {
  const auto lock = writer_.lock();
  writer_.prepare("DELETE FROM sessions WHERE expires <= ?").bind(now).run();
}

}  // namespace aceso::hub
