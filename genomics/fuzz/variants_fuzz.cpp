// Foreign bytes as VCF, BED and HISAT2's list of sites: they may be refused with an Error, nothing
// else. The first byte chooses which they are, and whether a VCF's header stands before them.

#include "bed.hpp"
#include "haplotype_match.hpp"
#include "sample_variants.hpp"
#include "variant_pieces.hpp"
#include "vcf_records.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

namespace {

using namespace aceso;
using namespace aceso::genomics;

constexpr std::string_view kHeader =
    "##fileformat=VCFv4.2\n##FORMAT=<ID=GT,Number=1,Type=String,Description=\"x\">\n"
    "##FORMAT=<ID=GQ,Number=1,Type=Integer,Description=\"x\">\n##contig=<ID=c>\n"
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\n";

const Reference& reference() {
  static const std::vector<std::uint8_t> codes = [] {
    std::vector<std::uint8_t> out(2 * kContigGap + 64, kCodeGap);
    for (std::size_t i = 0; i < 64; ++i) out[kContigGap + i] = static_cast<std::uint8_t>(i / 3 % 4);
    return out;
  }();
  static const Reference made({{"c", kContigGap, 64, ""}}, codes);
  return made;
}

/// Pieces lie on the contig, one behind the other.
void check(const std::vector<VariantPiece>& pieces, std::size_t from) {
  for (std::size_t i = from; i < pieces.size(); ++i) {
    if (pieces[i].begin > pieces[i].end || pieces[i].end > 64) std::abort();
    if (i > from && pieces[i].begin < pieces[i - 1].end) std::abort();
    if (std::ranges::count(pieces[i].alters, true) == 0) std::abort();
  }
}

void read_vcf(const std::filesystem::path& path, Warnings& warnings) {
  VcfRecords records(path, reference(), warnings, {.score_field = "GQ"});
  GenotypeRecord record;
  std::vector<VariantPiece> pieces;
  while (records.next(record)) {
    if (record.contig < 0) continue;
    const std::size_t from = pieces.size();
    (void)cut_to_pieces(reference().codes(0), record, pieces);
    check(pieces, from);
    for (std::size_t i = from; i < pieces.size(); ++i) {
      for (std::size_t h = 0; h < pieces[i].copies(); ++h)
        (void)shift_left(reference().codes(0), pieces[i], h);
    }
  }
  const auto half = static_cast<std::ptrdiff_t>(pieces.size() / 2);
  const std::vector<VariantPiece> calls(pieces.begin() + half, pieces.end());
  pieces.resize(static_cast<std::size_t>(half));
  (void)match_superlocus(reference().codes(0), {pieces, calls}, 64);
}

void read_sites(std::string_view text, Warnings& warnings) {
  const ScratchFolder folder(std::filesystem::temp_directory_path());
  SimulateJob job;
  job.variants = folder.path() / "sites.snp";
  job.share = 1;
  write_file(*job.variants, text);
  (void)read_variants(reference(), job, warnings, {});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const FileHandle file(memfd_create("variants", 0));
  const std::string path = "/proc/self/fd/" + std::to_string(file.get());
  Warnings warnings;
  try {
    if (data[0] % 4 == 0) {
      read_sites(text, warnings);
      return 0;
    }
    const std::string bytes = (data[0] % 4 == 1 ? std::string(kHeader) : "") + std::string(text);
    write_all(file.get(), std::as_bytes(std::span(bytes)), "memory");
    if (data[0] % 4 == 3)
      (void)read_bed(path, reference(), warnings);
    else
      read_vcf(path, warnings);
  } catch (const Error& error) {
    if (error.code() == Errc::Internal) std::abort();
  }
  return 0;
}
