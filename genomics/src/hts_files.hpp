// What reading and writing alignments by htslib share. Included by source files only.
#pragma once

#include "aceso/genomics/reference.hpp"

#include <htslib/hts.h>
#include <htslib/sam.h>
#include <htslib/thread_pool.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <utility>

namespace aceso::genomics {

struct CloseHtsFile {
  void operator()(htsFile* file) const noexcept { hts_close(file); }
};
struct FreeHtsHeader {
  void operator()(sam_hdr_t* header) const noexcept { sam_hdr_destroy(header); }
};
using HtsFile = std::unique_ptr<htsFile, CloseHtsFile>;
using HtsHeader = std::unique_ptr<sam_hdr_t, FreeHtsHeader>;

/// From now on htslib does not print: a library does not, and what matters is thrown.
void silence_htslib();

/// A reference laid down where htslib finds it, for any number of CRAM files.
class LentReference {
 public:
  /// `scratch` is a folder to lay it down in, which is done when a file needs it first.
  LentReference(const Reference& reference, std::filesystem::path scratch)
      : reference_(reference), scratch_(std::move(scratch)) {}

  /// Gives it to a CRAM file before its header is read or written: what its records are told
  /// against. One thread at a time. \throws Error Io, OutOfResources.
  void lend(htsFile& file);

 private:
  const Reference& reference_;
  std::filesystem::path scratch_;
  HtsFile lender_;
};

/// The same for one file.
void lend_reference(htsFile& file, const Reference& reference,
                    const std::filesystem::path& scratch);

/// Threads that files share for packing and unpacking. Must outlive those files.
class HtsThreads {
 public:
  /// With one thread files work in the thread that calls them.
  explicit HtsThreads(unsigned threads) : HtsThreads(threads > 1 ? threads : 0, Workers{}) {}
  /// One thread beside the one that calls.
  [[nodiscard]] static HtsThreads one_beside() { return {1, Workers{}}; }

  [[nodiscard]] explicit operator bool() const noexcept { return pool_ != nullptr; }
  /// \throws Error OutOfResources.
  void serve(htsFile& file) const;

 private:
  struct Workers {};
  HtsThreads(unsigned threads, Workers);

  struct Stop {
    void operator()(hts_tpool* pool) const noexcept { hts_tpool_destroy(pool); }
  };
  std::unique_ptr<hts_tpool, Stop> pool_;
};

/// How many bytes of an open file were read.
[[nodiscard]] std::uint64_t bytes_read(const htsFile& file);

}  // namespace aceso::genomics
