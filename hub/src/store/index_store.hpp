/// \file
/// Indexes of data: made in the background when first asked for, kept by content beside the blobs.
#pragma once

#include "store/library.hpp"
#include "store/store.hpp"

#include "aceso/app/file_index.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/log.hpp"
#include "aceso/core/progress.hpp"

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace aceso::hub {

/// Thread-safe.
///
/// `indexes/SHA256-KIND-VERSION/` holds the files of an index. The folder appears when it is
/// complete, and its name says of which bytes and by which maker it is, so that no index is ever
/// of anything else. One is made at a time, on a thread of its own.
class IndexStore {
 public:
  enum class State { Waiting, Building, Ready, Failed };

  struct Status {
    State state = State::Waiting;
    ProgressEvent progress = {};       ///< while it is built, from its first report on
    std::vector<std::string> parts{};  ///< once it is ready: its files, sorted
    std::optional<Error> error = {};   ///< if it failed
  };

  /// A file of an index.
  struct Part {
    FileHandle file;
    std::string entity_tag;
  };

  /// Removes what a crash left, and what is of no data any more or of another version.
  /// `makers` and the others must outlive this.
  IndexStore(Store& store, Library& library, std::filesystem::path folder,
             const std::vector<app::FileIndex>& makers, Log log);
  ~IndexStore() { stop(); }
  IndexStore(const IndexStore&) = delete;
  IndexStore& operator=(const IndexStore&) = delete;

  /// How far the index of `data` is. Has it made if it is neither there nor in hand. What failed
  /// for its content stays failed; any other failure is told once, and then tried again.
  /// \throws Error NotFound if data of its kind have no index, Cancelled after stop().
  [[nodiscard]] Status status(const DataRecord& data);

  /// \throws Error NotFound if the index has no such part; Refusal 409 if it is not ready.
  [[nodiscard]] Part open(const DataRecord& data, const std::string& part) const;

  /// To be called when `data` were removed.
  void forget(const DataRecord& data);

  /// Gives up what is being made, and returns when that has ended.
  void stop();

 private:
  struct Job {
    DataRecord data;
    const app::FileIndex* maker = nullptr;
  };

  [[nodiscard]] const app::FileIndex& maker_of(const DataRecord& data) const;
  [[nodiscard]] std::filesystem::path folder_of(const std::string& sha256,
                                                const app::FileIndex& maker) const;
  [[nodiscard]] bool is_wanted(const std::string& folder_name);
  void remove_unneeded();
  void work(const std::stop_token& stop);
  void make(const Job& job, const std::stop_token& stop);
  void build(const Job& job, const std::stop_token& stop);
  void note(const std::string& id, Status status);

  Store& store_;
  Library& library_;
  std::filesystem::path folder_;
  const std::vector<app::FileIndex>& makers_;
  Log log_;

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<Job> queue_;
  std::map<std::string, Status> known_;  ///< by data: what is in hand, and what failed
  bool stopped_ = false;
  std::jthread worker_;
};

/// "waiting", "building", "ready" or "failed".
[[nodiscard]] std::string_view name(IndexStore::State state) noexcept;

}  // namespace aceso::hub
