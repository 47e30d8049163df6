#include "fasta_rules.hpp"

#include <algorithm>

namespace aceso::genomics {
namespace {

constexpr std::uint64_t kLongestContig = (1ULL << 31) - 1;  // of SAM and VCF

bool is_blank(char c) { return c == '\r' || c == ' ' || c == '\t'; }

}  // namespace

void FastaRules::finish() {
  lines_.finish(*this);
  end_contig();
  findings_.at_file();
  if (contigs_ == 0 && !skips_) findings_.error("INVALID_FASTA", "expected FASTA, found no contig");
}

void FastaRules::begin_contig(std::string_view name) {
  end_contig();
  ++contigs_;
  name_ = name;
  bases_ = 0;
  line_ = lines_.number();
  skips_ = false;
  findings_.at_line(line_);
  if (name.empty())
    findings_.error("INVALID_FASTA", "contig {} has no name", contigs_);
  else if (!names_.emplace(name).second)
    findings_.error("INVALID_FASTA", "two contigs are called {}", shown(name));
  else if (!is_contig_name(name))
    findings_.warn("INVALID_SEQUENCE_NAME", "{} may not name a sequence in SAM and VCF",
                   shown(name));
}

void FastaRules::take_bases(std::string_view text) {
  if (skips_) return;
  const auto bad = std::ranges::find_if(text, [this](char c) {
    const bool base = try_code_of_base(c) != kNoBase;
    bases_ += base ? 1 : 0;
    return !base && !is_blank(c);
  });
  const bool any = std::ranges::any_of(text, [](char c) { return !is_blank(c); });
  findings_.at_line(lines_.number());
  if (contigs_ == 0 && any) {
    findings_.error("INVALID_FASTA", "expected FASTA, found no '>' at its beginning");
    skips_ = true;
  } else if (bad != text.end()) {
    findings_.error("INVALID_FASTA", "contig {}, base {}: expected a IUPAC base letter, found {}",
                    shown(name_), bases_ + 1, shown({&*bad, 1}));
    skips_ = true;
  }
}

void FastaRules::end_contig() {
  if (contigs_ == 0 || skips_) return;
  findings_.at_line(line_);
  if (bases_ == 0)
    findings_.warn("EMPTY_SEQUENCE", "the sequence {} has no bases", shown(name_));
  else if (bases_ > kLongestContig)
    findings_.warn("SEQUENCE_TOO_LONG", "the sequence {} has {} bases; SAM and VCF know {} at most",
                   shown(name_), bases_, kLongestContig);
}

}  // namespace aceso::genomics
