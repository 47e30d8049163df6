#include "sorted_alignments.hpp"

#include "sorted_records.hpp"

#include "aceso/core/error.hpp"

#include <algorithm>

namespace aceso::genomics {

void FreeAlignment::operator()(bam1_t* record) const noexcept { bam_destroy1(record); }

struct SortedAlignments::Impl {
  Impl(const std::filesystem::path& file_path, const Reference& genome, Warnings& warnings,
       const SortedAlignmentsOptions& options)
      : reference(genome),
        lent(genome, options.scratch),
        threads(options.threads),
        file(file_path, warnings, {.reference = &lent, .threads = &threads, .whole = false}) {
    if (sam_hdr_nref(file.header()) == 0)
      fail(Errc::InvalidArgument, "{}: the header names no contig (@SQ); expected aligned reads",
           file.path());
    contigs = file.match_contigs(reference);
    list_libraries();
  }

  void list_libraries() {
    const int count = sam_hdr_count_lines(file.header(), "RG");
    for (int i = 0; i < count; ++i) {
      const char* id = sam_hdr_line_name(file.header(), "RG", i);
      std::string name = id == nullptr ? "" : header_tag(file.header(), "RG", "ID", id, "LB");
      if (!name.empty() && std::ranges::find(libraries, name) == libraries.end())
        libraries.push_back(std::move(name));
    }
  }

  AlignmentPointer next() {
    AlignmentPointer record(bam_init1());
    if (!file.next(*record)) return nullptr;
    check_end(*record);
    return record;
  }

  void check_end(const bam1_t& record) const {
    const bam1_core_t& core = record.core;
    if ((core.flag & BAM_FUNMAP) != 0) return;
    const std::uint32_t length =
        reference.contigs()[contigs[static_cast<std::size_t>(core.tid)]].length;
    if (core.pos + bam_cigar2rlen(static_cast<int>(core.n_cigar), bam_get_cigar(&record)) >
        static_cast<hts_pos_t>(length))
      fail(Errc::CorruptData, "{}: ends behind the contig's last base, {}", file.where(record),
           length);
  }

  const Reference& reference;
  LentReference lent;
  HtsThreads threads;
  SortedRecords file;
  std::vector<std::uint32_t> contigs;
  std::vector<std::string> libraries;
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
