// Writes VCF that is already text, sorted: plain, or as BGZF with a tabix index beside it.
#pragma once

#include "bgzf.hpp"

#include "aceso/core/files.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace aceso::genomics {

class VcfTextFile {
 public:
  /// A name that ends in .vcf.gz is compressed. Nothing is at `path` before commit().
  /// \throws Error NotFound, Io; InvalidArgument for a .bcf.
  explicit VcfTextFile(const std::filesystem::path& path);

  /// Whole lines, header included. \throws Error OutOfResources, Io.
  void write(std::string_view lines);
  /// Gives the file its name, and writes PATH.tbi beside a compressed one (PATH.csi when a contig
  /// is longer than 2^29 bases, which tabix cannot hold).
  void commit(std::uint64_t longest_contig);

 private:
  void flush(std::size_t keep);

  AtomicFile file_;
  std::optional<BgzfDeflater> deflater_;
  std::string text_, packed_;
};

}  // namespace aceso::genomics
