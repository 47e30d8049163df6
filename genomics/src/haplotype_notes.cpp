#include "haplotype_notes.hpp"

#include "aceso/core/threads.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

namespace aceso::genomics {

const std::string_view kHcsqHeader =
    "##INFO=<ID=HCSQ,Number=.,Type=String,Description=\"Joint consequence of alleles of one "
    "haplotype, from aceso genomics annotate; * in front: behind a stop that others make. Format: "
    "Consequence|gene|transcript|biotype|strand|amino_acid_change|dna_change|haplotypes|names\">";

namespace {

constexpr std::size_t kGrain = 4;

/// Where a coding allele is found: the line, and its number in the line's `coding`.
struct CodingPlace {
  std::size_t line = 0, index = 0;
};

/// An entry for a line.
struct HaplotypeNote {
  std::size_t line = 0;
  std::string text;
};

/// Numbers of `places`, in the transcript's direction.
using Haplotype = std::vector<std::size_t>;

struct Carrier {
  std::size_t sample = 0, haplotype = 0;
  friend auto operator<=>(const Carrier&, const Carrier&) = default;
};

struct JointNote {
  Consequence found;
  std::vector<Carrier> carriers;
};

class TranscriptNotes {
 public:
  TranscriptNotes(const std::deque<LineWork>& lines, std::vector<CodingPlace> places,
                  const std::vector<std::string>& samples, CodingSequences& sequences)
      : lines_(lines), places_(std::move(places)), samples_(samples), sequences_(sequences) {
    const auto key = [&](const CodingPlace& place) {
      const CodingChange& change = coding(place).change();
      return std::tuple(change.at, change.end(), std::string_view(change.added), place.line);
    };
    std::ranges::sort(places_, {}, key);
  }

  std::vector<HaplotypeNote> write(std::size_t& overlapping) {
    for (std::size_t sample = 0; sample < samples_.size(); ++sample) add_sample(sample);
    for (const auto& [haplotype, carriers] : haplotypes_) judge(haplotype, carriers);
    std::vector<HaplotypeNote> out;
    for (const auto& [key, note] : notes_) append(key.first, key.second, note, out);
    overlapping += overlapping_;
    return out;
  }

 private:
  [[nodiscard]] const CodingAllele& coding(const CodingPlace& place) const {
    return lines_[place.line].coding[place.index];
  }
  [[nodiscard]] SampleHaplotypes genotype(std::size_t place, std::size_t sample) const {
    const PhasedGenotypes& all = lines_[places_[place].line].genotypes;
    return sample < all.samples() ? all.of(sample) : SampleHaplotypes{};
  }

  /// A haplotype for each phase set; alleles that all haplotypes have are in each of them.
  void add_sample(std::size_t sample) {
    std::vector<std::string_view> sets;
    std::size_t ploidy = 0;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const SampleHaplotypes mine = genotype(i, sample);
      if (mine.alleles.empty()) continue;
      ploidy = std::max(ploidy, mine.alleles.size());
      if (!mine.everywhere && std::ranges::find(sets, mine.set) == sets.end())
        sets.push_back(mine.set);
    }
    if (sets.empty()) sets.emplace_back();
    for (std::size_t haplotype = 0; haplotype < ploidy; ++haplotype) {
      for (const std::string_view set : sets) add_haplotype({sample, haplotype}, set);
    }
  }

  void add_haplotype(Carrier carrier, std::string_view set) {
    Haplotype alleles;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const SampleHaplotypes mine = genotype(i, carrier.sample);
      if (carrier.haplotype >= mine.alleles.size() || (!mine.everywhere && mine.set != set))
        continue;
      const int here = mine.alleles[carrier.haplotype];
      if (here > 0 && static_cast<std::size_t>(here) == coding(places_[i]).allele)
        alleles.push_back(i);
    }
    if (alleles.size() < 2) return;
    std::vector<Carrier>& carriers = haplotypes_[std::move(alleles)];
    if (carriers.empty() || carriers.back() != carrier) carriers.push_back(carrier);
  }

  /// Changes that one sequence can have together.
  std::vector<const CodingAllele*> without_overlaps(Haplotype& haplotype) {
    std::vector<const CodingAllele*> out;
    std::erase_if(haplotype, [&](std::size_t i) {
      const CodingAllele& next = coding(places_[i]);
      if (!out.empty()) {
        const CodingChange &last = out.back()->change(), &now = next.change();
        const bool both_insert = last.removed == 0 && now.removed == 0 && last.at == now.at;
        if (now.at < last.end() || both_insert) {
          ++overlapping_;
          return true;
        }
      }
      out.push_back(&next);
      return false;
    });
    return out;
  }

  void judge(Haplotype haplotype, const std::vector<Carrier>& carriers) {
    const std::vector<const CodingAllele*> changes = without_overlaps(haplotype);
    for (JointConsequence& joint : joint_consequences(changes, sequences_)) {
      if (joint.count < 2 && !joint.behind_stop) continue;
      const auto begin = haplotype.begin() + static_cast<std::ptrdiff_t>(joint.first);
      const Haplotype parts(begin, begin + static_cast<std::ptrdiff_t>(joint.count));
      JointNote& note = notes_[{parts, joint.behind_stop}];
      note.found = std::move(joint.found);
      note.carriers.insert(note.carriers.end(), carriers.begin(), carriers.end());
    }
  }

  /// The same entry for each line that has a part in it.
  void append(const Haplotype& parts, bool behind_stop, const JointNote& note,
              std::vector<HaplotypeNote>& out) const {
    const CodingAllele& first = coding(places_[parts.front()]);
    std::string text = behind_stop ? "*" : "";
    append_consequence(text, note.found.effects, *first.transcript);
    text.append("|").append(note.found.amino_acids).append("|");
    append_changes(text, parts);
    append_carriers(text, note.carriers);
    std::vector<std::size_t> lines;
    for (const std::size_t i : parts) lines.push_back(places_[i].line);
    std::ranges::sort(lines);
    const auto repeated = std::ranges::unique(lines);
    lines.erase(repeated.begin(), repeated.end());
    for (const std::size_t line : lines) out.push_back({line, text});
  }

  /// "100A>T+102C>G", in the contig's direction.
  void append_changes(std::string& text, Haplotype parts) const {
    std::ranges::stable_sort(parts, {}, [&](std::size_t i) {
      return std::pair(coding(places_[i]).place.begin, coding(places_[i]).place.end);
    });
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (i > 0) text += '+';
      const LineWork& work = lines_[places_[parts[i]].line];
      append_dna_change(text, work.line, work.alleles[coding(places_[parts[i]]).allele - 1].text);
    }
  }

  void append_carriers(std::string& text, std::vector<Carrier> carriers) const {
    std::ranges::sort(carriers);
    const auto repeated = std::ranges::unique(carriers);
    carriers.erase(repeated.begin(), repeated.end());
    text += fmt::format("|{}|", carriers.size());
    for (std::size_t i = 0; i < std::min(carriers.size(), kNamedHaplotypes); ++i) {
      if (i > 0) text += '&';
      append_safe(text, samples_[carriers[i].sample]);
      text += fmt::format(":{}", carriers[i].haplotype + 1);
    }
  }

  const std::deque<LineWork>& lines_;
  std::vector<CodingPlace> places_;
  const std::vector<std::string>& samples_;
  CodingSequences& sequences_;
  std::map<Haplotype, std::vector<Carrier>> haplotypes_;
  std::map<std::pair<Haplotype, bool>, JointNote> notes_;
  std::size_t overlapping_ = 0;
};

/// Of transcripts with two coding alleles or more, in the order in which lines touch them.
std::vector<std::vector<CodingPlace>> places_by_transcript(const std::deque<LineWork>& lines,
                                                           std::size_t used) {
  std::unordered_map<const Transcript*, std::size_t> numbers;
  std::vector<std::vector<CodingPlace>> out;
  for (std::size_t i = 0; i < used; ++i) {
    for (std::size_t j = 0; j < lines[i].coding.size(); ++j) {
      const auto number =
          numbers.try_emplace(lines[i].coding[j].transcript, out.size()).first->second;
      if (number == out.size()) out.emplace_back();
      out[number].push_back({i, j});
    }
  }
  std::erase_if(out, [](const auto& places) { return places.size() < 2; });
  return out;
}

}  // namespace

HaplotypeFigures add_haplotype_notes(std::deque<LineWork>& lines, std::size_t used,
                                     const std::vector<std::string>& samples,
                                     const Reference& reference, unsigned threads,
                                     const std::stop_token& stop) {
  const std::vector<std::vector<CodingPlace>> places = places_by_transcript(lines, used);
  std::vector<std::vector<HaplotypeNote>> notes(places.size());
  std::vector<std::size_t> overlapping(places.size());
  const auto judge = [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const int contig = lines[places[i].front().line].contig;
      CodingSequences sequences = sequences_of(reference, contig);
      notes[i] = TranscriptNotes(lines, places[i], samples, sequences).write(overlapping[i]);
    }
  };
  parallel_for(places.size(), kGrain, threads, judge, stop);
  HaplotypeFigures figures;
  for (std::size_t i = 0; i < places.size(); ++i) {
    figures.overlapping += overlapping[i];
    for (const HaplotypeNote& note : notes[i]) {
      std::string& out = lines[note.line].joint;
      if (!out.empty()) out += ',';
      out += note.text;
      ++figures.entries;
    }
  }
  return figures;
}

}  // namespace aceso::genomics
