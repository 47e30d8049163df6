#include "record_figures.hpp"

#include "histogram_json.hpp"

#include "aceso/core/error.hpp"

#include <algorithm>

namespace aceso::genomics {
namespace {

using app::Plot;

constexpr std::size_t kMostPoints = 400;
constexpr std::size_t kMostBuckets = (1ULL << (32 - kBucketBits)) + 2;

Plot plot_of(const Histogram& histogram, std::uint64_t last, Plot plot) {
  const std::uint64_t step = last / kMostPoints + 1;
  plot.series = {{"reads", std::vector<double>(last / step + 1)}};
  for (std::uint64_t value = 0; value <= last; value += step)
    plot.x.push_back(static_cast<double>(value));
  for (const auto& [value, count] : histogram.bins()) {
    if (value <= last) plot.series[0].values[value / step] += static_cast<double>(count);
  }
  return plot;
}

}  // namespace

void RecordFigures::add(const SortedBucket& bucket) {
  if (bases_.size() <= bucket.bucket) bases_.resize(bucket.bucket + 1);
  for (std::size_t i = 0; i < bucket.records.size(); ++i) {
    const PackedRecord& record = *bucket.records[i];
    if (!record.mapped() || (record.flags & (kSecondary | kSupplementary)) != 0) continue;
    mapping_qualities_.add(record.mapping_quality);
    if (bucket.duplicate[i]) continue;
    bases_[bucket.bucket] += record.read_length;
    // One mate of each pair has a length above 0.
    if ((record.flags & kProper) != 0 && record.template_length > 0 &&
        record.template_length <= kLongestFragment)
      fragments_.add(static_cast<std::uint64_t>(record.template_length));
  }
}

void RecordFigures::merge(const RecordFigures& other) {
  fragments_.merge(other.fragments_);
  mapping_qualities_.merge(other.mapping_qualities_);
  bases_.resize(std::max(bases_.size(), other.bases_.size()));
  for (std::size_t b = 0; b < other.bases_.size(); ++b) bases_[b] += other.bases_[b];
}

Json RecordFigures::to_json() const {
  // (Most buckets are those of other pieces: only the others are named.)
  Json bases = Json::array();
  for (std::size_t b = 0; b < bases_.size(); ++b) {
    if (bases_[b] > 0) bases.push_back({b, bases_[b]});
  }
  return {{"fragments", bins_json(fragments_)},
          {"mapping_qualities", bins_json(mapping_qualities_)},
          {"bases", std::move(bases)}};
}

RecordFigures RecordFigures::from_json(const Json& json, const std::string& path) {
  try {
    RecordFigures out;
    out.fragments_ = histogram_of(json.at("fragments"));
    out.mapping_qualities_ = histogram_of(json.at("mapping_qualities"));
    for (const Json& entry : json.at("bases")) {
      const auto bucket = entry.at(0).get<std::size_t>();
      if (bucket >= kMostBuckets)
        fail(Errc::CorruptData, "{}: bucket {} of at most {}", path, bucket, kMostBuckets);
      out.bases_.resize(std::max(out.bases_.size(), bucket + 1));
      out.bases_[bucket] += entry.at(1).get<std::uint64_t>();
    }
    return out;
  } catch (const Json::exception&) {
    fail(Errc::CorruptData, "{}: expected figures of reads; remove it to call this piece again",
         path);
  }
}

void RecordFigures::report(const Reference& reference, app::Report& report) const {
  if (mapping_qualities_.count() == 0) return;
  if (fragments_.count() > 0)
    report.plot(
        plot_of(fragments_, std::max<std::uint64_t>(fragments_.percentile(0.999), 10),
                {.title = "Pairs by fragment length",
                 .x_label = "fragment (bases)",
                 .y_label = "pairs",
                 .x = {},
                 .series = {},
                 .note = "Of pairs that are as they should be, without duplicates. One smooth "
                         "hill is good."}));
  report.plot(plot_of(mapping_qualities_, mapping_qualities_.maximum(),
                      {.title = "Reads by mapping quality",
                       .type = Plot::Type::Bar,
                       .x_label = "mapping quality (phred)",
                       .y_label = "reads",
                       .x = {},
                       .series = {},
                       .log_y = true,
                       .note = "Reads of quality 0 fit as well elsewhere."}));
  // The bucket behind the last holds what has no place.
  const std::size_t buckets = bucket_count(reference.codes().size()) - 1;
  const std::size_t step = buckets / kMostPoints + 1;
  Plot depth{.title = "Depth along the genome",
             .type = Plot::Type::Area,
             .x_label = "megabases from the beginning of the first contig",
             .y_label = "mean depth",
             .x = {},
             .series = {{"depth", {}}},
             .note =
                 "Of reads that are no duplicates. Steps are copies gained or lost; gaps are "
                 "letters N of the reference."};
  for (std::size_t b = 0; b < buckets; b += step) {
    const std::size_t end = std::min(b + step, buckets);
    std::uint64_t bases = 0;
    for (std::size_t i = b; i < std::min(end, bases_.size()); ++i) bases += bases_[i];
    const std::uint64_t first = static_cast<std::uint64_t>(b) << kBucketBits;
    const std::uint64_t last = std::min<std::uint64_t>(
        static_cast<std::uint64_t>(end) << kBucketBits, reference.codes().size());
    depth.x.push_back(static_cast<double>(first) / 1e6);
    depth.series[0].values.push_back(static_cast<double>(bases) /
                                     static_cast<double>(std::max<std::uint64_t>(last - first, 1)));
  }
  if (depth.x.size() > 1) report.plot(std::move(depth));
}

}  // namespace aceso::genomics
