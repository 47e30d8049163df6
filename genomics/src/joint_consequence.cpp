#include "joint_consequence.hpp"

#include <algorithm>

namespace aceso::genomics {
namespace {

/// Grows a group of changes from its first one on.
class Group {
 public:
  Group(std::span<const CodingAllele* const> changes, std::size_t first, CodingSequences& sequences)
      : changes_(changes), first_(first), sequences_(sequences) {
    do add();
    while (first_ + parts_.size() < changes.size() && goes_on());
  }

  [[nodiscard]] JointConsequence take() {
    JointConsequence out{first_, parts_.size(), changes_[first_]->alone, false};
    if (parts_.size() > 1) out.found = together();
    return out;
  }

 private:
  [[nodiscard]] bool in_frame() const { return removed_ % 3 == added_ % 3; }

  void add() {
    const CodingChange& change = changes_[first_ + parts_.size()]->change();
    parts_.push_back(change);
    removed_ += change.removed;
    added_ += change.added.size();
    first_codon_ =
        parts_.size() == 1 ? change.first_codon : std::min(first_codon_, change.first_codon);
    last_codon_ = std::max(last_codon_, change.last_codon);
  }

  /// Whether the next change belongs to the group.
  [[nodiscard]] bool goes_on() {
    const CodingChange& next = changes_[first_ + parts_.size()]->change();
    if (in_frame()) return next.first_codon <= last_codon_;
    return next.at + added_ < end_of_protein() + removed_;
  }

  /// Behind the stop codon, in the coordinates of the changed sequence.
  [[nodiscard]] std::size_t end_of_protein() {
    const AlteredSequence altered(sequences_.of(*changes_[first_]->transcript), parts_,
                                  sequences_.code());
    const std::string residues = altered.translated(3 * first_codon_, altered.size());
    return residues.ends_with('*') ? 3 * (first_codon_ + residues.size()) : altered.size();
  }

  [[nodiscard]] Consequence together() {
    // (What does not follow from the codons each allele's own consequence tells.)
    Consequence out;
    add_coding_effects(parts_, *changes_[first_]->transcript, sequences_, out);
    return out;
  }

  std::span<const CodingAllele* const> changes_;
  std::size_t first_;
  CodingSequences& sequences_;
  std::vector<CodingChange> parts_;
  std::size_t removed_ = 0, added_ = 0, first_codon_ = 0, last_codon_ = 0;
};

}  // namespace

std::vector<JointConsequence> joint_consequences(std::span<const CodingAllele* const> changes,
                                                 CodingSequences& sequences) {
  std::vector<JointConsequence> out;
  for (std::size_t i = 0; i < changes.size(); i += out.back().count) {
    const bool ended = !out.empty() && (out.back().behind_stop ||
                                        out.back().found.effects.has(Effect::StopGained) ||
                                        out.back().found.effects.has(Effect::Frameshift));
    if (ended)
      out.push_back({i, 1, changes[i]->alone, true});
    else
      out.push_back(Group(changes, i, sequences).take());
  }
  return out;
}

}  // namespace aceso::genomics
