#include "coding_sequence.hpp"

#include <algorithm>
#include <array>

namespace aceso::genomics {
namespace {

/// The exons of a transcript behind its last coding base.
std::vector<Span> spans_behind(const Transcript& transcript) {
  std::vector<Span> out;
  for (Span exon : transcript.exons) {
    if (transcript.reverse)
      exon.end = std::min(exon.end, transcript.coding_begin());
    else
      exon.begin = std::max(exon.begin, transcript.coding_end());
    if (exon.begin < exon.end) out.push_back(exon);
  }
  return out;
}

}  // namespace

std::string reverse_complement_codes(std::string_view bases) {
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

CodingSequence coding_sequence(const Transcript& transcript, std::span<const std::uint8_t> contig,
                               GeneticCode code) {
  CodingSequence out{
      bases_of(transcript.coding, contig), bases_of(spans_behind(transcript), contig), {}};
  if (transcript.reverse) {
    out.bases = reverse_complement_codes(out.bases);
    out.behind = reverse_complement_codes(out.behind);
  }
  out.bases.erase(0, transcript.phase);
  out.protein = translate(out.bases, code);
  return out;
}

AlteredSequence::AlteredSequence(const CodingSequence& sequence,
                                 std::span<const CodingChange> changes, GeneticCode code)
    : sequence_(sequence), changes_(changes), code_(code) {
  size_ = sequence.bases.size() + sequence.behind.size();
  for (const CodingChange& change : changes) size_ += change.added.size() - change.removed;
}

/// Kept bases and added ones by turns; at the end what lies behind.
std::string_view AlteredSequence::part(std::size_t index) const noexcept {
  if (index == 2 * changes_.size() + 1) return sequence_.behind;
  if (index % 2 == 1) return changes_[index / 2].added;
  const std::size_t begin = index == 0 ? 0 : changes_[index / 2 - 1].end();
  const std::size_t end =
      index / 2 < changes_.size() ? changes_[index / 2].at : sequence_.bases.size();
  return std::string_view(sequence_.bases).substr(begin, end - begin);
}

std::string AlteredSequence::translated(std::size_t from, std::size_t count) const {
  std::string out;
  std::array<char, 3> codon{};
  std::size_t filled = 0, skip = from;
  for (std::size_t i = 0; i < 2 * changes_.size() + 2; ++i) {
    const std::string_view bases = part(i);
    for (std::size_t at = std::min(skip, bases.size()); at < bases.size(); ++at) {
      if (out.size() == count) return out;
      codon[filled++] = bases[at];
      if (filled < 3) continue;
      filled = 0;
      out += amino_acid({codon.data(), 3}, code_);
      if (out.back() == '*') return out;
    }
    skip -= std::min(skip, bases.size());
  }
  return out;
}

const CodingSequence& CodingSequences::of(const Transcript& transcript) {
  const auto found = made_.find(&transcript);
  if (found != made_.end()) return found->second;
  if (made_.size() >= kKept) made_.clear();
  return made_.emplace(&transcript, coding_sequence(transcript, contig_, code_)).first->second;
}

CodingSequences sequences_of(const Reference& reference, int contig) {
  const auto index = static_cast<std::uint32_t>(contig);
  return {reference.codes(index), genetic_code_of(reference.contigs()[index].name)};
}

}  // namespace aceso::genomics
