#include "read_metrics.hpp"

#include <algorithm>
#include <string_view>

namespace aceso::genomics {
namespace {

constexpr std::uint16_t kNotPrimary = BAM_FSECONDARY | BAM_FSUPPLEMENTARY;

void add_at(std::vector<std::uint64_t>& counts, std::size_t index, std::uint64_t value) {
  if (index >= counts.size()) counts.resize(index + 1);
  counts[index] += value;
}

void merge_counts(std::vector<std::uint64_t>& counts, const std::vector<std::uint64_t>& other) {
  if (counts.size() < other.size()) counts.resize(other.size());
  for (std::size_t i = 0; i < other.size(); ++i) counts[i] += other[i];
}

template <std::size_t N>
void merge_counts(std::array<std::uint64_t, N>& counts, const std::array<std::uint64_t, N>& other) {
  for (std::size_t i = 0; i < N; ++i) counts[i] += other[i];
}

bool is(const bam1_t& record, int flags) { return (record.core.flag & flags) != 0; }

std::uint32_t cycle_of(const bam1_t& record, std::uint32_t index) {
  return is(record, BAM_FREVERSE) ? static_cast<std::uint32_t>(record.core.l_qseq) - 1 - index
                                  : index;
}

/// Soft-clipped bases at the end that was sequenced last.
std::uint64_t end_clip(const bam1_t& record) {
  const std::uint32_t* cigar = bam_get_cigar(&record);
  std::uint64_t out = 0;
  for (std::uint32_t i = 0; i < record.core.n_cigar; ++i) {
    const std::uint32_t element = cigar[is(record, BAM_FREVERSE) ? i : record.core.n_cigar - 1 - i];
    const auto operation = bam_cigar_op(element);
    if (operation == BAM_CSOFT_CLIP)
      out += bam_cigar_oplen(element);
    else if (operation != BAM_CHARD_CLIP)
      return out;
  }
  return 0;  // nothing but clips
}

/// Adapters that Picard looks for: Illumina's single end, paired end and indexed ones.
constexpr std::string_view kAdapters[] = {
    "AATGATACGGCGACCACCGAGATCTACACTCTTTCCCTACACGACGCTCTTCCGATCT",
    "AGATCGGAAGAGCTCGTATGCCGTCTTCTGCTTG",
    "AGATCGGAAGAGCGGTTCAGCAGGAATGCCGAGACCGATCTCGTATGCCGTCTTCTGCTTG",
    "AGATCGGAAGAGCACACGTCTGAACTCCAGTCACNNNNNNNNATCTCGTATGCCGTCTTCTGCTTG"};
constexpr std::size_t kAdapterWord = 16;
using AdapterWord = std::array<std::uint8_t, kAdapterWord>;

std::vector<AdapterWord> adapter_words() {
  std::vector<AdapterWord> out;
  for (const std::string_view adapter : kAdapters) {
    for (std::size_t at = 0; at + kAdapterWord <= adapter.size(); ++at) {
      AdapterWord forward{}, back{};
      for (std::size_t i = 0; i < kAdapterWord; ++i) {
        forward[i] = code_of_base(adapter[at + i]);
        back[kAdapterWord - 1 - i] = complement(forward[i]);
      }
      out.push_back(forward);
      out.push_back(back);
    }
  }
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
  return out;
}

}  // namespace

std::uint64_t aligned_bases(const bam1_t& record) {
  std::uint64_t out = 0;
  for_each_block(record,
                 [&](std::uint32_t, std::uint32_t, std::uint32_t length) { out += length; });
  return out;
}

bool is_adapter(const bam1_t& record) {
  static const std::vector<AdapterWord> kWords = adapter_words();
  if (!is(record, BAM_FUNMAP) && record.core.qual != 0) return false;
  if (record.core.l_qseq < static_cast<std::int32_t>(kAdapterWord)) return false;
  const bool back = !is(record, BAM_FUNMAP) && is(record, BAM_FREVERSE);
  const std::uint8_t* packed = bam_get_seq(&record);
  AdapterWord word{};
  for (std::size_t i = 0; i < kAdapterWord; ++i) {
    const auto index = static_cast<std::uint32_t>(i);
    word[i] = back ? complement(read_code(
                         packed, static_cast<std::uint32_t>(record.core.l_qseq) - 1 - index))
                   : read_code(packed, index);
  }
  return std::ranges::any_of(kWords, [&word](const AdapterWord& adapter) {
    int errors = 0;
    for (std::size_t i = 0; i < kAdapterWord; ++i) {
      errors += word[i] != adapter[i] ? 1 : 0;
    }
    return errors <= 1;
  });
}

PairOrientation orientation_of(const bam1_t& record) {
  const bool reverse = is(record, BAM_FREVERSE);
  if (reverse == is(record, BAM_FMREVERSE)) return PairOrientation::Tandem;
  // The 5' ends of the mate that reads forward and of the other one, 1-based.
  const hts_pos_t forward = (reverse ? record.core.mpos : record.core.pos) + 1;
  const hts_pos_t backward =
      reverse ? bam_endpos(&record) : record.core.pos + 1 + record.core.isize;
  return forward < backward ? PairOrientation::FR : PairOrientation::RF;
}

void AlignmentSums::merge(const AlignmentSums& o) {
  for (const auto member : {&AlignmentSums::reads,
                            &AlignmentSums::passed,
                            &AlignmentSums::noise,
                            &AlignmentSums::aligned,
                            &AlignmentSums::aligned_bases,
                            &AlignmentSums::good_reads,
                            &AlignmentSums::good_bases,
                            &AlignmentSums::good_q20_bases,
                            &AlignmentSums::mismatches,
                            &AlignmentSums::good_mismatches,
                            &AlignmentSums::indels,
                            &AlignmentSums::in_pairs,
                            &AlignmentSums::improper,
                            &AlignmentSums::forward,
                            &AlignmentSums::chimeras,
                            &AlignmentSums::chimera_reads,
                            &AlignmentSums::adapters,
                            &AlignmentSums::hard_clipped,
                            &AlignmentSums::soft_clipped,
                            &AlignmentSums::end_clipped_reads,
                            &AlignmentSums::end_clipped_bases})
    this->*member += o.*member;
  lengths.merge(o.lengths);
  aligned_lengths.merge(o.aligned_lengths);
  good_mismatches_a_read.merge(o.good_mismatches_a_read);
  merge_counts(bad_by_cycle, o.bad_by_cycle);
}

void ReadMetrics::add(const bam1_t& record, std::span<const std::uint8_t> codes) {
  ++records_;
  if (record.core.l_qseq > 0 && !has_qualities(record)) ++without_qualities_;
  AlignmentSums* sums = nullptr;
  if (!is(record, kNotPrimary)) {
    sums = &alignment_[!is(record, BAM_FPAIRED) ? Unpaired
                       : is(record, BAM_FREAD1) ? First
                                                : Second];
  }
  Differences found;
  if (!is(record, BAM_FUNMAP) && record.core.l_qseq > 0) found = compare(record, codes, sums);
  if (sums != nullptr) add_alignment(record, *sums);
  add_insert(record);
  if (record.core.l_qseq > 0) add_gc(record, codes, found);
  add_qualities(record);
  add_duplicate(record);
  if (!is(record, kNotPrimary | BAM_FUNMAP)) mapping_qualities_.add(record.core.qual);
}

/// Walks along the alignment; adds the sums that are of bases, if there are any to add to.
ReadMetrics::Differences ReadMetrics::compare(const bam1_t& record,
                                              std::span<const std::uint8_t> codes,
                                              AlignmentSums* sums) const {
  Differences found;
  const bool passed = !is(record, BAM_FQCFAIL);
  const bool good = record.core.qual >= kGoodMapping && has_qualities(record);
  const std::uint8_t* packed = bam_get_seq(&record);
  const std::uint8_t* quality = bam_get_qual(&record);
  std::uint64_t q20 = 0, bases = 0;
  for_each_block(record, [&](std::uint32_t read, std::uint32_t place, std::uint32_t length) {
    bases += length;
    const std::uint8_t* reference = codes.data() + place;
    for (std::uint32_t i = 0; i < length; ++i) {
      const std::uint8_t base = read_code(packed, read + i);
      const bool mismatch = base != reference[i];
      q20 += quality[read + i] >= kGoodBase ? 1 : 0;
      if (!mismatch && base < kCodeN) continue;
      found.mismatches += mismatch ? 1 : 0;
      if (sums != nullptr && passed) add_at(sums->bad_by_cycle, cycle_of(record, read + i), 1);
    }
  });
  const std::uint32_t* cigar = bam_get_cigar(&record);
  for (std::uint32_t i = 0; i < record.core.n_cigar; ++i) {
    const auto operation = bam_cigar_op(cigar[i]);
    found.inserted += operation == BAM_CINS ? bam_cigar_oplen(cigar[i]) : 0;
    found.deleted += operation == BAM_CDEL ? bam_cigar_oplen(cigar[i]) : 0;
    found.gaps += operation == BAM_CINS || operation == BAM_CDEL ? 1 : 0;
  }
  if (sums == nullptr || !passed) return found;
  sums->aligned_bases += bases;
  sums->mismatches += found.mismatches;
  sums->indels += found.gaps;
  if (record.core.qual >= kGoodMapping) {
    sums->good_bases += bases;
    sums->good_q20_bases += good ? q20 : 0;
    sums->good_mismatches += found.mismatches;
  }
  sums->good_mismatches_a_read.add(record.core.qual >= kGoodMapping ? found.mismatches : 0);
  return found;
}

void ReadMetrics::add_alignment(const bam1_t& record, AlignmentSums& sums) {
  const bool passed = !is(record, BAM_FQCFAIL);
  if (is(record, BAM_FUNMAP) || !passed) {
    const std::uint8_t* packed = bam_get_seq(&record);
    for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(record.core.l_qseq); ++i) {
      if (read_code(packed, i) == kCodeN) add_at(sums.bad_by_cycle, cycle_of(record, i), 1);
    }
  }
  ++sums.reads;
  if (!passed) return;
  ++sums.passed;
  sums.lengths.add(static_cast<std::uint64_t>(record.core.l_qseq));
  const std::uint32_t* cigar = bam_get_cigar(&record);
  std::uint64_t unclipped = 0, soft = 0;
  for (std::uint32_t i = 0; i < record.core.n_cigar; ++i) {
    const auto operation = bam_cigar_op(cigar[i]);
    const std::uint32_t length = bam_cigar_oplen(cigar[i]);
    if (operation == BAM_CHARD_CLIP) sums.hard_clipped += length;
    if (operation == BAM_CSOFT_CLIP)
      soft += length;
    else if ((bam_cigar_type(operation) & 1) != 0)
      unclipped += length;
  }
  sums.aligned_lengths.add(unclipped);
  sums.adapters += is_adapter(record) ? 1 : 0;
  if (is(record, BAM_FUNMAP)) return;
  sums.soft_clipped += soft;
  add_mapped(record, sums);
}

void ReadMetrics::add_mapped(const bam1_t& record, AlignmentSums& sums) {
  ++sums.aligned;
  if (record.core.qual >= kGoodMapping) ++sums.good_reads;
  if (const std::uint64_t clipped = end_clip(record); clipped > 0) {
    ++sums.end_clipped_reads;
    sums.end_clipped_bases += clipped;
  }
  if (is(record, BAM_FPAIRED) && !is(record, BAM_FPROPER_PAIR)) ++sums.improper;
  if (!is(record, BAM_FREVERSE)) ++sums.forward;
  const bool split = bam_aux_get(&record, "SA") != nullptr;
  if (!is(record, BAM_FPAIRED) || is(record, BAM_FMUNMAP)) {
    if (record.core.qual < kGoodMapping) return;
    ++sums.chimera_reads;
    sums.chimeras += split ? 1 : 0;
    return;
  }
  ++sums.in_pairs;
  const std::uint8_t* mate = bam_aux_get(&record, "MQ");
  if (mate != nullptr && (bam_aux2i(mate) < kGoodMapping || record.core.qual < kGoodMapping))
    return;
  ++sums.chimera_reads;
  const bool chimera = std::abs(record.core.isize) > kLongestFragment ||
                       record.core.tid != record.core.mtid ||
                       orientation_of(record) != PairOrientation::FR || split;
  sums.chimeras += chimera ? 1 : 0;
}

void ReadMetrics::add_insert(const bam1_t& record) {
  // One read of each pair, by Picard's choice the second.
  if (!is(record, BAM_FPAIRED) || is(record, BAM_FREAD1 | BAM_FUNMAP | BAM_FMUNMAP | BAM_FDUP) ||
      is(record, kNotPrimary) || record.core.isize == 0)
    return;
  inserts_[static_cast<std::size_t>(orientation_of(record))].add(
      static_cast<std::uint64_t>(std::abs(record.core.isize)));
}

void ReadMetrics::add_gc(const bam1_t& record, std::span<const std::uint8_t> codes,
                         const Differences& found) {
  if (!is(record, BAM_FPAIRED) || is(record, BAM_FREAD1)) ++gc_.clusters;
  if (is(record, BAM_FUNMAP)) return;
  ++gc_.aligned;
  // The window that begins behind the read's 5' end, or ends before it; at the contig's ends none.
  const hts_pos_t begin = is(record, BAM_FREVERSE)
                              ? bam_endpos(&record) - static_cast<hts_pos_t>(kGcWindow)
                              : record.core.pos + 1;
  if (begin < 1 || begin + kGcWindow >= static_cast<hts_pos_t>(codes.size())) return;
  const int percent = gc_of_window(codes, static_cast<std::size_t>(begin));
  if (percent < 0) return;
  const auto bin = static_cast<std::size_t>(percent);
  ++gc_.reads[bin];
  gc_.bases[bin] += static_cast<std::uint64_t>(record.core.l_qseq);
  gc_.errors[bin] += found.mismatches + found.inserted + found.deleted;
}

void ReadMetrics::add_qualities(const bam1_t& record) {
  if (is(record, kNotPrimary) || !has_qualities(record)) return;
  const auto length = static_cast<std::uint32_t>(record.core.l_qseq);
  const std::size_t mate = is(record, BAM_FPAIRED) && is(record, BAM_FREAD2) ? 1 : 0;
  auto &sums = qualities_.sum_by_cycle[mate], &counts = qualities_.count_by_cycle[mate];
  if (sums.size() < length) {
    sums.resize(length);
    counts.resize(length);
  }
  const std::uint8_t *quality = bam_get_qual(&record), *packed = bam_get_seq(&record);
  for (std::uint32_t i = 0; i < length; ++i) {
    const std::uint8_t q = std::min<std::uint8_t>(quality[i], kQualities - 1);
    const std::uint32_t cycle = cycle_of(record, i);
    sums[cycle] += q;
    ++counts[cycle];
    if (read_code(packed, i) < kCodeN) ++qualities_.bases[q];
  }
}

namespace {

/// Whether MarkDuplicates, or genomics align, says that it is an optical duplicate.
bool is_optical(const bam1_t& record) {
  const std::uint8_t* tag = bam_aux_get(&record, "DT");
  const char* text = tag == nullptr ? nullptr : bam_aux2Z(tag);
  return text != nullptr && std::string_view(text) == "SQ";
}

}  // namespace

void ReadMetrics::add_duplicate(const bam1_t& record) {
  if (is(record, BAM_FUNMAP)) {
    ++duplicates_.unmapped;
    return;
  }
  if (is(record, kNotPrimary)) {
    ++duplicates_.secondary;
    return;
  }
  const bool duplicate = is(record, BAM_FDUP);
  if (is(record, BAM_FPAIRED) && !is(record, BAM_FMUNMAP)) {
    ++duplicates_.paired;
    duplicates_.paired_duplicates += duplicate ? 1 : 0;
    duplicates_.optical += duplicate && is_optical(record) ? 1 : 0;
  } else {
    ++duplicates_.unpaired;
    duplicates_.unpaired_duplicates += duplicate ? 1 : 0;
  }
}

void ReadMetrics::merge(const ReadMetrics& other) {
  for (std::size_t i = 0; i < kCategories; ++i) alignment_[i].merge(other.alignment_[i]);
  for (std::size_t i = 0; i < inserts_.size(); ++i) inserts_[i].merge(other.inserts_[i]);
  merge_counts(gc_.reads, other.gc_.reads);
  merge_counts(gc_.bases, other.gc_.bases);
  merge_counts(gc_.errors, other.gc_.errors);
  gc_.aligned += other.gc_.aligned;
  gc_.clusters += other.gc_.clusters;
  merge_counts(qualities_.bases, other.qualities_.bases);
  for (std::size_t m = 0; m < 2; ++m) {
    merge_counts(qualities_.sum_by_cycle[m], other.qualities_.sum_by_cycle[m]);
    merge_counts(qualities_.count_by_cycle[m], other.qualities_.count_by_cycle[m]);
  }
  const DuplicateSums& d = other.duplicates_;
  for (const auto member :
       {&DuplicateSums::unpaired, &DuplicateSums::paired, &DuplicateSums::secondary,
        &DuplicateSums::unmapped, &DuplicateSums::unpaired_duplicates,
        &DuplicateSums::paired_duplicates, &DuplicateSums::optical})
    duplicates_.*member += d.*member;
  mapping_qualities_.merge(other.mapping_qualities_);
  records_ += other.records_;
  without_qualities_ += other.without_qualities_;
}

AlignmentSums ReadMetrics::pairs() const {
  AlignmentSums out = alignment_[First];
  out.merge(alignment_[Second]);
  return out;
}

int gc_of_window(std::span<const std::uint8_t> codes, std::size_t begin) {
  std::uint32_t gc = 0, other = 0;
  for (std::size_t i = begin; i < begin + kGcWindow; ++i) {
    gc += codes[i] == 1 || codes[i] == 2 ? 1U : 0U;
    other += codes[i] >= kCodeN ? 1U : 0U;
  }
  return other > 4 ? -1 : static_cast<int>(gc * 100 / kGcWindow);
}

void count_gc_windows(std::span<const std::uint8_t> codes,
                      std::array<std::uint64_t, kGcBins>& windows) {
  if (codes.size() <= kGcWindow + 1) return;
  std::int64_t gc = 0, other = 0;
  const auto take = [&](std::uint8_t code, int sign) {
    gc += code == 1 || code == 2 ? sign : 0;
    other += code >= kCodeN ? sign : 0;
  };
  for (std::size_t i = 1; i < 1 + kGcWindow; ++i) take(codes[i], 1);
  // (The first and last base begin no window in Picard's count.)
  for (std::size_t i = 1; i + kGcWindow < codes.size(); ++i) {
    if (other <= 4) ++windows[static_cast<std::size_t>(gc * 100 / kGcWindow)];
    take(codes[i], -1);
    take(codes[i + kGcWindow], 1);
  }
}

}  // namespace aceso::genomics
