#include "sorted_alignments.hpp"

#include "bed.hpp"
#include "hts_files.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"

#include <fmt/format.h>
#include <htslib/bgzf.h>
#include <htslib/sam.h>

#include <algorithm>

namespace aceso::genomics {
namespace {

struct FreeText {
  void operator()(kstring_t* text) const noexcept { ks_free(text); }
};

std::string tag_of(sam_hdr_t* header, const char* type, const char* id_key, const char* id,
                   const char* tag) {
  kstring_t text = KS_INITIALIZE;
  const std::unique_ptr<kstring_t, FreeText> owner(&text);
  if (sam_hdr_find_tag_id(header, type, id_key, id, tag, &text) != 0) return {};
  return {text.s, text.l};
}

}  // namespace

void FreeAlignment::operator()(bam1_t* record) const noexcept { bam_destroy1(record); }

struct SortedAlignments::Impl {
  Impl(const std::filesystem::path& file_path, const Reference& genome, Warnings& sink,
       const SortedAlignmentsOptions& options)
      : path(file_path.string()), reference(genome), warnings(sink) {
    silence_htslib();
    (void)open_for_reading(file_path);
    if (std::filesystem::is_regular_file(file_path) && std::filesystem::file_size(file_path) == 0)
      fail(Errc::CorruptData, "{}: the file is empty", path);
    file.reset(hts_open(path.c_str(), "r"));
    if (!file) refuse_format();
    const htsFormat& format = *hts_get_format(file.get());
    if (format.format != bam && format.format != cram && format.format != sam) refuse_format();
    if (format.format == cram) lend_reference(*file, reference, options.scratch);
    header.reset(sam_hdr_read(file.get()));
    if (!header) fail(Errc::CorruptData, "{}: the header cannot be read", path);
    // (htslib 1.16 with threads takes a file that ends within a block for a whole one.)
    if (has_end(format) && options.threads > 1)
      hts_set_threads(file.get(), static_cast<int>(options.threads));
    match_contigs();
    list_libraries();
  }

  [[noreturn]] void refuse_format() const {
    fail(Errc::CorruptData, "{}: neither BAM, CRAM nor SAM", path);
  }

  bool has_end(const htsFormat& format) const {
    if (format.compression != bgzf || bgzf_check_EOF(file->fp.bgzf) != 0) return true;
    warnings.add("alignments.no_end_marker",
                 fmt::format("{}: no end marker; the file may have been cut short", path));
    return false;
  }

  void match_contigs() {
    const int count = sam_hdr_nref(header.get());
    if (count == 0)
      fail(Errc::InvalidArgument, "{}: the header names no contig (@SQ); expected aligned reads",
           path);
    for (int i = 0; i < count; ++i) {
      const char* name = sam_hdr_tid2name(header.get(), i);
      const int found = reference.find(name);
      if (found < 0)
        fail(Errc::InvalidArgument, "{}: contig {} is not in the reference{}", path,
             printable(name), contig_hint(reference, name));
      match_contig(name, sam_hdr_tid2len(header.get(), i),
                   reference.contigs()[static_cast<std::uint32_t>(found)]);
      contigs.push_back(static_cast<std::uint32_t>(found));
    }
  }

  void match_contig(const char* name, hts_pos_t length, const Contig& own) const {
    if (length != static_cast<hts_pos_t>(own.length))
      fail(Errc::InvalidArgument,
           "{}: contig {} has {} bases, in the reference {}; the reads were aligned to another "
           "reference",
           path, printable(name), length, own.length);
    const std::string md5 = to_lower(tag_of(header.get(), "SQ", "SN", name, "M5"));
    if (!md5.empty() && md5 != own.md5)
      fail(Errc::InvalidArgument,
           "{}: contig {} has the MD5 {}, in the reference {}; the reads were aligned to another "
           "reference",
           path, printable(name), printable(md5), own.md5);
  }

  void list_libraries() {
    const int count = sam_hdr_count_lines(header.get(), "RG");
    for (int i = 0; i < count; ++i) {
      kstring_t text = KS_INITIALIZE;
      const std::unique_ptr<kstring_t, FreeText> owner(&text);
      if (sam_hdr_find_tag_pos(header.get(), "RG", i, "LB", &text) != 0) continue;
      std::string name(text.s, text.l);
      if (std::ranges::find(libraries, name) == libraries.end())
        libraries.push_back(std::move(name));
    }
  }

  [[nodiscard]] std::string where(const bam1_t& record) const {
    const char* name =
        record.core.tid < 0 ? nullptr : sam_hdr_tid2name(header.get(), record.core.tid);
    return fmt::format("{}: record {} ({}, {}:{})", path, number, printable(bam_get_qname(&record)),
                       printable(name == nullptr ? "*" : name), record.core.pos + 1);
  }

  AlignmentPointer next() {
    AlignmentPointer record(bam_init1());
    const int status = sam_read1(file.get(), header.get(), record.get());
    if (status == -1) return nullptr;
    ++number;
    if (status < -1)
      fail(Errc::CorruptData, "{}: record {} cannot be read; the file is damaged or cut short",
           path, number);
    check(*record);
    check_order(*record);
    return record;
  }

  void check(const bam1_t& record) const {
    const bam1_core_t& core = record.core;
    if (core.tid >= static_cast<std::int32_t>(contigs.size()) || core.tid < -1 ||
        core.mtid >= static_cast<std::int32_t>(contigs.size()) || core.mtid < -1)
      fail(Errc::CorruptData, "{}: record {} names a contig that the header lacks", path, number);
    if ((core.flag & BAM_FUNMAP) != 0) return;
    if (core.tid < 0 || core.pos < 0)
      fail(Errc::CorruptData, "{}: mapped, but has no position", where(record));
    const hts_pos_t read = bam_cigar2qlen(static_cast<int>(core.n_cigar), bam_get_cigar(&record));
    if (core.l_qseq > 0 && core.n_cigar > 0 && read != core.l_qseq)
      fail(Errc::CorruptData, "{}: the CIGAR tells of {} bases, the read has {}", where(record),
           read, core.l_qseq);
    const std::uint32_t length =
        reference.contigs()[contigs[static_cast<std::size_t>(core.tid)]].length;
    if (core.pos + bam_cigar2rlen(static_cast<int>(core.n_cigar), bam_get_cigar(&record)) >
        static_cast<hts_pos_t>(length))
      fail(Errc::CorruptData, "{}: ends behind the contig's last base, {}", where(record), length);
  }

  void check_order(const bam1_t& record) {
    const auto rank = [](std::int32_t index) { return static_cast<std::uint32_t>(index); };
    if (rank(record.core.tid) < rank(contig) ||
        (record.core.tid == contig && contig >= 0 && record.core.pos < position)) {
      const char* name = contig < 0 ? "*" : sam_hdr_tid2name(header.get(), contig);
      fail(Errc::CorruptData, "{}: comes after {}:{}; expected records sorted by coordinate",
           where(record), printable(name), position + 1);
    }
    contig = record.core.tid;
    position = record.core.pos;
  }

  std::string path;
  const Reference& reference;
  Warnings& warnings;
  HtsHeader header;
  HtsFile file;
  std::vector<std::uint32_t> contigs;
  std::vector<std::string> libraries;
  std::uint64_t number = 0;
  std::int32_t contig = 0;
  hts_pos_t position = -1;
};

SortedAlignments::SortedAlignments(const std::filesystem::path& path, const Reference& reference,
                                   Warnings& warnings, const SortedAlignmentsOptions& options)
    : impl_(std::make_unique<Impl>(path, reference, warnings, options)) {}
SortedAlignments::~SortedAlignments() = default;
SortedAlignments::SortedAlignments(SortedAlignments&&) noexcept = default;
AlignmentPointer SortedAlignments::next() { return impl_->next(); }
const std::vector<std::uint32_t>& SortedAlignments::contigs() const noexcept {
  return impl_->contigs;
}
const std::vector<std::string>& SortedAlignments::libraries() const noexcept {
  return impl_->libraries;
}

}  // namespace aceso::genomics
