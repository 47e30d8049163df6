#include "store/index_store.hpp"

#include "refusal.hpp"

#include "aceso/app/description.hpp"
#include "aceso/core/text.hpp"

#include <algorithm>
#include <chrono>

namespace aceso::hub {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kHashLetters = 64;

/// Whether it would fail in the same way whenever it is tried.
[[nodiscard]] bool lasts(const Error& error) noexcept {
  return error.code() == Errc::CorruptData || error.code() == Errc::Unsupported;
}

[[nodiscard]] std::string ending_of(const app::FileIndex& maker) {
  return fmt::format("-{}-{}", maker.kind, maker.version);
}

[[nodiscard]] std::vector<std::string> parts_in(const fs::path& folder) {
  std::vector<std::string> parts;
  for (const auto& entry : fs::directory_iterator(folder))
    parts.push_back(entry.path().filename().string());
  std::ranges::sort(parts);
  return parts;
}

void remove_quietly(const fs::path& path) noexcept {
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

}  // namespace

std::string_view name(IndexStore::State state) noexcept {
  switch (state) {
    case IndexStore::State::Waiting:
      return "waiting";
    case IndexStore::State::Building:
      return "building";
    case IndexStore::State::Ready:
      return "ready";
    case IndexStore::State::Failed:
      return "failed";
  }
  return "failed";
}

IndexStore::IndexStore(Store& store, Library& library, fs::path folder,
                       const std::vector<app::FileIndex>& makers, Log log)
    : store_(store),
      library_(library),
      folder_(std::move(folder)),
      makers_(makers),
      log_(std::move(log)) {
  fs::create_directories(folder_);
  remove_unneeded();
  worker_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
}

const app::FileIndex& IndexStore::maker_of(const DataRecord& data) const {
  const app::Kind* kind = app::kind_of_file(data.name);
  const auto maker = std::ranges::find(makers_, kind != nullptr ? kind->name : std::string_view(),
                                       &app::FileIndex::kind);
  if (maker == makers_.end()) fail(Errc::NotFound, "files of this kind have no index");
  return *maker;
}

fs::path IndexStore::folder_of(const std::string& sha256, const app::FileIndex& maker) const {
  return folder_ / (sha256 + ending_of(maker));
}

IndexStore::Status IndexStore::status(const DataRecord& data) {
  const app::FileIndex& maker = maker_of(data);
  const std::scoped_lock lock(mutex_);
  if (const auto known = known_.find(data.id); known != known_.end()) {
    Status status = known->second;
    if (status.error && !lasts(*status.error)) known_.erase(known);
    return status;
  }
  if (const fs::path folder = folder_of(data.sha256, maker); fs::exists(folder))
    return {.state = State::Ready, .parts = parts_in(folder)};
  if (stopped_) fail(Errc::Cancelled, "the hub is stopping");
  queue_.push_back({data, &maker});
  wake_.notify_one();
  return known_[data.id] = {.state = State::Waiting};
}

IndexStore::Part IndexStore::open(const DataRecord& data, const std::string& part) const {
  const app::FileIndex& maker = maker_of(data);
  const fs::path folder = folder_of(data.sha256, maker);
  if (!fs::exists(folder))
    refuse(409, Errc::InvalidArgument, "the index is not ready; GET /v1/data/{}/index makes it",
           data.id);
  // No name from outside becomes a path.
  const std::vector<std::string> parts = parts_in(folder);
  if (std::ranges::find(parts, part) == parts.end())
    fail(Errc::NotFound, "the index has no part '{}'; it has {}", printable(part),
         join(parts, ", "));
  return {open_for_reading(folder / part),
          fmt::format("\"{}{}-{}\"", data.sha256, ending_of(maker), part)};
}

void IndexStore::forget(const DataRecord& data) {
  {
    const std::scoped_lock lock(mutex_);
    std::erase_if(queue_, [&](const Job& job) { return job.data.id == data.id; });
    known_.erase(data.id);
  }
  if (store_.is_blob_needed(data.sha256)) return;
  for (const app::FileIndex& maker : makers_) remove_quietly(folder_of(data.sha256, maker));
}

void IndexStore::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
  }
  worker_.request_stop();
  if (worker_.joinable()) worker_.join();
}

bool IndexStore::is_wanted(const std::string& folder_name) {
  if (folder_name.size() < kHashLetters) return false;
  const std::string ending = folder_name.substr(kHashLetters);
  return std::ranges::any_of(makers_, [&](const auto& m) { return ending_of(m) == ending; }) &&
         store_.is_blob_needed(folder_name.substr(0, kHashLetters));
}

void IndexStore::remove_unneeded() {
  for (const auto& entry : fs::directory_iterator(folder_))
    if (!is_wanted(entry.path().filename().string())) remove_quietly(entry.path());
}

void IndexStore::work(const std::stop_token& stop) {
  while (true) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, stop, [this] { return !queue_.empty(); });
      if (stop.stop_requested()) return;
      job = std::move(queue_.front());
      queue_.pop_front();
    }
    make(job, stop);
  }
}

void IndexStore::make(const Job& job, const std::stop_token& stop) {
  const auto begin = std::chrono::steady_clock::now();
  try {
    build(job, stop);
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
    log_.info("index.made", {{"data", job.data.id}, {"seconds", time.count()}});
    const std::scoped_lock lock(mutex_);
    known_.erase(job.data.id);
  } catch (...) {
    const Error error = current_error();
    log_.warning("index.failed", {{"data", job.data.id}, {"code", name(error.code())}});
    note(job.data.id, {.state = State::Failed, .error = error});
  }
}

void IndexStore::build(const Job& job, const std::stop_token& stop) {
  const fs::path folder = folder_of(job.data.sha256, *job.maker);
  if (fs::exists(folder)) return;  // made for data of the same bytes
  note(job.data.id, {.state = State::Building});
  Progress progress([&](const ProgressEvent& event) {
    note(job.data.id, {.state = State::Building, .progress = event});
  });
  AtomicFolder made(folder);
  job.maker->make({.file = library_.path_of(job.data),
                   .file_name = job.data.name,
                   .folder = made.staging(),
                   .progress = progress,
                   .stop = stop});
  made.commit();
  // They may have been removed meanwhile, and forget() found nothing to remove.
  if (!store_.is_blob_needed(job.data.sha256)) remove_quietly(folder);
}

/// Data that were forgotten stay so.
void IndexStore::note(const std::string& id, Status status) {
  const std::scoped_lock lock(mutex_);
  if (const auto known = known_.find(id); known != known_.end()) known->second = std::move(status);
}

}  // namespace aceso::hub
