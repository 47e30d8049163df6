/// \file
/// What happens in a run, as server-sent events.
#pragma once

#include "store/store.hpp"

#include "aceso/core/files.hpp"

#include "http/message.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace aceso::hub {

/// Follows the event file of a run by byte offset, which is also the events' id: nothing is
/// remembered for a client, and one that comes back goes on where it was.
class EventStream : public Stream {
 public:
  /// `offset` is where the client stands; one that is not the beginning of a line (of another
  /// attempt, say) means the beginning. `describe` makes the answer RUN.
  EventStream(Store& store, std::filesystem::path runs, std::string run, std::uint64_t offset,
              std::function<std::string(const RunRecord&)> describe);

  std::string next() override;
  [[nodiscard]] bool ended() const override { return ended_; }

 private:
  [[nodiscard]] bool open_events(const RunRecord& run);
  [[nodiscard]] std::string read_events(const RunRecord& run, bool& more);

  Store& store_;
  std::filesystem::path runs_;
  std::string run_;
  std::uint64_t offset_;
  std::function<std::string(const RunRecord&)> describe_;

  std::optional<RunState> told_state_;
  std::int64_t attempt_ = 0;
  FileHandle file_;
  bool ended_ = false;
  std::chrono::steady_clock::time_point last_sent_ = std::chrono::steady_clock::now();
};

}  // namespace aceso::hub
