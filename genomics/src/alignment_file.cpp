#include "alignment_file.hpp"

#include "bed.hpp"
#include "hts_files.hpp"
#include "kernels/band.hpp"
#include "read_group_tag.hpp"
#include "syncmers.hpp"

#include "aceso/core/error.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <htslib/bgzf.h>
#include <htslib/cram.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace aceso::genomics {
namespace {

constexpr std::size_t kBatchBytes = 1 << 20;
constexpr std::size_t kModelPairs = 20'000;
// What a base without a quality counts as.
constexpr std::uint8_t kUnknownQuality = 30, kNoQuality = 0xff;
constexpr std::uint8_t kConfident = 20, kUnknownMapping = 255;

struct FreeRecord {
  void operator()(bam1_t* record) const noexcept { bam_destroy1(record); }
};
struct FreeIndex {
  void operator()(hts_idx_t* index) const noexcept { hts_idx_destroy(index); }
};
struct FreeIterator {
  void operator()(hts_itr_t* iterator) const noexcept { hts_itr_destroy(iterator); }
};

/// FNV-1a, well mixed: the number of a fragment is the same wherever its reads stand in the file.
std::uint64_t number_of(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return mix(hash);
}

/// The CIGAR as the caller knows it: = and X are M; what stands for no base of read or reference is
/// left out. False if it has an operation that short reads of a genome do not have.
bool plain_cigar(const bam1_t& record, std::vector<std::uint32_t>& out) {
  out.clear();
  for (std::uint32_t i = 0; i < record.core.n_cigar; ++i) {
    const std::uint32_t packed = bam_get_cigar(&record)[i];
    const std::uint32_t length = bam_cigar_oplen(packed);
    std::uint32_t op = bam_cigar_op(packed);
    if (op == BAM_CHARD_CLIP || op == BAM_CPAD || length == 0) continue;
    if (op == BAM_CEQUAL || op == BAM_CDIFF) op = BAM_CMATCH;
    if (op > BAM_CSOFT_CLIP || op == BAM_CREF_SKIP) return false;
    if (!out.empty() && (out.back() & 15U) == op)
      out.back() += length << 4;
    else
      out.push_back(length << 4 | op);
  }
  return true;
}

template <typename Collection>
std::string listed(const Collection& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

struct AlignmentFile::Impl {
  Impl(const std::filesystem::path& file_path, const Reference& genome, Warnings& to,
       AlignmentFileOptions wanted)
      : path(file_path), reference(genome), warnings(to), options(std::move(wanted)) {
    silence_htslib();
    errno = 0;
    file.reset(hts_open(path.c_str(), "r"));
    if (!file && errno == ENOEXEC) corrupt("expected BAM, CRAM or SAM, found something else");
    if (!file) fail_system(errno == 0 ? EIO : errno, "read", path.string());
    const htsFormat* format = hts_get_format(file.get());
    if (format->category != sequence_data || format->format == fastq_format ||
        format->format == fasta_format)
      corrupt("expected BAM, CRAM or SAM, found something else");
    if (format->format == cram) lend_reference(*file, reference, options.scratch);
    header.reset(sam_hdr_read(file.get()));
    if (!header) corrupt("the header cannot be read");
    if ((format->format == bam || format->format == cram) && hts_check_EOF(file.get()) == 0)
      corrupt("the end of the file is missing (its end-of-file marker); it was cut off");
    // Only now: with threads, htslib 1.16 may wait for ever to look at the end of a damaged file,
    // and at times at the end of SAM.
    if (options.threads > 1 && format->format != sam)
      hts_set_threads(file.get(), static_cast<int>(options.threads));
    match_contigs();
    match_samples();
    if (options.read_groups) number_groups();
    if (options.only)
      index.reset(sam_index_load3(file.get(), path.c_str(), nullptr, HTS_IDX_SILENT_FAIL));
  }

  [[noreturn]] void corrupt(std::string_view what) const {
    fail(Errc::CorruptData, "{}: {}", path.string(), what);
  }
  [[noreturn]] void corrupt_record(std::string_view what) const {
    fail(Errc::CorruptData, "{}: record {}: {}", path.string(), count, what);
  }

  void match_contigs() {
    const int size = sam_hdr_nref(header.get());
    std::size_t known = 0;
    for (int i = 0; i < size; ++i) {
      const char* name = sam_hdr_tid2name(header.get(), i);
      const hts_pos_t length = sam_hdr_tid2len(header.get(), i);
      contigs.push_back(reference.find(name));
      if (contigs.back() < 0) continue;
      ++known;
      const Contig& contig = reference.contigs()[static_cast<std::size_t>(contigs.back())];
      if (contig.length != length)
        corrupt(
            fmt::format("contig {} has {} bases here and {} in the reference; was it aligned "
                        "to another one?",
                        name, length, contig.length));
    }
    if (known > 0) return;
    const std::string first = size > 0 ? sam_hdr_tid2name(header.get(), 0) : "";
    corrupt(fmt::format("none of its {} contigs is in the reference{}", size,
                        size > 0 ? contig_hint(reference, first) : ""));
  }

  void match_samples() {
    std::set<std::string> samples;
    std::vector<std::pair<std::string, std::string>> groups;  // id, sample
    kstring_t text = KS_INITIALIZE;
    const int size = sam_hdr_count_lines(header.get(), "RG");
    for (int i = 0; i < size; ++i) {
      const char* id = sam_hdr_line_name(header.get(), "RG", i);
      if (id == nullptr) continue;
      const bool named = sam_hdr_find_tag_pos(header.get(), "RG", i, "SM", &text) == 0;
      groups.emplace_back(id, named ? std::string(text.s, text.l) : std::string());
      if (named) samples.insert(groups.back().second);
    }
    ks_free(&text);
    if (samples.size() <= 1) {
      if (!samples.empty()) sample = *samples.begin();
      return;
    }
    if (!options.sample || !samples.contains(*options.sample))
      fail(Errc::InvalidArgument, "{}: it holds the samples {}; choose one with --sample",
           path.string(), listed(samples));
    sample = *options.sample;
    only_groups.emplace();
    for (const auto& [id, name] : groups) {
      if (name == sample) only_groups->insert(id);
    }
  }

  /// One group alone needs no number.
  void number_groups() {
    const int size = sam_hdr_count_lines(header.get(), "RG");
    if (size < 2) return;
    if (size >= 0xffff)
      fail(Errc::Unsupported, "{}: it has {} read groups, expected at most 65,534", path.string(),
           size);
    for (int i = 0; i < size; ++i) {
      const char* id = sam_hdr_line_name(header.get(), "RG", i);
      if (id != nullptr) group_numbers.emplace(id, static_cast<std::uint16_t>(i));
    }
  }

  /// Those of no group, or of one that the header lacks, are one more.
  [[nodiscard]] std::uint16_t group_number() const {
    const char* group = group_of_record();
    const auto found = group == nullptr ? group_numbers.end() : group_numbers.find(group);
    return found == group_numbers.end()
               ? static_cast<std::uint16_t>(sam_hdr_count_lines(header.get(), "RG"))
               : found->second;
  }

  [[nodiscard]] const char* group_of_record() const {
    const std::uint8_t* tag = bam_aux_get(record.get(), "RG");
    return tag == nullptr ? nullptr : bam_aux2Z(tag);
  }

  /// The next record of the file, or of the intervals wanted.
  bool read() {
    if (!index) {
      const int got = sam_read1(file.get(), header.get(), record.get());
      if (got == -1) return false;
      ++count;
      if (got < -1) corrupt_record("it cannot be decoded");
      return true;
    }
    for (; interval < options.only->size(); iterator.reset(), ++interval) {
      if (!iterator) iterator.reset(query((*options.only)[interval]));
      if (!iterator) continue;
      const int got = sam_itr_next(file.get(), iterator.get(), record.get());
      if (got == -1) continue;
      ++count;
      if (got < -1) corrupt_record("it cannot be decoded");
      return true;
    }
    return false;
  }

  hts_itr_t* query(const GlobalInterval& wanted) {
    const Place from = reference.place(wanted.begin);
    const auto known = std::ranges::find(contigs, static_cast<int>(from.contig));
    if (known == contigs.end()) return nullptr;
    return sam_itr_queryi(index.get(), static_cast<int>(known - contigs.begin()), from.position,
                          from.position + static_cast<hts_pos_t>(wanted.end - wanted.begin));
  }

  [[nodiscard]] bool wanted(std::uint64_t position) const {
    if (!options.only) return true;
    const auto behind =
        std::ranges::upper_bound(*options.only, position, {}, &GlobalInterval::begin);
    return behind != options.only->begin() && position < std::prev(behind)->end;
  }

  [[nodiscard]] bool of_sample() const {
    if (!only_groups) return true;
    const char* group = group_of_record();
    return group != nullptr && only_groups->contains(group);
  }

  void count_record(RecordBatch& out) {
    const bam1_core_t& core = record->core;
    AlignCounts& counts = out.counts;
    if ((core.flag & kSupplementary) != 0) {
      ++counts.supplementary;
      return;
    }
    ++counts.reads;
    counts.bases += static_cast<std::uint64_t>(core.l_qseq);
    if ((core.flag & kFirst) != 0) ++counts.pairs;
    if ((core.flag & kUnmapped) != 0) return;
    ++counts.mapped;
    if (core.qual >= kConfident && core.qual != kUnknownMapping) ++counts.confident;
    if ((core.flag & kProper) != 0) ++counts.proper;
    if ((core.flag & kPaired) != 0 && (core.flag & kMateUnmapped) != 0) ++counts.singletons;
    if ((core.flag & kProper) != 0 && core.isize > 0 && lengths.size() < kModelPairs)
      lengths.push_back(static_cast<std::int32_t>(std::min<hts_pos_t>(core.isize, 1 << 30)));
  }

  /// Where the record begins; kNowhere: it has no place.
  std::uint32_t position_of() const {
    const bam1_core_t& core = record->core;
    if ((core.flag & kUnmapped) != 0 || core.tid < 0) return kNowhere;
    const int contig = contigs[static_cast<std::size_t>(core.tid)];
    if (contig < 0)
      corrupt_record(fmt::format("it stands on {}, which the reference lacks",
                                 sam_hdr_tid2name(header.get(), core.tid)));
    const Contig& known = reference.contigs()[static_cast<std::size_t>(contig)];
    if (core.pos < 0 || bam_endpos(record.get()) > known.length)
      corrupt_record(
          fmt::format("it reaches out of {}, which has {} bases", known.name, known.length));
    return static_cast<std::uint32_t>(known.begin + static_cast<std::uint64_t>(core.pos));
  }

  /// Whether the caller can use the record; says why not.
  bool usable() {
    const bam1_core_t& core = record->core;
    if (core.l_qseq == 0) {
      warnings.add("alignments.no_bases",
                   fmt::format("{}: record {} has no bases; it is left out", path.string(), count));
      return false;
    }
    if (bam_cigar2qlen(static_cast<int>(core.n_cigar), bam_get_cigar(record.get())) != core.l_qseq)
      corrupt_record(
          fmt::format("its CIGAR stands for {} bases, but it has {}",
                      bam_cigar2qlen(static_cast<int>(core.n_cigar), bam_get_cigar(record.get())),
                      core.l_qseq));
    const hts_pos_t span = bam_endpos(record.get()) - core.pos;
    if (plain_cigar(*record, cigar) && span <= kMostReadLength &&
        std::cmp_less_equal(core.l_qseq, kMostReadLength) && cigar.size() < 0xffff)
      return true;
    warnings.add(
        "alignments.long_read",
        fmt::format("{}: record {} is spliced or covers more than {} bases; it is left out",
                    path.string(), count, kMostReadLength));
    return false;
  }

  void add(std::uint32_t position, RecordBatch& out) {
    const bam1_core_t& core = record->core;
    PackedRecord head;
    head.number = number_of(bam_get_qname(record.get()));
    head.position = position;
    head.read_length = static_cast<std::uint32_t>(core.l_qseq);
    head.cigar_count = static_cast<std::uint16_t>(cigar.size());
    head.flags = core.flag;
    head.mapping_quality = core.qual == kUnknownMapping ? 0 : core.qual;
    if (!group_numbers.empty()) head.tags_size = kReadGroupTagSize;
    head.order = (core.flag & kLast) != 0 ? 1 : 0;
    head.size = static_cast<std::uint32_t>((sizeof head + head.data_size() + 7) / 8 * 8);
    const std::size_t at = out.bytes.size();
    out.bytes.resize(at + head.size);
    std::byte* to = out.bytes.data() + at;
    std::memcpy(to, &head, sizeof head);
    to += sizeof head;
    std::memcpy(to, cigar.data(), cigar.size() * 4);
    to += cigar.size() * 4;
    const std::size_t packed = (head.read_length + 1) / 2;
    std::memcpy(to, bam_get_seq(record.get()), packed);
    std::memcpy(to + packed, bam_get_qual(record.get()), head.read_length);
    if (static_cast<std::uint8_t>(to[packed]) == kNoQuality) {
      warnings.add("alignments.no_qualities",
                   fmt::format("{}: record {} has no qualities; {} is taken", path.string(), count,
                               kUnknownQuality));
      std::memset(to + packed, kUnknownQuality, head.read_length);
    }
    if (head.tags_size > 0) write_read_group(group_number(), to + packed + head.read_length);
  }

  std::filesystem::path path;
  const Reference& reference;
  Warnings& warnings;
  AlignmentFileOptions options;
  HtsFile file;
  HtsHeader header;
  std::unique_ptr<hts_idx_t, FreeIndex> index;
  std::unique_ptr<hts_itr_t, FreeIterator> iterator;
  std::unique_ptr<bam1_t, FreeRecord> record{bam_init1()};
  std::size_t interval = 0;
  std::vector<int> contigs;  ///< of the reference, by number in the file; -1: it lacks it
  std::optional<std::unordered_set<std::string>> only_groups;
  std::unordered_map<std::string, std::uint16_t> group_numbers;  ///< empty: not wanted
  std::string sample;
  std::vector<std::uint32_t> cigar;
  std::vector<std::int32_t> lengths;
  std::uint64_t count = 0;
};

AlignmentFile::AlignmentFile(const std::filesystem::path& path, const Reference& reference,
                             Warnings& warnings, const AlignmentFileOptions& options)
    : impl_(std::make_unique<Impl>(path, reference, warnings, options)) {}
AlignmentFile::~AlignmentFile() = default;
AlignmentFile::AlignmentFile(AlignmentFile&&) noexcept = default;

bool AlignmentFile::next(RecordBatch& out) {
  Impl& file = *impl_;
  while (out.bytes.size() < kBatchBytes) {
    if (!file.read()) return !out.bytes.empty();
    if ((file.record->core.flag & kSecondary) != 0 || !file.of_sample()) continue;
    const std::uint32_t position = file.position_of();
    if (!file.wanted(position)) continue;
    file.count_record(out);
    // Calling looks at nothing else.
    if (position == kNowhere || (file.record->core.flag & kSupplementary) != 0) continue;
    if (file.usable()) file.add(position, out);
  }
  return true;
}

const std::string& AlignmentFile::sample() const noexcept { return impl_->sample; }
const std::vector<std::int32_t>& AlignmentFile::fragment_lengths() const noexcept {
  return impl_->lengths;
}
std::uint64_t AlignmentFile::offset() const { return bytes_read(*impl_->file); }

}  // namespace aceso::genomics
