#include "sam_writer.hpp"

#include "align_reads.hpp"
#include "hts_files.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/process.hpp"

#include <fmt/format.h>
#include <htslib/hfile.h>
#include <htslib/hts.h>
#include <htslib/sam.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

namespace aceso::genomics {
namespace {

struct Format {
  std::string_view ending, mode, index_ending;
};

constexpr Format kFormats[] = {{".bam", "wb", ".bai"}, {".cram", "wc", ".crai"}, {".sam", "w", ""}};

const Format& format_of(const std::filesystem::path& path) {
  const auto found = std::ranges::find(kFormats, path.extension().string(), &Format::ending);
  if (found == std::end(kFormats))
    fail(Errc::InvalidArgument, "{}: expected a name that ends in .bam, .cram or .sam",
         path.string());
  return *found;
}

std::string header_text(const Reference& reference, const std::string& lines) {
  std::string out = "@HD\tVN:1.6\tSO:coordinate\n";
  for (const Contig& contig : reference.contigs())
    out += fmt::format("@SQ\tSN:{}\tLN:{}\tM5:{}\n", contig.name, contig.length, contig.md5);
  return out + lines;
}

}  // namespace

struct SamWriter::Impl {
  Impl(const std::filesystem::path& path, const Reference& genome, const SamWriterOptions& options)
      : format(format_of(path)), reference(genome), target(path) {
    const int descriptor = ::dup(target.descriptor());
    hFILE* stream = descriptor < 0 ? nullptr : hdopen(descriptor, "w");
    if (stream == nullptr) fail_system(errno, "write", path.string());
    std::string mode(format.mode);
    if (format.ending == ".bam") mode += std::to_string(options.compression_level);
    file.reset(hts_hopen(stream, path.c_str(), mode.c_str()));
    if (!file) fail_system(errno, "write", path.string());
    if (options.threads > 1) hts_set_threads(file.get(), static_cast<int>(options.threads));
    if (format.ending == ".cram") lend_reference(*file, reference, options.scratch);
    const std::string text = header_text(reference, options.header_lines);
    header.reset(sam_hdr_parse(text.size(), text.c_str()));
    if (!header) fail(Errc::InvalidArgument, "{}: htslib did not take the header", path.string());
    // (A header parsed from text forgets the text in older htslib.)
    header->l_text = text.size();
    if (sam_hdr_write(file.get(), header.get()) != 0) refused();
    begin_index(options.scratch);
  }

  void begin_index(const std::filesystem::path& scratch) {
    if (format.index_ending.empty()) return;
    index_path = scratch / "alignments-index";
    // Contigs beyond 2^29 bases need CSI; BAI is what tools look for otherwise.
    std::uint32_t longest = 0;
    for (const Contig& contig : reference.contigs()) longest = std::max(longest, contig.length);
    csi = longest >= (1U << 29) && format.ending == ".bam";
    if (sam_idx_init(file.get(), header.get(), csi ? 14 : 0, index_path.c_str()) != 0) refused();
  }

  [[noreturn]] void refused() const { fail_system(errno, "write", target.path().string()); }

  void write(const PackedRecord& record, std::uint16_t extra_flags) {
    bam1_t out{};
    const auto place = [&](std::uint32_t global, std::int32_t& contig, hts_pos_t& position) {
      contig = -1;
      position = -1;
      if (global == kNowhere) return;
      const Place found = reference.place(global);
      contig = static_cast<std::int32_t>(found.contig);
      position = found.position;
    };
    place(record.position, out.core.tid, out.core.pos);
    place(record.mate_position, out.core.mtid, out.core.mpos);
    out.core.qual = record.mapping_quality;
    out.core.l_extranul = record.name_padding;
    out.core.flag = static_cast<std::uint16_t>(record.flags | extra_flags);
    out.core.l_qname = record.name_size;
    out.core.n_cigar = record.cigar_count;
    out.core.l_qseq = static_cast<std::int32_t>(record.read_length);
    out.core.isize = record.template_length;
    out.data = const_cast<std::uint8_t*>(record.data());
    out.l_data = static_cast<int>(record.data_size());
    out.m_data = static_cast<std::uint32_t>(out.l_data);
    const hts_pos_t end = out.core.pos < 0 ? 0 : bam_endpos(&out);
    out.core.bin =
        static_cast<std::uint16_t>(out.core.pos < 0 ? 4680 : hts_reg2bin(out.core.pos, end, 14, 5));
    errno = 0;
    if (sam_write1(file.get(), header.get(), &out) < 0) refused();
  }

  void commit() {
    if (!index_path.empty() && sam_idx_save(file.get()) != 0) refused();
    if (hts_close(file.release()) != 0) refused();
    target.commit();
    if (index_path.empty()) return;
    std::filesystem::path beside = target.path();
    beside += csi ? std::string_view(".csi") : format.index_ending;
    write_file(beside, read_file(index_path, 1ULL << 32));
  }

  const Format& format;
  const Reference& reference;
  AtomicFile target;
  HtsHeader header;
  HtsFile file;
  std::filesystem::path index_path;
  bool csi = false;
};

SamWriter::SamWriter(const std::filesystem::path& path, const Reference& reference,
                     const SamWriterOptions& options)
    : impl_(std::make_unique<Impl>(path, reference, options)) {}
SamWriter::~SamWriter() = default;
SamWriter::SamWriter(SamWriter&&) noexcept = default;
void SamWriter::write(const PackedRecord& record, std::uint16_t extra_flags) {
  impl_->write(record, extra_flags);
}
void SamWriter::write(const SortedBucket& bucket) {
  for (std::size_t i = 0; i < bucket.records.size(); ++i)
    impl_->write(*bucket.records[i], bucket.duplicate[i] ? kDuplicate : 0);
}
void SamWriter::commit() { impl_->commit(); }

std::optional<SamWriter> open_alignments(const AlignJob& job, const Reference& reference,
                                         const app::RunContext& context) {
  const ReadGroup group = read_group_of(job);
  if (!job.alignments) return std::nullopt;
  const SamWriterOptions options{
      .header_lines = group.line + "@PG\tID:aceso\tPN:aceso\tVN:" + version() + "\n",
      .compression_level = job.compression_level,
      .threads = context.threads,
      .scratch = context.scratch};
  return std::make_optional<SamWriter>(*job.alignments, reference, options);
}

}  // namespace aceso::genomics
