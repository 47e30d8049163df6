#include "sorted_reads.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace aceso::genomics {
namespace {

// Of the memory a run may use, the share that records waiting in buckets take. The rest is for the
// index's pages, chunks under way, and the buckets being sorted.
constexpr double kRecordShare = 0.5, kKeyShare = 0.1;

struct BucketNumbers {
  graph::Out<std::size_t> out{"bucket"};
  std::vector<std::size_t> buckets;
  std::size_t next = 0;

  auto ports() { return std::tie(out); }
  graph::Flow compute(const graph::Tick&) {
    if (next == buckets.size()) return graph::Flow::Done;
    out.send(std::size_t{buckets[next++]});
    return graph::Flow::Continue;
  }
};

std::vector<std::size_t> numbers(std::size_t begin, std::size_t end) {
  std::vector<std::size_t> out(end - begin);
  std::iota(out.begin(), out.end(), begin);
  return out;
}

/// Finds the records in `bytes`.
void find_records(SortedBucket& bucket) {
  bucket.records.clear();
  for (std::size_t at = 0; at < bucket.bytes.size();) {
    bucket.records.push_back(reinterpret_cast<const PackedRecord*>(bucket.bytes.data() + at));
    at += bucket.records.back()->size;
  }
}

/// Changes the records of a sorted bucket.
void finish(SortedBucket& bucket, const Finishing& finishing, const Duplicates* duplicates) {
  std::vector<std::byte> bytes;
  bytes.reserve(bucket.bytes.size());
  for (std::size_t i = 0; i < bucket.records.size(); ++i) {
    const PackedRecord& record = *bucket.records[i];
    const char* kind = nullptr;
    if (finishing.tag_duplicates && bucket.duplicate[i])
      kind = duplicates != nullptr && duplicates->optical.contains(record.number) ? "SQ" : "LB";
    append_finished(record, finishing, kind, bytes);
  }
  bucket.bytes = std::move(bytes);
  find_records(bucket);
}

SortedBucket bucket_of_bytes(std::size_t bucket, std::vector<std::byte> bytes, bool sort,
                             const Duplicates* duplicates) {
  SortedBucket out;
  out.bucket = bucket;
  out.bytes = std::move(bytes);
  find_records(out);
  if (sort)
    std::ranges::sort(out.records, [](const PackedRecord* a, const PackedRecord* b) {
      return stands_before(*a, *b);
    });
  out.duplicate.resize(out.records.size());
  for (std::size_t i = 0; i < out.records.size(); ++i)
    out.duplicate[i] = (out.records[i]->flags & kDuplicate) != 0 ||
                       (duplicates != nullptr && out.records[i]->mapped() &&
                        duplicates->all.contains(out.records[i]->number));
  return out;
}

BucketStore store_of(const Reference& reference, std::uint64_t memory, double share,
                     const app::RunContext& context) {
  return {bucket_count(reference.codes().size()),
          static_cast<std::uint64_t>(static_cast<double>(memory) * share), context.scratch};
}

}  // namespace

BucketStore record_store(const Reference& reference, std::uint64_t memory,
                         const app::RunContext& context) {
  return store_of(reference, memory, kRecordShare, context);
}

BucketStore key_store(const Reference& reference, std::uint64_t memory,
                      const app::RunContext& context) {
  return store_of(reference, memory, kKeyShare, context);
}

std::uint64_t SortedBucket::marked() const {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < records.size(); ++i)
    count += duplicate[i] && (records[i]->flags & (kSecondary | kSupplementary)) == 0 ? 1 : 0;
  return count;
}

graph::Flow SortBuckets::compute(const graph::Tick&) {
  const std::size_t number = in.take();
  SortedBucket bucket =
      bucket_of_bytes(number, look ? store->look(number) : store->take(number), !look, duplicates);
  marked += bucket.marked();
  if (!look && finishing != nullptr && finishing->changes_anything())
    finish(bucket, *finishing, duplicates);
  out.send(std::move(bucket));
  return graph::Flow::Continue;
}

graph::NodeRef<SortBuckets> SortedReads::add_sorting(graph::Graph& g, unsigned threads,
                                                     std::size_t begin, std::size_t end) {
  return add_buckets(g, threads, numbers(begin, end), false);
}

graph::NodeRef<SortBuckets> SortedReads::add_looking(graph::Graph& g, unsigned threads) {
  return add_looking(g, threads, numbers(0, records_.size()));
}

graph::NodeRef<SortBuckets> SortedReads::add_looking(graph::Graph& g, unsigned threads,
                                                     std::vector<std::size_t> buckets) {
  return add_buckets(g, threads, std::move(buckets), true);
}

graph::NodeRef<SortBuckets> SortedReads::add_buckets(graph::Graph& g, unsigned threads,
                                                     std::vector<std::size_t> buckets, bool look) {
  auto told = g.add("buckets", BucketNumbers{.buckets = std::move(buckets)});
  auto sort = g.add("sort",
                    SortBuckets{.store = &records_,
                                .duplicates = duplicates_ ? &*duplicates_ : nullptr,
                                .finishing = &finishing_,
                                .look = look},
                    {.copies = threads});
  g.connect(told, &BucketNumbers::out, sort, &SortBuckets::in);
  return sort;
}

void SortedReads::note_duplicates(const graph::NodeRef<SortBuckets>& sorting) {
  figures_.duplicates = 0;
  for (const SortBuckets& copy : sorting.copies()) figures_.duplicates += copy.marked;
}

}  // namespace aceso::genomics
