// Foreign bytes as GFF3 or GTF, as a track of known variants, and as a gVCF: they may be refused
// with an Error, nothing else. The first byte chooses which they are, and whether the header of a
// VCF stands before them.

#include "annotation_track.hpp"
#include "consequence.hpp"
#include "gene_models.hpp"
#include "hgvs.hpp"
#include "joint_genotype.hpp"
#include "joint_lines.hpp"
#include "joint_sites.hpp"
#include "pedigree.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

namespace {

using namespace aceso;
using namespace aceso::genomics;

constexpr std::string_view kTrackHeader =
    "##fileformat=VCFv4.2\n##INFO=<ID=AF,Number=A,Type=Float,Description=\"x\">\n"
    "##INFO=<ID=AD,Number=R,Type=Float,Description=\"x\">\n"
    "##INFO=<ID=S,Number=.,Type=String,Description=\"x\">\n"
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
constexpr std::string_view kGvcfHeader =
    "##fileformat=VCFv4.2\n##ALT=<ID=NON_REF,Description=\"x\">\n##contig=<ID=c>\n"
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\n";
constexpr std::uint32_t kBases = 240;

const Reference& reference() {
  static const std::vector<std::uint8_t> codes = [] {
    std::vector<std::uint8_t> out(2 * kContigGap + kBases, kCodeGap);
    for (std::size_t i = 0; i < kBases; ++i)
      out[kContigGap + i] = static_cast<std::uint8_t>(i * i / 3 % 5);
    return out;
  }();
  static const Reference made({{"c", kContigGap, kBases, ""}}, codes);
  return made;
}

void read_models(const std::string& path, Warnings& warnings) {
  const GeneModels models = read_genes(path, reference(), warnings);
  CodingSequences sequences = sequences_of(reference(), 0);
  for (std::uint32_t at = 0; at < kBases; at += 3) {
    for (const std::uint32_t size : {0U, 1U, 5U}) {
      const SequenceChange change{at, std::min(at + size, kBases),
                                  std::string(size == 5 ? 1 : 3, 2)};
      models.by_contig[0].for_overlapping(
          change.begin, std::max(change.end, change.begin + 1), [&](const Transcript& transcript) {
            if (!touches(change, transcript)) return;
            const Consequence found = consequence_of(change, transcript, sequences);
            if (found.effects.empty()) std::abort();
            (void)hgvs_transcript(change, transcript, sequences.contig());
            (void)hgvs_protein(found, transcript, sequences);
          });
    }
  }
}

void read_track(const std::string& path, Warnings& warnings) {
  AnnotationTrack track(path, "ID,AF,AD,S", warnings);
  for (std::uint32_t at = 0; at < kBases; at += 20) {
    track.move_to("c", at, at + 3, reference().codes(0));
    const std::optional<NormalAllele> allele = normal_allele(at, "AC", "A", reference().codes(0));
    const TrackAllele* found = track.find(*allele);
    std::vector<InfoUpdate> updates;
    std::vector<std::string> ids;
    track.tell({found, nullptr}, updates, ids);
  }
}

void read_gvcf(const std::string& path, Warnings& warnings) {
  std::vector<GvcfRecords> files;
  files.emplace_back(path, warnings);
  files.emplace_back(path, warnings);
  const std::vector<DeclaredContig> contigs = files[0].contigs();
  for (GvcfRecords& file : files) file.use_contigs(contigs, "itself");
  JointSites sites(files);
  JointSite site;
  while (sites.next(site)) (void)joint_line(site, genotype_site(site, {}), contigs, 20);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const FileHandle file(memfd_create("annotate", 0));
  const std::string path = "/proc/self/fd/" + std::to_string(file.get());
  const unsigned kind = data[0] % 8;
  const std::string bytes = (kind == 1   ? std::string(kTrackHeader)
                             : kind == 2 ? std::string(kGvcfHeader)
                                         : "") +
                            text;
  Warnings warnings;
  try {
    write_all(file.get(), std::as_bytes(std::span(bytes)), "memory");
    if (kind == 1 || kind == 3) {
      read_track(path, warnings);
    } else if (kind == 2 || kind == 4) {
      read_gvcf(path, warnings);
    } else if (kind == 5) {
      (void)read_pedigree(path, {"a", "b", "c"}, warnings);
    } else {
      read_models(path, warnings);
    }
  } catch (const Error& error) {
    if (error.code() == Errc::Internal) std::abort();
  }
  return 0;
}
