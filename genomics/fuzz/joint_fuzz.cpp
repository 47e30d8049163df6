// Foreign bytes as the gVCFs of several samples: they may be refused with an Error, nothing else.
// The first byte chooses what they are: whole files, parted by a byte that no text has; lines
// behind a good header; or what records are made of, so that genotypes of any number of copies are
// reached.

#include "genotype_order.hpp"
#include "joint_lines.hpp"
#include "memory_file.hpp"
#include "vcf_merge.hpp"

#include "aceso/core/error.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace aceso;
using namespace aceso::genomics;

constexpr std::size_t kMostFiles = 4;
constexpr char kNextFile = '\xff';

std::string header_of(std::size_t file) {
  return fmt::format(
      "##fileformat=VCFv4.2\n##ALT=<ID=NON_REF,Description=\"x\">\n##contig=<ID=c,length=900>\n"
      "##contig=<ID=d>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts{}\n",
      file);
}

/// Hands out bytes, and zeros behind their end.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}
  [[nodiscard]] bool empty() const { return at_ >= bytes_.size(); }
  std::size_t below(std::size_t count) {
    const auto byte = empty() ? 0 : static_cast<unsigned char>(bytes_[at_]);
    ++at_;
    return byte % count;
  }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

std::string bases(Bytes& bytes, std::size_t most) {
  std::string out;
  for (std::size_t i = bytes.below(most) + 1; i > 0; --i) out += "ACGT"[bytes.below(4)];
  return out;
}

/// A genotype of `copies` of `alleles`, of which one may be missing.
std::string genotype(Bytes& bytes, std::size_t copies, std::size_t alleles) {
  std::string out;
  const char separator = bytes.below(2) == 0 ? '/' : '|';
  for (std::size_t i = 0; i < copies; ++i) {
    const std::size_t allele = bytes.below(alleles + 1);
    if (i > 0) out += separator;
    out += allele == alleles ? "." : std::to_string(allele);
  }
  return out;
}

std::string numbers(Bytes& bytes, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i)
    out += (i == 0 ? "" : ",") + std::to_string(bytes.below(200) * bytes.below(60));
  return out;
}

std::string variant(Bytes& bytes, std::size_t position, std::size_t copies) {
  std::string others;
  const std::size_t count = bytes.below(4) + 1;
  for (std::size_t i = 0; i < count; ++i)
    others += (bytes.below(6) == 0 ? "*" : bases(bytes, 4)) + ",";
  const std::size_t alleles = count + 2;
  const auto values = static_cast<std::size_t>(genotype_count(static_cast<int>(copies), alleles));
  std::string out = fmt::format("c\t{}\t.\t{}\t{}<NON_REF>\t9\t{}\t.\tGT:AD:DP:PL:PS\t", position,
                                bases(bytes, 6), others, bytes.below(4) == 0 ? "StrandBias" : ".");
  out += genotype(bytes, copies, alleles) + ":" + numbers(bytes, alleles) + ":" +
         numbers(bytes, 1) + ":" + numbers(bytes, values) + ":" + numbers(bytes, 1) + "\n";
  return out;
}

std::string block(Bytes& bytes, std::size_t position, std::size_t copies) {
  const std::size_t end = position + bytes.below(40);
  return fmt::format("c\t{}\t.\tA\t<NON_REF>\t.\t.\tEND={}\tGT:DP:GQ{}\t{}:{}:{}\n", position, end,
                     "", genotype(bytes, copies, 1), numbers(bytes, 1), numbers(bytes, 1));
}

/// Records that are what they should be, but for what they tell.
std::string records(Bytes& bytes) {
  std::string out;
  std::size_t position = 1;
  for (std::size_t i = bytes.below(12); i > 0 && !bytes.empty(); --i) {
    position += bytes.below(5);
    const std::size_t copies = bytes.below(8) == 0 ? bytes.below(kMostPloidy) + 1 : 2;
    out += bytes.below(3) == 0 ? block(bytes, position, copies) : variant(bytes, position, copies);
  }
  return out;
}

std::vector<std::string> files_of(unsigned kind, std::string_view bytes) {
  std::vector<std::string> out;
  if (kind == 0) {
    Bytes source(bytes);
    for (std::size_t i = 0; i == 0 || (i < kMostFiles && !source.empty()); ++i)
      out.push_back(header_of(i) + records(source));
    return out;
  }
  while (out.size() < kMostFiles) {
    const std::string_view part = bytes.substr(0, bytes.find(kNextFile));
    out.push_back((kind == 1 ? header_of(out.size()) : "") + std::string(part));
    if (part.size() == bytes.size()) break;
    bytes.remove_prefix(part.size() + 1);
  }
  return out;
}

/// What lines and figures rely on.
void check(const JointSite& site, const JointCall& call) {
  if (call.samples.size() != site.samples.size() || call.counts.size() != site.alleles.size() ||
      !(call.quality >= 0))
    std::abort();
  for (const JointGenotype& genotype : call.samples) {
    if (!genotype.known) continue;
    if (genotype.alleles.empty() || genotype.alleles.back() >= site.alleles.size()) std::abort();
    if (genotype.likelihoods.size() != genotype_count(genotype.ploidy(), site.alleles.size()))
      std::abort();
    for (const double likelihood : genotype.likelihoods) {
      if (!(likelihood >= 0) || !std::isfinite(likelihood)) std::abort();
    }
  }
}

void join(const std::vector<std::string>& paths) {
  Warnings warnings;
  std::vector<GvcfRecords> files;
  for (const std::string& path : paths) files.emplace_back(path, warnings);
  const std::vector<DeclaredContig> contigs = files[0].contigs();
  for (GvcfRecords& file : files) file.use_contigs(contigs, "the first");
  JointSites sites(files);
  std::uint64_t last = 0;
  for (JointSite site; sites.next(site); site = {}) {
    const std::uint64_t place = (std::uint64_t{site.contig} << 32) + site.position;
    if (place < last || site.contig >= contigs.size()) std::abort();
    last = place;
    JointCall call = genotype_site(site, {});
    check(site, call);
    (void)joint_line(site, std::move(call), contigs, 20);
  }
}

void merge(const std::vector<std::filesystem::path>& paths) {
  Warnings warnings;
  VcfMerge merge(paths, warnings);
  for (std::string line; merge.next(line);) {
    if (!line.ends_with('\n')) std::abort();
  }
}

template <typename Run>
void refuse_or(const Run& run) {
  try {
    run();
  } catch (const Error& error) {
    if (error.code() == Errc::Internal) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::vector<MemoryFile> files;
  std::vector<std::string> paths;
  for (const std::string& text : files_of(data[0] % 3, bytes)) {
    files.emplace_back(text);
    paths.push_back(files.back().path());
  }
  refuse_or([&] { join(paths); });
  refuse_or([&] { merge({paths.begin(), paths.end()}); });
  return 0;
}
