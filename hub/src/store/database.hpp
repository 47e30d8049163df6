/// \file
/// A thin layer over SQLite: connections, prepared statements, transactions, errors as ours.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace aceso::hub {

/// A prepared statement in use. Parameters are bound in order; columns are read in order.
/// Text is copied. Belongs to the thread that holds the database.
class Statement {
 public:
  explicit Statement(sqlite3_stmt* statement) noexcept : statement_(statement) {}
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();  ///< makes it ready for its next use

  Statement& bind(std::string_view text);
  Statement& bind(std::int64_t number);

  /// Moves to the next row; false after the last. \throws Error.
  bool step();
  /// Runs a statement that has no rows. \throws Error.
  void run();

  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::int64_t number(int column) const;
  [[nodiscard]] bool is_null(int column) const;

 private:
  sqlite3_stmt* statement_;
  int bound_ = 0;
};

/// One connection. Lock it for as long as its statements are in use.
class Database {
 public:
  /// Opens or makes `path` in WAL mode, every commit flushed to the disk.
  /// \throws Error Io, OutOfResources, CorruptData if it is not a database.
  explicit Database(const std::filesystem::path& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  [[nodiscard]] std::unique_lock<std::mutex> lock() { return std::unique_lock(mutex_); }

  /// Returns the statement for `sql`, prepared once. `sql` must be a literal.
  [[nodiscard]] Statement prepare(std::string_view sql);
  /// Runs statements that have neither parameters nor rows.
  void execute(const std::string& sql);
  /// How many rows the last change touched.
  [[nodiscard]] std::int64_t changed_rows() const noexcept;

  /// Brings the schema up to the last of `migrations`; number n makes version n + 1.
  /// \throws Error Unsupported if the file is from a newer program.
  void migrate(std::span<const std::string_view> migrations);

 private:
  std::filesystem::path path_;
  std::mutex mutex_;
  sqlite3* connection_ = nullptr;
  std::map<std::string_view, sqlite3_stmt*> statements_;
};

/// Undone when destroyed without commit().
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace aceso::hub
