#include "sample_variants.hpp"

#include "bed.hpp"
#include "vcf_records.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/random.hpp"
#include "aceso/core/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace aceso::genomics {
namespace {

/// Streams of random numbers for different ends, kept apart by their upper bits.
constexpr std::uint64_t kDrawStream = 1ULL << 60, kSiteStream = 2ULL << 60;
constexpr std::size_t kLongestIndel = 60;
constexpr std::uint32_t kRun = 5;  ///< equal bases that indels like

bool by_place(const VariantPiece& a, const VariantPiece& b) {
  return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
}

/// Chooses the haplotypes of an alternative.
void set_genotype(VariantPiece& piece, const std::string& allele, std::string_view before,
                  double heterozygous, Random& random) {
  const bool both = !random.chance(heterozygous);
  const std::size_t first = random.below(2);
  for (std::size_t h = 0; h < 2; ++h) {
    piece.alters[h] = both || h == first;
    piece.alleles[h] = piece.alters[h] ? allele : std::string(before);
  }
}

/// Keeps those that fit behind each other on both haplotypes; returns how many do not.
std::uint64_t drop_overlapping(std::vector<VariantPiece>& pieces) {
  struct HaplotypeEnd {
    std::int64_t end = 0, inserted_at = -1;

    [[nodiscard]] bool takes(const VariantPiece& piece) const {
      // Insertions at one place have no order.
      return piece.begin >= end && (piece.begin != piece.end || piece.begin != inserted_at);
    }
    void put(const VariantPiece& piece) {
      end = piece.end;
      if (piece.begin == piece.end) inserted_at = piece.begin;
    }
  };
  std::array<HaplotypeEnd, 2> haplotypes;
  const auto overlaps = [&](const VariantPiece& piece) {
    for (std::size_t h = 0; h < 2; ++h) {
      if (piece.alters[h] && !haplotypes[h].takes(piece)) return true;
    }
    for (std::size_t h = 0; h < 2; ++h) {
      if (piece.alters[h]) haplotypes[h].put(piece);
    }
    return false;
  };
  return std::erase_if(pieces, overlaps);
}

class ContigDrawer {
 public:
  ContigDrawer(std::span<const std::uint8_t> contig, const SimulateJob& job, std::uint32_t index)
      : contig_(contig), job_(job), random_(job.seed, kDrawStream + index) {
    for (std::size_t size = 1; size <= kLongestIndel; ++size)
      lengths_.push_back(std::pow(static_cast<double>(size), -1.8));
  }

  std::vector<VariantPiece> draw() {
    const double rate = job_.snp_rate + job_.indel_rate;
    std::vector<VariantPiece> out;
    if (rate <= 0) return out;
    double at = gap(rate);
    while (at < static_cast<double>(contig_.size())) {
      const auto position = static_cast<std::uint32_t>(at);
      if (random_.uniform() * rate < job_.snp_rate)
        substitute(position, out);
      else
        insert_or_delete(position, out);
      at += 1 + gap(rate);
    }
    std::ranges::stable_sort(out, by_place);
    // Neighbours closer than a base could be written as one variant, or not at all.
    std::vector<VariantPiece> apart;
    for (VariantPiece& piece : out) {
      if (apart.empty() || piece.begin > apart.back().end + 1) apart.push_back(std::move(piece));
    }
    return apart;
  }

 private:
  double gap(double rate) {
    return std::floor(std::log1p(-random_.uniform()) / std::log1p(-std::min(rate, 0.5)));
  }

  void substitute(std::uint32_t at, std::vector<VariantPiece>& out) {
    const std::uint8_t base = contig_[at];
    if (base >= kCodeN) return;
    const bool transition = random_.chance(2.0 / 3);
    const auto other =
        static_cast<std::uint8_t>(transition ? base ^ 2U : base ^ (random_.chance(0.5) ? 1U : 3U));
    VariantPiece piece;
    piece.begin = at;
    piece.end = at + 1;
    finish(piece, std::string(1, static_cast<char>(other)), out);
  }

  void insert_or_delete(std::uint32_t at, std::vector<VariantPiece>& out) {
    const bool in_run = random_.chance(0.5);
    if (in_run) at = next_run(at);
    const std::size_t size = random_.weighted(lengths_) + 1;
    VariantPiece piece;
    piece.begin = piece.end = at;
    std::string allele;
    if (random_.chance(0.5)) {
      piece.end = static_cast<std::uint32_t>(std::min<std::size_t>(at + size, contig_.size()));
    } else {
      for (std::size_t i = 0; i < size; ++i)
        allele += static_cast<char>(in_run ? contig_[at] : random_.below(4));
    }
    const std::uint32_t from = at > 0 ? at - 1 : 0;
    for (std::uint32_t i = from; i < std::max(piece.end, at + 1); ++i) {
      if (contig_[i] >= kCodeN) return;
    }
    finish(piece, allele, out);
  }

  /// The beginning of a run within the next bases, or `at`.
  [[nodiscard]] std::uint32_t next_run(std::uint32_t at) const {
    const auto limit = static_cast<std::uint32_t>(std::min<std::size_t>(at + 500, contig_.size()));
    std::uint32_t length = 1;
    for (std::uint32_t i = at + 1; i < limit; ++i) {
      length = contig_[i] == contig_[i - 1] && contig_[i] < kCodeN ? length + 1 : 1;
      if (length == kRun) return i + 1 - kRun;
    }
    return at;
  }

  /// Moves it left, as files have it, and draws the genotype.
  void finish(VariantPiece piece, const std::string& allele, std::vector<VariantPiece>& out) {
    piece.alleles[0] = allele;
    piece.alters[0] = true;
    const ShiftedAllele shifted = shift_left(contig_, piece, 0);
    if (shifted.begin == shifted.end && shifted.bases.empty()) return;
    piece.begin = shifted.begin;
    piece.end = shifted.end;
    std::string before;
    for (std::uint32_t i = piece.begin; i < piece.end; ++i) before += static_cast<char>(contig_[i]);
    set_genotype(piece, shifted.bases, before, job_.heterozygous, random_);
    out.push_back(std::move(piece));
  }

  std::span<const std::uint8_t> contig_;
  const SimulateJob& job_;
  Random random_;
  std::vector<double> lengths_;
};

/// Sites become genotypes of the sample.
class SiteSampler {
 public:
  explicit SiteSampler(const SimulateJob& job) : job_(job), random_(job.seed, kSiteStream) {}

  [[nodiscard]] bool takes() { return random_.chance(job_.share); }
  /// An alternative of a record of `count` alleles on one or both haplotypes.
  [[nodiscard]] std::vector<int> genotype(std::size_t count) {
    const int allele = 1 + static_cast<int>(random_.below(count - 1));
    if (!random_.chance(job_.heterozygous)) return {allele, allele};
    return random_.chance(0.5) ? std::vector<int>{0, allele} : std::vector<int>{allele, 0};
  }
  /// Gives an unphased genotype a phase.
  void turn(std::vector<int>& genotype) {
    if (genotype.size() == 2 && random_.chance(0.5)) std::swap(genotype[0], genotype[1]);
  }

 private:
  const SimulateJob& job_;
  Random random_;
};

class VariantFile {
 public:
  VariantFile(const Reference& reference, const SimulateJob& job, Warnings& warnings)
      : path_(*job.variants),
        reference_(reference),
        job_(job),
        warnings_(warnings),
        sampler_(job),
        out_(reference.contigs().size()) {}

  SampleVariants read(const std::stop_token& stop) {
    if (path_.extension() == ".snp")
      read_sites(stop);
    else
      read_records(stop);
    if (lines_ > 0 && known_ == 0)
      fail(Errc::CorruptData, "{}: none of its contigs is in the reference: {}{}", path_.string(),
           printable(first_unknown_), contig_hint(reference_, first_unknown_));
    for (auto& pieces : out_) {
      std::ranges::stable_sort(pieces, by_place);
      const std::uint64_t dropped = drop_overlapping(pieces);
      for (std::uint64_t i = 0; i < dropped; ++i)
        warnings_.add(
            "simulate.overlap",
            fmt::format("{}: variants that overlap others were left out", path_.string()));
    }
    return std::move(out_);
  }

 private:
  void read_records(const std::stop_token& stop) {
    VcfRecords records(path_, reference_, warnings_, {.sample = job_.sample, .sites_do = true});
    const bool sites = records.sample().empty();
    GenotypeRecord record;
    while (records.next(record)) {
      if (stop.stop_requested()) fail(Errc::Cancelled, "{}: stopped", path_.string());
      if (!knows(record.contig_name, record.contig)) continue;
      if (sites) {
        if (record.alleles.size() < 2 || !sampler_.takes()) continue;
        record.genotype = sampler_.genotype(record.alleles.size());
      } else if (!record.phased) {
        sampler_.turn(record.genotype);
      }
      add(record);
    }
  }

  void read_sites(const std::stop_token& stop) {
    std::uint64_t number = 0;
    for (const std::string& line : split(read_file(path_, 4ULL << 30), '\n')) {
      ++number;
      if (stop.stop_requested()) fail(Errc::Cancelled, "{}: stopped", path_.string());
      if (line.empty() || line == "\r") continue;
      add_site(line, fmt::format("{}: line {}", path_.string(), number));
    }
  }

  void add_site(std::string_view line, const std::string& where) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::vector<std::string> columns = split(line, '\t');
    if (columns.size() < 5)
      fail(Errc::CorruptData, "{}: expected name, type, contig, position and bases, found \"{}\"",
           where, printable(line));
    const int contig = reference_.find(columns[2]);
    if (!knows(columns[2], contig) || !sampler_.takes()) return;
    const auto codes = reference_.codes(static_cast<std::uint32_t>(contig));
    const std::uint32_t at = number_of(columns[3], where);
    const std::uint32_t gone = columns[1] == "deletion"    ? number_of(columns[4], where)
                               : columns[1] == "single"    ? 1
                               : columns[1] == "insertion" ? 0
                                                           : UINT32_MAX;
    if (gone == UINT32_MAX)
      fail(Errc::CorruptData, "{}: expected single, insertion or deletion, found \"{}\"", where,
           printable(columns[1]));
    if (static_cast<std::uint64_t>(at) + gone > codes.size())
      fail(Errc::CorruptData, "{}: ends behind the contig's last base, {}", where, codes.size());
    GenotypeRecord record;
    record.contig = contig;
    record.position = at;
    record.alleles = {"", columns[1] == "deletion" ? "" : columns[4]};
    for (std::uint32_t i = at; i < at + gone; ++i) record.alleles[0] += base_of_code(codes[i]);
    anchor(record, codes);
    record.genotype = sampler_.genotype(2);
    add(record);
  }

  /// Gives alleles the base before them, as VCF has it.
  static void anchor(GenotypeRecord& record, std::span<const std::uint8_t> codes) {
    if (record.position == 0) return;
    --record.position;
    for (std::string& allele : record.alleles)
      allele.insert(allele.begin(), base_of_code(codes[record.position]));
  }

  static std::uint32_t number_of(const std::string& text, const std::string& where) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size())
      fail(Errc::CorruptData, "{}: expected a number, found \"{}\"", where, printable(text));
    return value;
  }

  bool knows(const std::string& name, int contig) {
    ++lines_;
    if (contig >= 0) {
      ++known_;
      return true;
    }
    if (first_unknown_.empty()) first_unknown_ = name;
    warnings_.add("simulate.unknown_contig",
                  fmt::format("{}: {} is not in the reference", path_.string(), printable(name)));
    return false;
  }

  void add(const GenotypeRecord& record) {
    const auto contig = static_cast<std::uint32_t>(record.contig);
    const Unused unused = record.genotype.size() > 2
                              ? Unused::Polyploid
                              : cut_to_pieces(reference_.codes(contig), record, out_[contig]);
    if (unused == Unused::Symbolic || unused == Unused::Polyploid || unused == Unused::NoPlace)
      warnings_.add(
          "simulate.unusable",
          fmt::format("{}: variant at {}:{} has symbolic alleles, or is not diploid",
                      path_.string(), reference_.contigs()[contig].name, record.position + 1));
  }

  const std::filesystem::path& path_;
  const Reference& reference_;
  const SimulateJob& job_;
  Warnings& warnings_;
  SiteSampler sampler_;
  SampleVariants out_;
  std::uint64_t lines_ = 0, known_ = 0;
  std::string first_unknown_;
};

}  // namespace

SampleVariants draw_variants(const Reference& reference, const SimulateJob& job,
                             const std::stop_token& stop) {
  SampleVariants out;
  for (std::uint32_t c = 0; c < reference.contigs().size(); ++c) {
    if (stop.stop_requested()) fail(Errc::Cancelled, "stopped while drawing variants");
    out.push_back(ContigDrawer(reference.codes(c), job, c).draw());
  }
  return out;
}

SampleVariants read_variants(const Reference& reference, const SimulateJob& job, Warnings& warnings,
                             const std::stop_token& stop) {
  return VariantFile(reference, job, warnings).read(stop);
}

}  // namespace aceso::genomics
