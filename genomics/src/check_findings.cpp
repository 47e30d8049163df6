#include "check_findings.hpp"

#include <algorithm>

namespace aceso::genomics {

std::string Finding::text() const {
  std::string out = file;
  if (!where.empty()) out += ": " + where;
  if (!place.empty()) out += " (" + place + ")";
  return out + ": " + kind + ": " + message;
}

void Findings::begin_file(std::string path) {
  file_ = std::move(path);
  at_file();
}

void Findings::add(const Findings& other) {
  Counts left;  // to be kept, of each kind
  for (const auto& [kind, count] : other.counts_) {
    std::uint64_t& mine = counts_[kind];
    left[kind] = limit_ - std::min<std::uint64_t>(mine, limit_);
    mine += count;
  }
  for (const Finding& finding : other.kept_) {
    std::uint64_t& room = left.at({finding.severity, finding.kind});
    if (room == 0) continue;
    --room;
    kept_.push_back(finding);
  }
  errors_ += other.errors_;
  warnings_ += other.warnings_;
}

bool Findings::count(Severity severity, std::string_view kind) {
  return ++counts_[{severity, std::string(kind)}] <= limit_;
}

void Findings::keep(Severity severity, std::string_view kind, std::string message) {
  Finding out{severity, std::string(kind), file_, {}, {}, std::move(message)};
  if (number_ > 0) out.where = fmt::format("{} {}", unit_, number_);
  if (!contig_.empty())
    out.place = fmt::format("{}:{}", printable(contig_, 40), printable(position_, 20));
  kept_.push_back(std::move(out));
}

}  // namespace aceso::genomics
