#include "vcf_text_file.hpp"

#include "aceso/core/error.hpp"

#include <htslib/tbx.h>

namespace aceso::genomics {

VcfTextFile::VcfTextFile(const std::filesystem::path& path) : file_(path) {
  const std::string name = path.filename().string();
  if (name.ends_with(".vcf.gz"))
    deflater_.emplace(6);
  else if (name.ends_with(".bcf"))
    fail(Errc::InvalidArgument, "{}: expected a name that ends in .vcf.gz or .vcf", path.string());
}

void VcfTextFile::write(std::string_view lines) {
  text_ += lines;
  // (Whole blocks only, so that the bytes do not depend on how the lines came. Few enough of them
  // stay in the cache.)
  if (text_.size() > (1U << 18)) flush(text_.size() % kBgzfTextPerBlock);
}

void VcfTextFile::flush(std::size_t keep) {
  const std::string_view now = std::string_view(text_).substr(0, text_.size() - keep);
  if (deflater_) {
    packed_.clear();
    for (std::size_t at = 0; at < now.size(); at += kBgzfTextPerBlock)
      deflater_->deflate(now.substr(at, kBgzfTextPerBlock), packed_);
    file_.write(packed_);
  } else {
    file_.write(now);
  }
  text_.erase(0, now.size());
}

void VcfTextFile::commit(std::uint64_t longest_contig) {
  flush(0);
  if (deflater_) file_.write(bgzf_end_marker());
  file_.commit();
  if (!deflater_ || !std::filesystem::is_regular_file(file_.path())) return;
  const bool csi = longest_contig >= (1ULL << 29);
  const std::string path = file_.path().string(), index = path + (csi ? ".csi" : ".tbi");
  if (tbx_index_build3(path.c_str(), index.c_str(), csi ? 14 : 0, 1, &tbx_conf_vcf) != 0)
    fail(Errc::Io, "{}: the index could not be written", index);
}

}  // namespace aceso::genomics
