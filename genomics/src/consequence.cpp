#include "consequence.hpp"

#include <algorithm>
#include <bit>

namespace aceso::genomics {
namespace {

/// Bases at either end of an intron that make its splice site, and further ones that matter.
constexpr std::uint32_t kSite = 2, kIntronSide = 8, kExonSide = 3;

bool overlaps(const SequenceChange& change, std::uint32_t begin, std::uint32_t end) noexcept {
  return change.inserts() ? change.begin > begin && change.begin < end
                          : change.begin < end && change.end > begin;
}

void add_splicing(const SequenceChange& change, const Transcript& transcript, Effects& effects) {
  bool near = false, site = false;
  for (std::size_t i = 1; i < transcript.exons.size(); ++i) {
    const Span intron{transcript.exons[i - 1].end, transcript.exons[i].begin};
    const std::uint32_t first = std::max(intron.begin, kExonSide) - kExonSide;
    if (change.begin > intron.end + kExonSide || change.end < first) continue;
    const std::uint32_t half = std::min(kSite, intron.size());
    if (overlaps(change, intron.begin, intron.begin + half)) {
      effects.add(transcript.reverse ? Effect::SpliceAcceptor : Effect::SpliceDonor);
      site = true;
    }
    if (overlaps(change, intron.end - half, intron.end)) {
      effects.add(transcript.reverse ? Effect::SpliceDonor : Effect::SpliceAcceptor);
      site = true;
    }
    const std::uint32_t side = std::min(kIntronSide, intron.size());
    near |= overlaps(change, first, intron.begin + side) ||
            overlaps(change, intron.end - side, intron.end + kExonSide);
  }
  if (near && !site) effects.add(Effect::SpliceRegion);
}

std::string reverse_complement(std::string_view bases) {
  std::string out(bases.rbegin(), bases.rend());
  for (char& base : out) base = static_cast<char>(complement(static_cast<std::uint8_t>(base)));
  return out;
}

std::string bases_of(std::span<const Span> spans, std::span<const std::uint8_t> contig) {
  std::string out;
  for (const Span span : spans)
    out.append(reinterpret_cast<const char*>(contig.data()) + span.begin, span.size());
  return out;
}

/// The coding sequence of a transcript, in its direction, from its first whole codon on; and the
/// exons behind it.
struct CodingSequence {
  std::string bases, behind;
};

CodingSequence coding_sequence(const Transcript& transcript, std::span<const std::uint8_t> contig) {
  std::vector<Span> rest;
  for (Span exon : transcript.exons) {
    if (transcript.reverse)
      exon.end = std::min(exon.end, transcript.coding_begin());
    else
      exon.begin = std::max(exon.begin, transcript.coding_end());
    if (exon.begin < exon.end) rest.push_back(exon);
  }
  CodingSequence out{bases_of(transcript.coding, contig), bases_of(rest, contig)};
  if (transcript.reverse) {
    out.bases = reverse_complement(out.bases);
    out.behind = reverse_complement(out.behind);
  }
  out.bases.erase(0, transcript.phase);
  return out;
}

/// A change in the coordinates of a coding sequence.
struct CodingChange {
  std::size_t at = 0, removed = 0;
  std::string added;
  /// The first codon and the last that count as changed. A gap's includes the base before it (on
  /// the contig), as VCF writes it.
  std::size_t first_codon = 0, last_codon = 0;
};

class CodingEffects {
 public:
  CodingEffects(const CodingSequence& sequence, CodingChange change, bool whole_start,
                GeneticCode code)
      : sequence_(sequence), change_(std::move(change)), code_(code) {
    altered_ = sequence.bases.substr(0, change_.at) + change_.added +
               sequence.bases.substr(change_.at + change_.removed) + sequence.behind;
    starts_ = whole_start && sequence.bases.size() >= 3 && amino_acid(sequence.bases, code) == 'M';
  }

  void add_to(Consequence& out) {
    const std::size_t n = change_.removed, m = change_.added.size();
    if (loses_start()) {
      out.effects.add(Effect::StartLost);
      return;
    }
    if (n % 3 != m % 3)
      add_frameshift(out);
    else if (n == m)
      add_substitution(out);
    else
      add_inframe(out);
  }

 private:
  [[nodiscard]] bool loses_start() const {
    return starts_ && change_.at < 3 && (altered_.size() < 3 || amino_acid(altered_, code_) != 'M');
  }

  /// Residues of codons [first, last] of the reference.
  [[nodiscard]] std::string before() const {
    const std::size_t from = 3 * change_.first_codon;
    return translate(
        std::string_view(sequence_.bases).substr(from, 3 * (change_.last_codon + 1) - from), code_);
  }
  [[nodiscard]] std::string behind(std::size_t codons) const {
    const std::string_view all = std::string_view(altered_).substr(3 * change_.first_codon);
    return translate(all.substr(0, 3 * codons), code_);
  }

  void add_substitution(Consequence& out) const {
    const std::string old = before(), now = behind(change_.last_codon - change_.first_codon + 1);
    const bool stops = old.ends_with('*'), stops_now = now.ends_with('*');
    if (stops && stops_now && old.size() == now.size() &&
        old.substr(0, old.size() - 1) == now.substr(0, now.size() - 1))
      out.effects.add(old.size() > 1 ? Effect::Synonymous : Effect::StopRetained);
    else if (stops && !stops_now)
      out.effects.add(Effect::StopLost);
    else if (stops_now && !stops)
      out.effects.add(Effect::StopGained);
    else
      out.effects.add(old == now ? Effect::Synonymous : Effect::Missense);
    tell(old, now, out);
  }

  /// A stop put in front of the stop changes nothing.
  [[nodiscard]] bool same_protein() const {
    return translate(altered_, code_) == translate(sequence_.bases, code_);
  }

  void add_inframe(Consequence& out) const {
    const std::size_t codons = change_.last_codon - change_.first_codon + 1;
    const std::size_t now_codons = codons + change_.added.size() / 3 - change_.removed / 3;
    const std::string old = before(), now = behind(now_codons);
    const bool stops = old.ends_with('*'), stops_now = now.ends_with('*');
    if (stops) out.effects.add(stops_now ? Effect::StopRetained : Effect::StopLost);
    if (stops_now && !stops && !same_protein()) out.effects.add(Effect::StopGained);
    if (change_.removed > 0 && !change_.added.empty())
      out.effects.add(Effect::InframeAltering);
    else
      out.effects.add(change_.removed > 0 ? Effect::InframeDeletion : Effect::InframeInsertion);
    tell(old, now, out);
  }

  void add_frameshift(Consequence& out) const {
    out.effects.add(Effect::Frameshift);
    const std::string protein = translate(sequence_.bases, code_);
    const std::size_t stop = protein.ends_with('*') ? 3 * (protein.size() - 1) : std::string::npos;
    if (stop != std::string::npos && change_.at + change_.removed > stop) {
      const std::string now = behind(altered_.size());
      const bool kept = change_.at > stop && now == "*";
      out.effects.add(kept ? Effect::StopRetained : Effect::StopLost);
    }
    const std::size_t first = std::min(change_.first_codon, protein.size());
    tell(protein.substr(first), behind(altered_.size()), out);
  }

  void tell(const std::string& old, const std::string& now, Consequence& out) const {
    const auto cut = [&](const std::string& text) {
      const std::size_t first = change_.first_codon + 1;
      if (text.size() <= kShownAminoAcids) return std::to_string(first) + text;
      // With the number of the last one, as bcftools csq does.
      return std::to_string(first) + text.substr(0, kShownAminoAcids) + ".." +
             std::to_string(first + text.size() - 1);
    };
    out.amino_acids = old == now ? cut(old) : cut(old) + ">" + cut(now);
  }

  const CodingSequence& sequence_;
  CodingChange change_;
  GeneticCode code_;
  std::string altered_;
  bool starts_ = false;
};

/// The part of a change that is coding, in the coordinates of the coding sequence with its phase.
/// All of it lies in one exon.
CodingChange coding_change(const SequenceChange& change, const Transcript& transcript) {
  std::size_t before = 0, all = 0;
  Span inside{change.begin, change.end};
  for (const Span span : transcript.coding) {
    if (span.end <= change.begin && !(change.inserts() && span.end == change.begin)) {
      before += span.size();
    } else if (change.inserts() ? span.begin <= change.begin && change.begin <= span.end
                                : span.begin < change.end && change.begin < span.end) {
      inside = {std::max(span.begin, change.begin), std::min(span.end, change.end)};
      before += inside.begin - span.begin;
    }
    all += span.size();
  }
  CodingChange out;
  out.removed = inside.size();
  const bool clipped = inside != Span{change.begin, change.end};
  out.at = transcript.reverse ? all - before - out.removed : before;
  if (!clipped) out.added = transcript.reverse ? reverse_complement(change.added) : change.added;
  return out;
}

/// \pre not in front of the first codon
void choose_codons(CodingChange& change, bool reverse) {
  const bool gap = change.removed != change.added.size();
  const std::size_t first = gap && !reverse && change.at > 0 ? change.at - 1 : change.at;
  const std::size_t size = change.removed + (gap && reverse ? 1 : 0);
  change.first_codon = first / 3;
  change.last_codon = std::max(first, change.at + std::max<std::size_t>(size, 1) - 1) / 3;
  if (gap && !reverse && change.removed == 0) change.last_codon = change.first_codon;
}

void add_coding(const SequenceChange& change, const Transcript& transcript,
                std::span<const std::uint8_t> contig, GeneticCode code, Consequence& out) {
  CodingChange inside = coding_change(change, transcript);
  const CodingSequence sequence = coding_sequence(transcript, contig);
  if (inside.at < transcript.phase ||
      inside.at - transcript.phase + inside.removed > sequence.bases.size()) {
    out.effects.add(Effect::CodingSequence);
    return;
  }
  inside.at -= transcript.phase;
  choose_codons(inside, transcript.reverse);
  if (3 * (inside.first_codon + 1) > sequence.bases.size()) {
    out.effects.add(Effect::CodingSequence);  // in a codon that is cut short
    return;
  }
  CodingEffects(sequence, std::move(inside), transcript.phase == 0, code).add_to(out);
}

/// Where a change lies in an exon beside what is coding.
void add_untranslated(const SequenceChange& change, const Transcript& transcript,
                      Effects& effects) {
  const auto add = [&](bool left) {
    effects.add(left != transcript.reverse ? Effect::FivePrimeUtr : Effect::ThreePrimeUtr);
  };
  for (const Span exon : transcript.exons) {
    const std::uint32_t left_end = std::min(exon.end, transcript.coding_begin());
    const std::uint32_t right_begin = std::max(exon.begin, transcript.coding_end());
    const bool at_left = change.inserts() && change.begin == transcript.coding_begin();
    const bool at_right = change.inserts() && change.begin == transcript.coding_end();
    if (exon.begin < left_end && (overlaps(change, exon.begin, left_end) || at_left)) add(true);
    if (right_begin < exon.end && (overlaps(change, right_begin, exon.end) || at_right)) add(false);
  }
}

bool touches_coding(const SequenceChange& change, const Transcript& transcript) {
  // Bases put in front of the first codon or behind the last belong to neither.
  if (change.inserts() &&
      (change.begin <= transcript.coding_begin() || change.begin >= transcript.coding_end()))
    return false;
  return std::ranges::any_of(transcript.coding, [&](const Span& span) {
    return change.inserts() ? span.begin <= change.begin && change.begin <= span.end
                            : change.begin < span.end && change.end > span.begin;
  });
}

bool lies_in_one_exon(const SequenceChange& change, const Transcript& transcript) {
  return std::ranges::any_of(transcript.exons, [&](const Span& exon) {
    return exon.begin <= change.begin && change.end <= exon.end;
  });
}

bool touches_exon(const SequenceChange& change, const Transcript& transcript) {
  return std::ranges::any_of(
      transcript.exons, [&](const Span& exon) { return overlaps(change, exon.begin, exon.end); });
}

}  // namespace

Effect Effects::gravest() const noexcept { return static_cast<Effect>(std::countr_zero(bits_)); }

std::string Effects::text() const {
  std::string out;
  for (std::size_t i = 0; i < kEffectNames.size(); ++i) {
    if (has(static_cast<Effect>(i))) out += (out.empty() ? "" : "&") + std::string(kEffectNames[i]);
  }
  return out;
}

bool touches(const SequenceChange& change, const Transcript& transcript) noexcept {
  return overlaps(change, transcript.begin, transcript.end);
}

Consequence consequence_of(const SequenceChange& change, const Transcript& transcript,
                           std::span<const std::uint8_t> contig, GeneticCode code) {
  Consequence out;
  add_splicing(change, transcript, out.effects);
  const bool in_site =
      out.effects.has(Effect::SpliceAcceptor) || out.effects.has(Effect::SpliceDonor);
  if (transcript.coding.empty()) {
    out.effects.add(Effect::NonCoding);
    if (!in_site && !touches_exon(change, transcript)) out.effects.add(Effect::Intron);
    return out;
  }
  const bool coding = touches_coding(change, transcript);
  // What is made of an exon without its end, or of one with bases of an intron, is not known.
  if (coding && (in_site || !lies_in_one_exon(change, transcript)))
    out.effects.add(Effect::CodingSequence);
  else if (coding)
    add_coding(change, transcript, contig, code, out);
  if (!in_site) add_untranslated(change, transcript, out.effects);
  if (out.effects.empty()) out.effects.add(Effect::Intron);
  return out;
}

}  // namespace aceso::genomics
