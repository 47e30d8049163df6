#include "bed.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"

#include <fmt/format.h>
#include <htslib/bgzf.h>
#include <htslib/kstring.h>

#include <algorithm>
#include <charconv>
#include <memory>

namespace aceso::genomics {
namespace {

struct CloseBgzf {
  void operator()(BGZF* file) const noexcept { bgzf_close(file); }
};

std::uint32_t parse_position(std::string_view text, const std::string& where) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    fail(Errc::CorruptData, "{}: expected a position, found \"{}\"", where, printable(text));
  return value;
}

std::vector<std::string_view> columns_of(std::string_view line) {
  std::vector<std::string_view> out;
  std::size_t at = 0;
  while ((at = line.find_first_not_of(" \t", at)) != std::string_view::npos) {
    const std::size_t end = std::min(line.find_first_of(" \t", at), line.size());
    out.push_back(line.substr(at, end - at));
    at = end;
  }
  return out;
}

bool is_comment(std::string_view line) {
  return line.empty() || line.starts_with('#') || line.starts_with("track") ||
         line.starts_with("browser");
}

void join(std::vector<BedInterval>& intervals) {
  std::ranges::sort(intervals, {}, &BedInterval::begin);
  std::size_t kept = 0;
  for (const BedInterval& next : intervals) {
    if (kept > 0 && next.begin <= intervals[kept - 1].end)
      intervals[kept - 1].end = std::max(intervals[kept - 1].end, next.end);
    else
      intervals[kept++] = next;
  }
  intervals.resize(kept);
}

/// The lines of a file while it is read.
class BedParser {
 public:
  BedParser(const std::filesystem::path& path, const Reference& reference, Warnings& warnings,
            const std::function<void(const BedLine&)>& take)
      : path_(path.string()), reference_(reference), warnings_(warnings), take_(take) {}

  void add(std::string_view line, std::size_t number) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (is_comment(line)) return;
    const std::string where = fmt::format("{}: line {}", path_, number);
    const auto columns = columns_of(line);
    if (columns.size() < 3)
      fail(Errc::CorruptData, "{}: expected a contig, a beginning and an end, found \"{}\"", where,
           printable(line));
    const BedInterval interval{parse_position(columns[1], where),
                               parse_position(columns[2], where)};
    if (interval.end < interval.begin)
      fail(Errc::CorruptData, "{}: the interval ends ({}) before it begins ({})", where,
           interval.end, interval.begin);
    add(columns, interval, where);
  }

  void finish() const {
    if (lines_ > 0 && known_ == 0)
      fail(Errc::CorruptData, "{}: none of its contigs is in the reference: {}{}", path_,
           printable(first_unknown_), contig_hint(reference_, first_unknown_));
  }

 private:
  void add(std::span<const std::string_view> columns, BedInterval interval,
           const std::string& where) {
    const std::string_view name = columns[0];
    ++lines_;
    const int found = reference_.find(name);
    if (found < 0) {
      if (first_unknown_.empty()) first_unknown_ = name;
      warnings_.add("bed.unknown_contig",
                    fmt::format("{}: {} is not in the reference", where, printable(name)));
      return;
    }
    ++known_;
    const auto contig = static_cast<std::uint32_t>(found);
    const std::uint32_t length = reference_.contigs()[contig].length;
    if (interval.end > length) {
      warnings_.add("bed.beyond_contig", fmt::format("{}: the interval ends at {}, {} at {}", where,
                                                     interval.end, printable(name), length));
      interval.end = length;
    }
    if (interval.begin >= interval.end)
      warnings_.add("bed.empty_interval", fmt::format("{}: the interval is empty", where));
    else
      take_({contig, interval, columns, where});
  }

  std::string path_;
  const Reference& reference_;
  Warnings& warnings_;
  const std::function<void(const BedLine&)>& take_;
  std::size_t lines_ = 0, known_ = 0;
  std::string first_unknown_;
};

}  // namespace

BedRegions::BedRegions(const Reference& reference) {
  for (const Contig& contig : reference.contigs()) by_contig_.push_back({{0, contig.length}});
}

BedRegions::BedRegions(std::vector<std::vector<BedInterval>> by_contig)
    : by_contig_(std::move(by_contig)) {}

std::uint64_t BedRegions::base_count() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& intervals : by_contig_) {
    for (const BedInterval& interval : intervals) sum += interval.end - interval.begin;
  }
  return sum;
}

bool BedRegions::contains(std::uint32_t contig, std::uint32_t begin, std::uint32_t end) const {
  if (begin == end && begin > 0) --begin;
  const auto& intervals = by_contig_[contig];
  auto after = std::ranges::upper_bound(intervals, begin, {}, &BedInterval::begin);
  if (after == intervals.begin()) return false;
  --after;
  return begin < after->end && end <= after->end;
}

bool BedRegions::touches(std::uint32_t contig, std::uint32_t begin, std::uint32_t end) const {
  const auto& intervals = by_contig_[contig];
  const auto first = std::ranges::upper_bound(intervals, begin, {}, &BedInterval::end);
  return first != intervals.end() && first->begin < end;
}

void read_bed_lines(const std::filesystem::path& path, const Reference& reference,
                    Warnings& warnings, const std::function<void(const BedLine&)>& take) {
  (void)open_for_reading(path);  // for its messages
  const std::unique_ptr<BGZF, CloseBgzf> file(bgzf_open(path.c_str(), "r"));
  if (!file) fail_system(errno, "read", path.string());
  BedParser parser(path, reference, warnings, take);
  kstring_t line{};
  const std::unique_ptr<kstring_t, void (*)(kstring_t*)> owner(&line, ks_free);
  int status = 0;
  for (std::size_t number = 1; (status = bgzf_getline(file.get(), '\n', &line)) >= 0; ++number)
    parser.add({line.s, line.l}, number);
  if (status < -1) fail(Errc::CorruptData, "{}: the compressed data are damaged", path.string());
  parser.finish();
}

BedRegions read_bed(const std::filesystem::path& path, const Reference& reference,
                    Warnings& warnings) {
  std::vector<std::vector<BedInterval>> by_contig(reference.contigs().size());
  read_bed_lines(path, reference, warnings,
                 [&](const BedLine& line) { by_contig[line.contig].push_back(line.interval); });
  for (auto& intervals : by_contig) join(intervals);
  return BedRegions(std::move(by_contig));
}

std::string contig_hint(const Reference& reference, std::string_view name) {
  const std::string other =
      name.starts_with("chr") ? std::string(name.substr(3)) : "chr" + std::string(name);
  if (reference.find(other) >= 0)
    return fmt::format(" (the reference calls it {}: use files of one naming)", other);
  if (reference.contigs().empty()) return {};
  return fmt::format(" (the reference begins with {})", printable(reference.contigs()[0].name));
}

}  // namespace aceso::genomics
