#include "sam_writer.hpp"

#include "align_reads.hpp"
#include "alignment_writer.hpp"

#include "aceso/core/process.hpp"

#include <fmt/format.h>

#include <optional>

namespace aceso::genomics {
namespace {

std::string header_text(const Reference& reference, const std::string& lines) {
  std::string out = "@HD\tVN:1.6\tSO:coordinate\n";
  for (const Contig& contig : reference.contigs())
    out += fmt::format("@SQ\tSN:{}\tLN:{}\tM5:{}\n", contig.name, contig.length, contig.md5);
  return out + lines;
}

}  // namespace

struct SamWriter::Impl {
  Impl(const std::filesystem::path& path, const Reference& genome, const SamWriterOptions& options)
      : reference(genome),
        lent(genome, options.scratch),
        threads(options.threads),
        file(path, header_text(genome, options.header_lines),
             {.compression_level = options.compression_level,
              .reference = &lent,
              .threads = &threads,
              .scratch = options.scratch}) {}

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
    file.write(out);
  }

  const Reference& reference;
  LentReference lent;
  HtsThreads threads;
  AlignmentWriter file;
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
void SamWriter::commit() { impl_->file.commit(); }

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
