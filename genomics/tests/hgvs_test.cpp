#include "hgvs.hpp"

#include "genome_testing.hpp"

#include <fmt/format.h>

#include <map>
#include <regex>

namespace aceso::genomics {
namespace {

std::vector<std::uint8_t> codes_of(const std::string& letters) {
  std::vector<std::uint8_t> out;
  for (const char letter : letters) out.push_back(code_of_base(letter));
  return out;
}

/// A small gene of two exons, and the same on the other strand of a contig.
struct SmallGene {
  explicit SmallGene(bool on_reverse) {
    //  1 flank; 11 exon of UTR and ATG GCA TGC AAG TTC; 31 intron; 51 CGT GGG GAA TAC TAA and UTR
    letters =
        "CCCCCCCCCC"
        "TTTCA"
        "ATGGCATGCAAGTTC"
        "GTAAGTCTCTCTCTTTTCAG"
        "CGTGGGGAATACTAA"
        "GCTTAGGGTGATGAACTAACT"
        "CCCCCCCCCC";
    transcript.id = "T";
    transcript.exons = {{10, 30}, {50, 86}};
    transcript.coding = {{15, 30}, {50, 65}};
    if (on_reverse) turn();
    transcript.begin = transcript.exons.front().begin;
    transcript.end = transcript.exons.back().end;
    contig = codes_of(letters);
  }

  void turn() {
    letters = ReadMaker::reverse_complement(letters);
    transcript.reverse = true;
    const auto size = static_cast<std::uint32_t>(letters.size());
    for (auto* spans : {&transcript.exons, &transcript.coding}) {
      for (Span& span : *spans) span = {size - span.end, size - span.begin};
      std::ranges::reverse(*spans);
    }
  }

  /// Bases [first, last] of the forward strand, 1-based, become `added`; last + 1 == first: put in
  /// front of `first`.
  [[nodiscard]] SequenceChange change(std::uint32_t first, std::uint32_t last,
                                      std::string added) const {
    const auto size = static_cast<std::uint32_t>(letters.size());
    SequenceChange out{first - 1, last, {}};
    if (transcript.reverse) {
      out = {size - last, size + 1 - first, {}};
      added = ReadMaker::reverse_complement(added);
    }
    for (const char letter : added) out.added += static_cast<char>(code_of_base(letter));
    return out;
  }

  [[nodiscard]] std::string names(std::uint32_t first, std::uint32_t last,
                                  const std::string& added) const {
    CodingSequences sequences(contig, GeneticCode::Standard);
    const SequenceChange made = change(first, last, added);
    const Consequence found = consequence_of(made, transcript, sequences);
    return hgvs_transcript(made, transcript, contig) + " " +
           hgvs_protein(found, transcript, sequences);
  }

  std::string letters;
  Transcript transcript;
  std::vector<std::uint8_t> contig;
};

TEST(Hgvs, NamesOfASmallGeneAreThoseWorkedByHandOnBothStrands) {
  for (const bool reverse : {false, true}) {
    const SmallGene gene(reverse);
    // Substitutions: in front of the code, the start, a missense, a silent and a stop.
    EXPECT_EQ(gene.names(15, 15, "G"), "c.-1A>G ");
    EXPECT_EQ(gene.names(16, 16, "G"), "c.1A>G p.(Met1?)");
    EXPECT_EQ(gene.names(20, 20, "T"), "c.5C>T p.(Ala2Val)");
    EXPECT_EQ(gene.names(21, 21, "G"), "c.6A>G p.(Ala2=)");
    EXPECT_EQ(gene.names(24, 24, "A"), "c.9C>A p.(Cys3Ter)");
    EXPECT_EQ(gene.names(66, 66, "A"), "c.*1G>A ");
    // The intron, numbered from its nearer end.
    EXPECT_EQ(gene.names(31, 31, "T"), "c.15+1G>T p.?");
    EXPECT_EQ(gene.names(32, 32, "G"), "c.15+2T>G p.?");
    EXPECT_EQ(gene.names(40, 40, "A"), "c.15+10T>A ");
    EXPECT_EQ(gene.names(41, 41, "A"), "c.16-10C>A ");
    EXPECT_EQ(gene.names(50, 50, "A"), "c.16-1G>A p.?");
    // Gaps are moved to the last place: AAG without either A is without its second.
    EXPECT_EQ(gene.names(25, 25, ""), "c.11del p.(Lys4SerfsTer13)");
    EXPECT_EQ(gene.names(26, 26, ""), "c.11del p.(Lys4SerfsTer13)");
    EXPECT_EQ(gene.names(25, 24, "A"), "c.11dup p.(Phe5ValfsTer10)");
    EXPECT_EQ(gene.names(54, 56, ""), "c.20_22del p.(Gly7del)");
    EXPECT_EQ(gene.names(22, 21, "GCA"), "c.4_6dup p.(Ala2dup)");
    EXPECT_EQ(gene.names(22, 21, "GAT"), "c.6_7insGAT p.(Ala2_Cys3insAsp)");
    EXPECT_EQ(gene.names(22, 24, "AAATTT"), "c.7_9delinsAAATTT p.(Cys3delinsLysPhe)");
    EXPECT_EQ(gene.names(22, 27, ""), "c.8_13del p.(Cys3_Lys4del)");
    // A frame that shifts into a stop at once is told as the stop.
    EXPECT_EQ(gene.names(23, 22, "A"), "c.7_8insA p.(Cys3Ter)");
    // The stop, and the next one behind it: TAA GCT TAG.
    EXPECT_EQ(gene.names(63, 63, "C"), "c.28T>C p.(Ter10GlnextTer2)");
    EXPECT_EQ(gene.names(64, 64, "G"), "c.29A>G p.(Ter10=)");
    // Over the exon's end.
    EXPECT_EQ(gene.names(29, 32, ""), "c.14_15+2del p.?");
    // Over the transcript's end there is no name.
    EXPECT_EQ(hgvs_transcript(gene.change(9, 12, ""), gene.transcript, gene.contig), "");
  }
}

TEST(Hgvs, GenomicNamesAreMovedToTheContigsEnd) {
  const SmallGene gene(false);
  const auto name = [&](std::uint32_t first, std::uint32_t last, const std::string& added) {
    return hgvs_genomic(gene.change(first, last, added), gene.contig, GeneticCode::Standard);
  };
  EXPECT_EQ(name(20, 20, "T"), "g.20C>T");
  EXPECT_EQ(name(25, 25, ""), "g.26del");
  EXPECT_EQ(name(12, 11, "T"), "g.13dup");
  EXPECT_EQ(name(37, 38, ""), "g.43_44del");  // of CTCTCTCT, in front of TTT
  EXPECT_EQ(name(22, 21, "GG"), "g.21_22insGG");
  EXPECT_EQ(name(22, 23, "A"), "g.22_23delinsA");
  EXPECT_EQ(
      hgvs_genomic(gene.change(20, 20, "T"), gene.contig, GeneticCode::VertebrateMitochondrial),
      "m.20C>T");
  Transcript plain = gene.transcript;
  plain.coding.clear();
  EXPECT_EQ(hgvs_transcript(gene.change(20, 20, "T"), plain, gene.contig), "n.10C>T");
  EXPECT_EQ(hgvs_transcript(gene.change(31, 31, "T"), plain, gene.contig), "n.20+1G>T");
}

/// The places of a transcript by name, counted base by base.
std::map<std::string, std::size_t> places_by_name(const SmallGene& forward) {
  std::map<std::string, std::size_t> out;
  std::vector<std::size_t> exonic;
  for (const Span exon : forward.transcript.exons) {
    for (std::size_t i = exon.begin; i < exon.end; ++i) exonic.push_back(i);
  }
  std::map<std::size_t, std::string> numbers;
  int number = -5;  // bases in front of the code
  for (const std::size_t at : exonic) {
    numbers[at] = number > 30 ? fmt::format("*{}", number - 30) : std::to_string(number);
    out[numbers[at]] = at;
    if (++number == 0) number = 1;
  }
  for (std::size_t i = 30; i < 50; ++i) {
    const std::size_t behind = i - 29, before = 50 - i;
    out[behind <= before ? fmt::format("{}+{}", numbers[29], behind)
                         : fmt::format("{}-{}", numbers[50], before)] = i;
  }
  return out;
}

/// The letters with a change that has a name.
std::string applied(const std::string& name, const std::map<std::string, std::size_t>& places,
                    std::string letters) {
  static const std::regex kForm(
      R"(c\.([-*]?\d+(?:[-+]\d+)?)(?:_([-*]?\d+(?:[-+]\d+)?))?(del|dup|ins|delins|[ACGT]>)([ACGT]*))");
  std::smatch found;
  if (!std::regex_match(name, found, kForm)) return "not a name: " + name;
  const std::size_t first = places.at(found[1]);
  const std::size_t last = found[2].matched ? places.at(found[2]) : first;
  const std::string what = found[3], added = found[4];
  if (what == "dup") return letters.insert(last + 1, letters.substr(first, last + 1 - first));
  if (what == "ins") return last == first + 1 ? letters.insert(last, added) : "not neighbours";
  return letters.replace(first, last + 1 - first, added);
}

TEST(Hgvs, ANameMakesTheSequenceOfTheVariantOnBothStrands) {
  const SmallGene forward(false), backward(true);
  const auto places = places_by_name(forward);
  ReadMaker maker(3);
  std::size_t named = 0, dup = 0;
  for (int round = 0; round < 20000; ++round) {
    const auto first = static_cast<std::uint32_t>(12 + maker.below(70));
    const auto size = static_cast<std::uint32_t>(maker.below(4));
    const std::string old = forward.letters.substr(first - 1, size);
    const std::string added = random_genome(maker, maker.below(4));
    if (old.empty() && added.empty()) continue;
    // (As callers have it: neither ends are the same.)
    if (!old.empty() && !added.empty() &&
        (old.front() == added.front() || old.back() == added.back()))
      continue;
    const std::uint32_t last = first + size - 1;
    const std::string name =
        hgvs_transcript(forward.change(first, last, added), forward.transcript, forward.contig);
    EXPECT_EQ(name, hgvs_transcript(backward.change(first, last, added), backward.transcript,
                                    backward.contig));
    if (name.empty()) continue;
    std::string expected = forward.letters;
    expected.replace(first - 1, size, added);
    ASSERT_EQ(applied(name, places, forward.letters), expected) << name;
    ++named;
    dup += name.find("dup") != std::string::npos ? 1 : 0;
  }
  EXPECT_GT(named, 10000U);
  EXPECT_GT(dup, 200U);
}

}  // namespace
}  // namespace aceso::genomics
