#include "sam_rules.hpp"

#include "field_rules.hpp"
#include "packed_record.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace aceso::genomics {
namespace {

constexpr std::int64_t kMostPosition = (1LL << 31) - 1;
constexpr std::int64_t kMostFlag = 0xfff;
constexpr std::uint32_t kLongestOperation = (1U << 28) - 1;

/// Types of the tags that SAMtags defines, B with the type of its elements.
struct StandardTag {
  std::string_view tag;
  std::string_view type;
};
constexpr StandardTag kStandardTags[] = {
    {"AM", "i"},  {"AS", "i"},  {"BC", "Z"}, {"BQ", "Z"}, {"BZ", "Z"}, {"CB", "Z"},  {"CC", "Z"},
    {"CG", "BI"}, {"CM", "i"},  {"CO", "Z"}, {"CP", "i"}, {"CQ", "Z"}, {"CR", "Z"},  {"CS", "Z"},
    {"CT", "Z"},  {"CY", "Z"},  {"E2", "Z"}, {"FI", "i"}, {"FS", "Z"}, {"FZ", "BS"}, {"H0", "i"},
    {"H1", "i"},  {"H2", "i"},  {"HI", "i"}, {"IH", "i"}, {"LB", "Z"}, {"MC", "Z"},  {"MD", "Z"},
    {"MI", "Z"},  {"ML", "BC"}, {"MM", "Z"}, {"MN", "i"}, {"MQ", "i"}, {"NH", "i"},  {"NM", "i"},
    {"OA", "Z"},  {"OC", "Z"},  {"OP", "i"}, {"OQ", "Z"}, {"OX", "Z"}, {"PG", "Z"},  {"PQ", "i"},
    {"PT", "Z"},  {"PU", "Z"},  {"Q2", "Z"}, {"QT", "Z"}, {"QX", "Z"}, {"R2", "Z"},  {"RG", "Z"},
    {"RX", "Z"},  {"SA", "Z"},  {"SM", "i"}, {"TC", "i"}, {"TS", "A"}, {"U2", "Z"},  {"UQ", "i"}};

bool consumes_read(char code) {
  return std::string_view("MIS=X").find(code) != std::string_view::npos;
}
bool consumes_reference(char code) {
  return std::string_view("MDN=X").find(code) != std::string_view::npos;
}

/// Calls `take` with each operation; false where the text is no CIGAR.
template <typename Take>
bool parse_cigar(std::string_view text, const Take& take) {
  if (text.empty()) return false;
  while (!text.empty()) {
    std::uint32_t length = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (error != std::errc{} || length > kLongestOperation || text.empty()) return false;
    if (std::string_view("MIDNSHP=X").find(text[0]) == std::string_view::npos) return false;
    take(length, text[0]);
    text.remove_prefix(1);
  }
  return true;
}

bool is_cigar(std::string_view text) {
  return parse_cigar(text, [](std::uint32_t, char) {});
}

/// Calls `match` with lengths, `mismatch` with letters and `deletion` with letters of an MD:
/// [0-9]+(([A-Z]|\^[A-Z]+)[0-9]+)*. False if it is none.
template <typename Match, typename Mismatch, typename Deletion>
bool parse_md(std::string_view text, const Match& match, const Mismatch& mismatch,
              const Deletion& deletion) {
  const auto number = [&] {
    std::uint32_t value = 0;
    if (text.empty() || !is_digit(text[0])) return false;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (error == std::errc{}) match(value);
    return error == std::errc{};
  };
  const auto letters = [&] {
    std::size_t count = 0;
    while (count < text.size() && is_letter(text[count])) ++count;
    const std::string_view found = text.substr(0, count);
    text.remove_prefix(count);
    return found;
  };
  if (!number()) return false;
  while (!text.empty()) {
    if (text[0] == '^') {
      text.remove_prefix(1);
      const std::string_view found = letters();
      if (found.empty()) return false;
      deletion(found);
    } else if (is_letter(text[0])) {
      mismatch(text[0]);
      text.remove_prefix(1);
    } else {
      return false;
    }
    if (!number()) return false;
  }
  return true;
}

/// Whether `text` is a number of SAM that fits into a float of 32 bits; what is too small is 0.
bool is_sam_float(std::string_view text) {
  if (!is_decimal(text)) return false;
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range)
    return text.find("e-") != text.npos || text.find("E-") != text.npos;
  return std::abs(value) <= static_cast<double>(std::numeric_limits<float>::max());
}

/// Compares names as `samtools sort -n` does: runs of digits as numbers, other letters by their
/// codes. Leading zeros do not matter (the specification and samtools differ on them).
int compare_natural(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (!is_digit(a[0]) || !is_digit(b[0])) {
      if (a[0] != b[0]) return a[0] < b[0] ? -1 : 1;
      a.remove_prefix(1);
      b.remove_prefix(1);
      continue;
    }
    const auto take_number = [](std::string_view& text) {
      const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
      std::string_view number = text.substr(0, end);
      text.remove_prefix(end);
      number.remove_prefix(std::min(number.find_first_not_of('0'), number.size()));
      return number;
    };
    const std::string_view one = take_number(a), other = take_number(b);
    if (one.size() != other.size()) return one.size() < other.size() ? -1 : 1;
    if (const int order = one.compare(other); order != 0) return order;
  }
  return a.empty() && b.empty() ? 0 : a.empty() ? -1 : 1;
}

struct ArrayRange {
  std::int64_t least = 0, most = 0;
};
std::optional<ArrayRange> array_range(char type) {
  switch (type) {
    case 'c':
      return ArrayRange{-128, 127};
    case 'C':
      return ArrayRange{0, 255};
    case 's':
      return ArrayRange{-32768, 32767};
    case 'S':
      return ArrayRange{0, 65535};
    case 'i':
      return ArrayRange{-(1LL << 31), (1LL << 31) - 1};
    case 'I':
      return ArrayRange{0, (1LL << 32) - 1};
    default:
      return std::nullopt;
  }
}

}  // namespace

bool SamRules::split(std::string_view line) {
  tags_.reset();
  std::size_t count = 0;
  while (count < columns_.size()) {
    const std::size_t end = line.find('\t');
    columns_[count++] = line.substr(0, end);
    line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
    if (end == std::string_view::npos) break;
    if (count == columns_.size()) tags_ = line;
  }
  if (count < columns_.size())
    findings_.error("TOO_FEW_COLUMNS", "expected 11 columns or more, found {}", count);
  return count == columns_.size();
}

void SamRules::check(std::string_view line) {
  md_ = nm_ = {};
  now_ = {};
  if (line.empty()) {
    findings_.error("EMPTY_LINE", "expected a record, found an empty line");
    return;
  }
  if (line[0] == '@' && line.size() > 3 && line[3] == '\t') {
    const std::string_view type = line.substr(1, 2);
    if (type == "HD" || type == "SQ" || type == "RG" || type == "PG" || type == "CO") {
      findings_.error("HEADER_AFTER_RECORDS", "a header line stands behind the first record");
      return;
    }
  }
  if (!split(line)) return;
  findings_.at_position(columns_[Rname], columns_[Pos]);
  now_.flag = integer(Flag, "FLAG", 0, 65535).value_or(0);
  now_.position = integer(Pos, "POS", 0, kMostPosition).value_or(0);
  now_.mapping_quality = integer(Mapq, "MAPQ", 0, 255).value_or(0);
  now_.mate_position = integer(Pnext, "PNEXT", 0, kMostPosition).value_or(0);
  (void)integer(Tlen, "TLEN", -kMostPosition, kMostPosition);
  check_name();
  check_contigs();
  check_flags();
  check_cigar();
  check_bases();
  check_place();
  check_order();
  check_mate();
  if (tags_) check_tags(*tags_);
  check_against_reference();
}

std::optional<std::int64_t> SamRules::integer(Column column, std::string_view name,
                                              std::int64_t least, std::int64_t most) {
  const std::string_view text = columns_[column];
  const bool sign = text.starts_with('-') || (column == Tlen && text.starts_with('+'));
  const std::string_view digits = text.substr(sign ? 1 : 0);
  const auto value = all_digits(digits) ? try_parse_integer(text) : std::nullopt;
  if (value && *value >= least && *value <= most && (digits.size() == 1 || digits[0] != '0'))
    return value;
  findings_.error(fmt::format("INVALID_{}", name), "{} is {}; expected an integer from {} to {}",
                  name, shown(text), least, most);
  return std::nullopt;
}

void SamRules::check_name() {
  const std::string_view name = columns_[Qname];
  const bool letters = all_within(name, '!', '~') && name.find('@') == std::string_view::npos;
  if (name.empty() || name.size() > 254)
    findings_.error("INVALID_QNAME", "QNAME has {} letters; expected 1 to 254", name.size());
  else if (!letters)
    findings_.error("INVALID_QNAME", "QNAME is {}; expected printable letters but @", shown(name));
}

void SamRules::check_contig(std::string_view name, std::string_view what, bool& told) {
  if (!is_contig_name(name)) {
    findings_.error(fmt::format("INVALID_{}", what), "{} is {}, which may not name a sequence",
                    what, shown(name));
  } else if (header_.has_contigs()) {
    if (header_.contig(name) == nullptr)
      findings_.error("INVALID_REFERENCE_INDEX", "{} is {}, which no @SQ tells", what, shown(name));
  } else if (!told) {
    told = true;
    findings_.warn("MISSING_SEQUENCE_DICTIONARY", "{} is {}, and there are no @SQ lines", what,
                   shown(name));
  }
}

void SamRules::check_contigs() {
  const std::string_view name = columns_[Rname], mate = columns_[Rnext];
  if (name != "*") {
    check_contig(name, "RNAME", told_without_contigs_);
    now_.contig = header_.contig(name);
  }
  if (mate != "*" && mate != "=") check_contig(mate, "RNEXT", told_without_contigs_);
}

void SamRules::check_flags() {
  const std::int64_t flag = now_.flag;
  if (flag > kMostFlag)
    findings_.error("INVALID_FLAG", "FLAG is {}; bits above 2048 are reserved", flag);
  if ((flag & kPaired) == 0) {
    constexpr std::int64_t kOfPairs = kProper | kMateUnmapped | kMateReversed | kFirst | kLast;
    if ((flag & kOfPairs) != 0)
      findings_.warn("INVALID_FLAG_OF_UNPAIRED",
                     "FLAG is {}: it tells of a mate, but not that there is one", flag);
    if (columns_[Rnext] != "*" || now_.mate_position != 0)
      findings_.warn("INVALID_UNPAIRED_MATE_REFERENCE", "an unpaired read tells of a mate's place");
  } else if ((flag & kProper) != 0 && (flag & (kUnmapped | kMateUnmapped)) != 0) {
    findings_.warn("INVALID_FLAG_PROPER_PAIR",
                   "FLAG is {}: a proper pair, of which one is unmapped", flag);
  }
  if ((flag & kUnmapped) == 0) return;
  if ((flag & kSecondary) != 0)
    findings_.warn("INVALID_FLAG_NOT_PRIM_ALIGNMENT", "FLAG is {}: secondary, but unmapped", flag);
  if ((flag & kSupplementary) != 0)
    findings_.warn("INVALID_FLAG_SUPPLEMENTARY_ALIGNMENT",
                   "FLAG is {}: supplementary, but unmapped", flag);
  if (now_.mapping_quality != 0)
    findings_.warn("INVALID_MAPPING_QUALITY", "MAPQ is {} of an unmapped read",
                   now_.mapping_quality);
}

void SamRules::check_cigar() {
  cigar_.clear();
  const std::string_view text = columns_[Cigar];
  if (text == "*") {
    if ((now_.flag & kUnmapped) == 0 && now_.position > 0)
      findings_.warn("MISSING_CIGAR", "a mapped read has no CIGAR");
    return;
  }
  bool zero = false;
  now_.cigar_good = parse_cigar(text, [&](std::uint32_t length, char code) {
    cigar_.push_back({length, code});
    zero = zero || length == 0;
    if (consumes_read(code)) now_.read_bases += length;
    if (consumes_reference(code)) now_.reference_bases += length;
  });
  if (!now_.cigar_good) {
    findings_.error("INVALID_CIGAR", "CIGAR is {}; expected lengths and letters of MIDNSHP=X",
                    shown(text));
    return;
  }
  if (zero) findings_.warn("INVALID_CIGAR", "an operation of the CIGAR has length 0");
  if ((now_.flag & kUnmapped) != 0)
    findings_.warn("CIGAR_OF_UNMAPPED", "an unmapped read has a CIGAR");
  check_cigar_clips();
  const std::string_view bases = columns_[Seq];
  if (bases != "*" && static_cast<std::int64_t>(bases.size()) != now_.read_bases)
    findings_.error("MISMATCH_CIGAR_SEQ_LENGTH", "CIGAR takes {} bases, SEQ has {}",
                    now_.read_bases, bases.size());
}

void SamRules::check_cigar_clips() {
  const std::size_t last = cigar_.size() - 1;
  for (std::size_t i = 0; i <= last; ++i) {
    const bool outermost = i == 0 || i == last;
    const bool behind_hard =
        (i == 1 && cigar_[0].code == 'H') || (i + 1 == last && cigar_[last].code == 'H');
    if (cigar_[i].code == 'H' && !outermost)
      findings_.error("INVALID_CIGAR", "H stands inside the CIGAR; it may only begin or end it");
    if (cigar_[i].code == 'S' && !outermost && !behind_hard)
      findings_.error("INVALID_CIGAR",
                      "S stands inside the CIGAR; only H may stand between it and the end");
  }
}

void SamRules::check_bases() {
  const std::string_view bases = columns_[Seq], qualities = columns_[Qual];
  const auto is_base = [](char c) { return is_letter(c) || c == '=' || c == '.'; };
  if (bases != "*" && (bases.empty() || !std::ranges::all_of(bases, is_base)))
    findings_.error("INVALID_SEQ", "SEQ is {}; expected letters, = and ., or *", shown(bases));
  else if (bases != "*" && bases.find_first_not_of("=ACMGRSVTWYHKDBN") != std::string_view::npos)
    findings_.warn("INVALID_SEQ", "SEQ holds letters that BAM does not know, or lower case");
  if (qualities.empty() || !all_within(qualities, '!', '~')) {
    findings_.error("INVALID_QUAL", "QUAL is {}; expected letters from ! to ~", shown(qualities));
  } else if (qualities != "*") {
    if (bases == "*")
      findings_.error("MISMATCH_SEQ_QUAL_LENGTH", "QUAL has {} letters, and SEQ is *",
                      qualities.size());
    else if (bases.size() != qualities.size())
      findings_.error("MISMATCH_SEQ_QUAL_LENGTH", "SEQ has {} bases, QUAL {} letters", bases.size(),
                      qualities.size());
  }
}

void SamRules::check_place() {
  const bool unmapped = (now_.flag & kUnmapped) != 0;
  if (!unmapped && (columns_[Rname] == "*" || now_.position == 0))
    findings_.warn("MAPPED_WITHOUT_POSITION", "a mapped read has no RNAME or no POS");
  if (columns_[Rname] == "*" && now_.position != 0)
    findings_.warn("INVALID_ALIGNMENT_START", "POS is {}, and RNAME is *", now_.position);
  if (columns_[Rnext] == "*" && now_.mate_position != 0 && (now_.flag & kPaired) != 0)
    findings_.warn("INVALID_MATE_REF_INDEX", "PNEXT is {}, and RNEXT is *", now_.mate_position);
  if (now_.contig != nullptr && now_.contig->length > 0 && now_.position > 0) {
    const std::int64_t end = now_.position + std::max<std::int64_t>(now_.reference_bases, 1) - 1;
    if (now_.position > now_.contig->length || (!unmapped && end > now_.contig->length))
      findings_.warn("CIGAR_MAPS_OFF_REFERENCE", "the alignment ends at {}, the sequence at {}",
                     end, now_.contig->length);
  }
  const auto* mate = columns_[Rnext] == "=" ? now_.contig : header_.contig(columns_[Rnext]);
  if (mate != nullptr && mate->length > 0 && now_.mate_position > mate->length)
    findings_.warn("MATE_MAPS_OFF_REFERENCE", "PNEXT is {}, the sequence ends at {}",
                   now_.mate_position, mate->length);
}

void SamRules::check_order() {
  if (header_.order() == SamOrder::QueryName) return check_name_order();
  if (header_.order() != SamOrder::Coordinate) return;
  if (now_.contig == nullptr) {
    any_unplaced_ = any_unplaced_ || columns_[Rname] == "*";
    return;
  }
  const std::int64_t contig = now_.contig->index;
  const bool before =
      contig < last_contig_ || (contig == last_contig_ && now_.position < last_position_);
  if (any_unplaced_ || before)
    findings_.error("RECORD_OUT_OF_ORDER",
                    "the header tells SO:coordinate, but the record stands "
                    "behind {}",
                    any_unplaced_ ? "reads without a place" : "one that comes later");
  last_contig_ = contig;
  last_position_ = now_.position;
}

void SamRules::check_name_order() {
  const std::string_view name = columns_[Qname];
  const NameOrder order = header_.name_order();
  natural_ =
      natural_ && order != NameOrder::Lexicographical && compare_natural(last_name_, name) <= 0;
  lexicographical_ =
      lexicographical_ && order != NameOrder::Natural && std::string_view(last_name_) <= name;
  if (!natural_ && !lexicographical_ && order != NameOrder::Other) {
    findings_.error("RECORD_OUT_OF_ORDER",
                    "the header tells SO:queryname, but {} stands behind {}{}", shown(name),
                    shown(last_name_),
                    order == NameOrder::Either ? ", and neither natural nor lexicographical order "
                                                 "holds up to here"
                                               : "");
    natural_ = lexicographical_ = true;
  }
  last_name_ = name;
}

void SamRules::check_mate() {
  const std::string_view name = columns_[Qname];
  const bool primary_pair = (now_.flag & kPaired) != 0 &&
                            (now_.flag & (kSecondary | kSupplementary)) == 0 &&
                            ((now_.flag & kFirst) == 0) != ((now_.flag & kLast) == 0);
  const std::string_view mate_contig = columns_[Rnext] == "=" ? columns_[Rname] : columns_[Rnext];
  if (primary_pair && previous_.name == name &&
      (previous_.flag & (kFirst | kLast)) != (now_.flag & (kFirst | kLast))) {
    const auto differ = [&](std::int64_t mine, std::int64_t mates) {
      return ((previous_.flag & mine) != 0) != ((now_.flag & mates) != 0) ||
             ((now_.flag & mine) != 0) != ((previous_.flag & mates) != 0);
    };
    if (differ(kReversed, kMateReversed))
      findings_.warn("MISMATCH_FLAG_MATE_NEG_STRAND", "the mates' flags of their strands differ");
    if (differ(kUnmapped, kMateUnmapped))
      findings_.warn("MISMATCH_FLAG_MATE_UNMAPPED", "the mates' flags of being unmapped differ");
    if (mate_contig != previous_.contig || previous_.mate_contig != columns_[Rname])
      findings_.warn("MISMATCH_MATE_REF_INDEX", "RNEXT is not the mate's RNAME");
    else if (now_.mate_position != previous_.position || previous_.mate_position != now_.position)
      findings_.warn("MISMATCH_MATE_ALIGNMENT_START", "PNEXT is not the mate's POS");
  }
  if (!primary_pair) {
    previous_.name.clear();
    return;
  }
  previous_.name = name;
  previous_.contig = columns_[Rname];
  previous_.mate_contig = mate_contig;
  previous_.flag = now_.flag;
  previous_.position = now_.position;
  previous_.mate_position = now_.mate_position;
}

void SamRules::check_tags(std::string_view tags) {
  tags_seen_.clear();
  for_parts(tags, '\t', [&](std::string_view field) { check_tag(field); });
}

void SamRules::check_tag(std::string_view field) {
  if (field.size() < 5 || field[2] != ':' || field[4] != ':' || !is_letter(field[0]) ||
      !(is_letter(field[1]) || is_digit(field[1]))) {
    findings_.error("INVALID_TAG", "expected TAG:TYPE:VALUE, found {}", shown(field));
    return;
  }
  const std::string_view tag = field.substr(0, 2), value = field.substr(5);
  if (std::ranges::find(tags_seen_, tag) != tags_seen_.end())
    findings_.error("DUPLICATE_SAM_TAG", "the tag {} comes twice", tag);
  else
    tags_seen_.push_back(tag);
  check_tag_value(tag, field[3], value);
  check_standard_tag(tag, field[3], value);
}

void SamRules::check_tag_value(std::string_view tag, char type, std::string_view value) {
  bool good = true;
  switch (type) {
    case 'A':
      good = value.size() == 1 && all_within(value, '!', '~');
      break;
    case 'i': {
      const auto number = try_parse_integer(value);
      good = number && *number >= -(1LL << 31) && *number < (1LL << 32);
      break;
    }
    case 'f':
      good = is_sam_float(value);
      break;
    case 'Z':
      good = all_within(value, ' ', '~');
      break;
    case 'H':
      good = value.size() % 2 == 0 &&
             value.find_first_not_of("0123456789ABCDEF") == std::string_view::npos;
      break;
    case 'B':
      return check_array(tag, value);
    default:
      findings_.error("INVALID_TAG_TYPE", "the tag {} has type {}; expected A, i, f, Z, H or B",
                      tag, shown({&type, 1}));
      return;
  }
  if (!good)
    findings_.error("INVALID_TAG_VALUE", "{} is no value of type {} (tag {})", shown(value), type,
                    tag);
}

void SamRules::check_array(std::string_view tag, std::string_view value) {
  const char type = value.empty() ? ' ' : value[0];
  const auto range = array_range(type);
  bool good = (type == 'f' || range) && (value.size() == 1 || value[1] == ',');
  if (good && value.size() > 1) {
    for_parts(value.substr(2), ',', [&](std::string_view element) {
      if (type == 'f') {
        good = good && is_sam_float(element);
        return;
      }
      const auto number = try_parse_integer(element);
      good = good && number && *number >= range->least && *number <= range->most;
    });
  }
  if (!good)
    findings_.error("INVALID_TAG_VALUE",
                    "{} is no array (tag {}); expected one of cCsSiIf, then numbers of that range",
                    shown(value), tag);
}

void SamRules::add_wrong_type(std::string_view tag, char type, std::string_view expected) {
  // Those on which programs rely; of others SAMtags tells what they should be.
  static constexpr std::string_view kRelied[] = {"AS", "CG", "MC", "MD", "NM", "PG", "RG", "SA"};
  const std::string message =
      fmt::format("the tag {} has type {}; expected {}", tag, shown({&type, 1}), expected);
  if (std::ranges::find(kRelied, tag) != std::end(kRelied))
    findings_.error("INVALID_TAG_TYPE", "{}", message);
  else
    findings_.warn("INVALID_TAG_TYPE", "{}", message);
}

void SamRules::check_standard_tag(std::string_view tag, char type, std::string_view value) {
  const auto standard = std::ranges::find(kStandardTags, tag, &StandardTag::tag);
  if (standard == std::end(kStandardTags)) return;
  const bool array = standard->type.size() == 2;
  if (standard->type[0] != type || (array && (value.empty() || value[0] != standard->type[1])))
    return add_wrong_type(
        tag, type,
        array ? "B:" + std::string(standard->type.substr(1)) : std::string(standard->type));
  if (tag == "RG" && !header_.has_read_group(value))
    findings_.error("READ_GROUP_NOT_FOUND", "RG is {}, which no @RG tells", shown(value));
  if (tag == "PG" && !header_.has_program(value))
    findings_.warn("PROGRAM_GROUP_NOT_FOUND", "PG is {}, which no @PG tells", shown(value));
  if ((tag == "MC" || tag == "OC") && value != "*" && !is_cigar(value))
    findings_.error("INVALID_TAG_VALUE", "{} is {}; expected a CIGAR", tag, shown(value));
  if (tag == "NM") nm_ = value;
  if (tag != "MD") return;
  md_ = value;
  const auto nothing = [](auto) {};
  if (!parse_md(value, nothing, nothing, nothing)) {
    md_ = {};
    findings_.error("INVALID_TAG_VALUE", "MD is {}; expected numbers, letters and ^letters",
                    shown(value));
  }
}

/// NM and MD beside the bases of the reference.
void SamRules::check_against_reference() {
  if (reference_ == nullptr || !now_.cigar_good || (now_.flag & kUnmapped) != 0) return;
  if (now_.position == 0 || columns_[Seq] == "*" || (md_.empty() && nm_.empty())) return;
  if (static_cast<std::int64_t>(columns_[Seq].size()) != now_.read_bases) return;
  if (reference_name_ != columns_[Rname]) {
    reference_name_ = columns_[Rname];
    reference_contig_ = reference_->find(reference_name_);
  }
  if (reference_contig_ < 0) return;
  const auto codes = reference_->codes(static_cast<std::uint32_t>(reference_contig_));
  if (now_.position - 1 + now_.reference_bases > static_cast<std::int64_t>(codes.size())) return;

  // Where a base is ambiguous, programs differ on what is a mismatch.
  std::int64_t least = 0, ambiguous = 0;
  std::string_view bases = columns_[Seq];
  auto at = static_cast<std::size_t>(now_.position - 1);
  for (const auto& [length, code] : cigar_) {
    if (code == 'M' || code == '=' || code == 'X') {
      for (std::size_t i = 0; i < length; ++i) {
        const std::uint8_t mine = code_of_base(bases[i]), theirs = codes[at + i];
        if (bases[i] == '=') continue;
        if (mine >= kCodeN || theirs >= kCodeN)
          ++ambiguous;
        else
          least += mine != theirs ? 1 : 0;
      }
    } else if (code == 'I' || code == 'D') {
      least += length;
    }
    if (consumes_read(code)) bases.remove_prefix(length);
    if (consumes_reference(code)) at += length;
  }
  const auto told = nm_.empty() ? std::nullopt : try_parse_integer(nm_);
  if (told && (*told < least || *told > least + ambiguous))
    findings_.error("INVALID_TAG_NM", "NM is {}; the reference tells {}", *told, least);
  if (md_.empty()) return;
  // MD without deletions and insertions of the CIGAR is a walk along the reference.
  std::int64_t mismatches = 0, walked = 0;
  (void)parse_md(
      md_, [&](std::uint32_t count) { walked += count; },
      [&](char) {
        ++mismatches;
        ++walked;
      },
      [&](std::string_view letters) { walked += static_cast<std::int64_t>(letters.size()); });
  std::int64_t aligned = 0;
  for (const auto& [length, code] : cigar_) {
    if (code != 'N' && consumes_reference(code)) aligned += length;
    if (code == 'I' || code == 'D') least -= length;
  }
  if (walked != aligned)
    findings_.error("INVALID_TAG_MD", "MD tells of {} bases of the reference, CIGAR of {}", walked,
                    aligned);
  else if (mismatches < least || mismatches > least + ambiguous)
    findings_.error("INVALID_TAG_MD", "MD tells {} mismatches; the reference {}", mismatches,
                    least);
}

}  // namespace aceso::genomics
