#include "vcf_header_rules.hpp"

#include "field_rules.hpp"
#include "vcf_lines.hpp"

#include <algorithm>

namespace aceso::genomics {
namespace {

constexpr std::string_view kColumns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO";

/// [A-Za-z_][0-9A-Za-z_.]*, which INFO and FORMAT keys are from 4.3 on.
bool is_key(std::string_view text) {
  if (text.empty() || !(is_letter(text[0]) || text[0] == '_')) return false;
  return std::ranges::all_of(
      text, [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '.'; });
}

bool holds_any(std::string_view text, std::string_view letters) {
  return text.find_first_of(letters) != std::string_view::npos;
}

/// scheme:rest, or a path.
/// The host of "scheme://user@host:port/path" (RFC 3986); empty if there is none.
std::string_view host_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  std::string_view authority = url.substr(scheme + 3);
  authority = authority.substr(0, authority.find('/'));
  authority = authority.substr(authority.rfind('@') + 1);
  return authority.starts_with('[') ? authority : authority.substr(0, authority.find(':'));
}

/// A URL or path. (A host of digits alone is a port that lost its host.)
bool is_location(std::string_view text) {
  return !text.empty() && !holds_any(text, " \t<>\"") && holds_any(text, ":/.") &&
         !all_digits(host_of(text));
}

/// IDs in use for other things than structural variants: alleles that were not seen, copy numbers
/// (CN0, of the 1000 Genomes), and IUPAC letters.
bool is_of_no_structure(std::string_view id) {
  if (id == "NON_REF" || id == "*" || id == "X") return true;
  if (id.starts_with("CN") && all_digits(id.substr(2))) return true;
  return id.size() == 1 && std::string_view("RYSWKMBDHVN").find(id[0]) != std::string_view::npos;
}

}  // namespace

bool VcfHeaderRules::add(std::string_view line) {
  ++lines_;
  if (lines_ == 1) check_version(line);
  if (line.starts_with("##")) {
    if (lines_ > 1) check_meta(line.substr(2));
    return false;
  }
  check_columns(line);
  return true;
}

void VcfHeaderRules::check_version(std::string_view line) {
  constexpr std::string_view kBegin = "##fileformat=VCFv4.";
  const std::string_view minor = line.substr(std::min(kBegin.size(), line.size()));
  if (line.starts_with(kBegin) && minor.size() == 1 && minor[0] >= '1' && minor[0] <= '5')
    minor_ = minor[0] - '0';
  else if (line.starts_with(kBegin) && minor == "0")
    findings_.error("UNKNOWN_VERSION", "VCF 4.0; expected 4.1 or later");
  else
    findings_.error("INVALID_FILEFORMAT",
                    "expected ##fileformat=VCFv4.1 to VCFv4.5 as the first line, found {}",
                    shown(line));
}

/// Cuts `<a=b,c="d">` into entries; false if it is no such thing.
bool VcfHeaderRules::split(std::string_view key, std::string_view text) {
  entries_.clear();
  seen_.clear();
  const auto bad = [&](std::string_view what) {
    findings_.error("INVALID_META_LINE", "{} in ##{}={}", what, printable(key, 20), shown(text));
    return false;
  };
  std::size_t at = 1;
  while (true) {
    const std::size_t equal = text.find_first_of("=,>\"", at);
    if (equal == text.npos || text[equal] != '=' || equal == at) return bad("expected KEY=VALUE");
    Entry made{text.substr(at, equal - at), {}, false};
    if (holds_any(made.key, " \t") && made.key.find_first_not_of(' ') != 0) return bad("a blank");
    at = equal + 1;
    std::size_t end = at;
    if (at < text.size() && text[at] == '"') {
      made.quoted = true;
      for (end = at + 1; end < text.size() && text[end] != '"'; ++end) {
        if (text[end] == '\\') ++end;
      }
      if (end >= text.size()) return bad("a quote that does not end");
      made.value = text.substr(at + 1, end - at - 1);
      ++end;
    } else if (at < text.size() && text[at] == '[') {
      end = text.find(']', at);
      if (end == text.npos) return bad("a list that does not end");
      ++end;
      made.value = text.substr(at, end - at);
    } else {
      // (The last > ends the line: IDs may hold others, which are told of as such.)
      end = std::min(text.find(',', at), text.size() - 1);
      made.value = text.substr(at, end - at);
      if (made.value.find('"') != made.value.npos && key != "ALT")
        return bad("a quote inside a value");
    }
    if (!seen_.add(made.key))
      findings_.error("DUPLICATE_META_KEY", "{} comes twice in ##{}", shown(made.key), key);
    entries_.push_back(made);
    if (end >= text.size()) return bad("no > at the end");
    if (text[end] == '>' && end + 1 == text.size()) return true;
    if (text[end] != ',') return bad("expected , or >");
    at = end + 1;
  }
}

const VcfHeaderRules::Entry* VcfHeaderRules::entry(std::string_view key) const noexcept {
  const auto found = std::ranges::find(entries_, key, &Entry::key);
  return found == entries_.end() ? nullptr : &*found;
}

std::string_view VcfHeaderRules::required(std::string_view line_key, std::string_view key) {
  const Entry* found = entry(key);
  if (found != nullptr && !found->value.empty()) return found->value;
  findings_.error("META_KEY_MISSING", "expected {} in ##{}", key, line_key);
  return {};
}

void VcfHeaderRules::check_meta(std::string_view line) {
  const std::size_t equal = line.find('=');
  const std::string_view key = line.substr(0, equal);
  if (equal == line.npos || key.empty() || equal + 1 == line.size()) {
    findings_.error("INVALID_META_LINE", "expected ##KEY=VALUE, found {}",
                    shown("##" + std::string(line)));
    return;
  }
  const std::string_view value = line.substr(equal + 1);
  if (key == "fileformat") {
    findings_.error("DUPLICATE_META_LINE", "##fileformat comes twice");
    return;
  }
  if (key == "assembly" || key == "pedigreeDB") return check_location(key, value);
  const bool known = key == "INFO" || key == "FORMAT" || key == "FILTER" || key == "ALT" ||
                     key == "contig" || key == "SAMPLE" || key == "PEDIGREE" || key == "META";
  if (value[0] != '<') {
    if (known)
      findings_.error("INVALID_META_LINE", "expected ##{}=<…>, found {}", key, shown(value));
    return;
  }
  if (!split(key, value)) return;
  if (key == "INFO") check_field(key, info_);
  if (key == "FORMAT") check_field(key, format_);
  if (key == "FILTER") check_filter();
  if (key == "ALT") check_allele();
  if (key == "contig") check_contig();
  if (key != "INFO" && key != "FORMAT" && key != "FILTER" && key != "ALT" && key != "contig")
    check_other(key);
}

void VcfHeaderRules::check_description(std::string_view line_key) {
  const Entry* found = entry("Description");
  if (found == nullptr)
    findings_.error("META_KEY_MISSING", "expected Description in ##{}", line_key);
  else if (!found->quoted)
    findings_.error("INVALID_META_VALUE", "Description of ##{} is not in quotes", line_key);
  for (const std::string_view key : {"Source", "Version"}) {
    const Entry* text = entry(key);
    if (text != nullptr && !text->quoted && minor_ >= 2)
      findings_.error("INVALID_META_VALUE", "{} of ##{} is not in quotes", key, line_key);
  }
}

void VcfHeaderRules::check_order(std::string_view line_key,
                                 std::initializer_list<std::string_view> keys) {
  std::size_t at = 0;
  for (const std::string_view key : keys) {
    if (entry(key) == nullptr) return;  // (told of already)
    if (at >= entries_.size() || entries_[at++].key != key) {
      findings_.error("META_KEY_ORDER", "expected {} in this order at the beginning of ##{}",
                      fmt::join(keys, ", "), line_key);
      return;
    }
  }
}

void VcfHeaderRules::check_field(std::string_view line_key, TextMap<VcfField>& fields) {
  const std::string_view id = required(line_key, "ID");
  const std::string_view number = required(line_key, "Number");
  const std::string_view type_text = required(line_key, "Type");
  check_description(line_key);
  check_order(line_key, {"ID", "Number", "Type", "Description"});
  const bool good_id = minor_ >= 3 ? is_key(id) || id == "1000G" : !holds_any(id, " \t,;=<>");
  if (!id.empty() && !good_id)
    findings_.error("INVALID_META_ID", "{} may not be the ID of ##{}", shown(id), line_key);
  const bool letter =
      number == "A" || number == "G" || number == "." || (number == "R" && minor_ >= 2) ||
      (number == "P" && minor_ >= 4) ||
      (minor_ >= 5 && (number == "LA" || number == "LR" || number == "LG" || number == "M"));
  if (!number.empty() && !letter && !all_digits(number))
    findings_.error("INVALID_META_NUMBER", "Number of {} is {}; expected digits, A, {}G or .",
                    shown(id), shown(number), minor_ >= 2 ? "R, " : "");
  const auto type = try_parse_vcf_type(type_text);
  if (!type_text.empty() && (!type || (*type == VcfType::Flag && line_key == "FORMAT")))
    findings_.error("INVALID_META_TYPE",
                    "Type of {} is {}; expected Integer, Float, {}Character or "
                    "String",
                    shown(id), shown(type_text), line_key == "INFO" ? "Flag, " : "");
  if (type == VcfType::Flag && number != "0")
    findings_.warn("INVALID_META_NUMBER", "{} is a Flag, and its Number {}; expected 0", shown(id),
                   shown(number));
  if (id.empty() || number.empty() || !type) return;
  const VcfField field{std::string(number), *type};
  check_reserved(line_key, id, field);
  if (!fields.emplace(id, field).second)
    findings_.error("DUPLICATE_META_ID", "##{} of {} comes twice", line_key, shown(id));
}

void VcfHeaderRules::check_reserved(std::string_view line_key, std::string_view id,
                                    const VcfField& field) {
  const ReservedField* known =
      line_key == "INFO" ? reserved_info(id, minor_) : reserved_format(id, minor_);
  if (known == nullptr) return;
  // (freebayes writes GQ so into each of its files.)
  const bool common = minor_ < 3 && id == "GQ" && field.type == VcfType::Float;
  if (common)
    findings_.warn("RESERVED_TYPE_MISMATCH",
                   "Type of FORMAT GQ is Float; the specification tells "
                   "Integer");
  else if (field.type != known->type && !known->any_type)
    findings_.error("RESERVED_TYPE_MISMATCH", "Type of {} {} is {}; the specification tells {}",
                    line_key, id, name(field.type), name(known->type));
  if (field.number == known->number || known->number == ".") return;
  // (Before 4.3 no table tells a Number, but the words do. Unknown is no contradiction.)
  if (field.number != ".")
    findings_.error("RESERVED_NUMBER_MISMATCH", "Number of {} {} is {}; the specification tells {}",
                    line_key, id, field.number, known->number);
  else
    findings_.warn("RESERVED_NUMBER_MISMATCH",
                   "Number of {} {} is . (unknown); the specification tells {}", line_key, id,
                   known->number);
}

void VcfHeaderRules::check_filter() {
  const std::string_view id = required("FILTER", "ID");
  check_description("FILTER");
  check_order("FILTER", {"ID", "Description"});
  if (id == "0" || holds_any(id, " \t;,"))
    findings_.error("INVALID_META_ID", "{} may not be the ID of ##FILTER", shown(id));
  if (!id.empty() && !filters_.emplace(id).second)
    findings_.error("DUPLICATE_META_ID", "##FILTER of {} comes twice", shown(id));
}

void VcfHeaderRules::check_allele() {
  static constexpr std::string_view kKinds[] = {"DEL", "INS", "DUP", "INV", "CNV", "BND"};
  const std::string_view id = required("ALT", "ID");
  check_description("ALT");
  check_order("ALT", {"ID", "Description"});
  if (holds_any(id, " \t<>,"))
    findings_.error("INVALID_META_ID", "{} may not be the ID of ##ALT", shown(id));
  else if (minor_ < 3 && !is_of_no_structure(id) &&
           std::ranges::find(kKinds, id.substr(0, id.find(':'))) == std::end(kKinds))
    findings_.error("UNKNOWN_ALT_TYPE", "ID {} of ##ALT begins with none of {}", shown(id),
                    fmt::join(kKinds, ", "));
  if (!id.empty() && !alleles_.emplace(id).second)
    findings_.error("DUPLICATE_META_ID", "##ALT of {} comes twice", shown(id));
}

void VcfHeaderRules::check_contig() {
  const std::string_view id = required("contig", "ID");
  if (!id.empty() && !is_contig_name(id))
    findings_.error("INVALID_META_ID", "{} may not name a contig", shown(id));
  std::int64_t length = 0;
  if (const Entry* told = entry("length")) {
    length = try_parse_integer(told->value).value_or(-1);
    if (length < 0)
      findings_.error("INVALID_META_VALUE", "length of the contig {} is {}", shown(id),
                      shown(told->value));
  }
  if (id.empty() || contigs_.emplace(id, std::max<std::int64_t>(length, 0)).second) return;
  findings_.warn("DUPLICATE_META_ID", "##contig of {} comes twice", shown(id));
}

/// SAMPLE, PEDIGREE, META and lines of the file's own.
void VcfHeaderRules::check_other(std::string_view line_key) {
  const Entry* id = entry("ID");
  const bool needs_id = minor_ >= 3 || line_key == "SAMPLE" || line_key == "META";
  if (id == nullptr || id->value.empty()) {
    if (needs_id) findings_.error("META_KEY_MISSING", "expected ID in ##{}", line_key);
    return;
  }
  if (line_key == "SAMPLE" && minor_ < 3) check_genomes();
  if (line_key == "META") {
    const std::string_view type = required("META", "Type");
    const std::string_view number = required("META", "Number");
    (void)required("META", "Values");
    if (!type.empty() && !try_parse_vcf_type(type))
      findings_.error("INVALID_META_TYPE", "Type of META {} is {}", shown(id->value), shown(type));
    if (!number.empty() && number != "." && !all_digits(number))
      findings_.error("INVALID_META_NUMBER", "Number of META {} is {}", shown(id->value),
                      shown(number));
  }
  if (!others_.emplace(fmt::format("{}\t{}", line_key, id->value)).second)
    findings_.warn("DUPLICATE_META_ID", "##{} of {} comes twice", line_key, shown(id->value));
}

/// What a SAMPLE line of 4.1 and 4.2 is shown to hold; callers in use write other keys.
void VcfHeaderRules::check_genomes() {
  for (const std::string_view key : {"Genomes", "Mixture"}) {
    const Entry* found = entry(key);
    if (found == nullptr)
      findings_.warn("META_KEY_MISSING", "expected {} in ##SAMPLE", key);
    else if (found->quoted)
      findings_.warn("INVALID_META_VALUE", "{} of ##SAMPLE is in quotes", key);
  }
}

void VcfHeaderRules::check_location(std::string_view line_key, std::string_view value) {
  if (value.starts_with('<') && value.ends_with('>')) value = value.substr(1, value.size() - 2);
  if (!is_location(value))
    findings_.error("INVALID_META_VALUE", "##{} is {}; expected a URL", line_key, shown(value));
}

void VcfHeaderRules::check_columns(std::string_view line) {
  const bool begins = line.starts_with(kColumns);
  if (!begins || (line.size() > kColumns.size() && line[kColumns.size()] != '\t')) {
    findings_.error("INVALID_COLUMN_LINE", "expected {}, found {}", shown(kColumns), shown(line));
    return;
  }
  const std::vector<std::string_view> columns = split_views(line, '\t');
  columns_ = columns.size();
  if (columns_ >= 9 && columns[8] != "FORMAT")
    findings_.error("INVALID_COLUMN_LINE", "expected FORMAT as column 9, found {}",
                    shown(columns[8]));
  if (columns_ == 9) findings_.error("NO_SAMPLES", "there is a column FORMAT, but no sample");
  TextSet samples;
  for (std::size_t i = 9; i < columns.size(); ++i) {
    if (columns[i].empty())
      findings_.error("INVALID_COLUMN_LINE", "the name of sample {} is empty", i - 8);
    else if (!samples.emplace(columns[i]).second)
      findings_.error("DUPLICATE_SAMPLE", "sample {} has the name of another", i - 8);
  }
}

void VcfHeaderRules::compare(const Reference& reference) const {
  for (const auto& [id, length] : contigs_) {
    const int found = reference.find(id);
    if (found < 0) {
      findings_.warn("SEQUENCE_NOT_IN_REFERENCE", "{} is not in the reference", shown(id));
      continue;
    }
    const std::uint32_t known = reference.contigs()[static_cast<std::size_t>(found)].length;
    if (length != 0 && length != known)
      findings_.error("MISMATCH_SEQUENCE_LENGTH", "{} has {} bases here, {} in the reference",
                      shown(id), length, known);
  }
}

const VcfField* VcfHeaderRules::info(std::string_view key) const noexcept {
  const auto found = info_.find(key);
  return found == info_.end() ? nullptr : &found->second;
}
const VcfField* VcfHeaderRules::format(std::string_view key) const noexcept {
  const auto found = format_.find(key);
  return found == format_.end() ? nullptr : &found->second;
}
std::optional<std::int64_t> VcfHeaderRules::contig_length(std::string_view id) const noexcept {
  const auto found = contigs_.find(id);
  return found == contigs_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace aceso::genomics
