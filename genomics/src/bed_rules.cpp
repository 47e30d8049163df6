#include "bed_rules.hpp"

#include "field_rules.hpp"

#include <algorithm>

namespace aceso::genomics {
namespace {

constexpr std::size_t kMostTold = 10'000;

/// Numbers between commas, the last of which may be missing; false where it is none.
template <typename Take>
bool parse_list(std::string_view text, const Take& take) {
  if (text.ends_with(',')) text.remove_suffix(1);
  bool good = true;
  for_parts(text, ',', [&](std::string_view part) {
    const auto value = all_digits(part) ? try_parse_integer(part) : std::nullopt;
    good = good && value;
    if (value) take(*value);
  });
  return good;
}

}  // namespace

void BedRules::check(std::string_view line) {
  if (line.empty() || line[0] == '#' || line.find_first_not_of(" \t") == line.npos) return;
  const auto is_word = [&](std::string_view word) {
    return line.starts_with(word) &&
           (line.size() == word.size() || line[word.size()] == ' ' || line[word.size()] == '\t');
  };
  if (is_word("track") || is_word("browser")) return;
  // Blanks separate only where there are no tabs.
  const char separator = line.find('\t') == line.npos ? ' ' : '\t';
  columns_ = {};
  count_ = 0;
  for_parts(line, separator, [&](std::string_view part) {
    if (separator == ' ' && part.empty()) return;
    if (count_ < columns_.size()) columns_[count_] = part;
    ++count_;
  });
  if (count_ < 3) {
    findings_.error("TOO_FEW_COLUMNS", "expected a contig, a beginning and an end, found {}",
                    shown(line));
    return;
  }
  if (expected_ == 0) expected_ = count_;
  if (count_ != expected_)
    findings_.error("COLUMN_COUNT", "expected {} columns as before, found {}", expected_, count_);
  findings_.at_position(columns_[0], columns_[1]);
  if (columns_[0].empty() || columns_[0].size() > 255 || !all_within(columns_[0], '!', '~'))
    findings_.error("INVALID_CHROM", "the contig is {}; expected 1 to 255 printable letters",
                    shown(columns_[0]));
  begin_ = position(1, "chromStart");
  end_ = position(2, "chromEnd");
  if (begin_ >= 0 && end_ >= 0 && end_ < begin_)
    findings_.error("END_BEFORE_START", "the interval ends at {}, before it begins, at {}", end_,
                    begin_);
  else if (end_ >= 0 && end_ == begin_)
    findings_.warn("EMPTY_INTERVAL", "the interval has no base");
  check_standard_columns();
  if (reference_ != nullptr) check_reference();
}

std::int64_t BedRules::position(std::size_t column, std::string_view name) {
  const std::string_view text = columns_[column];
  const auto value = all_digits(text) ? try_parse_integer(text) : std::nullopt;
  if (value) return *value;
  findings_.error("INVALID_POSITION", "{} is {}; expected an integer of 0 or more", name,
                  shown(text));
  return -1;
}

void BedRules::check_standard_columns() {
  // Columns behind the third may be the file's own, so that what is unlike BED is a warning.
  if (count_ > 3 &&
      (columns_[3].empty() || columns_[3].size() > 255 || !all_within(columns_[3], ' ', '~')))
    findings_.warn("INVALID_NAME", "name is {}; expected 1 to 255 printable letters",
                   shown(columns_[3]));
  if (count_ > 4) {
    const auto score = all_digits(columns_[4]) ? try_parse_integer(columns_[4]) : std::nullopt;
    if (!score || *score > 1000)
      findings_.warn("INVALID_SCORE", "score is {}; expected 0 to 1000", shown(columns_[4]));
  }
  if (count_ < 6) return;
  if (columns_[5] != "+" && columns_[5] != "-" && columns_[5] != ".")
    findings_.warn("INVALID_STRAND", "strand is {}; expected +, - or .", shown(columns_[5]));
  // Beyond the strand a file of 12 columns is BED12.
  if (count_ != 12) return;
  const std::int64_t thick_begin = position(6, "thickStart"), thick_end = position(7, "thickEnd");
  if (thick_begin >= 0 && thick_end >= 0 && begin_ >= 0 && end_ >= 0 &&
      (thick_begin < begin_ || thick_end > end_ || thick_end < thick_begin))
    findings_.error("INVALID_THICK",
                    "thickStart and thickEnd are {} and {}; the interval is {} to {}", thick_begin,
                    thick_end, begin_, end_);
  check_colour();
  check_blocks();
}

void BedRules::check_colour() {
  const std::string_view text = columns_[8];
  if (text == "0" || text == ".") return;
  int count = 0;
  bool good = true;
  for_parts(text, ',', [&](std::string_view part) {
    const auto value = all_digits(part) ? try_parse_integer(part) : std::nullopt;
    good = good && value && *value <= 255;
    ++count;
  });
  if (!good || count != 3)
    findings_.error("INVALID_COLOUR", "itemRgb is {}; expected 0 or three numbers to 255",
                    shown(text));
}

void BedRules::check_blocks() {
  const std::int64_t count = position(9, "blockCount");
  std::int64_t sizes = 0, starts = 0, first_start = -1, last_start = 0, last_size = 0;
  const bool good_sizes = parse_list(columns_[10], [&](std::int64_t value) {
    ++sizes;
    last_size = value;
  });
  bool rising = true;
  const bool good_starts = parse_list(columns_[11], [&](std::int64_t value) {
    if (starts++ == 0) first_start = value;
    rising = rising && value >= last_start;
    last_start = value;
  });
  if (!good_sizes || !good_starts || sizes != count || starts != count) {
    findings_.error("INVALID_BLOCKS", "expected {} sizes and as many starts, found {} and {}",
                    count, sizes, starts);
    return;
  }
  const bool fits = begin_ < 0 || end_ < 0 ||
                    (last_start <= end_ - begin_ && last_size == end_ - begin_ - last_start);
  if (!rising || first_start != 0 || !fits)
    findings_.error("INVALID_BLOCKS",
                    "blocks do not begin and end where the interval does, or are "
                    "not in order");
}

void BedRules::check_reference() {
  const int found = reference_->find(columns_[0]);
  if (found < 0) {
    if (told_.size() < kMostTold && told_.emplace(columns_[0]).second)
      findings_.warn("SEQUENCE_NOT_IN_REFERENCE", "{} is not in the reference", shown(columns_[0]));
    return;
  }
  const std::uint32_t length = reference_->contigs()[static_cast<std::size_t>(found)].length;
  if (end_ > static_cast<std::int64_t>(length))
    findings_.error("END_BEHIND_CONTIG", "the interval ends at {}, the contig at {}", end_, length);
}

}  // namespace aceso::genomics
