#include "call_variants.hpp"

#include <algorithm>

namespace aceso::genomics {

bool CallShop::wants(std::uint32_t position) const {
  if (!regions) return true;
  const Place place = reference.place(position);
  return regions->contains(place.contig, place.position, place.position + 1);
}

bool CallShop::wants_bucket(std::uint64_t begin, std::uint64_t end) const {
  if (!regions) return true;
  const std::vector<Contig>& contigs = reference.contigs();
  for (std::uint32_t c = reference.contig_at(begin); c < contigs.size() && contigs[c].begin < end;
       ++c) {
    const std::uint64_t from = std::max(begin, contigs[c].begin) - contigs[c].begin;
    const std::uint64_t to = std::min(end, contigs[c].begin + contigs[c].length) - contigs[c].begin;
    if (from < to &&
        regions->touches(c, static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(to)))
      return true;
  }
  return false;
}

graph::Flow CallVariants::compute(const graph::Tick&) {
  if (!caller) {
    caller = std::make_shared<BlockCaller>(shop->reference, shop->call);
    reads = std::make_shared<CallReads>();
  }
  const CallTask task = in.take();
  const std::uint64_t begin = task.own->bucket << kBucketBits;
  const std::uint64_t end =
      std::min<std::uint64_t>(begin + (1ULL << kBucketBits), shop->reference.codes().size());
  CalledBucket found;
  if (shop->wants_bucket(begin, end)) {
    reads->clear();
    if (task.before) add(*task.before, begin - kReadMargin, end);
    add(*task.own, begin, end);
    add(*task.behind, end, end + BlockCaller::kMargin);
    found = called(static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end));
  }
  found.reads = task.own->records.size();
  found.duplicates = task.own->marked();
  out.send(std::move(found));
  return graph::Flow::Continue;
}

void CallVariants::add(const SortedBucket& bucket, std::uint64_t begin, std::uint64_t end) {
  for (std::size_t i = 0; i < bucket.records.size(); ++i) {
    const PackedRecord& record = *bucket.records[i];
    if (record.position < begin || record.position >= end) continue;
    if (shop->call.filter.takes(record, bucket.duplicate[i])) reads->add(record);
  }
}

CalledBucket CallVariants::called(std::uint32_t begin, std::uint32_t end) {
  BucketCalls found = caller->call(*reads, begin, end, shop->ploidy);
  CalledBucket result;
  // What is called does not depend on the regions, only what is told.
  std::erase_if(found.variants, [this](const VariantCall& c) { return !shop->wants(c.position); });
  std::erase_if(found.blocks, [this](const ReferenceBlock& b) { return !shop->wants(b.begin); });
  if (shop->vcf.net) shop->vcf.net->judge(*shop->vcf.model, found.variants);
  if (shop->call.pileup.keep_columns) {
    std::erase_if(found.weak, [this](const VariantCall& c) { return !shop->wants(c.position); });
    std::vector<VariantCall> told = found.variants;
    told.insert(told.end(), found.weak.begin(), found.weak.end());
    std::ranges::stable_sort(told, {}, &VariantCall::position);
    result.gvcf_lines = gvcf_lines(shop->reference, told, found.blocks, shop->vcf);
  }
  if (shop->keep_pileups) {
    for (const VariantCall& call : found.variants)
      result.pileups.add(shop->reference.place(call.position).position, call.pileup);
  }
  const std::vector<CalledLine> lines = vcf_lines(shop->reference, found.variants, shop->vcf);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    result.lines += lines[i].text;
    if (lines[i].passed) result.counts.add(found.variants[i]);
    result.plots.add(found.variants[i], lines[i].passed);
  }
  return result;
}

void CallCounts::add(const CallCounts& other) {
  snv += other.snv;
  indel += other.indel;
  passed += other.passed;
  heterozygous += other.heterozygous;
  homozygous += other.homozygous;
  transitions += other.transitions;
  transversions += other.transversions;
}

void CallCounts::add(const VariantCall& call) {
  ++passed;
  ++(call.heterozygous() ? heterozygous : homozygous);
  const std::string& other = call.alternatives.front();
  if (call.reference.size() != other.size()) {
    ++indel;
    return;
  }
  ++snv;
  const std::string pair = call.reference.substr(0, 1) + other.substr(0, 1);
  ++(pair == "AG" || pair == "GA" || pair == "CT" || pair == "TC" ? transitions : transversions);
}

std::vector<GlobalInterval> intervals_to_read(const Reference& reference,
                                              const BedRegions& regions) {
  std::vector<GlobalInterval> out;
  for (std::uint32_t c = 0; c < reference.contigs().size(); ++c) {
    const Contig& contig = reference.contigs()[c];
    for (const BedInterval& region : regions.of(c)) {
      const std::uint64_t first = (contig.begin + region.begin) >> kBucketBits << kBucketBits;
      const std::uint64_t last = (contig.begin + region.end - 1) >> kBucketBits;
      const std::uint64_t begin = std::max(contig.begin, first - std::min(first, kReadMargin));
      const std::uint64_t end = std::min(contig.begin + contig.length,
                                         ((last + 1) << kBucketBits) + BlockCaller::kMargin);
      if (!out.empty() && begin <= out.back().end && out.back().begin >= contig.begin)
        out.back().end = std::max(out.back().end, end);
      else
        out.push_back({begin, end});
    }
  }
  return out;
}

}  // namespace aceso::genomics
