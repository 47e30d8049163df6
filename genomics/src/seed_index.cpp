#include "aceso/genomics/seed_index.hpp"

#include "syncmers.hpp"

#include "aceso/core/bytes.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/hash.hpp"
#include "aceso/core/threads.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstring>

namespace aceso::genomics {
namespace {

// A file: a head of kHeadSize bytes, the contigs, codes, buckets, entries; each part begins at a
// multiple of kAlignment. Numbers are little-endian.
constexpr std::array<char, 8> kMagic = {'A', 'C', 'E', 'S', 'O', 'I', 'D', 'X'};
constexpr std::uint32_t kVersion = 2;
constexpr std::size_t kAlignment = 64;
constexpr std::size_t kDigestSize = 64;

struct Head {
  std::array<char, 8> magic = kMagic;
  std::uint32_t version = kVersion;
  std::uint32_t bucket_bits = 0;
  std::uint32_t seed_length = kSeedLength, sub_length = kSeedSubLength;
  std::uint64_t contig_count = 0, contig_bytes = 0, code_count = 0, entry_count = 0;
  std::uint64_t source_size = 0;
  std::int64_t source_time_ns = 0;
  std::array<char, kDigestSize> digest{};  ///< SHA-256 of all behind the head
};
constexpr std::size_t kHeadSize = 192;
static_assert(sizeof(Head) <= kHeadSize && std::is_trivially_copyable_v<Head>);

constexpr std::size_t aligned(std::size_t size) {
  return (size + kAlignment - 1) / kAlignment * kAlignment;
}

struct Memory {
  std::shared_ptr<const OwnedReference> reference;
  std::vector<std::uint32_t> buckets;
  std::vector<SeedEntry> entries;
};

int bucket_bits_of(std::uint64_t bases) {
  // About two seeds a bucket.
  const auto seeds = bases / kSeedSpacing + 1;
  return std::clamp(static_cast<int>(std::bit_width(seeds)) - 1, 8, 28);
}

/// Blocks of a contig that are looked at on their own. A block's seeds are those that begin in it;
/// it is read further on, for the k-mers and links that reach out of it.
struct Block {
  std::uint64_t begin = 0, end = 0, read_end = 0;  ///< global positions
};

std::vector<Block> blocks_of(const Reference& reference) {
  constexpr std::uint64_t kSize = 1 << 18;
  // Room for the links of the last seeds: the kLinkLast seeds behind one take about 60 bases;
  // where seeds are sparse, links are left out rather than sought further on.
  constexpr std::uint64_t kReach = 512;
  std::vector<Block> blocks;
  for (const Contig& contig : reference.contigs()) {
    const std::uint64_t end = contig.begin + contig.length;
    for (std::uint64_t begin = contig.begin; begin < end; begin += kSize) {
      const std::uint64_t block_end = std::min(begin + kSize, end);
      blocks.push_back({begin, block_end, std::min(block_end + kReach, end)});
    }
  }
  return blocks;
}

/// Calls `take(hash, entry)` for each seed that begins in `block`.
template <typename Take>
void for_each_seed(const Reference& reference, const Block& block, const Take& take) {
  thread_local SyncmerFinder finder;
  thread_local std::vector<Syncmer> seeds;
  seeds.clear();
  finder.find(reference.codes().subspan(block.begin, block.read_end - block.begin),
              static_cast<std::uint32_t>(block.begin), seeds);
  for (std::size_t i = 0; i < seeds.size() && seeds[i].position < block.end; ++i) {
    const std::size_t first = std::min(i + kLinkFirst, seeds.size());
    const std::size_t last = std::min(i + kLinkLast + 1, seeds.size());
    const std::uint64_t link =
        link_of(seeds[i].hash, std::span(seeds).subspan(first, last - first));
    take(seeds[i].hash,
         SeedEntry{linked_tag(seeds[i].hash, seeds[i].reversed, link), seeds[i].position});
  }
}

bool before(const SeedEntry& a, const SeedEntry& b) {
  return a.tag != b.tag ? a.tag < b.tag : a.position < b.position;
}

void fill(const Reference& reference, int shift, unsigned threads, const std::stop_token& stop,
          Memory& memory) {
  const std::vector<Block> blocks = blocks_of(reference);
  const auto over_blocks = [&](const auto& take) {
    parallel_for(
        blocks.size(), 1, threads,
        [&](std::size_t first, std::size_t last) {
          for (std::size_t b = first; b < last; ++b) for_each_seed(reference, blocks[b], take);
        },
        stop);
  };
  const auto next = [&](std::uint64_t hash) {
    return std::atomic_ref(memory.buckets[hash >> shift]).fetch_add(1, std::memory_order_relaxed);
  };
  over_blocks([&](std::uint64_t hash, const SeedEntry&) { next(hash); });
  std::uint32_t sum = 0;
  for (std::uint32_t& bucket : memory.buckets) sum += std::exchange(bucket, sum);
  memory.entries.resize(sum);
  over_blocks(
      [&](std::uint64_t hash, const SeedEntry& entry) { memory.entries[next(hash)] = entry; });
  // Now each bucket's number is its end, which is where the next one begins.
  memory.buckets.insert(memory.buckets.begin(), 0);
  memory.buckets.pop_back();
  const std::size_t count = memory.buckets.size() - 1;
  // Threads filled buckets in any order; sorting makes it one.
  parallel_for(
      count, 4096, threads,
      [&](std::size_t first, std::size_t last) {
        for (std::size_t b = first; b < last; ++b)
          std::sort(memory.entries.begin() + memory.buckets[b],
                    memory.entries.begin() + memory.buckets[b + 1], before);
      },
      stop);
}

std::string contig_table(const Reference& reference) {
  std::string out;
  const auto put = [&](const auto& value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  for (const Contig& contig : reference.contigs()) {
    put(contig.begin);
    put(contig.length);
    put(static_cast<std::uint32_t>(contig.name.size()));
    out += contig.name;
    put(static_cast<std::uint32_t>(contig.md5.size()));
    out += contig.md5;
    put(static_cast<std::uint32_t>(contig.other_letters.size()));
    for (const LetterRun& run : contig.other_letters) {
      put(run.begin);
      put(run.length);
      put(run.letter);
    }
  }
  return out;
}

std::vector<LetterRun> read_letters(const Contig& contig, ByteReader& reader,
                                    const std::string& name) {
  std::vector<LetterRun> runs;
  std::uint64_t least_begin = 0;
  for (auto left = reader.little<std::uint32_t>("count of letters"); left > 0; --left) {
    LetterRun run;
    run.begin = reader.little<std::uint32_t>("begin of a letter");
    run.length = reader.little<std::uint32_t>("length of a letter");
    run.letter = static_cast<char>(reader.little<std::uint8_t>("letter"));
    if (run.begin < least_begin || run.begin > contig.length || run.length == 0 ||
        run.length > contig.length - run.begin || run.letter < 'A' || run.letter > 'Z')
      fail(Errc::CorruptData, "{}: contig {}: its letters are impossible", name, contig.name);
    least_begin = std::uint64_t{run.begin} + run.length;
    runs.push_back(run);
  }
  return runs;
}

std::vector<Contig> read_contigs(const Head& head, ByteReader& reader, const std::string& name) {
  std::vector<Contig> contigs;
  std::uint64_t least_begin = kContigGap;
  for (std::uint64_t i = 0; i < head.contig_count; ++i) {
    Contig contig;
    contig.begin = reader.little<std::uint64_t>("contig begin");
    contig.length = reader.little<std::uint32_t>("contig length");
    contig.name = reader.text(reader.little<std::uint32_t>("size of a name"), "contig name");
    contig.md5 = reader.text(reader.little<std::uint32_t>("size of a digest"), "contig digest");
    if (contig.begin < least_begin || contig.begin > head.code_count ||
        contig.length > head.code_count - contig.begin ||
        head.code_count - contig.begin - contig.length < kContigGap)
      fail(Errc::CorruptData, "{}: contig {} lies outside the sequence", name, contig.name);
    contig.other_letters = read_letters(contig, reader, name);
    least_begin = contig.begin + contig.length + kContigGap;
    contigs.push_back(std::move(contig));
  }
  return contigs;
}

struct SourceStamp {
  std::uint64_t size = 0;
  std::int64_t time_ns = 0;
};

SourceStamp stamp_of(const std::filesystem::path& source) {
  struct stat status{};
  if (::stat(source.c_str(), &status) != 0) return {};
  return {static_cast<std::uint64_t>(status.st_size),
          status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec};
}

Head read_head(std::span<const std::byte> bytes, const std::string& name) {
  if (bytes.size() < kHeadSize)
    fail(Errc::CorruptData, "{}: expected an index of at least {} bytes, found {}", name, kHeadSize,
         bytes.size());
  Head head;
  std::memcpy(&head, bytes.data(), sizeof head);
  if (head.magic != kMagic) fail(Errc::CorruptData, "{}: not an index of Aceso", name);
  if (head.version != kVersion || head.seed_length != kSeedLength ||
      head.sub_length != kSeedSubLength)
    fail(Errc::Unsupported, "{}: expected an index of version {}, found {}; make it again", name,
         kVersion, head.version);
  return head;
}

/// Sizes of the parts; all are checked against the file before any is used.
struct Layout {
  std::size_t contigs, codes, buckets, entries, end;
};

Layout layout_of(const Head& head, const std::string& name) {
  if (head.bucket_bits < 8 || head.bucket_bits > 28)
    fail(Errc::CorruptData, "{}: {} bits of buckets are impossible", name, head.bucket_bits);
  constexpr std::uint64_t kMost = 1ULL << 34;
  if (head.contig_bytes > kMost || head.code_count > kMost || head.entry_count > kMost)
    fail(Errc::CorruptData, "{}: its sizes are impossible", name);
  Layout out{};
  out.contigs = kHeadSize;
  out.codes = aligned(out.contigs + head.contig_bytes);
  out.buckets = aligned(out.codes + head.code_count);
  out.entries = aligned(out.buckets + ((1ULL << head.bucket_bits) + 1) * sizeof(std::uint32_t));
  out.end = out.entries + head.entry_count * sizeof(SeedEntry);
  return out;
}

/// Writes parts, filled up to the alignment, and hashes what it writes.
class PartWriter {
 public:
  explicit PartWriter(AtomicFile& file) : file_(file) {}
  void write(std::span<const std::byte> bytes) {
    put(bytes);
    static constexpr std::array<std::byte, kAlignment> kZeros{};
    put(std::span(kZeros).first(aligned(size_) - size_));
  }
  std::string digest() { return hash_.finish(); }

 private:
  void put(std::span<const std::byte> bytes) {
    file_.write(bytes);
    hash_.update(bytes);
    size_ += bytes.size();
  }
  AtomicFile& file_;
  Sha256 hash_;
  std::size_t size_ = 0;
};

}  // namespace

SeedIndex SeedIndex::build(std::shared_ptr<const OwnedReference> reference, unsigned threads,
                           const std::stop_token& stop) {
  SeedIndex out;
  out.reference_ = reference->reference;
  const int bits = bucket_bits_of(out.reference_.base_count());
  out.shift_ = 64 - bits;
  auto memory = std::make_shared<Memory>();
  memory->buckets.assign((1ULL << bits) + 1, 0);
  memory->reference = std::move(reference);
  fill(out.reference_, out.shift_, threads, stop, *memory);
  out.buckets_ = memory->buckets;
  out.entries_ = memory->entries;
  out.memory_ = memory;
  return out;
}

SeedIndex SeedIndex::open(const std::filesystem::path& file) {
  auto mapped = std::make_shared<MappedFile>(file);
  const std::span<const std::byte> bytes = mapped->bytes();
  const std::string name = file.string();
  const Head head = read_head(bytes, name);
  const Layout layout = layout_of(head, name);
  // The last part is filled up as well.
  if (bytes.size() < layout.end || bytes.size() > aligned(layout.end) + kAlignment)
    fail(Errc::CorruptData, "{}: expected {} bytes, found {}", name, layout.end, bytes.size());
  ByteReader reader(bytes.subspan(layout.contigs, head.contig_bytes), name);
  SeedIndex out;
  const auto* codes = reinterpret_cast<const std::uint8_t*>(bytes.data() + layout.codes);
  out.reference_ = Reference(read_contigs(head, reader, name), {codes, head.code_count});
  out.buckets_ = {reinterpret_cast<const std::uint32_t*>(bytes.data() + layout.buckets),
                  (1ULL << head.bucket_bits) + 1};
  out.entries_ = {reinterpret_cast<const SeedEntry*>(bytes.data() + layout.entries),
                  head.entry_count};
  out.shift_ = 64 - static_cast<int>(head.bucket_bits);
  out.memory_ = mapped;
  return out;
}

void SeedIndex::save(const std::filesystem::path& file, const std::filesystem::path& source) const {
  const std::string contigs = contig_table(reference_);
  Head head;
  head.bucket_bits = static_cast<std::uint32_t>(64 - shift_);
  head.contig_count = reference_.contigs().size();
  head.contig_bytes = contigs.size();
  head.code_count = reference_.codes().size();
  head.entry_count = entries_.size();
  const SourceStamp stamp = stamp_of(source);
  head.source_size = stamp.size;
  head.source_time_ns = stamp.time_ns;

  AtomicFile out(file);
  std::array<std::byte, kHeadSize> head_bytes{};
  out.write(head_bytes);
  PartWriter parts(out);
  parts.write(std::as_bytes(std::span(contigs)));
  parts.write(std::as_bytes(reference_.codes()));
  parts.write(std::as_bytes(buckets_));
  parts.write(std::as_bytes(entries_));
  const std::string digest = parts.digest();
  std::copy_n(digest.begin(), std::min(digest.size(), kDigestSize), head.digest.begin());
  std::memcpy(head_bytes.data(), &head, sizeof head);
  if (::pwrite(out.descriptor(), head_bytes.data(), kHeadSize, 0) !=
      static_cast<ssize_t>(kHeadSize))
    fail_system(errno, "write", file.string());
  out.commit();
}

void SeedIndex::verify(const std::filesystem::path& file, const std::stop_token& stop) {
  static_cast<void>(open(file));
  const MappedFile mapped(file);
  const std::span<const std::byte> bytes = mapped.bytes();
  const Head head = read_head(bytes, file.string());
  Sha256 hash;
  constexpr std::size_t kStep = 64 << 20;
  for (std::size_t at = kHeadSize; at < bytes.size(); at += kStep) {
    if (stop.stop_requested()) fail(Errc::Cancelled, "{}: checking was stopped", file.string());
    hash.update(bytes.subspan(at, std::min(kStep, bytes.size() - at)));
  }
  if (hash.finish() != std::string_view(head.digest.data(), kDigestSize))
    fail(Errc::CorruptData, "{}: its content does not match its checksum; make it again",
         file.string());
}

bool SeedIndex::is_current(const std::filesystem::path& file, const std::filesystem::path& source) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) return false;
  const MappedFile mapped(file);
  if (mapped.bytes().size() < kHeadSize) return false;
  Head head;
  std::memcpy(&head, mapped.bytes().data(), sizeof head);
  const SourceStamp stamp = stamp_of(source);
  return head.magic == kMagic && head.version == kVersion && head.source_size == stamp.size &&
         head.source_time_ns == stamp.time_ns;
}

std::span<const SeedEntry> SeedIndex::find(std::uint64_t hash) const noexcept {
  const std::size_t bucket = hash >> shift_;
  const std::size_t begin = buckets_[bucket], end = buckets_[bucket + 1];
  if (begin >= end || end > entries_.size()) return {};
  const std::uint32_t tag = seed_tag(hash);
  std::size_t first = begin;
  constexpr std::size_t kFew = 16;
  if (end - begin > kFew) {
    const auto part = std::ranges::equal_range(entries_.subspan(begin, end - begin), tag >> 16, {},
                                               [](const SeedEntry& e) { return e.tag >> 16; });
    return {part.begin(), part.end()};
  }
  while (first < end && (entries_[first].tag & 0xffff0000U) < tag) ++first;
  std::size_t last = first;
  while (last < end && (entries_[last].tag & 0xffff0000U) == tag) ++last;
  return entries_.subspan(first, last - first);
}

std::span<const SeedEntry> SeedIndex::narrow(std::span<const SeedEntry> found,
                                             std::uint32_t tag) noexcept {
  const auto part = std::ranges::equal_range(found, tag, {}, &SeedEntry::tag);
  return {part.begin(), part.end()};
}

std::filesystem::path index_path(const std::filesystem::path& fasta) {
  std::filesystem::path path = fasta;
  path += ".aceso";
  return path;
}

SeedIndex open_or_build_index(const std::filesystem::path& fasta, unsigned threads,
                              const std::stop_token& stop) {
  const std::filesystem::path path = index_path(fasta);
  if (SeedIndex::is_current(path, fasta)) return SeedIndex::open(path);
  auto owned = std::make_shared<OwnedReference>(read_reference(fasta, stop));
  SeedIndex built = SeedIndex::build(std::move(owned), threads, stop);
  try {
    built.save(path, fasta);
    return SeedIndex::open(path);
  } catch (const Error& error) {
    if (error.code() != Errc::Io && error.code() != Errc::OutOfResources) throw;
  }
  // The folder cannot be written: the index lives as long as this run.
  return built;
}

}  // namespace aceso::genomics
