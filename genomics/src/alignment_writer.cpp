#include "alignment_writer.hpp"

#include "aceso/core/error.hpp"

#include <htslib/hfile.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace aceso::genomics {
namespace {

constexpr AlignmentFormat kFormats[] = {
    {".bam", "wb", ".bai"}, {".cram", "wc", ".crai"}, {".sam", "w", ""}};

}  // namespace

const AlignmentFormat& alignment_format(const std::filesystem::path& path) {
  const auto found =
      std::ranges::find(kFormats, path.extension().string(), &AlignmentFormat::ending);
  if (found == std::end(kFormats))
    fail(Errc::InvalidArgument, "{}: expected a name that ends in .bam, .cram or .sam",
         path.string());
  return *found;
}

AlignmentWriter::AlignmentWriter(const std::filesystem::path& path, const std::string& header,
                                 const AlignmentWriterOptions& options)
    : format_(alignment_format(path)), target_(path) {
  const int descriptor = ::dup(target_.descriptor());
  hFILE* stream = descriptor < 0 ? nullptr : hdopen(descriptor, "w");
  if (stream == nullptr) fail_system(errno, "write", path.string());
  std::string mode(format_.mode);
  if (format_.ending == ".bam") mode += std::to_string(options.compression_level);
  file_.reset(hts_hopen(stream, path.c_str(), mode.c_str()));
  if (!file_) fail_system(errno, "write", path.string());
  begin_threads(options.threads);
  if (format_.ending == ".cram") {
    if (options.reference == nullptr)
      fail(Errc::InvalidArgument, "{}: CRAM is written against its reference; give reference",
           path.string());
    options.reference->lend(*file_);
  }
  header_.reset(sam_hdr_parse(header.size(), header.c_str()));
  if (!header_) fail(Errc::InvalidArgument, "{}: htslib did not take the header", path.string());
  // (A header parsed from text forgets the text in older htslib.)
  header_->l_text = header.size();
  if (sam_hdr_write(file_.get(), header_.get()) != 0) refused();
  begin_index(options.scratch);
}

/// CRAM is packed by one thread: htslib chooses how by trying on block after block, so that with
/// several the bytes depend on who comes first.
void AlignmentWriter::begin_threads(const HtsThreads* threads) {
  if (threads == nullptr || !*threads) return;
  if (format_.ending == ".cram") {
    beside_ = HtsThreads::one_beside();
    threads = &*beside_;
  }
  threads->serve(*file_);
}

void AlignmentWriter::begin_index(const std::filesystem::path& scratch) {
  if (format_.index_ending.empty()) return;
  index_path_ = scratch / "alignments-index";
  // Contigs beyond 2^29 bases need CSI; BAI is what tools look for otherwise.
  hts_pos_t longest = 0;
  for (int i = 0; i < sam_hdr_nref(header_.get()); ++i)
    longest = std::max(longest, sam_hdr_tid2len(header_.get(), i));
  csi_ = longest >= (1 << 29) && format_.ending == ".bam";
  if (sam_idx_init(file_.get(), header_.get(), csi_ ? 14 : 0, index_path_.c_str()) != 0) refused();
}

void AlignmentWriter::refused() const { fail_system(errno, "write", target_.path().string()); }

void AlignmentWriter::write(const bam1_t& record) {
  errno = 0;
  if (sam_write1(file_.get(), header_.get(), &record) < 0) refused();
}

void AlignmentWriter::commit() {
  if (!index_path_.empty() && sam_idx_save(file_.get()) != 0) refused();
  if (hts_close(file_.release()) != 0) refused();
  target_.commit();
  if (index_path_.empty()) return;
  std::filesystem::path beside = target_.path();
  beside += csi_ ? std::string_view(".csi") : format_.index_ending;
  write_file(beside, read_file(index_path_, 1ULL << 32));
}

}  // namespace aceso::genomics
