// The records of a run, put into buckets of the genome, handed out in order and sorted.
#pragma once

#include "bucket_store.hpp"
#include "duplicates.hpp"
#include "finishing.hpp"
#include "packed_record.hpp"
#include "record_builder.hpp"

#include "aceso/app/app.hpp"
#include "aceso/genomics/reference.hpp"
#include "aceso/graph/graph.hpp"

#include <memory>
#include <optional>
#include <tuple>
#include <vector>

namespace aceso::genomics {

/// The records of one bucket, in order.
struct SortedBucket {
  std::vector<std::byte> bytes;
  std::vector<const PackedRecord*> records;
  std::vector<bool> duplicate;  ///< by record
  std::size_t bucket = 0;

  /// Primary records that are duplicates.
  [[nodiscard]] std::uint64_t marked() const;
};

/// What was learnt on the way.
struct AlignFigures {
  AlignCounts counts;
  InsertModel model;
  std::uint64_t duplicates = 0;                     ///< primary records marked
  std::optional<DuplicateCounts> duplicate_counts;  ///< nothing if they were not sought
  std::uint64_t spilled_bytes = 0;
};

/// An operator that takes numbers of buckets and hands out their records in order.
struct SortBuckets {
  graph::In<std::size_t> in{"bucket"};
  graph::Out<SortedBucket> out{"records"};
  BucketStore* store = nullptr;
  const Duplicates* duplicates = nullptr;
  const Finishing* finishing = nullptr;
  bool look = false;         ///< the records stay in the store, and come unfinished in any order
  std::uint64_t marked = 0;  ///< primary records that are duplicates

  auto ports() { return std::tie(in, out); }
  graph::Flow compute(const graph::Tick& tick);
};

/// All records of a run, between aligning (or reading) and writing.
class SortedReads {
 public:
  /// `duplicates`: the numbers of records to be marked beside those that are marked already.
  SortedReads(BucketStore records, std::optional<Duplicates> duplicates, AlignFigures figures)
      : records_(std::move(records)), duplicates_(std::move(duplicates)), figures_(figures) {
    if (duplicates_) figures_.duplicate_counts = duplicates_->counts;
  }

  /// Adds the nodes that hand out all buckets in order, sorted by several threads, and returns the
  /// last one. Once only. Call note_duplicates() when the graph has run.
  [[nodiscard]] graph::NodeRef<SortBuckets> add_sorting(graph::Graph& g, unsigned threads) {
    return add_sorting(g, threads, 0, records_.size());
  }
  /// Likewise of the buckets [begin, end). More than once only if all records are in files that
  /// stay.
  [[nodiscard]] graph::NodeRef<SortBuckets> add_sorting(graph::Graph& g, unsigned threads,
                                                        std::size_t begin, std::size_t end);
  /// Adds the nodes that hand out all buckets, their records as they are and in any order. They
  /// stay here.
  [[nodiscard]] graph::NodeRef<SortBuckets> add_looking(graph::Graph& g, unsigned threads);
  /// Likewise of some buckets.
  [[nodiscard]] graph::NodeRef<SortBuckets> add_looking(graph::Graph& g, unsigned threads,
                                                        std::vector<std::size_t> buckets);
  void note_duplicates(const graph::NodeRef<SortBuckets>& sorting);

  [[nodiscard]] std::uint64_t record_count() const noexcept {
    return figures_.counts.reads + figures_.counts.supplementary + figures_.counts.secondary;
  }
  /// What is done to records when they are handed out.
  void set_finishing(Finishing finishing) { finishing_ = std::move(finishing); }
  [[nodiscard]] const Finishing& finishing() const noexcept { return finishing_; }
  [[nodiscard]] const AlignFigures& figures() const noexcept { return figures_; }
  [[nodiscard]] std::size_t bucket_count() const noexcept { return records_.size(); }

 private:
  graph::NodeRef<SortBuckets> add_buckets(graph::Graph& g, unsigned threads,
                                          std::vector<std::size_t> buckets, bool look);

  BucketStore records_;
  std::optional<Duplicates> duplicates_;
  AlignFigures figures_;
  Finishing finishing_;
};

/// Empty stores for the records, and for the keys of duplicates, of a run that may use `memory`
/// bytes.
[[nodiscard]] BucketStore record_store(const Reference& reference, std::uint64_t memory,
                                       const app::RunContext& context);
[[nodiscard]] BucketStore key_store(const Reference& reference, std::uint64_t memory,
                                    const app::RunContext& context);

}  // namespace aceso::genomics
