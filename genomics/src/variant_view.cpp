#include "variant_view.hpp"

#include "line_file.hpp"
#include "tabix_index.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

namespace aceso::genomics {
namespace {

constexpr std::size_t kRowsAtMost = 1000, kRows = 200;
/// Of text that one page looks at, so that a request is answered within a second or so.
constexpr std::size_t kLookedAt = 32 << 20;
constexpr std::size_t kLargestHeader = 64 << 20;
constexpr std::size_t kShownLetters = 60, kShownInfo = 300, kShownSamples = 4;

const std::vector<std::string> kKinds{"SNV", "insertion", "deletion", "other"};
const std::vector<std::string> kGenotypes{"heterozygous", "homozygous", "reference", "missing"};

struct RegionWanted {
  std::string contig;
  std::uint64_t begin = 0, end = UINT64_MAX;  ///< 1-based, both inside
};

template <typename Number>
std::optional<Number> number_of(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

template <typename Number>
Number number_in(const app::ViewQuery& query, const char* key, Number otherwise) {
  const auto found = query.find(key);
  if (found == query.end() || found->second.empty()) return otherwise;
  if (const auto value = number_of<Number>(found->second)) return *value;
  fail(Errc::InvalidArgument, "{}: expected a number, found \"{}\"", key, printable(found->second));
}

std::string text_in(const app::ViewQuery& query, const char* key) {
  const auto found = query.find(key);
  return found == query.end() ? std::string() : found->second;
}

std::string choice_in(const app::ViewQuery& query, const char* key,
                      const std::vector<std::string>& choices) {
  std::string text = text_in(query, key);
  if (!text.empty() && std::ranges::find(choices, text) == choices.end())
    fail(Errc::InvalidArgument, "{}: expected one of {}, found \"{}\"", key, join(choices, ", "),
         printable(text));
  return text;
}

/// "chr1", "chr1:1,000" or "chr1:1,000-2,000". A contig's name may hold colons.
std::optional<RegionWanted> region_in(const app::ViewQuery& query) {
  std::string text = text_in(query, "region");
  std::erase(text, ' ');
  if (text.empty()) return std::nullopt;
  RegionWanted whole{.contig = text};
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return whole;
  std::string range = text.substr(colon + 1);
  std::erase(range, ',');
  const std::size_t dash = range.find('-');
  const auto begin = number_of<std::uint64_t>(std::string_view(range).substr(0, dash));
  if (!begin) return whole;
  const auto end = dash == std::string::npos
                       ? begin
                       : number_of<std::uint64_t>(std::string_view(range).substr(dash + 1));
  if (!end || *end < *begin || *begin == 0)
    fail(Errc::InvalidArgument, "region: expected chr1:1000-2000, found \"{}\"", printable(text));
  return RegionWanted{text.substr(0, colon), *begin, *end};
}

/// A record's fields, borrowed from its line.
struct VariantLine {
  std::vector<std::string_view> fields;

  /// \throws Error CorruptData naming the line.
  void split(std::string_view line, std::string_view name) {
    fields.clear();
    while (true) {
      const std::size_t tab = line.find('\t');
      fields.push_back(line.substr(0, tab));
      if (tab == std::string_view::npos) break;
      line.remove_prefix(tab + 1);
    }
    if (fields.size() < 8 || !number_of<std::uint64_t>(fields[1]))
      fail(Errc::CorruptData, "{}: expected a VCF record, found \"{}\"", name,
           printable(fields[0], 60));
  }
  [[nodiscard]] std::uint64_t position() const { return *number_of<std::uint64_t>(fields[1]); }

  /// Of the first sample, without its likelihoods and such.
  [[nodiscard]] std::string_view genotype(std::size_t sample) const {
    if (9 + sample >= fields.size() || !fields[8].starts_with("GT")) return {};
    return fields[9 + sample].substr(0, fields[9 + sample].find(':'));
  }

  /// By the first alternative.
  [[nodiscard]] std::string_view kind() const {
    const std::string_view reference = fields[3], other = fields[4].substr(0, fields[4].find(','));
    if (other.empty() || other == "." || other.find_first_of("<*[]") != std::string_view::npos)
      return "other";
    if (reference.size() == other.size()) return reference.size() == 1 ? "SNV" : "other";
    return reference.size() < other.size() ? "insertion" : "deletion";
  }
};

std::string_view genotype_class(std::string_view genotype) {
  const std::size_t bar = genotype.find_first_of("/|");
  const std::string_view one = genotype.substr(0, bar),
                         two = bar == std::string_view::npos ? one : genotype.substr(bar + 1);
  if (one.empty() || one == "." || two == ".") return "missing";
  if (one != two) return "heterozygous";
  return one == "0" ? "reference" : "homozygous";
}

bool holds(std::string_view line, const std::string& lower_words) {
  return std::search(line.begin(), line.end(), lower_words.begin(), lower_words.end(),
                     [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; }) !=
         line.end();
}

/// What people have asked for.
struct Wanted {
  explicit Wanted(const app::ViewQuery& query)
      : region(region_in(query)),
        kind(choice_in(query, "kind", kKinds)),
        filter(choice_in(query, "filter", {"PASS", "not PASS"})),
        genotype(choice_in(query, "genotype", kGenotypes)),
        words(to_lower(text_in(query, "text"))),
        quality(number_in<double>(query, "quality", -1)) {}

  [[nodiscard]] bool takes(const VariantLine& record, std::string_view line) const {
    if (region && !overlaps(record)) return false;
    if (!kind.empty() && record.kind() != kind) return false;
    const bool passed = record.fields[6] == "PASS" || record.fields[6] == ".";
    if (!filter.empty() && passed != (filter == "PASS")) return false;
    if (!genotype.empty() && genotype_class(record.genotype(0)) != genotype) return false;
    if (quality >= 0 && number_of<double>(record.fields[5]).value_or(-1) < quality) return false;
    return words.empty() || holds(line, words);
  }

  [[nodiscard]] bool overlaps(const VariantLine& record) const {
    const std::uint64_t begin = record.position(), end = begin + record.fields[3].size() - 1;
    return record.fields[0] == region->contig && begin <= region->end && end >= region->begin;
  }

  std::optional<RegionWanted> region;
  std::string kind, filter, genotype, words;
  double quality;
};

std::string shortened(std::string_view text, std::size_t size) {
  return printable(text.size() > size ? std::string(text.substr(0, size)) + "…" : std::string(text),
                   size + 8);
}

Json row_of(const VariantLine& record, std::size_t samples) {
  const auto& f = record.fields;
  Json row = {printable(f[0]),
              printable(f[1]),
              shortened(f[3], kShownLetters),
              shortened(f[4], kShownLetters),
              record.kind(),
              printable(f[5]),
              printable(f[6])};
  for (std::size_t s = 0; s < samples; ++s) row.push_back(printable(record.genotype(s)));
  row.push_back(shortened(f[2], kShownLetters));
  row.push_back(shortened(f[7], kShownInfo));
  return row;
}

class VariantPage {
 public:
  VariantPage(const app::ViewSource& source, const app::ViewQuery& query)
      : source_(source), wanted_(query), file_(source.file, source.file_name) {
    limit_ = number_in<std::size_t>(query, "limit", kRows);
    if (limit_ == 0 || limit_ > kRowsAtMost)
      fail(Errc::InvalidArgument, "limit: expected a number from 1 to {}", kRowsAtMost);
    cursor_ = text_in(query, "cursor");
  }

  Json make() {
    read_header();
    go_to_beginning();
    Json rows = Json::array();
    std::string_view line;
    VariantLine record;
    std::size_t looked_at = 0;
    while (!ended_ && rows.size() < limit_ && looked_at < kLookedAt) {
      if (!file_.next(line)) {
        ended_ = true;
        break;
      }
      looked_at += line.size() + 1;
      // (An index may point before the first record.)
      if (line.empty() || line.starts_with('#')) continue;
      record.split(line, source_.file_name);
      if (is_behind(record)) {
        ended_ = true;
        break;
      }
      if (wanted_.takes(record, line)) rows.push_back(row_of(record, samples_.size()));
    }
    Json next = nullptr;
    if (!ended_) next = std::to_string(file_.place());
    return {{"columns", columns()},
            {"rows", std::move(rows)},
            {"next", std::move(next)},
            {"share", ended_ ? 1.0 : file_.share()}};
  }

 private:
  void read_header() {
    std::string_view line;
    std::size_t size = 0;
    while (file_.next(line)) {
      size += line.size();
      if (size == line.size() && !line.starts_with("##fileformat=VCF"))
        fail(line.starts_with("BCF") ? Errc::Unsupported : Errc::CorruptData, "{}: {}",
             source_.file_name,
             line.starts_with("BCF") ? "BCF is not shown row by row; bcftools view makes VCF of it"
                                     : "no VCF: expected ##fileformat in its first line");
      if (line.starts_with("#CHROM")) return name_samples(line);
      if (!line.starts_with("##") || size > kLargestHeader) break;
    }
    fail(Errc::CorruptData, "{}: the header of the VCF has no line #CHROM", source_.file_name);
  }

  void name_samples(std::string_view line) {
    const std::vector<std::string> names = split(line, '\t');
    for (std::size_t i = 9; i < names.size() && samples_.size() < kShownSamples; ++i)
      samples_.push_back(printable(names[i]));
  }

  void go_to_beginning() {
    if (!cursor_.empty()) {
      const auto place = number_of<std::uint64_t>(cursor_);
      if (!place) fail(Errc::InvalidArgument, "cursor: expected what a page before has told");
      return file_.seek(*place);
    }
    if (!wanted_.region || source_.index < 0) return;
    const auto place = find_in_tabix(source_.index, source_.file_name, wanted_.region->contig,
                                     std::max<std::uint64_t>(wanted_.region->begin, 1) - 1);
    if (place)
      file_.seek(*place);
    else
      ended_ = true;
  }

  /// Whether no record of the region can follow. (A file with an index is sorted.)
  [[nodiscard]] bool is_behind(const VariantLine& record) {
    if (!wanted_.region || source_.index < 0) return false;
    return record.fields[0] != wanted_.region->contig || record.position() > wanted_.region->end;
  }

  [[nodiscard]] Json columns() const {
    Json out = {"Contig", "Position", "Reference", "Alternatives", "Kind", "Quality", "Filter"};
    for (const std::string& sample : samples_) out.push_back(sample);
    out.push_back("ID");
    out.push_back("INFO");
    return out;
  }

  const app::ViewSource& source_;
  Wanted wanted_;
  LineFile file_;
  std::size_t limit_ = kRows;
  std::string cursor_;
  std::vector<std::string> samples_;
  bool ended_ = false;
};

}  // namespace

app::FileView variant_view() {
  return {.kind = "vcf",
          .noun = "variants",
          .index_endings = {".tbi"},
          .filters = {{.name = "region", .label = "Region", .placeholder = "chr1:1,000-2,000"},
                      {.name = "kind", .label = "Kind", .choices = kKinds},
                      {.name = "filter", .label = "Filter", .choices = {"PASS", "not PASS"}},
                      {.name = "quality", .label = "Quality at least", .placeholder = "20"},
                      {.name = "genotype", .label = "Genotype", .choices = kGenotypes},
                      {.name = "text", .label = "Text", .placeholder = "any field"}},
          .page = [](const app::ViewSource& source, const app::ViewQuery& query) {
            return VariantPage(source, query).make();
          }};
}

}  // namespace aceso::genomics
