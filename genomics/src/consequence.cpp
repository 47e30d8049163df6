#include "consequence.hpp"

#include <algorithm>
#include <bit>
#include <optional>
#include <utility>

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

class CodingEffects {
 public:
  /// `changes` rise and lie apart; what they do together is told.
  CodingEffects(const CodingSequence& sequence, std::span<const CodingChange> changes,
                bool whole_start, GeneticCode code)
      : sequence_(sequence), changes_(changes), altered_(sequence, changes, code), code_(code) {
    first_codon_ = changes.front().first_codon;
    for (const CodingChange& change : changes) {
      removed_ += change.removed;
      added_ += change.added.size();
      substitutes_ &= change.removed == change.added.size();
      first_codon_ = std::min(first_codon_, change.first_codon);
      last_codon_ = std::max(last_codon_, change.last_codon);
    }
    starts_ = whole_start && sequence.protein.starts_with('M');
  }

  void add_to(Consequence& out) {
    if (loses_start()) {
      out.effects.add(Effect::StartLost);
      return;
    }
    if (removed_ % 3 != added_ % 3)
      add_frameshift(out);
    else if (substitutes_)
      add_substitution(out);
    else
      add_inframe(out);
  }

 private:
  [[nodiscard]] bool loses_start() const {
    return starts_ && changes_.front().at < 3 && altered_.translated(0, 1) != "M";
  }

  /// Residues of the changed codons of the reference.
  [[nodiscard]] std::string before() const {
    const std::size_t from = 3 * first_codon_;
    return translate(std::string_view(sequence_.bases).substr(from, 3 * (last_codon_ + 1) - from),
                     code_);
  }
  [[nodiscard]] std::string after(std::size_t codons) const {
    return altered_.translated(3 * first_codon_, codons);
  }

  void add_substitution(Consequence& out) const {
    const std::string old = before(), now = after(last_codon_ - first_codon_ + 1);
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
    add_residues(old, out);
    if (old != now) add_residues_now(now, out);
  }

  /// A stop put in front of the stop changes nothing.
  [[nodiscard]] bool same_protein() const {
    return altered_.translated(0, altered_.size()) == sequence_.protein;
  }

  void add_inframe(Consequence& out) const {
    const std::size_t codons = last_codon_ - first_codon_ + 1;
    const std::string old = before(), now = after((3 * codons + added_ - removed_) / 3);
    const bool stops = old.ends_with('*'), stops_now = now.ends_with('*');
    const bool gained = stops_now && !stops && !same_protein();
    if (stops) out.effects.add(stops_now ? Effect::StopRetained : Effect::StopLost);
    if (gained) out.effects.add(Effect::StopGained);
    if (gained && frame_is_off_at(first_codon_ + now.size() - 1))
      out.effects.add(Effect::Frameshift);
    else if (removed_ != added_)
      out.effects.add(removed_ > added_ ? Effect::InframeDeletion : Effect::InframeInsertion);
    else
      add_restored(old == now, stops || gained, out);
    add_residues(old, out);
    if (!out.effects.has(Effect::Synonymous)) add_residues_now(now, out);
  }

  /// Gaps that cancel each other out.
  static void add_restored(bool same, bool at_stop, Consequence& out) {
    out.effects.add(Effect::InframeAltering);
    if (!at_stop) out.effects.add(same ? Effect::Synonymous : Effect::Missense);
  }

  /// Whether a codon of the changed sequence is read before what restores the frame.
  [[nodiscard]] bool frame_is_off_at(std::size_t codon) const {
    std::size_t removed = 0, added = 0;
    for (const CodingChange& change : changes_) {
      if (change.at + added + change.added.size() > 3 * codon + removed) break;
      removed += change.removed;
      added += change.added.size();
    }
    return removed % 3 != added % 3;
  }

  void add_frameshift(Consequence& out) const {
    out.effects.add(Effect::Frameshift);
    const std::string_view protein = sequence_.protein;
    const std::string now = after(altered_.size());
    const std::size_t stop = protein.ends_with('*') ? 3 * (protein.size() - 1) : std::string::npos;
    if (stop != std::string::npos && changes_.back().end() > stop) {
      const bool kept = changes_.front().at > stop && now == "*";
      out.effects.add(kept ? Effect::StopRetained : Effect::StopLost);
    }
    add_residues(protein.substr(std::min(first_codon_, protein.size())), out);
    add_residues_now(now, out);
  }

  void add_residues_now(std::string_view now, Consequence& out) const {
    out.amino_acids += '>';
    add_residues(now, out);
  }
  /// Where they are cut, with the number of what comes behind the last one, which is the stop if
  /// there is one, as bcftools csq does.
  void add_residues(std::string_view residues, Consequence& out) const {
    std::string& told = out.amino_acids;
    told += std::to_string(first_codon_ + 1);
    if (residues.size() <= kShownAminoAcids + kAminoAcidsSpared) {
      told += residues;
      return;
    }
    const std::size_t size = residues.size() - (residues.ends_with('*') ? 1 : 0);
    told += residues.substr(0, kShownAminoAcids);
    told.append("..").append(std::to_string(first_codon_ + 1 + size));
  }

  const CodingSequence& sequence_;
  std::span<const CodingChange> changes_;
  AlteredSequence altered_;
  GeneticCode code_;
  std::size_t removed_ = 0, added_ = 0, first_codon_ = 0, last_codon_ = 0;
  bool substitutes_ = true, starts_ = false;
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
  out.at = transcript.reverse ? all - before - out.removed : before;
  if (inside == Span{change.begin, change.end})
    out.added = change.added;
  else if (change.added.size() == change.end - change.begin)  // base by base
    out.added = change.added.substr(inside.begin - change.begin, inside.size());
  if (transcript.reverse) out.added = reverse_complement_codes(out.added);
  return out;
}

/// \pre not in front of the first codon
void choose_codons(CodingChange& change, bool reverse) {
  const bool gap = change.removed == 0 || change.added.empty();
  const std::size_t first = gap && !reverse && change.at > 0 ? change.at - 1 : change.at;
  const std::size_t size = change.removed + (gap && reverse ? 1 : 0);
  change.first_codon = first / 3;
  change.last_codon = std::max(first, change.at + std::max<std::size_t>(size, 1) - 1) / 3;
  if (gap && !reverse && change.removed == 0) change.last_codon = change.first_codon;
}

/// Nothing if it lies in a codon that is cut short.
std::optional<CodingChange> whole_codons_change(const SequenceChange& change,
                                                const Transcript& transcript,
                                                const CodingSequence& sequence) {
  CodingChange inside = coding_change(change, transcript);
  if (inside.at < transcript.phase ||
      inside.at - transcript.phase + inside.removed > sequence.bases.size())
    return std::nullopt;
  inside.at -= transcript.phase;
  choose_codons(inside, transcript.reverse);
  if (3 * (inside.first_codon + 1) > sequence.bases.size()) return std::nullopt;
  return inside;
}

void add_coding(const SequenceChange& change, const Transcript& transcript,
                CodingSequences& sequences, Consequence& out) {
  out.coding = whole_codons_change(change, transcript, sequences.of(transcript));
  if (!out.coding)
    out.effects.add(Effect::CodingSequence);
  else
    add_coding_effects({&*out.coding, 1}, transcript, sequences, out);
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

void Effects::add_text(std::string& out) const {
  bool first = true;
  for_each([&](Effect effect) {
    if (!std::exchange(first, false)) out += '&';
    out += name_of(effect);
  });
}

std::string Effects::text() const {
  std::string out;
  add_text(out);
  return out;
}

bool touches(const SequenceChange& change, const Transcript& transcript) noexcept {
  return overlaps(change, transcript.begin, transcript.end);
}

void add_coding_effects(std::span<const CodingChange> changes, const Transcript& transcript,
                        CodingSequences& sequences, Consequence& out) {
  CodingEffects(sequences.of(transcript), changes, transcript.phase == 0, sequences.code())
      .add_to(out);
}

Consequence consequence_of(const SequenceChange& change, const Transcript& transcript,
                           CodingSequences& sequences) {
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
    add_coding(change, transcript, sequences, out);
  if (!in_site) add_untranslated(change, transcript, out.effects);
  if (out.effects.empty()) out.effects.add(Effect::Intron);
  return out;
}

}  // namespace aceso::genomics
