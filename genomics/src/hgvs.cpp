#include "hgvs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>

namespace aceso::genomics {
namespace {

// ------------------------------------------------------------------------------- nucleotides

/// A contig read in one of its directions.
class Strand {
 public:
  Strand(std::span<const std::uint8_t> contig, bool reverse) : contig_(contig), reverse_(reverse) {}

  [[nodiscard]] std::size_t size() const noexcept { return contig_.size(); }
  [[nodiscard]] std::uint8_t base(std::size_t at) const {
    return reverse_ ? complement(contig_[contig_.size() - 1 - at]) : contig_[at];
  }
  /// Bases [begin, end) of the contig in this direction.
  [[nodiscard]] Span turned(Span span) const {
    const auto size = static_cast<std::uint32_t>(contig_.size());
    return reverse_ ? Span{size - span.end, size - span.begin} : span;
  }
  [[nodiscard]] SequenceChange turned(const SequenceChange& change) const {
    const Span span = turned(Span{change.begin, change.end});
    return {span.begin, span.end, reverse_ ? reverse_complement_codes(change.added) : change.added};
  }

 private:
  std::span<const std::uint8_t> contig_;
  bool reverse_;
};

/// Moves a gap on as long as it gives the same sequence and ends before `limit`.
void move_on(SequenceChange& change, const Strand& strand, std::uint32_t limit) {
  const bool inserts = change.inserts();
  if (!inserts && !change.added.empty()) return;
  std::size_t first = 0;  // of the added bases, which go round
  while (change.end < limit) {
    const std::uint8_t next = strand.base(change.end);
    const std::uint8_t gap =
        inserts ? static_cast<std::uint8_t>(change.added[first]) : strand.base(change.begin);
    if (next != gap || next >= kCodeN) break;
    ++change.begin;
    ++change.end;
    if (inserts) first = (first + 1) % change.added.size();
  }
  std::ranges::rotate(change.added, change.added.begin() + static_cast<std::ptrdiff_t>(first));
}

std::string letters_of(std::string_view codes) {
  std::string out;
  for (const char code : codes) out += base_of_code(static_cast<std::uint8_t>(code));
  return out;
}

bool repeats_bases_before(const SequenceChange& change, const Strand& strand, std::uint32_t first) {
  const std::size_t size = change.added.size();
  if (change.begin < first + size) return false;
  for (std::size_t i = 0; i < size; ++i) {
    if (strand.base(change.begin - size + i) != static_cast<std::uint8_t>(change.added[i]))
      return false;
  }
  return true;
}

/// The name of a change whose places `place` names; empty if it has no name for one of them.
std::string name_of_change(const SequenceChange& change, const Strand& strand, Span within,
                           const std::function<std::string(std::uint32_t)>& place) {
  const auto range = [&](std::uint32_t begin, std::uint32_t end, const std::string& what) {
    if (begin < within.begin || end > within.end) return std::string();
    std::string out = place(begin);
    if (end - begin > 1) out += "_" + place(end - 1);
    return out + what;
  };
  const auto added_size = static_cast<std::uint32_t>(change.added.size());
  if (change.inserts() && repeats_bases_before(change, strand, within.begin))
    return range(change.begin - added_size, change.begin, "dup");
  if (change.inserts() && change.begin > 0)
    return range(change.begin - 1, change.begin + 1, "ins" + letters_of(change.added));
  if (change.inserts()) return {};
  if (change.added.empty()) return range(change.begin, change.end, "del");
  if (change.end - change.begin == 1 && added_size == 1)
    return range(
        change.begin, change.end,
        fmt::format("{}>{}", base_of_code(strand.base(change.begin)), letters_of(change.added)));
  return range(change.begin, change.end, "delins" + letters_of(change.added));
}

/// Numbers of a transcript's places, on its strand.
class TranscriptPlaces {
 public:
  TranscriptPlaces(const Transcript& transcript, const Strand& strand) {
    for (const Span exon : transcript.exons) exons_.push_back(strand.turned(exon));
    if (transcript.reverse) std::ranges::reverse(exons_);
    if (transcript.coding.empty()) return;
    const Span coding = strand.turned(Span{transcript.coding_begin(), transcript.coding_end()});
    coding_ = {exonic(coding.begin), exonic(coding.end - 1) + 1};
    codes_ = true;
  }

  [[nodiscard]] std::string name(std::uint32_t at) const {
    for (std::size_t i = 0; i < exons_.size(); ++i) {
      if (at < exons_[i].end && at >= exons_[i].begin) return number(exonic(at));
      if (i + 1 == exons_.size() || at >= exons_[i + 1].begin || at < exons_[i].end) continue;
      const std::uint32_t behind = at - exons_[i].end + 1, before = exons_[i + 1].begin - at;
      return behind <= before ? fmt::format("{}+{}", number(exonic(exons_[i].end - 1)), behind)
                              : fmt::format("{}-{}", number(exonic(exons_[i + 1].begin)), before);
    }
    return {};
  }

 private:
  /// Bases of exons in front of one.
  [[nodiscard]] std::uint32_t exonic(std::uint32_t at) const {
    std::uint32_t sum = 0;
    for (const Span exon : exons_) {
      if (at < exon.end) return sum + at - exon.begin;
      sum += exon.size();
    }
    return sum;
  }

  [[nodiscard]] std::string number(std::uint32_t base) const {
    if (!codes_) return std::to_string(base + 1);
    if (base < coding_.begin) return fmt::format("-{}", coding_.begin - base);
    if (base >= coding_.end) return fmt::format("*{}", base - coding_.end + 1);
    return std::to_string(base - coding_.begin + 1);
  }

  std::vector<Span> exons_;
  Span coding_;
  bool codes_ = false;
};

// --------------------------------------------------------------------------------- residues

std::string_view long_name(char residue) {
  constexpr std::string_view kLetters = "ACDEFGHIKLMNPQRSTVWY*";
  constexpr std::array<std::string_view, 21> kNames{
      "Ala", "Cys", "Asp", "Glu", "Phe", "Gly", "His", "Ile", "Lys", "Leu", "Met",
      "Asn", "Pro", "Gln", "Arg", "Ser", "Thr", "Val", "Trp", "Tyr", "Ter"};
  const std::size_t at = kLetters.find(residue);
  return at == std::string_view::npos ? "Xaa" : kNames[at];
}

std::string long_names(std::string_view residues) {
  std::string out;
  for (const char residue : residues) out += long_name(residue);
  return out;
}

/// A protein and what becomes of it, both with their stops.
class ProteinChange {
 public:
  ProteinChange(std::string_view before, std::string_view after) : before_(before), after_(after) {
    same_ = static_cast<std::size_t>(std::ranges::mismatch(before, after).in1 - before.begin());
  }

  /// Nothing if it has no name of its own.
  [[nodiscard]] std::optional<std::string> name(const CodingChange& change) const {
    if (before_ == after_) return unchanged(change);
    if (same_ >= before_.size() || same_ >= after_.size()) return std::nullopt;
    if (before_[same_] == '*') return extension();
    if (after_[same_] == '*') return place(same_) + "Ter";
    if (change.removed % 3 != change.added.size() % 3) return frameshift();
    if (after_.ends_with('*') != before_.ends_with('*')) return std::nullopt;
    return inframe(change);
  }

 private:
  [[nodiscard]] std::string place(std::size_t at) const {
    return fmt::format("{}{}", long_name(before_[at]), at + 1);
  }
  [[nodiscard]] std::string range(std::size_t begin, std::size_t end) const {
    return end - begin == 1 ? place(begin) : place(begin) + "_" + place(end - 1);
  }

  [[nodiscard]] std::optional<std::string> unchanged(const CodingChange& change) const {
    if (change.first_codon >= before_.size()) return std::nullopt;
    return range(change.first_codon, std::min(change.last_codon + 1, before_.size())) + "=";
  }

  /// "Ter17", where the residue `first` counts as 0; "Ter?" where no stop comes.
  [[nodiscard]] std::string stop_from(std::size_t first) const {
    return after_.ends_with('*') ? fmt::format("Ter{}", after_.size() - 1 - first) : "Ter?";
  }
  [[nodiscard]] std::string extension() const {
    return fmt::format("{}{}ext{}", place(same_), long_name(after_[same_]), stop_from(same_));
  }
  /// (The first residue that changes counts as 1.)
  [[nodiscard]] std::string frameshift() const {
    if (same_ == 0) return "?";
    return fmt::format("{}{}fs{}", place(same_), long_name(after_[same_]), stop_from(same_ - 1));
  }

  [[nodiscard]] std::string inframe(const CodingChange& change) const {
    std::size_t before_end = before_.size(), after_end = after_.size();
    // A new stop within what is added has its own name, and cuts off all behind it.
    const std::size_t kept = before_.size() + change.added.size() / 3 - change.removed / 3;
    if (after_.size() < kept) {
      before_end = std::min(std::max(change.last_codon, same_) + 1, before_.size());
    } else {
      while (before_end > same_ && after_end > same_ &&
             before_[before_end - 1] == after_[after_end - 1]) {
        --before_end;
        --after_end;
      }
    }
    return edit(before_end, after_.substr(same_, after_end - same_));
  }

  /// Residues from the first that differs on become `added`.
  [[nodiscard]] std::string edit(std::size_t before_end, std::string_view added) const {
    if (same_ == 0) return "?";  // without the beginning of the protein
    if (added.empty()) return range(same_, before_end) + "del";
    const std::size_t size = before_end - same_;
    if (size == 1 && added.size() == 1) return place(same_) + std::string(long_name(added[0]));
    if (size > 0) return range(same_, before_end) + "delins" + long_names(added);
    if (same_ >= added.size() && before_.substr(same_ - added.size(), added.size()) == added)
      return range(same_ - added.size(), same_) + "dup";
    return range(same_ - 1, same_ + 1) + "ins" + long_names(added);
  }

  std::string_view before_, after_;
  std::size_t same_ = 0;  ///< residues in front of the first that differs
};

bool splicing_decides(const Effects& effects) {
  return effects.has(Effect::SpliceAcceptor) || effects.has(Effect::SpliceDonor) ||
         effects.has(Effect::CodingSequence);
}

}  // namespace

std::string hgvs_genomic(const SequenceChange& change, std::span<const std::uint8_t> contig,
                         GeneticCode code) {
  const Strand strand(contig, false);
  const auto size = static_cast<std::uint32_t>(contig.size());
  SequenceChange moved = change;
  move_on(moved, strand, size);
  const std::string name = name_of_change(moved, strand, {0, size},
                                          [](std::uint32_t at) { return std::to_string(at + 1); });
  if (name.empty()) return {};
  return (code == GeneticCode::VertebrateMitochondrial ? "m." : "g.") + name;
}

std::string hgvs_transcript(const SequenceChange& change, const Transcript& transcript,
                            std::span<const std::uint8_t> contig) {
  const Strand strand(contig, transcript.reverse);
  const Span within = strand.turned(Span{transcript.begin, transcript.end});
  SequenceChange moved = strand.turned(change);
  // (An insertion needs a base behind it.)
  move_on(moved, strand, within.end - (moved.inserts() ? 1 : 0));
  const TranscriptPlaces places(transcript, strand);
  const std::string name =
      name_of_change(moved, strand, within, [&](std::uint32_t at) { return places.name(at); });
  if (name.empty()) return {};
  return (transcript.coding.empty() ? "n." : "c.") + name;
}

std::string hgvs_protein(const Consequence& found, const Transcript& transcript,
                         CodingSequences& sequences) {
  if (!found.coding) return splicing_decides(found.effects) ? "p.?" : "";
  if (found.effects.has(Effect::StartLost)) return "p.(Met1?)";
  const CodingSequence& sequence = sequences.of(transcript);
  const AlteredSequence altered(sequence, {&*found.coding, 1}, sequences.code());
  // A code that is cut short ends where it did.
  const bool whole = sequence.protein.ends_with('*');
  const std::size_t behind = whole ? 0 : sequence.behind.size();
  const std::string after = altered.translated(0, (altered.size() - behind) / 3);
  const auto name = ProteinChange(sequence.protein, after).name(*found.coding);
  return name ? "p.(" + *name + ")" : "p.?";
}

}  // namespace aceso::genomics
