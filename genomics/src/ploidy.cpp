#include "ploidy.hpp"

#include "bed.hpp"
#include "genotype_order.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_set>

namespace aceso::genomics {
namespace {

/// The pseudo-autosomal regions of one contig of an assembly, 1-based, ends included
/// (www.ncbi.nlm.nih.gov/grc/human).
struct PairedRegions {
  char chromosome;
  std::uint32_t length;  ///< of the contig
  std::array<std::array<std::uint32_t, 2>, 2> regions;
};
constexpr std::array kPairedRegions = {
    PairedRegions{'X', 156'040'895, {{{10'001, 2'781'479}, {155'701'383, 156'030'895}}}},
    PairedRegions{'Y', 57'227'415, {{{10'001, 2'781'479}, {56'887'903, 57'217'415}}}},
    PairedRegions{'X', 155'270'560, {{{60'001, 2'699'520}, {154'931'044, 155'260'560}}}},
    PairedRegions{'Y', 59'373'566, {{{10'001, 2'649'520}, {59'034'050, 59'363'566}}}},
};

const Contig* sex_chromosome(const Reference& reference, char which) {
  for (const std::string& name : {std::string("chr") + which, std::string(1, which)}) {
    if (const int found = reference.find(name); found >= 0)
      return &reference.contigs()[static_cast<std::size_t>(found)];
  }
  return nullptr;
}

void set_whole(PloidyMap& map, const Contig& contig, int ploidy) {
  map.set(contig.begin, contig.begin + contig.length, ploidy);
}

void set_haploid(const Reference& reference, std::string_view names, PloidyMap& map) {
  std::unordered_set<std::string> wanted;
  while (!names.empty()) {
    const std::size_t comma = std::min(names.find(','), names.size());
    wanted.emplace(names.substr(0, comma));
    names.remove_prefix(std::min(comma + 1, names.size()));
  }
  for (const Contig& contig : reference.contigs()) {
    if (wanted.contains(contig.name)) set_whole(map, contig, 1);
  }
}

/// One copy of a man's X or Y; `paired` copies where both pair up.
void set_male(const Contig& contig, char which, int paired, Warnings& warnings, PloidyMap& map) {
  set_whole(map, contig, 1);
  const auto known = std::ranges::find_if(kPairedRegions, [&](const PairedRegions& p) {
    return p.chromosome == which && p.length == contig.length;
  });
  if (known == kPairedRegions.end()) {
    warnings.add("ploidy.unknown_par",
                 fmt::format("{} has {} bases, as in neither GRCh38 nor GRCh37: its pseudo-"
                             "autosomal regions are not known and have one copy too; name them "
                             "in ploidy_file",
                             printable(contig.name), contig.length));
    return;
  }
  for (const auto& [first, last] : known->regions)
    map.set(contig.begin + first - 1, contig.begin + last, paired);
}

void set_sex(const Reference& reference, const PloidyOptions& options, Warnings& warnings,
             PloidyMap& map) {
  if (options.sex == "unknown") return;
  if (options.ploidy != 2)
    fail(Errc::InvalidArgument,
         "sex tells of samples with two copies of the genome; found ploidy {}", options.ploidy);
  const Contig *x = sex_chromosome(reference, 'X'), *y = sex_chromosome(reference, 'Y');
  if (x == nullptr && y == nullptr)
    warnings.add("ploidy.no_sex_chromosomes",
                 "sex is given, but the reference has no contig chrX, X, chrY or Y");
  const bool male = options.sex == "male";
  if (x != nullptr) male ? set_male(*x, 'X', 2, warnings, map) : set_whole(map, *x, 2);
  if (y != nullptr) male ? set_male(*y, 'Y', 0, warnings, map) : set_whole(map, *y, 0);
}

int parse_copies(std::string_view text, const std::string& where) {
  int value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0 || value > kMostPloidy)
    fail(Errc::CorruptData,
         "{}: expected the copies of the genome (0 to {}) in column 4, found \"{}\"", where,
         kMostPloidy, printable(text));
  return value;
}

void set_from_file(const Reference& reference, const std::filesystem::path& path,
                   Warnings& warnings, PloidyMap& map) {
  struct Line {
    PloidyStretch stretch;
    std::string where;
  };
  std::vector<Line> lines;
  read_bed_lines(path, reference, warnings, [&](const BedLine& line) {
    const std::uint64_t begin = reference.contigs()[line.contig].begin;
    lines.push_back({{begin + line.interval.begin, begin + line.interval.end,
                      parse_copies(line.columns.size() > 3 ? line.columns[3] : "", line.where)},
                     line.where});
  });
  std::ranges::stable_sort(lines, {}, [](const Line& line) { return line.stretch.begin; });
  const Line* last = nullptr;  // that reaches furthest
  for (const Line& line : lines) {
    const PloidyStretch& now = line.stretch;
    if (last != nullptr && now.begin < last->stretch.end && now.ploidy != last->stretch.ploidy)
      fail(Errc::CorruptData, "{}: overlaps the interval of {}, which has other copies", line.where,
           last->where);
    map.set(now.begin, now.end, now.ploidy);
    if (last == nullptr || now.end > last->stretch.end) last = &line;
  }
}

}  // namespace

PloidyMap::PloidyMap(const Reference& reference, int ploidy) {
  // (A stretch takes the gap behind its contig along, so that each place has one.)
  std::uint64_t begin = 0;
  for (std::size_t i = 1; i <= reference.contigs().size(); ++i) {
    const std::uint64_t end =
        i < reference.contigs().size() ? reference.contigs()[i].begin : reference.codes().size();
    stretches_[begin] = {begin, end, ploidy};
    begin = end;
  }
}

void PloidyMap::split(std::uint64_t at) {
  const auto behind = stretches_.upper_bound(at);
  if (behind == stretches_.begin()) return;
  PloidyStretch& before = std::prev(behind)->second;
  if (before.begin == at || before.end <= at) return;
  stretches_[at] = {at, before.end, before.ploidy};
  before.end = at;
}

void PloidyMap::set(std::uint64_t begin, std::uint64_t end, int ploidy) {
  if (begin >= end) return;
  split(begin);
  split(end);
  stretches_.erase(stretches_.lower_bound(begin), stretches_.lower_bound(end));
  stretches_[begin] = {begin, end, ploidy};
}

const PloidyStretch& PloidyMap::stretch_at(std::uint64_t global) const {
  return std::prev(stretches_.upper_bound(global))->second;
}

int PloidyMap::most() const {
  int out = 0;
  for (const auto& [begin, stretch] : stretches_) out = std::max(out, stretch.ploidy);
  return out;
}

PloidyMap ploidy_map(const Reference& reference, const PloidyOptions& options, Warnings& warnings) {
  PloidyMap out(reference, options.ploidy);
  set_haploid(reference, options.haploid_contigs, out);
  set_sex(reference, options, warnings, out);
  if (options.file) set_from_file(reference, *options.file, warnings, out);
  return out;
}

}  // namespace aceso::genomics
