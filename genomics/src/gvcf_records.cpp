#include "gvcf_records.hpp"

#include "genotype_order.hpp"
#include "normal_allele.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace aceso::genomics {
namespace {

/// No PL has values for more alleles than these with more than two copies; of so many the number of
/// genotypes can still be told.
constexpr std::size_t kMostAlleles = 500;

/// Phreds by copies of another allele where a file tells only that of its genotype: reads of the
/// reference alone, whose chance under k of `ploidy` copies is a power of 1 - k / ploidy.
std::vector<double> block_likelihoods(int ploidy, double sure) {
  std::vector<double> out{0};
  double most = sure;
  for (int k = 1; k < ploidy; ++k) {
    most = sure * std::log1p(-static_cast<double>(k) / ploidy) / std::log1p(-1.0 / ploidy);
    out.push_back(most);
  }
  out.push_back(ploidy == 1 ? sure : 10 * most);
  return out;
}

bool is_other(std::string_view allele) { return allele == "<NON_REF>" || allele == "<*>"; }

/// A field of the sample, by its name in FORMAT.
class SampleFields {
 public:
  explicit SampleFields(std::string_view rest) {
    const std::size_t tab = std::min(rest.find('\t'), rest.size());
    names_ = split_views(rest.substr(0, tab), ':');
    if (tab < rest.size()) values_ = split_views(rest.substr(tab + 1), ':');
  }

  /// Empty if it is missing.
  [[nodiscard]] std::string_view operator[](std::string_view name) const {
    const auto found = std::ranges::find(names_, name);
    const auto index = static_cast<std::size_t>(found - names_.begin());
    if (found == names_.end() || index >= values_.size() || values_[index] == ".") return {};
    return values_[index];
  }

 private:
  std::vector<std::string_view> names_, values_;
};

}  // namespace

std::vector<DeclaredContig> declared_contigs(const VcfLines& lines) {
  std::vector<DeclaredContig> out;
  for (const std::string& line : lines.header()) {
    if (!line.starts_with("##contig=")) continue;
    DeclaredContig contig{std::string(header_value(line, "ID")), 0};
    const std::string_view length = header_value(line, "length");
    (void)std::from_chars(length.data(), length.data() + length.size(), contig.length);
    out.push_back(std::move(contig));
  }
  return out;
}

GvcfRecords::GvcfRecords(const std::filesystem::path& path, Warnings& warnings)
    : lines_(path, warnings), warnings_(warnings), contigs_(declared_contigs(lines_)) {
  if (lines_.samples().size() != 1)
    fail(Errc::CorruptData, "{}: {} samples; expected the gVCF of one", lines_.path(),
         lines_.samples().size());
  const bool declared = std::ranges::any_of(lines_.header(), [](const std::string& line) {
    return line.starts_with("##ALT=") &&
           (header_value(line, "ID") == "NON_REF" || header_value(line, "ID") == "*");
  });
  if (!declared)
    fail(Errc::CorruptData,
         "{}: no gVCF: its header declares no allele <NON_REF>; make one by genomics germline "
         "--gvcf",
         lines_.path());
  if (contigs_.empty())
    fail(Errc::CorruptData, "{}: its header declares no contigs", lines_.path());
}

void GvcfRecords::use_contigs(const std::vector<DeclaredContig>& shared, const std::string& whose) {
  for (std::uint32_t i = 0; i < shared.size(); ++i) order_.emplace_back(shared[i].name, i);
  std::ranges::sort(order_);
  std::int64_t last = -1;
  for (const DeclaredContig& contig : contigs_) {
    const auto found = std::ranges::lower_bound(order_, contig.name, {},
                                                &std::pair<std::string, std::uint32_t>::first);
    if (found == order_.end() || found->first != contig.name)
      fail(Errc::CorruptData,
           "{}: declares the contig {}, which {} lacks; expected gVCFs of one "
           "reference",
           path(), printable(contig.name), whose);
    const std::uint64_t length = shared[found->second].length;
    if (contig.length != 0 && length != 0 && contig.length != length)
      fail(Errc::CorruptData,
           "{}: {} has {} bases, in {} it has {}; expected gVCFs of one "
           "reference",
           path(), printable(contig.name), contig.length, whose, length);
    if (found->second <= last)
      fail(Errc::CorruptData, "{}: declares {} in another order than {}", path(),
           printable(contig.name), whose);
    last = found->second;
  }
}

std::uint32_t GvcfRecords::parse_number(std::string_view text, std::string_view what) const {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    fail(Errc::CorruptData, "{}: expected a number as {}, found \"{}\"", lines_.where(line_), what,
         printable(text));
  return value;
}

bool GvcfRecords::next(GvcfRecord& out) {
  while (lines_.next(line_)) {
    out = {};
    if (fill(out)) return true;
  }
  return false;
}

bool GvcfRecords::fill(GvcfRecord& out) {
  const std::string_view name = line_.column(VcfColumn::Contig);
  if (name != contig_name_) {
    const auto found = std::ranges::lower_bound(
        order_, name, {}, [](const auto& e) { return std::string_view(e.first); });
    if (found == order_.end() || found->first != name)
      fail(Errc::CorruptData, "{}: the header does not declare this contig", lines_.where(line_));
    if (any_contig_ && found->second < contig_)
      fail(Errc::CorruptData, "{}: comes behind {}, which the header declares later",
           lines_.where(line_), printable(contig_name_));
    contig_name_ = name;
    contig_ = found->second;
    any_contig_ = true;
  }
  out.contig = contig_;
  out.begin = line_.position();
  std::vector<std::size_t> kept;
  if (!read_alleles(out, kept)) return false;
  out.end = out.begin + static_cast<std::uint32_t>(out.alleles[0].size());
  bool present = false;
  const std::string_view end = info_value(line_.column(VcfColumn::Info), "END", present);
  if (present && out.block) {
    out.end = parse_number(end, "END");
    if (out.end <= out.begin)
      fail(Errc::CorruptData, "{}: END is {}, before the record's beginning", lines_.where(line_),
           out.end);
  }
  for (const std::string_view filter : split_views(line_.column(VcfColumn::Filter), ';'))
    out.filtered_strand |= filter == "StrandBias";
  return read_sample(out, kept);
}

/// `kept` are the numbers in the file of alleles[1], alleles[2]...
bool GvcfRecords::read_alleles(GvcfRecord& out, std::vector<std::size_t>& kept) {
  out.alleles.emplace_back(line_.column(VcfColumn::Reference));
  kept.push_back(0);
  file_alleles_ = 1;
  has_other_ = false;
  for (const std::string_view text : split_views(line_.column(VcfColumn::Alternatives), ',')) {
    if (text == ".") continue;
    const std::size_t number = file_alleles_++;
    if (is_other(text)) {
      has_other_ = true;
      other_ = number;
    } else if (text == "*" || is_spelled(text)) {
      out.alleles.emplace_back(text);
      kept.push_back(number);
    } else {
      warnings_.add("joint.symbolic_allele",
                    fmt::format("{}: {} is not spelled out in bases; the record is left out",
                                lines_.where(line_), printable(text, 40)));
      return false;
    }
  }
  out.block = out.alleles.size() == 1;
  if (!is_spelled(out.alleles[0]))
    fail(Errc::CorruptData, "{}: REF is \"{}\", expected bases", lines_.where(line_),
         printable(out.alleles[0], 40));
  if (!out.block && !has_other_) {
    warnings_.add(
        "joint.no_other_allele",
        fmt::format("{}: has no allele <NON_REF>; the record is left out", lines_.where(line_)));
    return false;
  }
  return true;
}

bool GvcfRecords::read_sample(GvcfRecord& out, const std::vector<std::size_t>& kept) {
  const SampleFields fields(line_.rest());
  read_genotype(fields["GT"], kept, out);
  std::string_view depth = fields["DP"];
  if (depth.empty()) depth = fields["MIN_DP"];
  const bool told = !depth.empty();
  if (told) out.depth = parse_number(depth, "DP");
  if (const std::string_view depths = fields["AD"]; !depths.empty()) {
    const auto list = split_views(depths, ',');
    if (list.size() != file_alleles_)
      fail(Errc::CorruptData, "{}: AD has {} values, expected one for each of {} alleles",
           lines_.where(line_), list.size(), file_alleles_);
    for (const std::size_t allele : kept)
      out.depths.push_back(list[allele] == "." ? 0 : parse_number(list[allele], "AD"));
  }
  if (const std::string_view set = fields["PS"]; !set.empty() && out.phased)
    out.phase_set = parse_number(set, "PS");
  // A block without a read tells nothing.
  if (out.block && told && out.depth == 0) return false;
  return read_likelihoods(fields["PL"], fields["GQ"], kept, out);
}

void GvcfRecords::read_genotype(std::string_view text, const std::vector<std::size_t>& kept,
                                GvcfRecord& out) {
  if (text.empty()) return;
  out.phased = text.find('|') != std::string_view::npos && text.find('/') == std::string_view::npos;
  const std::string plain = replaced(text, '|', '/');
  const auto parts = split_views(plain, '/');
  out.ploidy = static_cast<int>(parts.size());
  if (parts.size() > kMostPloidy)
    fail(Errc::Unsupported, "{}: the genotype {} has {} alleles; expected at most {}",
         lines_.where(line_), printable(text, 40), parts.size(), kMostPloidy);
  for (const std::string_view part : parts) {
    if (part == ".") {
      out.genotype.clear();
      return;
    }
    const std::uint32_t number = parse_number(part, "allele of GT");
    if (number >= file_alleles_)
      fail(Errc::CorruptData, "{}: the genotype names allele {}, there are {}", lines_.where(line_),
           number, file_alleles_);
    const auto found = std::ranges::find(kept, number);
    out.genotype.push_back(static_cast<int>(found - kept.begin()));
  }
}

bool GvcfRecords::read_likelihoods(std::string_view text, std::string_view quality,
                                   const std::vector<std::size_t>& kept, GvcfRecord& out) {
  if (text.empty() || (out.block && !has_other_)) {
    if (!out.block || quality.empty()) {
      if (!out.block)
        warnings_.add("joint.no_likelihoods",
                      fmt::format("{}: has no PL; the record is left out", lines_.where(line_)));
      return false;
    }
    const double sure = parse_number(quality, "GQ");
    out.likelihoods = block_likelihoods(out.ploidy, sure);
    return true;
  }
  if (out.ploidy > 2 && file_alleles_ > kMostAlleles)
    fail(Errc::CorruptData, "{}: has {} alleles, expected at most {} with {} copies",
         lines_.where(line_), file_alleles_, kMostAlleles, out.ploidy);
  const std::size_t expected = genotype_count(out.ploidy, file_alleles_);
  const auto list = split_views(text, ',');
  if (list.size() != expected)
    fail(Errc::CorruptData, "{}: PL has {} values, expected {} for {} alleles{}",
         lines_.where(line_), list.size(), expected, file_alleles_,
         out.ploidy == 2 ? std::string() : fmt::format(" on {} copies", out.ploidy));
  std::vector<std::size_t> numbers = kept;
  numbers.push_back(other_);
  pick_likelihoods(list, numbers, out);
  return true;
}

/// Of the alleles that have these numbers in the file.
void GvcfRecords::pick_likelihoods(const std::vector<std::string_view>& list,
                                   const std::vector<std::size_t>& numbers, GvcfRecord& out) const {
  std::vector<std::size_t> told(static_cast<std::size_t>(out.ploidy));
  for_genotypes(out.ploidy, numbers.size(),
                [&](std::size_t, std::span<const std::size_t> genotype) {
                  std::ranges::transform(genotype, told.begin(),
                                         [&](std::size_t allele) { return numbers[allele]; });
                  std::ranges::sort(told);
                  const std::size_t place = genotype_place(std::span<const std::size_t>(told));
                  out.likelihoods.push_back(parse_number(list[place], "PL"));
                });
}

}  // namespace aceso::genomics
