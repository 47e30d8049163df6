#include "read_stats.hpp"

#include <algorithm>
#include <string_view>

namespace aceso::genomics {

void CycleTable::add(std::span<const Slice> slices) {
  while (!slices.empty()) {
    const std::span<const Slice> group = slices.first(std::min(slices.size(), kStripSlices));
    slices = slices.subspan(group.size());
    std::uint32_t begin = kMostCycles, end = 0;
    for (const Slice& slice : group) {
      begin = std::min(begin, slice.cycle);
      end = std::max(end, slice.cycle + slice.length);
      if (!slice.only_acgt) add_others(slice);
    }
    end = std::min(end, kMostCycles);
    reserve(end);
    for (std::uint32_t cycle = begin / kStripCycles * kStripCycles; cycle < end;
         cycle += kStripCycles) {
      StripPlanes planes;
      for (std::size_t base = 0; base < 4; ++base) {
        planes.count[base] = values_.data() + base * capacity_ + cycle;
        planes.quality[base] = values_.data() + (kLetters + base) * capacity_ + cycle;
      }
      kernels().add_strip(group, cycle, planes);
    }
  }
}

void CycleTable::add_others(const Slice& slice) {
  reserve(std::min(slice.cycle + slice.length, kMostCycles));
  for (std::uint32_t i = 0; i < slice.length && slice.cycle + i < kMostCycles; ++i) {
    if (std::string_view("ACGT").find(slice.bases[i]) != std::string_view::npos) continue;
    values_[4 * capacity_ + slice.cycle + i] += 1;
    values_[(kLetters + 4) * capacity_ + slice.cycle + i] +=
        static_cast<std::uint8_t>(slice.qualities[i]) - 33U;
  }
}

void CycleTable::reserve(std::uint32_t cycles) {
  cycles_ = std::max(cycles_, cycles);
  if (cycles <= capacity_) return;
  // Whole strips, and one more: kernels add to strips that begin before the end.
  const std::uint32_t capacity =
      std::max<std::uint32_t>((cycles / kStripCycles + 1) * kStripCycles, capacity_ * 2);
  std::vector<std::uint64_t> values(std::size_t{2} * kLetters * capacity);
  for (std::size_t plane = 0; plane < 2 * kLetters; ++plane)
    std::copy_n(values_.begin() + static_cast<std::ptrdiff_t>(plane * capacity_), capacity_,
                values.begin() + static_cast<std::ptrdiff_t>(plane * capacity));
  values_ = std::move(values);
  capacity_ = capacity;
}

void CycleTable::add(const CycleTable& other) {
  reserve(other.cycles_);
  for (std::size_t plane = 0; plane < 2 * kLetters; ++plane) {
    for (std::size_t c = 0; c < other.cycles_; ++c)
      values_[plane * capacity_ + c] += other.values_[plane * other.capacity_ + c];
  }
}

void CycleTable::subtract(const CycleTable& other) {
  reserve(other.cycles_);
  for (std::size_t plane = 0; plane < 2 * kLetters; ++plane) {
    for (std::size_t c = 0; c < other.cycles_; ++c)
      values_[plane * capacity_ + c] -= other.values_[plane * other.capacity_ + c];
  }
  const auto empty = [&](std::uint32_t cycle) {
    for (std::size_t letter = 0; letter < kLetters; ++letter) {
      if (count(letter, cycle) != 0) return false;
    }
    return true;
  };
  while (cycles_ > 0 && empty(cycles_ - 1)) --cycles_;
}

void ReadTotals::add(std::uint32_t length, const ReadFacts& facts) {
  ++reads;
  bases += length;
  q20 += facts.q20;
  q30 += facts.q30;
  gc += facts.gc;
  n += facts.n;
  const std::uint32_t bucket = std::min(length, kMostCycles);
  if (bucket >= by_length.size()) by_length.resize(bucket + 1);
  ++by_length[bucket];
  if (length == 0) return;
  ++by_mean_quality[(facts.quality_sum + length / 2) / length];
  ++by_gc_percent[(std::uint64_t{100} * facts.gc + length / 2) / length];
}

void ReadTotals::add(const ReadTotals& other) {
  reads += other.reads;
  bases += other.bases;
  q20 += other.q20;
  q30 += other.q30;
  gc += other.gc;
  n += other.n;
  const auto add_all = [](auto& to, const auto& from) {
    for (std::size_t i = 0; i < from.size(); ++i) to[i] += from[i];
  };
  add_all(by_mean_quality, other.by_mean_quality);
  add_all(by_gc_percent, other.by_gc_percent);
  by_length.resize(std::max(by_length.size(), other.by_length.size()));
  add_all(by_length, other.by_length);
}

void SampledStats::add(const FastqRecord& read) {
  const std::uint32_t kept = std::min(read.length, kCycles);
  if (kept > cycles()) quality_at.resize(kept * kQualities);
  for (std::uint32_t c = 0; c < kept; ++c)
    ++quality_at[c * kQualities + static_cast<std::uint8_t>(read.qualities[c]) - 33U];
  std::uint32_t code = 0, known = 0;
  for (const char base : read.bases_view()) {
    const auto digit = std::string_view("ACGT").find(base);
    known = digit == std::string_view::npos ? 0 : known + 1;
    code = (code << 2 | (static_cast<std::uint32_t>(digit) & 3)) & 1023;
    if (known >= kKmerSize) ++kmers[code];
  }
}

void SampledStats::add(const SampledStats& other) {
  quality_at.resize(std::max(quality_at.size(), other.quality_at.size()));
  for (std::size_t i = 0; i < other.quality_at.size(); ++i) quality_at[i] += other.quality_at[i];
  for (std::size_t i = 0; i < kmers.size(); ++i) kmers[i] += other.kmers[i];
}

double SampledStats::quantile(std::uint32_t cycle, double fraction) const {
  const std::span<const std::uint32_t> row(quality_at.data() + cycle * kQualities, kQualities);
  std::uint64_t total = 0, below = 0;
  for (const auto count : row) total += count;
  const double wanted = fraction * static_cast<double>(total);
  for (std::size_t q = 0; q < row.size(); ++q) {
    below += row[q];
    if (static_cast<double>(below) >= wanted && below > 0) return static_cast<double>(q);
  }
  return 0;
}

}  // namespace aceso::genomics
