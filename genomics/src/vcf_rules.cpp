#include "vcf_rules.hpp"

#include "field_rules.hpp"
#include "vcf_lines.hpp"

#include <algorithm>
#include <cctype>

namespace aceso::genomics {
namespace {

constexpr std::size_t kMostTold = 10'000, kMostRecent = 100'000, kLongAlleles = 1 << 24;
// The lowest eight integers of 32 bits mean other things in BCF (section 6.3.3).
constexpr std::int64_t kLeastInteger = -(1LL << 31) + 8, kMostInteger = (1LL << 31) - 1;

bool holds_blank(std::string_view text) { return text.find_first_of(" \t") != text.npos; }

bool is_float(std::string_view text) {
  if (is_decimal(text)) return true;
  if (text.ends_with('.') && is_decimal(text.substr(0, text.size() - 1))) return true;
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const std::string lower = to_lower(text);
  return lower == "nan" || lower == "inf" || lower == "infinity";
}

/// One character of UTF-8.
bool is_character(std::string_view text) {
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; };
  return !text.empty() && std::ranges::count_if(text, [&](char c) { return !continues(c); }) == 1;
}

/// Whether each % begins two hexadecimal digits.
bool is_percent_encoded(std::string_view text) {
  for (std::size_t at = text.find('%'); at != text.npos; at = text.find('%', at + 1)) {
    if (at + 2 >= text.size() || std::isxdigit(static_cast<unsigned char>(text[at + 1])) == 0 ||
        std::isxdigit(static_cast<unsigned char>(text[at + 2])) == 0)
      return false;
  }
  return true;
}

bool is_vcf_cigar(std::string_view text) {
  while (!text.empty()) {
    std::size_t digits = 0;
    while (digits < text.size() && is_digit(text[digits])) ++digits;
    if (digits == 0 || digits == text.size() ||
        std::string_view("MIDNSHP=X").find(text[digits]) == std::string_view::npos)
      return false;
    text.remove_prefix(digits + 1);
  }
  return true;
}

/// From 4.3 on [A-Za-z_][0-9A-Za-z_.]* or 1000G; before, what separates nothing.
bool is_field_key(std::string_view key, int minor) {
  if (key.empty()) return false;
  if (minor < 3) return key.find_first_of(" \t,;=") == key.npos;
  if (key == "1000G") return true;
  return (is_letter(key[0]) || key[0] == '_') && std::ranges::all_of(key, [](char c) {
           return is_letter(c) || is_digit(c) || c == '_' || c == '.';
         });
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

std::string_view plain_contig(std::string_view text) {
  return text.size() > 2 && text[0] == '<' && text.back() == '>' ? text.substr(1, text.size() - 2)
                                                                 : text;
}

}  // namespace

bool VcfRules::split(std::string_view line) {
  std::size_t count = 0;
  has_format_ = has_samples_ = false;
  std::string_view rest = line;
  bool more = true;
  for (; count < columns_.size() && more; ++count) {
    more = rest.find('\t') != rest.npos;
    columns_[count] = take_part(rest, '\t');
  }
  if (more) {
    has_format_ = true;
    ++count;
    more = rest.find('\t') != rest.npos;
    format_ = take_part(rest, '\t');
  }
  if (more) {
    has_samples_ = true;
    samples_ = rest;
    count += 1 + static_cast<std::size_t>(std::ranges::count(rest, '\t'));
  }
  if (count != header_.columns())
    findings_.error("COLUMN_COUNT", "expected {} columns as the header has, found {}{}",
                    header_.columns(), count,
                    count == 1 && holds_blank(line) ? " (columns are separated by tabs)" : "");
  return count >= columns_.size();
}

void VcfRules::check(std::string_view line) {
  if (line.empty()) {
    findings_.warn("EMPTY_LINE", "expected a record, found an empty line");
    return;
  }
  if (line[0] == '#') {
    findings_.error("HEADER_AFTER_RECORDS", "a header line stands behind the header's end");
    return;
  }
  if (!split(line)) return;
  findings_.at_position(columns_[0], columns_[1]);
  check_contig();
  check_position();
  check_order();
  check_id();
  check_reference_allele();
  check_alternatives();
  check_repeated();
  check_quality();
  check_filter();
  check_info();
  if (has_format_) check_format();
  if (has_format_ && has_samples_) check_samples();
}

bool VcfRules::first_time(std::string_view what, std::string_view name) {
  std::string key = fmt::format("{}\t{}", what, name);
  if (told_.contains(key) || told_.size() >= kMostTold) return false;
  told_.insert(std::move(key));
  return true;
}

void VcfRules::check_contig() {
  const std::string_view text = columns_[0], name = plain_contig(text);
  if (name.empty() || holds_blank(name) || name.find_first_of("<>,") != name.npos) {
    findings_.error("INVALID_CHROM", "CHROM is {}; expected a name without blanks, <, > and commas",
                    shown(text));
    return;
  }
  // (From 4.3 on names are those of SAM, which may hold colons.)
  if (header_.minor() < 3 && name.find(':') != name.npos)
    findings_.error("INVALID_CHROM", "CHROM is {}; expected a name without colons", shown(text));
  else if (header_.minor() >= 3 && name.size() == text.size() && !is_contig_name(name))
    findings_.error("INVALID_CHROM", "CHROM is {}, which may not name a contig", shown(text));
  if (name.size() == text.size() && !header_.contig_length(name) && first_time("CHROM", name))
    findings_.warn("UNDECLARED_CONTIG", "no ##contig tells of {}", shown(name));
}

void VcfRules::check_position() {
  const std::string_view text = columns_[1];
  const auto value = all_digits(text) ? try_parse_integer(text) : std::nullopt;
  position_good_ = value && *value <= kMostInteger;
  position_ = position_good_ ? *value : 0;
  if (!position_good_) {
    findings_.error("INVALID_POS", "POS is {}; expected an integer from 0 to {}", shown(text),
                    kMostInteger);
    return;
  }
  const auto length = header_.contig_length(columns_[0]);
  // (The telomere is one behind the end.)
  if (length && *length > 0 && position_ > *length + 1)
    findings_.warn("POS_BEHIND_CONTIG", "POS is {}, the contig ends at {}", position_, *length);
}

void VcfRules::check_order() {
  const std::string_view name = plain_contig(columns_[0]);
  if (name != contig_) {
    contig_ = name;
    recent_.clear();
    last_position_ = 0;
    if (!contigs_seen_.emplace(contig_).second)
      findings_.error("CONTIG_NOT_CONTIGUOUS", "records of {} stand in two places", shown(name));
  }
  if (!position_good_) return;
  if (position_ < last_position_)
    findings_.error("RECORD_OUT_OF_ORDER", "POS is {}, behind {}", position_, last_position_);
  last_position_ = position_;
}

void VcfRules::check_id() {
  const std::string_view text = columns_[2];
  if (text == ".") return;
  bool good = !text.empty() && !holds_blank(text);
  seen_.clear();
  for_parts(text, ';', [&](std::string_view id) {
    good = good && !id.empty();
    if (!seen_.add(id)) findings_.error("DUPLICATE_ID", "ID holds {} twice", shown(id));
  });
  if (!good)
    findings_.error("INVALID_ID", "ID is {}; expected ., or names between ; without blanks",
                    shown(text));
}

void VcfRules::check_reference_allele() {
  const std::string_view text = columns_[3];
  if (!are_vcf_bases(text)) {
    findings_.error("INVALID_REF", "REF is {}; expected letters of ACGTN", shown(text));
    return;
  }
  if (reference_ == nullptr || !position_good_ || position_ == 0) return;
  const int found = reference_->find(columns_[0]);
  if (found < 0) {
    if (first_time("reference", columns_[0]))
      findings_.warn("SEQUENCE_NOT_IN_REFERENCE", "{} is not in the reference", shown(columns_[0]));
    return;
  }
  const auto codes = reference_->codes(static_cast<std::uint32_t>(found));
  const auto begin = static_cast<std::size_t>(position_ - 1);
  if (begin + text.size() > codes.size()) {
    findings_.error("REF_MISMATCH", "REF ends behind the contig, which has {} bases", codes.size());
    return;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::uint8_t mine = code_of_base(text[i]), theirs = codes[begin + i];
    if (mine == theirs || mine >= kCodeN || theirs >= kCodeN) continue;
    findings_.error("REF_MISMATCH", "base {} of REF is {}, the reference's is {}", i + 1, text[i],
                    base_of_code(theirs));
    return;
  }
}

void VcfRules::check_alternatives() {
  alternatives_.clear();
  const std::string_view text = columns_[4];
  no_alternative_ = text == ".";
  if (no_alternative_) return;
  seen_.clear();
  for_parts(text, ',', [&](std::string_view allele) {
    if (!is_vcf_alternative(allele))
      findings_.error("INVALID_ALT", "{} is no allele; expected bases, <ID>, *, or a breakend",
                      shown(allele));
    else if (!seen_.add(allele))
      findings_.error("DUPLICATE_ALLELE", "ALT holds {} twice", shown(allele));
    else if (allele.size() == columns_[3].size() && upper(allele) == upper(columns_[3]))
      findings_.error("DUPLICATE_ALLELE", "ALT holds REF");
    if (allele.size() > 2 && allele[0] == '<' && allele != "<*>") {
      const std::string_view id = plain_contig(allele);
      if (!header_.has_allele(id) && first_time("ALT", id))
        findings_.warn("UNDECLARED_ALT", "no ##ALT tells of {}", shown(allele));
    }
    alternatives_.push_back(allele);
  });
}

/// The same change told twice, be it by other letters around it.
void VcfRules::check_repeated() {
  if (!position_good_ || !are_vcf_bases(columns_[3])) return;
  // (Alleles that long do not come twice by accident.)
  if (columns_[3].size() * alternatives_.size() > kLongAlleles) return;
  // What lies before POS no later record can tell: trimming moves places to the right only.
  recent_.erase(recent_.begin(), recent_.lower_bound({position_, {}, {}}));
  if (recent_.size() > kMostRecent) recent_.clear();
  for (const std::string_view allele : alternatives_) {
    if (!are_vcf_bases(allele)) continue;
    std::string reference = upper(columns_[3]), other = upper(allele);
    while (!reference.empty() && !other.empty() && reference.back() == other.back()) {
      reference.pop_back();
      other.pop_back();
    }
    std::size_t shared = 0;
    while (shared < std::min(reference.size(), other.size()) && reference[shared] == other[shared])
      ++shared;
    if (reference.empty() && other.empty()) continue;  // (told of already)
    const bool fresh = recent_
                           .emplace(position_ + static_cast<std::int64_t>(shared),
                                    reference.substr(shared), other.substr(shared))
                           .second;
    if (!fresh)
      findings_.error("DUPLICATE_VARIANT", "{} to {} was told before", shown(columns_[3]),
                      shown(allele));
  }
}

void VcfRules::check_quality() {
  const std::string_view text = columns_[5];
  if (text == "." || (is_float(text) && !text.starts_with('-'))) return;
  // (-0 is 0.)
  if (is_float(text) && text.find_first_of("123456789ni") == text.npos) return;
  findings_.error("INVALID_QUAL", "QUAL is {}; expected . or a number that is not negative",
                  shown(text));
}

void VcfRules::check_filter() {
  const std::string_view text = columns_[6];
  if (text == "." || text == "PASS") return;
  seen_.clear();
  for_parts(text, ';', [&](std::string_view id) {
    if (id.empty() || id == "0" || id == "." || id == "PASS" || holds_blank(id)) {
      findings_.error("INVALID_FILTER", "FILTER is {}; expected PASS, . or names between ;",
                      shown(text));
    } else if (!seen_.add(id)) {
      findings_.error("DUPLICATE_FILTER", "FILTER holds {} twice", shown(id));
    } else if (!header_.has_filter(id) && first_time("FILTER", id)) {
      findings_.warn("UNDECLARED_FILTER", "no ##FILTER tells of {}", shown(id));
    }
  });
}

VcfRules::Definition VcfRules::info_definition(std::string_view key) const {
  const ReservedField* reserved = reserved_info(key, header_.minor());
  const bool not_negative = reserved != nullptr && reserved->not_negative;
  if (const VcfField* told = header_.info(key))
    return {told->number, told->type, not_negative, true};
  if (reserved != nullptr) return {reserved->number, reserved->type, not_negative, true};
  return {};
}

VcfRules::Definition VcfRules::format_definition(std::string_view key) const {
  const ReservedField* reserved = reserved_format(key, header_.minor());
  const bool not_negative = reserved != nullptr && reserved->not_negative;
  if (const VcfField* told = header_.format(key))
    return {told->number, told->type, not_negative, true};
  if (reserved != nullptr) return {reserved->number, reserved->type, not_negative, true};
  return {};
}

VcfRules::Expected VcfRules::expected_of(std::string_view number, int ploidy, bool info) const {
  const auto alleles = static_cast<std::int64_t>(alternatives_.size()) + 1;
  if (all_digits(number)) return {try_parse_integer(number).value_or(-1), -1};
  // (ALT may be missing where values of alleles that were not seen are told.)
  if (no_alternative_) return {};
  if (number == "A") return {alleles - 1, -1};
  if (number == "R") return {alleles, -1};
  // INFO tells of no genotype, so nothing tells the ploidy.
  if (number != "G" || info) return {};
  if (ploidy == 0) return {genotype_count(alleles, 2), alleles};
  return {genotype_count(alleles, ploidy), -1};
}

void VcfRules::check_info() {
  const std::string_view text = columns_[7];
  if (text == ".") return;
  seen_.clear();
  for_parts(text, ';', [&](std::string_view entry) { check_info_entry(entry); });
}

void VcfRules::check_info_entry(std::string_view entry) {
  const std::size_t equal = entry.find('=');
  const bool has_value = equal != entry.npos;
  const std::string_view key = entry.substr(0, equal);
  const std::string_view value = has_value ? entry.substr(equal + 1) : std::string_view();
  if (!is_field_key(key, header_.minor()) || (has_value && value.empty()) ||
      (header_.minor() < 4 && holds_blank(value))) {
    findings_.error("INVALID_INFO", "{} is no KEY or KEY=VALUE of INFO", shown(entry));
    return;
  }
  if (!seen_.add(key)) findings_.error("DUPLICATE_INFO", "INFO holds {} twice", shown(key));
  const Definition definition = info_definition(key);
  if (header_.info(key) == nullptr && first_time("INFO", key))
    findings_.warn("UNDECLARED_INFO", "no ##INFO tells of {}", shown(key));
  if (!definition.known) return;
  if (definition.type == VcfType::Flag) return check_flag(key, value, has_value);
  if (!has_value) {
    if (definition.number != "0")
      findings_.error("INVALID_INFO_VALUE", "{} has no value; expected {}", shown(key),
                      name(definition.type));
    return;
  }
  check_values(key, value, definition, expected_of(definition.number, 0, true));
  if (key == "END") check_end(value);
}

void VcfRules::check_flag(std::string_view key, std::string_view value, bool has_value) {
  if (!has_value) return;
  if (value == "0" || value == "1")
    findings_.warn("INVALID_INFO_VALUE", "the flag {} has a value", shown(key));
  else
    findings_.error("INVALID_INFO_VALUE", "the flag {} has the value {}; expected none", shown(key),
                    shown(value));
}

void VcfRules::check_end(std::string_view value) {
  const auto end = try_parse_integer(value);
  if (end && position_good_ && *end < position_)
    findings_.warn("END_BEFORE_POS", "END is {}, POS {}", *end, position_);
}

bool VcfRules::is_value(std::string_view text, const Definition& definition) const {
  switch (definition.type) {
    case VcfType::Integer: {
      const auto number = try_parse_integer(text);
      return number && *number >= (definition.not_negative ? 0 : kLeastInteger) &&
             *number <= kMostInteger;
    }
    case VcfType::Float:
      return is_float(text) && !(definition.not_negative && text.starts_with('-') &&
                                 text.find_first_of("123456789i") != text.npos);
    case VcfType::Character:
      return is_character(text);
    default:
      return !text.empty();
  }
}

void VcfRules::check_values(std::string_view key, std::string_view value,
                            const Definition& definition, const Expected& expected) {
  if (value == ".") return;
  std::int64_t count = 0;
  // Commas of a quoted text part nothing: the specification has no quotes here, but files do.
  const bool quoted = definition.type == VcfType::String && value.size() >= 2 &&
                      value.starts_with('"') && value.ends_with('"');
  for_parts(value, quoted ? '\0' : ',', [&](std::string_view part) {
    ++count;
    if (part != "." && !is_value(part, definition))
      findings_.error("INVALID_VALUE", "{}: expected {}{}, found {}", shown(key),
                      name(definition.type), definition.not_negative ? " of 0 or more" : "",
                      shown(part));
    else if (key == "CIGAR" && part != "." && !is_vcf_cigar(part))
      findings_.error("INVALID_VALUE", "{} of CIGAR is no CIGAR", shown(part));
  });
  if (header_.minor() >= 3 && !is_percent_encoded(value))
    findings_.warn("INVALID_PERCENT_ENCODING", "a % in {} begins no two hexadecimal digits",
                   shown(key));
  if (expected.count < 0 || count == expected.count || count == expected.other) return;
  findings_.error("VALUE_COUNT", "{} has {} values; expected {} (Number={})", shown(key), count,
                  expected.count, definition.number);
}

void VcfRules::check_format() {
  if (format_ == last_format_ && !keys_.empty()) return;
  last_format_ = format_;
  keys_.clear();
  seen_.clear();
  if (last_format_ == ".") {
    findings_.warn("MISSING_FORMAT", "FORMAT is missing");
    keys_.push_back({last_format_, {}});
    return;
  }
  for_parts(last_format_, ':', [&](std::string_view key) {
    if (!is_field_key(key, header_.minor()))
      findings_.error("INVALID_FORMAT", "{} is no key of FORMAT", shown(key));
    if (!seen_.add(key)) findings_.error("DUPLICATE_FORMAT", "FORMAT holds {} twice", shown(key));
    if (key == "GT" && !keys_.empty())
      findings_.error("GT_NOT_FIRST", "GT is key {} of FORMAT; expected it first",
                      keys_.size() + 1);
    if (!key.empty() && header_.format(key) == nullptr && first_time("FORMAT", key))
      findings_.warn("UNDECLARED_FORMAT", "no ##FORMAT tells of {}", shown(key));
    keys_.push_back({key, format_definition(key)});
  });
}

void VcfRules::check_samples() {
  for_parts(samples_, '\t', [&](std::string_view sample) { check_sample(sample); });
}

void VcfRules::check_sample(std::string_view sample) {
  if (sample == ".") return;
  if (sample.empty()) {
    findings_.error("INVALID_SAMPLE", "a sample's column is empty; expected . or values");
    return;
  }
  std::size_t at = 0;
  int ploidy = 0;
  for_parts(sample, ':', [&](std::string_view value) {
    if (at >= keys_.size()) {
      ++at;
      return;
    }
    const auto& [key, definition] = keys_[at++];
    if (key == "GT" && at == 1) {
      ploidy = check_genotype(value);
    } else if (value.empty() || (header_.minor() < 4 && holds_blank(value))) {
      findings_.error("INVALID_SAMPLE", "the value of {} is {}", shown(key), shown(value));
    } else if (definition.known) {
      check_values(key, value, definition, expected_of(definition.number, ploidy, false));
    }
  });
  if (at > keys_.size())
    findings_.error("TOO_MANY_VALUES", "a sample has {} values, FORMAT {} keys", at, keys_.size());
}

int VcfRules::check_genotype(std::string_view text) {
  const auto shape = try_parse_genotype(text, header_.minor());
  if (!shape) {
    findings_.error("INVALID_GENOTYPE", "GT is {}; expected numbers or . between / or |",
                    shown(text));
    return 0;
  }
  const auto most = static_cast<std::int64_t>(alternatives_.size());
  if (shape->highest > most && !no_alternative_)
    findings_.error("GENOTYPE_ALLELE", "GT holds allele {}; the record has 0 to {}", shape->highest,
                    most);
  else if (shape->highest > 0 && no_alternative_)
    findings_.warn("GENOTYPE_ALLELE", "GT holds allele {}, and ALT is missing", shape->highest);
  // A lone . stands for any number of chromosomes.
  return text == "." ? 0 : shape->ploidy;
}

}  // namespace aceso::genomics
