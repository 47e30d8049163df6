#include "vcf_merge.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace aceso::genomics {
namespace {

/// What must not differ: the lines of contigs, in order.
std::vector<std::string> contig_lines(const VcfLines& lines) {
  std::vector<std::string> out;
  for (const std::string& line : lines.header()) {
    if (line.starts_with("##contig=")) out.push_back(line);
  }
  return out;
}

/// "INFO DP" of "##INFO=<ID=DP,…": what may stand once. Empty for other lines.
std::string key_of(std::string_view line) {
  const std::string_view id = header_value(line, "ID");
  return id.empty() ? std::string() : fmt::format("{} {}", line.substr(2, line.find('=') - 2), id);
}

}  // namespace

VcfMerge::VcfMerge(const std::vector<std::filesystem::path>& paths, Warnings& warnings) {
  for (const std::filesystem::path& path : paths)
    pieces_.push_back({VcfLines(path, warnings), {}, 0, false});
  for (const Piece& piece : pieces_) check_same(piece);
  read_contigs();
  for (Piece& piece : pieces_) advance(piece);
  // (Those without a record last: they have no place.)
  std::ranges::stable_sort(pieces_, {}, [](const Piece& p) { return std::pair(!p.any, p.place); });
  join_headers(warnings);
}

void VcfMerge::check_same(const Piece& piece) const {
  const VcfLines &first = pieces_.front().lines, &other = piece.lines;
  if (contig_lines(other) != contig_lines(first))
    fail(Errc::CorruptData,
         "{}: its header declares other contigs than that of {}; expected pieces of one run",
         other.path(), first.path());
  if (other.columns() != first.columns())
    fail(Errc::CorruptData,
         "{}: its samples or columns are not those of {}; expected pieces of one run", other.path(),
         first.path());
}

void VcfMerge::read_contigs() {
  std::uint64_t order = 0;
  for (const DeclaredContig& contig : declared_contigs(pieces_.front().lines)) {
    contigs_.emplace_back(contig.name, order++);
    longest_contig_ = std::max(longest_contig_, contig.length);
  }
  if (contigs_.empty())
    fail(Errc::CorruptData, "{}: its header declares no contigs, which tell the order of pieces",
         pieces_.front().lines.path());
  std::ranges::sort(contigs_);
}

void VcfMerge::join_headers(Warnings& warnings) {
  std::map<std::string, std::string> known;  // lines by key
  std::set<std::string> seen;
  for (const Piece& piece : pieces_) {
    for (const std::string& line : piece.lines.header()) {
      const bool first = &piece == &pieces_.front();
      const std::string key = key_of(line);
      // Of other files only what declares something: their dates and commands are their own.
      if (!first && (key.empty() || seen.contains(line))) continue;
      const auto [before, is_new] = known.emplace(key, line);
      if (!key.empty() && !is_new && before->second != line) {
        warnings.add("merge.header_differs",
                     fmt::format("{}: declares {} otherwise than the file in front of it, whose "
                                 "line is kept",
                                 piece.lines.path(), printable(key)));
        continue;
      }
      seen.insert(line);
      header_ += line + "\n";
    }
  }
  header_ += pieces_.front().lines.columns() + "\n";
}

void VcfMerge::advance(Piece& piece) {
  const std::uint64_t before = piece.place;
  piece.any = piece.lines.next(piece.head);
  if (!piece.any) return;
  const std::string_view name = piece.head.column(VcfColumn::Contig);
  const auto found = std::ranges::lower_bound(
      contigs_, name, {}, [](const auto& c) { return std::string_view(c.first); });
  if (found == contigs_.end() || found->first != name)
    fail(Errc::CorruptData, "{}: the header does not declare this contig",
         piece.lines.where(piece.head));
  piece.place = (found->second << 32) + piece.head.position();
  if (piece.place < before)
    fail(Errc::CorruptData, "{}: comes behind a contig that the header declares later",
         piece.lines.where(piece.head));
}

/// The current piece has reached the beginning of `next`: both say the same from here on, until one
/// of them ends.
void VcfMerge::pass_over(Piece& next) {
  const Piece& now = pieces_[at_];
  if (next.head.text() != now.head.text())
    fail(Errc::CorruptData,
         "{}: overlaps {}, which says something else; expected pieces that follow each other",
         now.lines.where(now.head), next.lines.where(next.head));
  ++repeated_;
  advance(next);
}

bool VcfMerge::next(std::string& line) {
  while (at_ < pieces_.size() && !pieces_[at_].any) ++at_;
  if (at_ == pieces_.size()) return false;
  Piece& now = pieces_[at_];
  // (Where three pieces tell of one place the third is found out of order, and refused.)
  for (std::size_t i = at_ + 1; i < pieces_.size(); ++i) {
    if (!pieces_[i].any) continue;
    if (pieces_[i].place > now.place) break;
    pass_over(pieces_[i]);
  }
  line = now.head.text() + "\n";
  advance(now);
  return true;
}

std::uint64_t VcfMerge::take_source_bytes() noexcept {
  std::uint64_t out = 0;
  for (Piece& piece : pieces_) out += piece.lines.take_source_bytes();
  return out;
}

}  // namespace aceso::genomics
