#include "sam_header_rules.hpp"

#include "field_rules.hpp"

#include <algorithm>

namespace aceso::genomics {
namespace {

constexpr std::int64_t kLongestContig = (1LL << 31) - 1;

constexpr std::string_view kNameBegins =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&+./:;?@^_|~-";

bool all_of(std::string_view text, std::string_view letters) {
  return text.find_first_not_of(letters) == std::string_view::npos;
}

/// [0-9]+\.[0-9]+
bool is_version(std::string_view text) {
  const std::size_t dot = text.find('.');
  return dot != std::string_view::npos && all_digits(text.substr(0, dot)) &&
         all_digits(text.substr(dot + 1));
}

/// (coordinate|queryname|unsorted)(:[A-Za-z0-9_-]+)+
bool is_sub_order(std::string_view text) {
  const std::string_view first = take_part(text, ':');
  if (first != "coordinate" && first != "queryname" && first != "unsorted") return false;
  bool good = true;
  for_parts(text, ':', [&](std::string_view part) {
    good = good && !part.empty() && std::ranges::all_of(part, [](char c) {
             return is_letter(c) || is_digit(c) || c == '_' || c == '-';
           });
  });
  return good;
}

/// Of SS; what SO contradicts is not meant.
NameOrder name_order_of(std::string_view sub_order) {
  if (take_part(sub_order, ':') != "queryname") return NameOrder::Either;
  const std::string_view term = take_part(sub_order, ':');
  if (term == "natural") return NameOrder::Natural;
  return term == "lexicographical" ? NameOrder::Lexicographical : NameOrder::Other;
}

bool is_md5(std::string_view text) { return text.size() == 32 && all_of(text, "0123456789abcdef"); }

/// Whether `text` has the shape of `pattern`, where 9 stands for a digit.
bool has_shape(std::string_view text, std::string_view pattern) {
  return std::ranges::equal(text, pattern,
                            [](char c, char p) { return p == '9' ? is_digit(c) : c == p; });
}

/// Z, or an offset from it: +hh, +hhmm, +hh:mm; or nothing, the local time.
bool is_zone(std::string_view text) {
  if (text.empty() || text == "Z") return true;
  if (text[0] != '+' && text[0] != '-') return false;
  text.remove_prefix(1);
  return has_shape(text, "99") || has_shape(text, "9999") || has_shape(text, "99:99");
}

bool is_time(std::string_view text) {
  const std::size_t zone = std::min(text.find_first_of("Z+-"), text.size());
  if (!is_zone(text.substr(zone))) return false;
  text = text.substr(0, zone);
  const std::size_t dot = text.find_first_of(".,");
  if (dot != std::string_view::npos) {
    if (!all_digits(text.substr(dot + 1))) return false;
    text = text.substr(0, dot);
  }
  return has_shape(text, "99") || has_shape(text, "9999") || has_shape(text, "99:99") ||
         has_shape(text, "999999") || has_shape(text, "99:99:99");
}

/// A date, or date and time, of ISO 8601.
bool is_iso_date(std::string_view text) {
  const std::size_t t = text.find('T');
  const std::string_view date = text.substr(0, t);
  if (!has_shape(date, "9999-99-99") && !has_shape(date, "99999999")) return false;
  const std::string_view month = date.size() == 10 ? date.substr(5, 2) : date.substr(4, 2);
  const std::string_view day = date.substr(date.size() - 2);
  if (month < "01" || month > "12" || day < "01" || day > "31") return false;
  return t == std::string_view::npos || is_time(text.substr(t + 1));
}

}  // namespace

bool is_contig_name(std::string_view name) noexcept {
  if (name.empty() || name.find_first_of("*=") == 0) return false;
  return std::ranges::all_of(
      name, [](char c) { return c == '*' || c == '=' || kNameBegins.find(c) != kNameBegins.npos; });
}

void SamHeaderRules::split(std::string_view type, std::string_view rest) {
  fields_.clear();
  if (rest.empty()) {
    findings_.error("INVALID_HEADER_FIELD", "@{} has no fields", type);
    return;
  }
  for_parts(rest, '\t', [&](std::string_view field) {
    if (field.size() < 4 || field[2] != ':' || !is_letter(field[0]) ||
        !(is_letter(field[1]) || is_digit(field[1]))) {
      findings_.error("INVALID_HEADER_FIELD", "expected TAG:VALUE in @{}, found {}", type,
                      shown(field));
      return;
    }
    const Field made{field.substr(0, 2), field.substr(3)};
    const bool free_text = made.tag == "DS" || made.tag == "CL";
    const bool plain = all_within(made.value, ' ', '~');
    if (!plain && !(free_text && is_utf8(made.value)))
      findings_.error("INVALID_HEADER_FIELD", "expected printable ASCII in {} of @{}, found {}",
                      made.tag, type, shown(made.value));
    if (value(made.tag))
      findings_.error("DUPLICATE_HEADER_TAG", "{} comes twice in one @{} line", made.tag, type);
    else
      fields_.push_back(made);
  });
}

std::optional<std::string_view> SamHeaderRules::value(std::string_view tag) const noexcept {
  const auto found = std::ranges::find(fields_, tag, &Field::tag);
  return found == fields_.end() ? std::nullopt : std::optional(found->value);
}

std::string_view SamHeaderRules::required(std::string_view type, std::string_view tag) {
  if (const auto found = value(tag)) return *found;
  findings_.error("HEADER_TAG_MISSING", "expected {} in @{}", tag, type);
  return {};
}

void SamHeaderRules::one_of(std::string_view tag, std::initializer_list<std::string_view> values) {
  const auto found = value(tag);
  if (!found || std::ranges::find(values, *found) != values.end()) return;
  findings_.error("INVALID_HEADER_VALUE", "{} is {}; expected one of {}", tag, shown(*found),
                  fmt::join(values, ", "));
}

void SamHeaderRules::add(std::string_view line) {
  ++lines_;
  const std::string_view type = line.substr(1, 2);
  if (line.size() < 3 || (line.size() > 3 && line[3] != '\t')) {
    findings_.error("INVALID_HEADER_LINE", "expected @ and a record type of two letters, found {}",
                    shown(line.substr(0, 8)));
    return;
  }
  if (type == "CO") {
    if (line.size() > 3 && !is_utf8(line))
      findings_.error("INVALID_HEADER_FIELD", "a comment is not UTF-8");
    return;
  }
  if (type != "HD" && type != "SQ" && type != "RG" && type != "PG") {
    findings_.error("UNRECOGNIZED_HEADER_TYPE", "expected @HD, @SQ, @RG, @PG or @CO, found {}",
                    shown(line.substr(0, 3)));
    return;
  }
  split(type, line.size() > 4 ? line.substr(4) : std::string_view());
  if (type == "HD") check_file_line();
  if (type == "SQ") check_contig_line();
  if (type == "RG") check_read_group();
  if (type == "PG") check_program();
}

void SamHeaderRules::check_file_line() {
  if (has_file_line_)
    findings_.error("DUPLICATE_HEADER_LINE", "@HD comes twice");
  else if (lines_ > 1)
    findings_.error("HEADER_LINE_NOT_FIRST", "@HD is not the first line");
  has_file_line_ = true;
  const std::string_view version = required("HD", "VN");
  if (!version.empty() && !is_version(version))
    findings_.error("INVALID_VERSION_NUMBER", "VN is {}; expected a version such as 1.6",
                    shown(version));
  one_of("SO", {"unknown", "unsorted", "queryname", "coordinate"});
  one_of("GO", {"none", "query", "reference"});
  const std::string_view order = value("SO").value_or("");
  if (order == "coordinate") order_ = SamOrder::Coordinate;
  if (order == "queryname") order_ = SamOrder::QueryName;
  const auto sub_order = value("SS");
  if (!sub_order) return;
  name_order_ = name_order_of(*sub_order);
  if (!is_sub_order(*sub_order))
    findings_.error("INVALID_HEADER_VALUE",
                    "SS is {}; expected an order, a colon and a name such as coordinate:queryname",
                    shown(*sub_order));
  else if (!order.empty() && !sub_order->starts_with(order))
    findings_.warn("INVALID_HEADER_VALUE", "SS is {}, which does not begin with the SO of {}",
                   shown(*sub_order), order);
}

void SamHeaderRules::check_contig_line() {
  const std::string_view name = required("SQ", "SN");
  const std::string_view length = required("SQ", "LN");
  if (!name.empty() && !is_contig_name(name))
    findings_.error("INVALID_SEQUENCE_NAME", "{} may not name a sequence", shown(name));
  const std::int64_t parsed = all_digits(length) ? try_parse_integer(length).value_or(0) : 0;
  const bool good = parsed >= 1 && parsed <= kLongestContig;
  if (!length.empty() && !good)
    findings_.error("INVALID_SEQUENCE_LENGTH", "LN is {}; expected 1 to {}", shown(length),
                    kLongestContig);
  if (!name.empty()) add_contig(name, good ? parsed : 0);
  if (const auto names = value("AN")) check_other_names(name, *names);
  if (const auto md5 = value("M5")) {
    if (!is_md5(*md5))
      findings_.error("INVALID_HEADER_VALUE", "M5 is {}; expected 32 digits 0-9, a-f", shown(*md5));
    else
      md5s_.emplace(name, *md5);
  }
  one_of("TP", {"linear", "circular"});
  if (const auto locus = value("AH"); locus && *locus != "*") {
    const std::size_t colon = locus->rfind(':');
    const std::string_view range =
        colon == std::string_view::npos ? std::string_view() : locus->substr(colon + 1);
    const std::size_t dash = range.find('-');
    const bool interval = dash != std::string_view::npos && all_digits(range.substr(0, dash)) &&
                          all_digits(range.substr(dash + 1));
    if (!is_contig_name(*locus) || (colon != std::string_view::npos && !interval))
      findings_.error("INVALID_HEADER_VALUE", "AH is {}; expected *, CHR or CHR:START-END",
                      shown(*locus));
  }
}

void SamHeaderRules::add_contig(std::string_view name, std::int64_t length) {
  if (contigs_.contains(name)) {
    findings_.error("DUPLICATE_SEQUENCE_NAME", "the sequence {} comes twice", shown(name));
    return;
  }
  if (other_names_.contains(name))
    findings_.error("DUPLICATE_SEQUENCE_NAME", "{} is another sequence's other name (AN)",
                    shown(name));
  contigs_.emplace(name, SamContig{static_cast<std::uint32_t>(contigs_.size()), length});
}

void SamHeaderRules::check_other_names(std::string_view name, std::string_view names) {
  for_parts(names, ',', [&](std::string_view other) {
    const bool good = !other.empty() && other[0] != '*' && other[0] != '=' && is_contig_name(other);
    if (!good)
      findings_.error("INVALID_SEQUENCE_NAME", "AN holds {}, which may not name a sequence",
                      shown(other));
    else if ((other != name && contigs_.contains(other)) || !other_names_.emplace(other).second)
      findings_.error("DUPLICATE_SEQUENCE_NAME", "AN holds {}, which names another sequence",
                      shown(other));
  });
}

void SamHeaderRules::check_read_group() {
  const std::string_view id = required("RG", "ID");
  if (!id.empty() && !read_groups_.emplace(id).second)
    findings_.error("DUPLICATE_READ_GROUP_ID", "the read group {} comes twice", shown(id));
  if (const auto date = value("DT")) check_date(*date);
  if (const auto flow = value("FO"); flow && *flow != "*" && !all_of(*flow, "ACMGRSVTWYHKDBN"))
    findings_.error("INVALID_HEADER_VALUE", "FO is {}; expected * or nucleotides", shown(*flow));
  if (const auto key = value("KS"); key && !all_of(*key, "ACMGRSVTWYHKDBNacmgrsvtwyhkdbn"))
    findings_.error("INVALID_HEADER_VALUE", "KS is {}; expected nucleotides", shown(*key));
  if (const auto barcode = value("BC");
      barcode && !all_of(*barcode, "ACMGRSVTWYHKDBNacmgrsvtwyhkdbn-+"))
    findings_.warn("INVALID_HEADER_VALUE", "BC is {}; expected barcodes joined by -",
                   shown(*barcode));
  if (const auto size = value("PI"); size && !is_decimal(*size))
    findings_.error("INVALID_PREDICTED_MEDIAN_INSERT_SIZE", "PI is {}; expected a number",
                    shown(*size));
  if (const auto program = value("PG")) of_group_.emplace_back(id, *program);
  check_platform();
}

void SamHeaderRules::check_date(std::string_view date) {
  if (is_iso_date(date)) return;
  const std::string_view begin = date.substr(0, date.find_last_not_of(' ') + 1);
  if (is_iso_date(begin))
    findings_.warn("INVALID_DATE_STRING", "DT is {}, with blanks behind it", shown(date));
  else
    findings_.error("INVALID_DATE_STRING", "DT is {}; expected a date of ISO 8601", shown(date));
}

void SamHeaderRules::check_platform() {
  static constexpr std::string_view kPlatforms[] = {"CAPILLARY", "DNBSEQ",     "ELEMENT", "HELICOS",
                                                    "ILLUMINA",  "IONTORRENT", "LS454",   "ONT",
                                                    "PACBIO",    "SINGULAR",   "SOLID",   "ULTIMA"};
  const auto platform = value("PL");
  if (!platform) {
    findings_.warn("MISSING_PLATFORM_VALUE", "the read group has no platform (PL)");
    return;
  }
  if (std::ranges::find(kPlatforms, *platform) != std::end(kPlatforms)) return;
  // (In lower case it is common, and no valid value all the same.)
  findings_.error("INVALID_PLATFORM_VALUE", "PL is {}; expected one of {}, or no PL",
                  shown(*platform), fmt::join(kPlatforms, ", "));
}

void SamHeaderRules::check_program() {
  const std::string_view id = required("PG", "ID");
  if (id.empty()) return;
  if (!programs_.emplace(id, value("PP").value_or("")).second)
    findings_.error("DUPLICATE_PROGRAM_GROUP_ID", "the program {} comes twice", shown(id));
}

void SamHeaderRules::finish() {
  for (const auto& [id, previous] : programs_) {
    if (!previous.empty() && !programs_.contains(previous))
      findings_.error("PROGRAM_GROUP_NOT_FOUND",
                      "PP of the program {} names {}, which is not there", shown(id),
                      shown(previous));
    // A chain that does not end goes round.
    std::string_view at = previous;
    std::size_t steps = 0;
    while (!at.empty() && steps <= programs_.size()) {
      const auto next = programs_.find(at);
      at = next == programs_.end() ? std::string_view() : std::string_view(next->second);
      ++steps;
    }
    if (steps > programs_.size())
      findings_.error("PROGRAM_GROUP_CYCLE", "the chain of PP from the program {} has no end",
                      shown(id));
  }
  for (const auto& [group, program] : of_group_) {
    if (!programs_.contains(program))
      findings_.warn("PROGRAM_GROUP_NOT_FOUND", "PG of the read group {} names {}, which is no @PG",
                     shown(group), shown(program));
  }
}

void SamHeaderRules::compare(const Reference& reference) const {
  for (const auto& [contig_name, contig] : contigs_) {
    const int found = reference.find(contig_name);
    if (found < 0) {
      findings_.warn("SEQUENCE_NOT_IN_REFERENCE", "{} is not in the reference", shown(contig_name));
      continue;
    }
    const Contig& known = reference.contigs()[static_cast<std::size_t>(found)];
    if (contig.length != 0 && contig.length != known.length)
      findings_.error("MISMATCH_SEQUENCE_LENGTH", "{} has {} bases here, {} in the reference",
                      shown(contig_name), contig.length, known.length);
    const auto md5 = md5s_.find(contig_name);
    if (md5 != md5s_.end() && !known.md5.empty() && md5->second != known.md5)
      findings_.error("MISMATCH_SEQUENCE_MD5", "M5 of {} is {}, the reference's {}",
                      shown(contig_name), md5->second, known.md5);
  }
}

const SamHeaderRules::SamContig* SamHeaderRules::contig(std::string_view name) const noexcept {
  const auto found = contigs_.find(name);
  return found == contigs_.end() ? nullptr : &found->second;
}

}  // namespace aceso::genomics
