#include "steps.hpp"

#include "align_reads.hpp"
#include "collect_records.hpp"
#include "text_source.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/hash.hpp"
#include "aceso/core/process.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstring>
#include <set>

namespace aceso::genomics {
namespace {

// A part holds so many chunks (of half a megabyte of text a file), or more of very large files.
constexpr std::uint64_t kChunksPerPart = 64;
constexpr std::uint64_t kMostParts = 256, kLeastChunkBytes = 100'000;

constexpr char kMagic[8] = {'A', 'C', 'E', 'S', 'O', 'P', 'R', '2'};

enum class Kind : std::uint32_t { Records = 0, Keys = 1 };

/// A stretch of a part: what it holds of one bucket.
struct PartEntry {
  std::uint32_t bucket = 0;
  Kind kind = Kind::Records;
  std::uint64_t offset = 0, size = 0;
};

/// The last bytes of a part.
struct PartTail {
  AlignCounts counts;
  std::uint64_t entries_offset = 0, entry_count = 0;
  char magic[8] = {};
};
static_assert(std::is_trivially_copyable_v<PartTail> && std::is_trivially_copyable_v<PartEntry>);

void write_part(const std::filesystem::path& path, BucketStore& records, BucketStore& keys,
                const AlignCounts& counts) {
  AtomicFile file(path);
  std::vector<PartEntry> entries;
  for (const Kind kind : {Kind::Records, Kind::Keys}) {
    BucketStore& store = kind == Kind::Records ? records : keys;
    for (std::size_t b = 0; b < store.size(); ++b) {
      const std::vector<std::byte> bytes = store.take(b);
      if (bytes.empty()) continue;
      entries.push_back({static_cast<std::uint32_t>(b), kind, file.size(), bytes.size()});
      file.write(bytes);
    }
  }
  PartTail tail{counts, file.size(), entries.size(), {}};
  std::ranges::copy(kMagic, tail.magic);
  file.write(std::as_bytes(std::span(entries)));
  file.write(std::as_bytes(std::span(&tail, 1)));
  file.commit();
}

/// Adds a part's stretches to the stores. Its size and places are checked: a foreign file, or one
/// of another genome, is refused.
AlignCounts adopt_part(const std::filesystem::path& path, BucketStore& records, BucketStore& keys) {
  const MappedFile file(path);
  const std::span<const std::byte> bytes = file.bytes();
  const auto refuse = [&] {
    fail(Errc::CorruptData, "{}: not a part of aligned reads; remove it to align them again",
         path.string());
  };
  PartTail tail;
  if (bytes.size() < sizeof tail) refuse();
  const std::uint64_t before_tail = bytes.size() - sizeof tail;
  std::memcpy(&tail, bytes.data() + before_tail, sizeof tail);
  if (!std::ranges::equal(tail.magic, kMagic) || tail.entries_offset > before_tail ||
      tail.entry_count != (before_tail - tail.entries_offset) / sizeof(PartEntry))
    refuse();
  const std::uint32_t of_records = records.add_file(path), of_keys = keys.add_file(path);
  for (std::uint64_t i = 0; i < tail.entry_count; ++i) {
    PartEntry entry;
    std::memcpy(&entry, bytes.data() + tail.entries_offset + i * sizeof entry, sizeof entry);
    if (entry.bucket >= records.size() || entry.size > tail.entries_offset ||
        entry.offset > tail.entries_offset - entry.size)
      refuse();
    if (entry.kind == Kind::Records)
      records.adopt(entry.bucket, of_records, entry.offset, entry.size);
    else
      keys.adopt(entry.bucket, of_keys, entry.offset, entry.size);
  }
  return tail.counts;
}

/// Puts the chunks of one part after the other into files.
class PartWriter {
 public:
  PartWriter(const StepFolder& folder, const Reference& reference, const AlignJob& job,
             std::uint64_t chunks_per_part, app::RunContext& context)
      : folder_(folder),
        reference_(reference),
        job_(job),
        context_(context),
        chunks_per_part_(chunks_per_part) {
    begin();
  }

  void take(const AlignedPacket& packet, bool wanted) {
    if (const std::uint64_t part = packet.chunk / chunks_per_part_; part != part_) {
      end();
      part_ = part;
    }
    chunks_ = packet.chunk + 1;
    wanted_ = wanted;
    if (!wanted) return;
    put_into_buckets(packet.batch, *records_, *keys_);
    counts_.add(packet.batch.counts);
  }
  /// Ends the part under way.
  void end() {
    if (wanted_) {
      write_part(folder_.file("part", part_), *records_, *keys_, counts_);
      begin();
    }
    wanted_ = false;
  }
  [[nodiscard]] std::uint64_t chunks() const noexcept { return chunks_; }

 private:
  void begin() {
    records_.emplace(record_store(reference_, job_.memory, context_));
    keys_.emplace(key_store(reference_, job_.memory, context_));
    counts_ = {};
  }

  const StepFolder& folder_;
  const Reference& reference_;
  const AlignJob& job_;
  app::RunContext& context_;
  std::uint64_t chunks_per_part_, part_ = 0, chunks_ = 0;
  bool wanted_ = false;
  std::optional<BucketStore> records_, keys_;
  AlignCounts counts_;
};

std::uint64_t chunks_per_part(const AlignJob& job) {
  return std::max(kChunksPerPart, total_size(job.reads) / kLeastChunkBytes / kMostParts);
}

/// Whether a file belongs to a folder of steps: also one that was being written when its run was
/// killed, which has a dot in front.
bool is_step(const std::filesystem::path& path) {
  std::string name = path.filename().string();
  if (name.starts_with('.')) name.erase(0, 1);
  return std::ranges::any_of(
      std::array{"part-", "piece-", "reads.json", "job.json", kErrorsFile, kRepeatsFile},
      [&](const char* begin) { return name.starts_with(begin); });
}

}  // namespace

Share share_of(std::string_view text) {
  const auto number = [](std::string_view digits) {
    std::uint64_t out = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    return error == std::errc() && end == digits.data() + digits.size() ? out : 0;
  };
  const std::size_t slash = std::min(text.find('/'), text.size());
  const std::uint64_t which = number(text.substr(0, slash));
  const std::uint64_t count = slash < text.size() ? number(text.substr(slash + 1)) : 0;
  if (which == 0 || count == 0 || which > count)
    fail(Errc::InvalidArgument, "shard: expected I/N with I from 1 to N, such as 2/4; found '{}'",
         text);
  return {which - 1, count};
}

Json align_identity(const AlignJob& job) {
  return {{"version", version()},
          {"reads", file_identity(job.reads)},
          {"reads2", file_identity(job.reads2)},
          {"reference", file_identity({job.reference})},
          {"options",
           {job.interleaved, job.sample, job.read_group.value_or(""), job.keep_duplicates_unmarked,
            job.secondary, job.optical_distance, job.tag_duplicates, job.recalibrate,
            job.original_qualities}}};
}

Json file_identity(const std::vector<std::filesystem::path>& files) {
  Json out = Json::array();
  for (const std::filesystem::path& file : files) {
    if (!std::filesystem::is_regular_file(file))
      fail(Errc::InvalidArgument,
           "{}: runs in steps may read their inputs again; expected a file, found a pipe or device",
           file.string());
    const auto changed = std::filesystem::last_write_time(file).time_since_epoch();
    out.push_back({std::filesystem::absolute(file).string(), std::filesystem::file_size(file),
                   std::chrono::duration_cast<std::chrono::milliseconds>(changed).count()});
  }
  return out;
}

StepFolder::StepFolder(std::filesystem::path path, const Json& identity) : path_(std::move(path)) {
  std::error_code error;
  std::filesystem::create_directories(path_, error);
  if (error) fail_system(error.value(), "make the folder", path_.string());
  const std::string expected = Json{{"job", sha256(identity.dump())}}.dump() + "\n";
  const std::filesystem::path job = path_ / "job.json";
  if (!std::filesystem::exists(job)) {
    // (Another shard may be making the folder at this moment.)
    const auto foreign = [](const auto& entry) { return !is_step(entry.path()); };
    if (std::ranges::any_of(std::filesystem::directory_iterator(path_), foreign))
      fail(Errc::InvalidArgument, "{}: expected an empty folder or one with steps of this run",
           path_.string());
    write_file(job, expected);
  }
  if (read_file(job) != expected)
    fail(Errc::InvalidArgument,
         "{}: it holds steps of another run (other reads, reference, options or version); name "
         "another folder, or remove it",
         path_.string());
}

std::filesystem::path StepFolder::file(std::string_view kind, std::uint64_t number,
                                       std::string_view ending) const {
  return path_ / fmt::format("{}-{:06}{}", kind, number, ending);
}

void StepFolder::remove() const {
  std::error_code ignored;
  std::vector<std::filesystem::path> ours;
  for (const auto& entry : std::filesystem::directory_iterator(path_, ignored)) {
    if (is_step(entry.path())) ours.push_back(entry.path());
  }
  for (const std::filesystem::path& file : ours) std::filesystem::remove(file, ignored);
  std::filesystem::remove(path_, ignored);  // only if it is empty
}

AlignedParts::AlignedParts(const StepFolder& folder, const AlignJob& job)
    : folder_(folder), job_(job), chunks_per_part_(chunks_per_part(job)) {}

std::optional<std::uint64_t> AlignedParts::part_count() const {
  const std::filesystem::path path = folder_.path() / "reads.json";
  if (!std::filesystem::exists(path)) return std::nullopt;
  const std::uint64_t chunks =
      parse_json(read_file(path), path.string()).value("chunks", std::uint64_t{0});
  return (chunks + chunks_per_part_ - 1) / chunks_per_part_;
}

bool AlignedParts::complete() const {
  const std::optional<std::uint64_t> count = part_count();
  for (std::uint64_t p = 0; p < count.value_or(0); ++p) {
    if (!std::filesystem::exists(folder_.file("part", p))) return false;
  }
  return count.has_value();
}

void AlignedParts::align(const SeedIndex& index, bool with_tags, const Share& share,
                         app::RunContext& context) {
  std::set<std::filesystem::path> there;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
    there.insert(entry.path());
  const auto wants = [&](std::uint64_t chunk) {
    const std::uint64_t part = chunk / chunks_per_part_;
    return share.owns(part) && !there.contains(folder_.file("part", part));
  };
  PartWriter writer(folder_, index.reference(), job_, chunks_per_part_, context);
  const InsertModel model = align_chunks(
      job_, index, with_tags,
      {.wants = wants,
       .take = [&](const AlignedPacket& packet) { writer.take(packet, wants(packet.chunk)); }},
      context);
  writer.end();
  const Json reads{{"chunks", writer.chunks()},
                   {"fragments", {{"mean", model.mean}, {"deviation", model.deviation}}}};
  write_file(folder_.path() / "reads.json", reads.dump() + "\n");
}

SortedReads AlignedParts::open(const Reference& reference, app::RunContext& context) const {
  if (!complete())
    fail(Errc::NotFound,
         "{}: not all reads are aligned yet; the step align of all shards comes first",
         folder_.path().string());
  const std::filesystem::path path = folder_.path() / "reads.json";
  const Json reads = parse_json(read_file(path), path.string());
  AlignFigures figures;
  if (const auto fragments = reads.find("fragments"); fragments != reads.end()) {
    figures.model.mean = fragments->value("mean", 0.0);
    figures.model.deviation = fragments->value("deviation", 0.0);
  }
  BucketStore records = record_store(reference, job_.memory, context);
  BucketStore keys = key_store(reference, job_.memory, context);
  for (std::uint64_t p = 0; p < *part_count(); ++p)
    figures.counts.add(adopt_part(folder_.file("part", p), records, keys));
  std::optional<Duplicates> duplicates;
  if (!job_.keep_duplicates_unmarked)
    duplicates =
        find_duplicates(keys, figures.counts.numbers(), job_.optical_distance, context.stop);
  SortedReads out(std::move(records), std::move(duplicates), figures);
  out.set_finishing({.recalibration = nullptr, .tag_duplicates = job_.tag_duplicates});
  return out;
}

}  // namespace aceso::genomics
