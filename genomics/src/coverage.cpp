#include "coverage.hpp"

#include <htslib/sam.h>

#include <algorithm>

namespace aceso::genomics {
namespace {

bool is(const bam1_t& record, int flags) { return (record.core.flag & flags) != 0; }

std::string_view name_of(const bam1_t& record) { return bam_get_qname(&record); }

/// Whether another record of the same fragment may lie over this one.
bool may_overlap(const bam1_t& record) {
  if (is(record, BAM_FSUPPLEMENTARY) || bam_aux_get(&record, "SA") != nullptr) return true;
  if (!is(record, BAM_FPAIRED) || is(record, BAM_FMUNMAP) || record.core.tid != record.core.mtid)
    return false;
  return record.core.mpos < bam_endpos(&record);
}

/// The first interval that ends behind `place`.
auto interval_behind(const std::vector<BedInterval>& intervals, std::uint32_t place) {
  return std::ranges::partition_point(intervals,
                                      [place](const BedInterval& i) { return i.end <= place; });
}

/// Bases of [begin, end) in the intervals.
std::uint64_t bases_inside(const std::vector<BedInterval>& intervals, std::uint32_t begin,
                           std::uint32_t end) {
  std::uint64_t out = 0;
  for (auto i = interval_behind(intervals, begin); i != intervals.end() && i->begin < end; ++i)
    out += std::min(end, i->end) - std::max(begin, i->begin);
  return out;
}

/// Whether [begin, end) touches an interval or lies within `near` bases of one.
bool lies_near(const std::vector<BedInterval>& intervals, std::uint32_t begin, std::uint32_t end,
               std::uint32_t near) {
  const auto found = interval_behind(intervals, begin < near ? 0 : begin - near);
  return found != intervals.end() && found->begin < end + near;
}

}  // namespace

void CoverageSums::merge(const CoverageSums& o) {
  for (const auto member :
       {&CoverageSums::adapter, &CoverageSums::mapping_quality, &CoverageSums::duplicate,
        &CoverageSums::unpaired, &CoverageSums::base_quality, &CoverageSums::overlap,
        &CoverageSums::capped})
    this->*member += o.*member;
  depth.merge(o.depth);
  raw_depth.merge(o.raw_depth);
  for (std::size_t q = 0; q < kQualities; ++q) raw_qualities[q] += o.raw_qualities[q];
}

void TargetSums::merge(const TargetSums& o) {
  for (const auto member :
       {&TargetSums::reads, &TargetSums::passed, &TargetSums::bases, &TargetSums::unique_reads,
        &TargetSums::unique_aligned, &TargetSums::aligned_bases, &TargetSums::unique_bases,
        &TargetSums::on_bait, &TargetSums::near_bait, &TargetSums::off_bait,
        &TargetSums::selected_pairs, &TargetSums::selected_unique_pairs, &TargetSums::on_target,
        &TargetSums::off_target, &TargetSums::duplicate, &TargetSums::adapter,
        &TargetSums::mapping_quality, &TargetSums::base_quality, &TargetSums::overlap})
    this->*member += o.*member;
  depth.merge(o.depth);
  raw_depth.merge(o.raw_depth);
  for (std::size_t q = 0; q < kQualities; ++q) raw_qualities[q] += o.raw_qualities[q];
  for (std::size_t i = 0; i < covered.size(); ++i) covered[i] = covered[i] || o.covered[i];
}

Targets::Targets(const Reference& reference, BedRegions regions) : regions_(std::move(regions)) {
  for (std::uint32_t c = 0; c < reference.contigs().size(); ++c) {
    first_.push_back(count_);
    count_ += regions_.of(c).size();
  }
}

std::uint64_t Targets::bases_uncovered(const std::vector<bool>& covered) const {
  std::uint64_t out = 0;
  for (std::uint32_t c = 0; c < first_.size(); ++c) {
    for (std::size_t i = 0; i < of(c).size(); ++i)
      out += covered[first_[c] + i] ? 0 : of(c)[i].end - of(c)[i].begin;
  }
  return out;
}

CoverageCounter::CoverageCounter(const Reference& reference, const Targets* targets)
    : reference_(reference), targets_(targets) {
  if (targets_ != nullptr) target_sums_.covered.resize(targets_->count());
}

void CoverageCounter::add(const MetricsWindow& window) {
  for (const AlignmentPointer& record : window.own) {
    filter(*record);
    if (targets_ != nullptr)
      select(*record, window.contig < 0 ? UINT32_MAX : static_cast<std::uint32_t>(window.contig));
  }
  if (window.begin >= window.end) return;
  const std::size_t span = window.end - window.begin;
  for (Layer* layer : {&genome_, &target_}) {
    layer->seen.clear();
    if (layer == &target_ && targets_ == nullptr) break;
    layer->depth.assign(span, 0);
    layer->raw.assign(span, 0);
  }
  if (targets_ != nullptr) mark_targets(window);
  for (const auto* records : {&window.before, &window.own}) {
    for (const AlignmentPointer& record : *records) cover(*record, window);
  }
  count_window(window);
  if (targets_ != nullptr) count_targets(window);
}

/// Counts the bases of records that give no depth at all, by the first reason.
void CoverageCounter::filter(const bam1_t& record) {
  if (is(record, BAM_FUNMAP | BAM_FSECONDARY | BAM_FQCFAIL)) return;
  std::uint64_t* reason = is_adapter(record)                ? &sums_.adapter
                          : record.core.qual < kGoodMapping ? &sums_.mapping_quality
                          : is(record, BAM_FDUP)            ? &sums_.duplicate
                          : !is(record, BAM_FPAIRED) || is(record, BAM_FMUNMAP) ? &sums_.unpaired
                                                                                : nullptr;
  if (reason != nullptr) *reason += aligned_bases(record);
}

/// What targets and the space near them say of a record. (Baits are taken to be the targets.)
void CoverageCounter::select(const bam1_t& record, std::uint32_t contig) {
  if (is(record, BAM_FSECONDARY)) return;
  TargetSums& t = target_sums_;
  const bool primary = !is(record, BAM_FSUPPLEMENTARY), unique = !is(record, BAM_FDUP);
  const bool passed = !is(record, BAM_FQCFAIL), mapped = !is(record, BAM_FUNMAP);
  if (primary) {
    ++t.reads;
    t.passed += passed ? 1 : 0;
    t.unique_reads += passed && unique ? 1 : 0;
    t.unique_aligned += passed && unique && mapped ? 1 : 0;
  }
  if (!passed) return;
  if (primary) t.bases += static_cast<std::uint64_t>(record.core.l_qseq);
  if (!mapped) return;
  const std::uint64_t bases = aligned_bases(record);
  t.aligned_bases += bases;
  t.unique_bases += unique ? bases : 0;
  const auto& intervals = targets_->of(contig);
  const bool near = lies_near(intervals, static_cast<std::uint32_t>(record.core.pos),
                              static_cast<std::uint32_t>(bam_endpos(&record)), kNearTarget);
  if (near) {
    std::uint64_t on = 0;
    for_each_block(record, [&](std::uint32_t, std::uint32_t place, std::uint32_t length) {
      on += bases_inside(intervals, place, place + length);
    });
    t.on_bait += on;
    t.near_bait += bases - on;
  } else {
    t.off_bait += bases;
  }
  if (near && primary && is(record, BAM_FPAIRED) && is(record, BAM_FREAD1) &&
      !is(record, BAM_FMUNMAP)) {
    ++t.selected_pairs;
    t.selected_unique_pairs += unique ? 1 : 0;
  }
  if (!unique)
    t.duplicate += bases;
  else if (is_adapter(record))
    t.adapter += bases;
  else if (record.core.qual < kGoodMapping)
    t.mapping_quality += bases;
}

void CoverageCounter::mark_targets(const MetricsWindow& window) {
  on_target_.assign(window.end - window.begin, 0);
  const auto& intervals = targets_->of(static_cast<std::uint32_t>(window.contig));
  for (auto i = interval_behind(intervals, window.begin);
       i != intervals.end() && i->begin < window.end; ++i) {
    const auto begin = std::max(i->begin, window.begin) - window.begin;
    const auto end = std::min(i->end, window.end) - window.begin;
    std::fill(on_target_.begin() + begin, on_target_.begin() + end, std::uint8_t{1});
  }
}

void CoverageCounter::cover(const bam1_t& record, const MetricsWindow& window) {
  if (!may_cover(record) || is_adapter(record) || record.core.qual < kGoodMapping ||
      is(record, BAM_FDUP))
    return;
  if (targets_ != nullptr) add_depth<true>(record, window, target_);
  if (is(record, BAM_FPAIRED) && !is(record, BAM_FMUNMAP))
    add_depth<false>(record, window, genome_);
}

/// Adds one record's bases within the window. A base that another record of the fragment has given
/// depth to is an overlap.
template <bool kTargets>
void CoverageCounter::add_depth(const bam1_t& record, const MetricsWindow& window, Layer& layer) {
  const std::uint8_t* codes = reference_.codes(static_cast<std::uint32_t>(window.contig)).data();
  const std::uint8_t *packed = bam_get_seq(&record), *quality = bam_get_qual(&record);
  const bool known = has_qualities(record);
  const auto earlier = layer.seen.empty() ? layer.seen.end() : layer.seen.find(name_of(record));
  const bool remember = may_overlap(record);
  std::vector<std::uint32_t> places;
  auto& raw_qualities = kTargets ? target_sums_.raw_qualities : sums_.raw_qualities;
  std::uint64_t& poor = kTargets ? target_sums_.base_quality : sums_.base_quality;
  std::uint64_t& overlap = kTargets ? target_sums_.overlap : sums_.overlap;
  for_each_block(record, [&](std::uint32_t read, std::uint32_t place, std::uint32_t length) {
    const std::uint32_t begin = std::max(place, window.begin),
                        end = std::min(place + length, window.end);
    for (std::uint32_t at = begin; at < end; ++at) {
      if (!kTargets && codes[at] >= kCodeN) continue;
      const std::size_t offset = at - window.begin;
      const std::uint32_t index = read + (at - place);
      const int q = known ? std::min<int>(quality[index], kQualities - 1) : 0;
      const bool here = !kTargets || on_target_[offset] != 0;
      if (q > 2 && here && ++layer.raw[offset] <= kCoverageCap)
        ++raw_qualities[static_cast<std::size_t>(q)];
      if (q < kGoodBase || (!kTargets && read_code(packed, index) >= kCodeN)) {
        ++poor;
        continue;
      }
      if (earlier != layer.seen.end() && std::ranges::binary_search(earlier->second.places, at)) {
        ++overlap;
        continue;
      }
      if (remember) places.push_back(at);
      if constexpr (kTargets) {
        if (!here) {
          ++target_sums_.off_target;
          continue;
        }
        ++target_sums_.on_target;
      }
      ++layer.depth[offset];
    }
  });
  if (!remember) return;
  std::vector<std::uint32_t>& all = layer.seen[name_of(record)].places;
  const auto middle = static_cast<std::ptrdiff_t>(all.size());
  all.insert(all.end(), places.begin(), places.end());
  std::ranges::inplace_merge(all, all.begin() + middle);
}

void CoverageCounter::count_window(const MetricsWindow& window) {
  for (std::size_t i = 0; i < window.end - window.begin; ++i) {
    const std::uint32_t depth = genome_.depth[i];
    if (depth > 0) sums_.depth.add(std::min(depth, kCoverageCap));
    if (depth > kCoverageCap) sums_.capped += depth - kCoverageCap;
    if (genome_.raw[i] > 0) sums_.raw_depth.add(std::min(genome_.raw[i], kCoverageCap));
  }
}

void CoverageCounter::count_targets(const MetricsWindow& window) {
  const auto contig = static_cast<std::uint32_t>(window.contig);
  const auto& intervals = targets_->of(contig);
  for (auto i = interval_behind(intervals, window.begin);
       i != intervals.end() && i->begin < window.end; ++i) {
    bool any = false;
    for (std::uint32_t at = std::max(i->begin, window.begin); at < std::min(i->end, window.end);
         ++at) {
      const std::size_t offset = at - window.begin;
      if (target_.raw[offset] > 0)
        target_sums_.raw_depth.add(std::min(target_.raw[offset], kCoverageCap));
      if (target_.depth[offset] == 0) continue;
      any = true;
      target_sums_.depth.add(target_.depth[offset]);
    }
    if (any)
      target_sums_
          .covered[targets_->first(contig) + static_cast<std::size_t>(i - intervals.begin())] =
          true;
  }
}

}  // namespace aceso::genomics
