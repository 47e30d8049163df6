#include "store/database.hpp"

#include "aceso/core/error.hpp"

#include <sqlite3.h>

#include <cerrno>
#include <utility>

namespace aceso::hub {

namespace {

[[nodiscard]] Errc errc_of(int code) noexcept {
  switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return Errc::OutOfResources;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Errc::CorruptData;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISUSE:
    case SQLITE_ERROR:
      return Errc::Internal;
    default:
      return Errc::Io;
  }
}

/// A write that the disk had no room for is sometimes reported as an input/output error.
[[nodiscard]] bool disk_was_full(sqlite3* connection) noexcept {
  const int reason = sqlite3_system_errno(connection);
  return reason == ENOSPC || reason == EDQUOT;
}

[[noreturn]] void fail_database(sqlite3* connection, int code) {
  const std::string reason =
      connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(code);
  const bool io = (code & 0xff) == SQLITE_IOERR;
  const Errc errc = io && connection != nullptr && disk_was_full(connection) ? Errc::OutOfResources
                                                                             : errc_of(code);
  if (errc == Errc::OutOfResources) fail(errc, "the disk of the data folder is full: {}", reason);
  fail(errc, "database: {}", reason);
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)), bound_(other.bound_) {}

Statement::~Statement() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Statement& Statement::bind(std::string_view text) {
  const int code =
      sqlite3_bind_text64(statement_, ++bound_, text.data() != nullptr ? text.data() : "",
                          text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) fail_database(sqlite3_db_handle(statement_), code);
  return *this;
}

Statement& Statement::bind(std::int64_t number) {
  const int code = sqlite3_bind_int64(statement_, ++bound_, number);
  if (code != SQLITE_OK) fail_database(sqlite3_db_handle(statement_), code);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  fail_database(sqlite3_db_handle(statement_), code);
}

void Statement::run() {
  while (step()) {
  }
}

std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return bytes == nullptr
             ? std::string()
             : std::string(bytes,
                           static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_, column);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Database::Database(const std::filesystem::path& path) : path_(path) {
  const int flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &connection_, flags, nullptr);
  try {
    if (code != SQLITE_OK) fail_database(connection_, code);
    sqlite3_busy_timeout(connection_, 10'000);
    execute(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA "
        "trusted_schema=OFF");
  } catch (const Error& error) {
    sqlite3_close(connection_);
    fail(error.code(), "{}: {}", path.string(), error.what());
  }
}

Database::~Database() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(connection_);
}

Statement Database::prepare(std::string_view sql) {
  sqlite3_stmt*& statement = statements_[sql];
  if (statement == nullptr) {
    const int code = sqlite3_prepare_v3(connection_, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) fail_database(connection_, code);
  }
  return Statement(statement);
}

void Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail_database(connection_, code);
}

std::int64_t Database::changed_rows() const noexcept { return sqlite3_changes64(connection_); }

void Database::migrate(std::span<const std::string_view> migrations) {
  std::int64_t version = 0;
  {
    Statement statement = prepare("PRAGMA user_version");
    if (statement.step()) version = statement.number(0);
  }
  const auto latest = static_cast<std::int64_t>(migrations.size());
  if (version > latest)
    fail(Errc::Unsupported,
         "{}: its schema has version {}, this program knows up to {}; use the newer program",
         path_.string(), version, latest);
  for (; version < latest; ++version) {
    Transaction transaction(*this);
    execute(std::string(migrations[static_cast<std::size_t>(version)]));
    execute("PRAGMA user_version=" + std::to_string(version + 1));
    transaction.commit();
  }
}

Transaction::Transaction(Database& database) : database_(database) {
  database_.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  if (!open_) return;
  try {
    database_.execute("ROLLBACK");
  } catch (const Error&) {
    // SQLite has rolled back by itself, e.g. on a full disk.
  }
}

void Transaction::commit() {
  database_.execute("COMMIT");
  open_ = false;
}

}  // namespace aceso::hub
