// The part of the graph that calls variants: sorted buckets in, lines of VCF out.
#pragma once

#include "alignment_file.hpp"
#include "bed.hpp"
#include "block_caller.hpp"
#include "call_pileup.hpp"
#include "call_plots.hpp"
#include "kernels/band.hpp"
#include "ploidy.hpp"
#include "record_figures.hpp"
#include "sam_writer.hpp"
#include "sorted_reads.hpp"
#include "vcf_writer.hpp"

#include "aceso/core/progress.hpp"

#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace aceso::genomics {

/// Reads that begin so far in front of a bucket may matter to it.
inline constexpr std::uint64_t kReadMargin = BlockCaller::kMargin + kMostReadLength;

/// The reads that calling one bucket needs: its own and those of its neighbours.
struct CallTask {
  std::shared_ptr<const SortedBucket> before, own, behind;
};

/// Writes alignments, and makes a task of each bucket when the next one has come.
struct MakeTasks {
  graph::In<SortedBucket> in{"records"};
  graph::Out<CallTask> out{"tasks"};
  SamWriter* writer = nullptr;
  RecordFigures* figures = nullptr;  ///< null: not asked for
  /// Those of [first, last) are called, the others are neighbours only.
  std::size_t first = 0, last = std::numeric_limits<std::size_t>::max();
  std::shared_ptr<const SortedBucket> before, own;

  auto ports() { return std::tie(in, out); }
  graph::Flow compute(const graph::Tick&) {
    auto next = std::make_shared<const SortedBucket>(in.take());
    if (writer != nullptr) writer->write(*next);
    if (figures != nullptr && next->bucket >= first && next->bucket < last) figures->add(*next);
    if (own && own->bucket >= first) out.send({before, own, next});
    before = std::move(own);
    own = std::move(next);
    return graph::Flow::Continue;
  }
  // The last bucket has the reads without a place: nothing is called there.
};

/// What was called and passed.
struct CallCounts {
  std::uint64_t snv = 0, indel = 0, passed = 0, heterozygous = 0, homozygous = 0;
  std::uint64_t transitions = 0, transversions = 0;

  void add(const CallCounts& other);
  void add(const VariantCall& call);
};

struct CalledBucket {
  std::string lines, gvcf_lines;
  CallCounts counts;
  CallPlots plots;
  CallPileups pileups;  ///< if all calls were asked for theirs
  std::uint64_t reads = 0, duplicates = 0;
};

/// What every caller needs.
struct CallShop {
  const Reference& reference;
  CallOptions call;
  VcfOptions vcf;
  PloidyMap ploidy;
  bool keep_pileups = false;          ///< of all calls that are told of
  std::optional<BedRegions> regions;  ///< what begins elsewhere is not told of

  /// Whether what begins at a global position is told of.
  [[nodiscard]] bool wants(std::uint32_t position) const;
  /// Whether anything in a bucket is told of.
  [[nodiscard]] bool wants_bucket(std::uint64_t begin, std::uint64_t end) const;
};

struct CallVariants {
  graph::In<CallTask> in{"tasks"};
  graph::Out<CalledBucket> out{"calls"};
  const CallShop* shop = nullptr;
  std::shared_ptr<BlockCaller> caller;  ///< made at the first tick: each copy has its own
  std::shared_ptr<CallReads> reads;

  auto ports() { return std::tie(in, out); }
  graph::Flow compute(const graph::Tick&);

  void add(const SortedBucket& bucket, std::uint64_t begin, std::uint64_t end);
  [[nodiscard]] CalledBucket called(std::uint32_t begin, std::uint32_t end);
};

struct TakeCalls {
  graph::In<CalledBucket> in{"calls"};
  const std::function<void(const CalledBucket&)>* take = nullptr;
  Progress* progress = nullptr;

  auto ports() { return std::tie(in); }
  graph::Flow compute(const graph::Tick&) {
    const CalledBucket bucket = in.take();
    (*take)(bucket);
    progress->advance(bucket.reads);
    return graph::Flow::Continue;
  }
};

/// The intervals whose reads are needed to call all buckets that hold a part of `regions`.
[[nodiscard]] std::vector<GlobalInterval> intervals_to_read(const Reference& reference,
                                                            const BedRegions& regions);

}  // namespace aceso::genomics
