#include "sorted_records.hpp"

#include "bed.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"

#include <fmt/format.h>

#include <cerrno>

namespace aceso::genomics {
namespace {

struct FreeText {
  void operator()(kstring_t* text) const noexcept { ks_free(text); }
};

/// Contigs in order; records without one come last.
std::uint32_t rank(std::int32_t contig) { return static_cast<std::uint32_t>(contig); }

}  // namespace

std::string header_tag(sam_hdr_t* header, const char* type, const char* id_key, const char* id,
                       const char* tag) {
  kstring_t text = KS_INITIALIZE;
  const std::unique_ptr<kstring_t, FreeText> owner(&text);
  if (sam_hdr_find_tag_id(header, type, id_key, id, tag, &text) != 0) return {};
  return {text.s, text.l};
}

SortedRecords::SortedRecords(const std::filesystem::path& path, Warnings& warnings,
                             const SortedRecordsOptions& options)
    : path_(path.string()) {
  silence_htslib();
  (void)open_for_reading(path);
  if (std::filesystem::is_regular_file(path) && std::filesystem::file_size(path) == 0)
    fail(Errc::CorruptData, "{}: the file is empty", path_);
  errno = 0;
  file_.reset(hts_open(path.c_str(), "r"));
  if (!file_ && (errno == 0 || errno == ENOEXEC)) refuse_format();
  if (!file_) fail_system(errno, "read", path_);
  const htsFormat& format = *hts_get_format(file_.get());
  if (format.format != bam && format.format != cram && format.format != sam) refuse_format();
  if (format.format == cram) {
    if (options.reference == nullptr)
      fail(Errc::InvalidArgument, "{}: CRAM is read against its reference; give reference", path_);
    options.reference->lend(*file_);
  }
  header_ = HtsHeader(sam_hdr_read(file_.get()));
  if (!header_) fail(Errc::CorruptData, "{}: the header cannot be read", path_);
  check_end(options, warnings);
}

void SortedRecords::refuse_format() const {
  fail(Errc::CorruptData, "{}: neither BAM, CRAM nor SAM", path_);
}

/// Looks for the end marker, and only then has threads help: htslib 1.16 with threads takes a file
/// that ends within a block for a whole one. (At the end of SAM it may wait for ever with threads.)
void SortedRecords::check_end(const SortedRecordsOptions& options, Warnings& warnings) const {
  const htsFormat& format = *hts_get_format(file_.get());
  if (format.compression != bgzf && format.format != cram) return;
  if (hts_check_EOF(file_.get()) != 0) {
    if (options.threads != nullptr && format.format != sam) options.threads->serve(*file_);
    return;
  }
  if (options.whole)
    fail(Errc::CorruptData,
         "{}: the end of the file is missing (its end-of-file marker); it was cut off", path_);
  warnings.add("alignments.no_end_marker",
               fmt::format("{}: no end marker; the file may have been cut short", path_));
}

bool SortedRecords::next(bam1_t& record) {
  const int status = sam_read1(file_.get(), header_.get(), &record);
  if (status == -1) return false;
  ++number_;
  if (status < -1)
    fail(Errc::CorruptData, "{}: record {} cannot be read; the file is damaged or cut short", path_,
         number_);
  check(record);
  check_order(record);
  return true;
}

std::string SortedRecords::where(const bam1_t& record) const {
  const char* name =
      record.core.tid < 0 ? nullptr : sam_hdr_tid2name(header_.get(), record.core.tid);
  return fmt::format("{}: record {} ({}, {}:{})", path_, number_, printable(bam_get_qname(&record)),
                     printable(name == nullptr ? "*" : name), record.core.pos + 1);
}

void SortedRecords::check(const bam1_t& record) const {
  const bam1_core_t& core = record.core;
  const int contigs = sam_hdr_nref(header_.get());
  if (core.tid >= contigs || core.tid < -1 || core.mtid >= contigs || core.mtid < -1)
    fail(Errc::CorruptData, "{}: record {} names a contig that the header lacks", path_, number_);
  if ((core.flag & BAM_FUNMAP) != 0) return;
  if (core.tid < 0 || core.pos < 0)
    fail(Errc::CorruptData, "{}: mapped, but has no position", where(record));
  const hts_pos_t read = bam_cigar2qlen(static_cast<int>(core.n_cigar), bam_get_cigar(&record));
  if (core.l_qseq > 0 && core.n_cigar > 0 && read != core.l_qseq)
    fail(Errc::CorruptData, "{}: the CIGAR tells of {} bases, the read has {}", where(record), read,
         core.l_qseq);
}

void SortedRecords::check_order(const bam1_t& record) {
  if (rank(record.core.tid) < rank(contig_) ||
      (record.core.tid == contig_ && contig_ >= 0 && record.core.pos < position_)) {
    const char* name = contig_ < 0 ? "*" : sam_hdr_tid2name(header_.get(), contig_);
    fail(Errc::CorruptData, "{}: comes after {}:{}; expected records sorted by coordinate",
         where(record), printable(name), position_ + 1);
  }
  contig_ = record.core.tid;
  position_ = record.core.pos;
}

std::vector<std::uint32_t> SortedRecords::match_contigs(const Reference& reference) const {
  std::vector<std::uint32_t> out;
  for (int i = 0; i < sam_hdr_nref(header_.get()); ++i) {
    const char* name = sam_hdr_tid2name(header_.get(), i);
    const int found = reference.find(name);
    if (found < 0)
      fail(Errc::InvalidArgument, "{}: contig {} is not in the reference{}", path_, printable(name),
           contig_hint(reference, name));
    match_contig(name, sam_hdr_tid2len(header_.get(), i),
                 reference.contigs()[static_cast<std::uint32_t>(found)]);
    out.push_back(static_cast<std::uint32_t>(found));
  }
  return out;
}

void SortedRecords::match_contig(const char* name, hts_pos_t length, const Contig& own) const {
  if (length != static_cast<hts_pos_t>(own.length))
    fail(Errc::InvalidArgument,
         "{}: contig {} has {} bases, in the reference {}; the reads were aligned to another "
         "reference",
         path_, printable(name), length, own.length);
  const std::string md5 = to_lower(header_tag(header_.get(), "SQ", "SN", name, "M5"));
  if (!md5.empty() && md5 != own.md5)
    fail(Errc::InvalidArgument,
         "{}: contig {} has the MD5 {}, in the reference {}; the reads were aligned to another "
         "reference",
         path_, printable(name), printable(md5), own.md5);
}

}  // namespace aceso::genomics
