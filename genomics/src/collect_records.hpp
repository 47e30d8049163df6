// The end of every flow that makes records: they go into the buckets of the genome.
#pragma once

#include "bucket_store.hpp"
#include "record_builder.hpp"

#include "aceso/core/progress.hpp"
#include "aceso/graph/graph.hpp"

#include <cstring>
#include <span>
#include <tuple>

namespace aceso::genomics {

/// Records with the size of the text they were made from.
struct AlignedPacket {
  RecordBatch batch;
  std::uint64_t source_bytes = 0;
  std::uint64_t chunk = 0;  ///< number of the chunk of reads it was made from
};

inline void put_into_buckets(const RecordBatch& batch, BucketStore& records, BucketStore& keys) {
  const std::span<const std::byte> bytes = batch.bytes;
  for (std::size_t at = 0; at < bytes.size();) {
    PackedRecord head;
    std::memcpy(&head, bytes.data() + at, sizeof head);
    records.add(bucket_of(head.position, records.size()), bytes.subspan(at, head.size));
    at += head.size;
  }
  for (const DuplicateKey& key : batch.keys)
    keys.add(duplicate_bucket(key, keys.size()), std::as_bytes(std::span(&key, 1)));
}

struct CollectRecords {
  graph::In<AlignedPacket> in{"records"};
  BucketStore* records = nullptr;
  BucketStore* keys = nullptr;
  AlignCounts* counts = nullptr;
  Progress* progress = nullptr;

  auto ports() { return std::tie(in); }
  graph::Flow compute(const graph::Tick&) {
    const AlignedPacket packet = in.take();
    put_into_buckets(packet.batch, *records, *keys);
    counts->add(packet.batch.counts);
    progress->advance(packet.source_bytes);
    return graph::Flow::Continue;
  }
};

}  // namespace aceso::genomics
