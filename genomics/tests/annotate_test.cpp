#include "annotate_app.hpp"
#include "annotation_track.hpp"
#include "consequence.hpp"
#include "gene_models.hpp"
#include "genome_testing.hpp"
#include "joint_consequence.hpp"
#include "phased_genotypes.hpp"

#include "aceso/core/text.hpp"

#include <fmt/format.h>
#include <htslib/tbx.h>
#include <htslib/vcf.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <set>

namespace aceso::genomics {
namespace {

/// A gene as tests make it, 0-based.
struct MadeGene {
  std::string id;
  bool reverse = false;
  std::vector<Span> exons, coding;
};

/// A random genome with genes of three exons on both strands, told as GFF3 and as GTF.
class GeneMaker {
 public:
  explicit GeneMaker(unsigned seed, std::size_t count = 6) : maker(seed) {
    genome = random_genome(maker, count * 2000 + 500);
    for (std::size_t i = 0; i < count; ++i) add_gene(i, 300 + 2000 * i);
  }

  [[nodiscard]] std::string gff3() const {
    std::string out = "##gff-version 3\n";
    for (const MadeGene& gene : genes) {
      const char strand = gene.reverse ? '-' : '+';
      const Span all{gene.exons.front().begin, gene.exons.back().end};
      out += feature("gene", all, strand, ".",
                     fmt::format("ID=gene:G{};Name=N{};biotype=protein_coding", gene.id, gene.id));
      out += feature("mRNA", all, strand, ".",
                     fmt::format("ID=transcript:T{};Parent=gene:G{};biotype=protein_coding",
                                 gene.id, gene.id));
      for (const Span exon : gene.exons)
        out += feature("exon", exon, strand, ".", fmt::format("Parent=transcript:T{}", gene.id));
      for (const auto& [span, phase] : phases(gene, gene.coding))
        out += feature("CDS", span, strand, std::to_string(phase),
                       fmt::format("ID=CDS:{};Parent=transcript:T{}", gene.id, gene.id));
      const Span left{gene.exons.front().begin, gene.coding.front().begin};
      const Span right{gene.coding.back().end, gene.exons.back().end};
      out += feature(gene.reverse ? "three_prime_UTR" : "five_prime_UTR", left, strand, ".",
                     fmt::format("Parent=transcript:T{}", gene.id));
      out += feature(gene.reverse ? "five_prime_UTR" : "three_prime_UTR", right, strand, ".",
                     fmt::format("Parent=transcript:T{}", gene.id));
    }
    return out;
  }

  /// Stop codons are not part of the CDS here.
  [[nodiscard]] std::string gtf() const {
    std::string out = "#!genome-build made\n";
    for (const MadeGene& gene : genes) {
      const char strand = gene.reverse ? '-' : '+';
      const std::string told = fmt::format(
          "gene_id \"G{0}\"; transcript_id \"T{0}\"; gene_name \"N{0}\"; transcript_biotype "
          "\"protein_coding\"; note \"a;b\";",
          gene.id);
      std::vector<Span> coding = gene.coding;
      Span stop;
      if (gene.reverse) {
        stop = {coding.front().begin, coding.front().begin + 3};
        coding.front().begin += 3;
      } else {
        stop = {coding.back().end - 3, coding.back().end};
        coding.back().end -= 3;
      }
      for (const Span exon : gene.exons) out += feature("exon", exon, strand, ".", told);
      for (const auto& [span, phase] : phases(gene, coding))
        out += feature("CDS", span, strand, std::to_string(phase), told);
      out += feature("stop_codon", stop, strand, "0", told);
    }
    return out;
  }

  /// The coding letters of a gene on some genome whose places are those of ours.
  [[nodiscard]] static std::string coding_of(const MadeGene& gene, const std::string& letters) {
    std::string out;
    for (const Span span : gene.coding) out += letters.substr(span.begin, span.size());
    return gene.reverse ? ReadMaker::reverse_complement(out) : out;
  }

  ReadMaker maker;
  std::string genome;
  std::vector<MadeGene> genes;

 private:
  static std::string feature(std::string_view kind, Span span, char strand, std::string_view phase,
                             std::string_view told) {
    return fmt::format("1\tmade\t{}\t{}\t{}\t.\t{}\t{}\t{}\n", kind, span.begin + 1, span.end,
                       strand, phase, told);
  }

  static std::vector<std::pair<Span, std::uint32_t>> phases(const MadeGene& gene,
                                                            std::vector<Span> coding) {
    if (gene.reverse) std::ranges::reverse(coding);
    std::vector<std::pair<Span, std::uint32_t>> out;
    std::uint32_t phase = 0;
    for (const Span span : coding) {
      out.emplace_back(span, phase);
      phase = (3 - (span.size() - phase) % 3) % 3;
    }
    return out;
  }

  void add_gene(std::size_t number, std::size_t at) {
    MadeGene gene;
    gene.id = fmt::format("{:03}", number);
    gene.reverse = number % 2 == 1;
    auto begin = static_cast<std::uint32_t>(at);
    for (int i = 0; i < 3; ++i) {
      const auto size = static_cast<std::uint32_t>(100 + maker.below(150));
      gene.exons.push_back({begin, begin + size});
      begin += size + 80 + static_cast<std::uint32_t>(maker.below(200));
    }
    gene.coding = gene.exons;
    gene.coding.front().begin += 30;
    gene.coding.back().end -= 30;
    std::uint32_t all = 0;
    for (const Span span : gene.coding) all += span.size();
    gene.coding.back().end -= all % 3;
    write_codons(gene, all / 3);
    for (std::size_t i = 1; i < gene.exons.size(); ++i) {
      genome.replace(gene.exons[i - 1].end, 2, gene.reverse ? "CT" : "GT");
      genome.replace(gene.exons[i].begin - 2, 2, gene.reverse ? "AC" : "AG");
    }
    genes.push_back(std::move(gene));
  }

  void write_codons(const MadeGene& gene, std::size_t count) {
    std::string letters = "ATG";
    while (letters.size() < 3 * (count - 1)) {
      const std::string codon = random_genome(maker, 3);
      if (codon != "TAA" && codon != "TAG" && codon != "TGA") letters += codon;
    }
    letters += "TGA";
    if (gene.reverse) letters = ReadMaker::reverse_complement(letters);
    std::size_t used = 0;
    for (const Span span : gene.coding) {
      genome.replace(span.begin, span.size(), letters.substr(used, span.size()));
      used += span.size();
    }
  }
};

/// A second opinion: the standard code as a textbook lists it.
char textbook(const std::string& codon) {
  static const std::vector<std::pair<char, std::string>> table = {{'F', "TTT TTC"},
                                                                  {'L', "TTA TTG CTT CTC CTA CTG"},
                                                                  {'I', "ATT ATC ATA"},
                                                                  {'M', "ATG"},
                                                                  {'V', "GTT GTC GTA GTG"},
                                                                  {'S', "TCT TCC TCA TCG AGT AGC"},
                                                                  {'P', "CCT CCC CCA CCG"},
                                                                  {'T', "ACT ACC ACA ACG"},
                                                                  {'A', "GCT GCC GCA GCG"},
                                                                  {'Y', "TAT TAC"},
                                                                  {'*', "TAA TAG TGA"},
                                                                  {'H', "CAT CAC"},
                                                                  {'Q', "CAA CAG"},
                                                                  {'N', "AAT AAC"},
                                                                  {'K', "AAA AAG"},
                                                                  {'D', "GAT GAC"},
                                                                  {'E', "GAA GAG"},
                                                                  {'C', "TGT TGC"},
                                                                  {'W', "TGG"},
                                                                  {'R', "CGT CGC CGA CGG AGA AGG"},
                                                                  {'G', "GGT GGC GGA GGG"}};
  for (const auto& [letter, codons] : table) {
    if (codons.find(codon) % 4 == 0) return letter;
  }
  return 'X';
}

std::string protein(const std::string& coding) {
  std::string out;
  for (std::size_t i = 0; i + 3 <= coding.size(); i += 3) out += textbook(coding.substr(i, 3));
  return out;
}

std::string codes(const std::string& letters) { return added(letters); }

TEST(GeneticCode, IsTheTextbooks) {
  for (const char a : std::string("ACGT")) {
    for (const char b : std::string("ACGT")) {
      for (const char c : std::string("ACGT")) {
        const std::string codon{a, b, c};
        EXPECT_EQ(amino_acid(codes(codon), GeneticCode::Standard), textbook(codon)) << codon;
        const char mitochondrial = codon == "AGA" || codon == "AGG" ? '*'
                                   : codon == "ATA"                 ? 'M'
                                   : codon == "TGA"                 ? 'W'
                                                                    : textbook(codon);
        EXPECT_EQ(amino_acid(codes(codon), GeneticCode::VertebrateMitochondrial), mitochondrial);
      }
    }
  }
  EXPECT_EQ(amino_acid(codes("ANA"), GeneticCode::Standard), 'X');
  EXPECT_EQ(genetic_code_of("chrM"), GeneticCode::VertebrateMitochondrial);
  EXPECT_EQ(genetic_code_of("chr1"), GeneticCode::Standard);
}

class Genes : public ::testing::Test {
 protected:
  Genes() : owned(reference_of(folder, {{"1", made.genome}})) {}

  GeneModels read(const std::string& text, const std::string& name = "genes.gff3") {
    return read_genes(folder.write(name, text), owned->reference, warnings);
  }

  GeneMaker made{7};
  Folder folder;
  std::shared_ptr<const OwnedReference> owned;
  Warnings warnings;
};

TEST_F(Genes, AreTheSameFromGff3AndGtfInAnyOrderAndPacked) {
  const GeneModels one = read(made.gff3());
  std::vector<std::string> lines = split(made.gff3(), '\n');
  std::ranges::reverse(lines);
  std::string backwards;
  for (const std::string& line : lines) {
    if (!line.empty() && line[0] != '#') backwards += line + "\r\n";
  }
  for (const GeneModels& other :
       {read(made.gtf(), "genes.gtf"), read(backwards), read(gzip(made.gff3()), "genes.gff3.gz"),
        read(bgzf(made.gff3()), "genes.gff3.gz")}) {
    ASSERT_EQ(other.transcripts, made.genes.size());
    EXPECT_EQ(other.coding, made.genes.size());
    for (std::size_t i = 0; i < made.genes.size(); ++i) {
      const Transcript &a = one.by_contig[0].all()[i], &b = other.by_contig[0].all()[i];
      EXPECT_EQ(a.id, "T" + made.genes[i].id);
      EXPECT_EQ(a.gene, "N" + made.genes[i].id);
      EXPECT_EQ(a.id, b.id);
      EXPECT_EQ(a.gene, b.gene);
      EXPECT_EQ(a.biotype, b.biotype);
      EXPECT_EQ(a.reverse, b.reverse);
      EXPECT_EQ(a.exons, made.genes[i].exons);
      EXPECT_EQ(b.exons, a.exons);
      EXPECT_EQ(a.coding, made.genes[i].coding);
      EXPECT_EQ(b.coding, a.coding);
      EXPECT_EQ(b.phase, 0U);
    }
  }
}

TEST_F(Genes, BadLinesAreNamed) {
  const auto message = [&](const std::string& text) {
    return refused(Errc::CorruptData, [&] { (void)read(text); });
  };
  EXPECT_TRUE(contains(message("1\tx\texon\t5\n"), "line 1: expected nine columns"));
  EXPECT_TRUE(contains(message("#c\n1\tx\texon\t9\t5\t.\t+\t.\tParent=t\n"),
                       "line 2: expected a start from 1 on and an end not before it"));
  EXPECT_TRUE(contains(message("1\tx\texon\tone\t5\t.\t+\t.\tParent=t\n"),
                       "expected the start of a feature of GFF3 or GTF, found \"one\""));
  EXPECT_TRUE(contains(message("1\tx\texon\t5\t99999999\t.\t+\t.\tParent=t\n"),
                       "belongs to another reference"));
  EXPECT_TRUE(contains(message("7\tx\texon\t1\t5\t.\t+\t.\tParent=t\n"),
                       "none of its contigs is in the reference: 7"));
  EXPECT_TRUE(contains(message("##gff-version 3\n"), "no transcript"));
  const std::string packed = bgzf(made.gff3());
  EXPECT_TRUE(
      contains(refused(Errc::CorruptData,
                       [&] { (void)read(packed.substr(0, packed.size() / 2), "cut.gff3.gz"); }),
               "truncated"));
  EXPECT_TRUE(
      contains(refused(Errc::NotFound,
                       [&] { (void)read_genes(folder.path("none"), owned->reference, warnings); }),
               "none"));
}

/// The law that ties effects and amino acids to the proteins before and after, on both strands.
TEST_F(Genes, CodingEffectsFollowFromTheProteins) {
  const GeneModels models = read(made.gff3());
  CodingSequences sequences(owned->reference.codes(0), GeneticCode::Standard);
  std::size_t told = 0;
  std::set<std::string> seen;
  for (int round = 0; round < 6000; ++round) {
    const std::size_t number = made.maker.below(made.genes.size());
    const MadeGene& gene = made.genes[number];
    const Span exon = gene.coding[made.maker.below(3)];
    // Apart from exons' ends, where splicing counts, and from the first and last codons.
    const auto at = static_cast<std::uint32_t>(exon.begin + 8 + made.maker.below(exon.size() - 24));
    SequenceChange change{at, at, {}};
    std::string letters;
    const std::size_t kind = made.maker.below(3);
    if (kind == 0) {
      change.end = at + 1;
      letters = std::string(
          1,
          "ACGT"[(std::string_view("ACGT").find(made.genome[at]) + 1 + made.maker.below(3)) % 4]);
    } else if (kind == 1) {
      change.end = at + static_cast<std::uint32_t>(1 + made.maker.below(6));
    } else {
      letters = random_genome(made.maker, 1 + made.maker.below(6));
    }
    change.added = codes(letters);
    const Transcript& transcript = models.by_contig[0].all()[number];
    const Consequence found = consequence_of(change, transcript, sequences);
    // The coding sequence with the change, by its place on the contig.
    std::string after;
    for (const Span span : gene.coding) {
      std::string part = made.genome.substr(span.begin, span.size());
      if (span == exon) part.replace(at - span.begin, change.end - at, letters);
      after += part;
    }
    if (gene.reverse) after = ReadMaker::reverse_complement(after);
    const std::string old = protein(GeneMaker::coding_of(gene, made.genome));
    std::string now = protein(after);
    now = now.substr(0, std::min(now.find('*'), now.size() - 1) + 1);
    seen.insert(found.effects.text());
    const auto difference = static_cast<long>(letters.size()) - (change.end - at);
    EXPECT_EQ(found.effects.has(Effect::Frameshift), difference % 3 != 0);
    if (difference % 3 != 0) continue;
    EXPECT_EQ(found.effects.has(Effect::Synonymous), kind == 0 && now == old);
    EXPECT_EQ(found.effects.has(Effect::StopGained),
              now.size() < old.size() + static_cast<std::size_t>(difference / 3) && now != old);
    EXPECT_EQ(found.effects.has(Effect::InframeDeletion), kind == 1);
    EXPECT_EQ(found.effects.has(Effect::InframeInsertion), kind == 2);
    // What is told of the amino acids, put into the old protein, makes the new one.
    const std::string& text = found.amino_acids;
    const std::size_t arrow = text.find('>');
    if (arrow == std::string::npos) {
      EXPECT_EQ(now, old);
      continue;
    }
    std::size_t digits = 0;
    const std::size_t first = std::stoul(text, &digits) - 1;
    const std::string removed = text.substr(digits, arrow - digits);
    const std::string put = text.substr(arrow + 1 + digits);
    ASSERT_EQ(old.substr(first, removed.size()), removed) << text;
    std::string edited = old;
    edited.replace(first, removed.size(), put);
    EXPECT_EQ(edited.substr(0, edited.find('*') + 1), now) << text;
    ++told;
  }
  EXPECT_GT(told, 1000U);
  EXPECT_TRUE(seen.contains("missense") && seen.contains("synonymous") &&
              seen.contains("frameshift") && seen.contains("stop_gained"));
}

TEST_F(Genes, PlacesOutsideTheCodeHaveTheirNames) {
  const GeneModels models = read(made.gff3());
  CodingSequences sequences(owned->reference.codes(0), GeneticCode::Standard);
  for (const std::size_t number : {0U, 1U}) {
    const MadeGene& gene = made.genes[number];
    const Transcript& transcript = models.by_contig[0].all()[number];
    const auto at = [&](std::uint32_t position) {
      const std::string other(1, made.genome[position] == 'A' ? 'C' : 'A');
      return consequence_of({position, position + 1, codes(other)}, transcript, sequences)
          .effects.text();
    };
    const Span intron{gene.exons[0].end, gene.exons[1].begin};
    EXPECT_EQ(at(gene.exons[0].begin), gene.reverse ? "3_prime_utr" : "5_prime_utr");
    EXPECT_EQ(at(gene.exons[2].end - 1), gene.reverse ? "5_prime_utr" : "3_prime_utr");
    for (const std::uint32_t i : {0U, 1U}) {
      EXPECT_EQ(at(intron.begin + i), gene.reverse ? "splice_acceptor" : "splice_donor");
      EXPECT_EQ(at(intron.end - 1 - i), gene.reverse ? "splice_donor" : "splice_acceptor");
    }
    for (const std::uint32_t i : {2U, 7U}) {
      EXPECT_EQ(at(intron.begin + i), "splice_region");
      EXPECT_EQ(at(intron.end - 1 - i), "splice_region");
    }
    EXPECT_EQ(at(intron.begin + 8), "intron");
    EXPECT_TRUE(contains(at(gene.exons[0].end - 3), "splice_region"));
    EXPECT_FALSE(contains(at(gene.exons[0].end - 4), "splice_region"));
    const std::uint32_t start = gene.reverse ? gene.coding[2].end - 1 : gene.coding[0].begin;
    const std::uint32_t stop = gene.reverse ? gene.coding[0].begin + 2 : gene.coding[2].end - 3;
    EXPECT_EQ(at(start), "start_lost");
    EXPECT_EQ(at(stop), "stop_lost");
  }
}

/// A random change within a coding exon, apart from its ends.
SequenceChange random_change(GeneMaker& made, std::uint32_t at) {
  SequenceChange out{at, at, {}};
  const std::size_t kind = made.maker.below(4);
  if (kind < 2) {
    out.end = at + 1;
    out.added = codes(made.genome[at] == 'C' ? "G" : "C");
  } else if (kind == 2) {
    out.end = at + static_cast<std::uint32_t>(1 + made.maker.below(4));
  } else {
    out.added = codes(random_genome(made.maker, 1 + made.maker.below(4)));
  }
  return out;
}

/// The letters of the genome with changes, the last one first.
std::string with_changes(std::string letters, const std::vector<SequenceChange>& changes) {
  for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
    std::string added;
    for (const char code : change->added) added += base_of_code(static_cast<std::uint8_t>(code));
    letters.replace(change->begin, change->end - change->begin, added);
  }
  return letters;
}

/// "119R>119H" of a consequence.
struct ToldResidues {
  explicit ToldResidues(const std::string& text) {
    const std::size_t arrow = std::min(text.find('>'), text.size());
    std::size_t digits = 0;
    first = std::stoul(text, &digits) - 1;
    before = text.substr(digits, arrow - digits);
    after = arrow == text.size() ? before : text.substr(arrow + 1 + digits);
    cut = after.find("..") != std::string::npos;
    after = after.substr(0, after.find(".."));
  }
  std::size_t first = 0;
  std::string before, after;
  bool cut = false;  ///< more of them come than are told
};

/// What groups tell, put into the protein from its beginning on; `whole` is false where they tell
/// only the first of many residues.
std::string edited_protein(const std::string& old, const std::vector<JointConsequence>& groups,
                           bool& whole) {
  std::string out;
  std::size_t at = 0;
  for (const JointConsequence& group : groups) {
    const ToldResidues told(group.found.amino_acids);
    out += old.substr(at, told.first - at) + told.after;
    at = told.first + told.before.size();
    whole = !told.cut;
    if (told.after.ends_with('*') || told.cut) return out;
  }
  return out + old.substr(at);
}

TEST_F(Genes, WhatGroupsOfAHaplotypeTellMakesItsProtein) {
  const GeneModels models = read(made.gff3());
  CodingSequences sequences(owned->reference.codes(0), GeneticCode::Standard);
  std::size_t joint = 0, restored = 0, behind = 0;
  for (int round = 0; round < 6000; ++round) {
    const std::size_t number = made.maker.below(made.genes.size());
    const MadeGene& gene = made.genes[number];
    const Transcript& transcript = models.by_contig[0].all()[number];
    const Span exon = gene.coding[made.maker.below(3)];
    std::vector<SequenceChange> changes;
    std::uint32_t at = exon.begin + 8;
    for (std::size_t i = 0; i < 1 + made.maker.below(4); ++i) {
      at += static_cast<std::uint32_t>(made.maker.below(12));
      if (at + 20 > exon.end) break;
      changes.push_back(random_change(made, at));
      at = changes.back().end + 1;
    }
    if (changes.empty()) continue;
    std::vector<CodingAllele> alleles;
    for (const SequenceChange& change : changes)
      alleles.push_back({&transcript, 1, change, consequence_of(change, transcript, sequences)});
    std::vector<const CodingAllele*> haplotype;
    for (const CodingAllele& allele : alleles) haplotype.push_back(&allele);
    if (gene.reverse) std::ranges::reverse(haplotype);
    std::vector<JointConsequence> groups = joint_consequences(haplotype, sequences);
    std::size_t counted = 0;
    for (const JointConsequence& group : groups) {
      EXPECT_EQ(group.first, counted);
      counted += group.count;
      joint += group.count > 1 ? 1 : 0;
      restored += group.count > 1 && group.found.effects.has(Effect::InframeAltering) ? 1 : 0;
      behind += group.behind_stop ? 1 : 0;
      if (group.count > 1) continue;
      // One change alone is what it is alone.
      EXPECT_EQ(group.found.amino_acids, haplotype[group.first]->alone.amino_acids);
      EXPECT_EQ(group.found.effects.text(), haplotype[group.first]->alone.effects.text());
    }
    EXPECT_EQ(counted, haplotype.size());
    std::erase_if(groups, [](const JointConsequence& group) { return group.behind_stop; });
    std::string after;
    for (const Span span : gene.coding) {
      std::vector<SequenceChange> inside;
      for (SequenceChange change : span == exon ? changes : std::vector<SequenceChange>()) {
        change.begin -= span.begin;
        change.end -= span.begin;
        inside.push_back(change);
      }
      after += with_changes(made.genome.substr(span.begin, span.size()), inside);
    }
    if (gene.reverse) after = ReadMaker::reverse_complement(after);
    std::string now = protein(after);
    now = now.substr(0, std::min(now.find('*'), now.size() - 1) + 1);
    bool whole = true;
    std::string edited =
        edited_protein(protein(GeneMaker::coding_of(gene, made.genome)), groups, whole);
    edited = edited.substr(0, std::min(edited.find('*'), edited.size() - 1) + 1);
    // (Without a stop within the code, what is translated goes on behind it.)
    const std::size_t common = std::min(edited.size(), now.size());
    EXPECT_EQ(edited.substr(0, common), now.substr(0, common));
    if (whole && now.ends_with('*')) {
      EXPECT_EQ(edited, now);
    }
  }
  EXPECT_GT(joint, 500U);
  EXPECT_GT(restored, 50U);
  EXPECT_GT(behind, 50U);
}

/// One gene on the forward strand, MAEKKRVIALAGVHWLRPSEASVPV* and seven codons behind it, with an
/// intron behind its tenth codon.
class SmallGene : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kBegin = 10, kIntronAt = 30;

  /// A change at a place of the coding sequence in front of the intron.
  [[nodiscard]] static SequenceChange change(std::uint32_t at, std::uint32_t removed,
                                             const std::string& added) {
    return {kBegin + at, kBegin + at + removed, codes(added)};
  }
  [[nodiscard]] std::string alone(const SequenceChange& one) {
    const Consequence found = consequence_of(one, transcript, sequences);
    return found.effects.text() + " " + found.amino_acids;
  }
  /// Of all changes together; fails if they fall into several groups.
  [[nodiscard]] std::string together(const std::vector<SequenceChange>& changes) {
    std::vector<CodingAllele> alleles;
    for (const SequenceChange& one : changes)
      alleles.push_back({&transcript, 1, one, consequence_of(one, transcript, sequences)});
    std::vector<const CodingAllele*> haplotype;
    for (const CodingAllele& allele : alleles) haplotype.push_back(&allele);
    const auto groups = joint_consequences(haplotype, sequences);
    EXPECT_EQ(groups.size(), 1U);
    return groups[0].found.effects.text() + " " + groups[0].found.amino_acids;
  }

  const std::string genome = codes(
      "CCCCCCCCCC"
      "ATGGCTGAAAAAAAACGTGTGATAGCCCTG"
      "GTCCCCCCCCCCCCCCCCAG"
      "GCTGGCGTCCATTGGCTGCGTCCGTCCGAGGCTAGCGTGCCTGTCTAA"
      "GCAGCCGCGGCAGCCGCAGCC"
      "CCCC");
  const Transcript transcript{.id = "T",
                              .gene = "N",
                              .biotype = "protein_coding",
                              .begin = kBegin,
                              .end = 129,
                              .exons = {{kBegin, 40}, {60, 129}},
                              .coding = {{kBegin, 40}, {60, 108}}};
  CodingSequences sequences{{reinterpret_cast<const std::uint8_t*>(genome.data()), genome.size()},
                            GeneticCode::Standard};
};

TEST_F(SmallGene, GapsTogetherAreWhatTheyAddUpTo) {
  const SequenceChange shift = change(4, 1, "");
  EXPECT_EQ(together({shift, change(15, 0, "GCTG")}), "inframe_insertion 2AEKK>2VKKKL");
  EXPECT_EQ(together({change(4, 4, ""), change(15, 0, "C")}), "inframe_deletion 2AEKK>2EKN");
  EXPECT_EQ(together({shift, change(15, 0, "C")}), "inframe_altering&missense 2AEKK>2VKKN");
  // One A less and one more of a run.
  EXPECT_EQ(together({change(7, 1, ""), change(12, 0, "A")}), "inframe_altering&synonymous 3EK");
  // One allele of both kinds.
  EXPECT_EQ(alone(change(3, 2, "CATAC")), "inframe_insertion 2A>2HT");
}

TEST_F(SmallGene, AStopInFrontOfWhatRestoresTheFrameIsThatOfTheShiftedOne) {
  EXPECT_EQ(together({change(4, 1, ""), change(21, 0, "A")}),
            "stop_gained&frameshift 2AEKKRV>2VKKNV*");
  // In frame all the way.
  EXPECT_EQ(together({change(3, 1, "T"), change(4, 3, "")}), "stop_gained&inframe_deletion 2AE>2*");
}

TEST_F(SmallGene, WhatAllelesDoToSplicingIsToldOfEachAlone) {
  const SequenceChange first = change(27, 1, "A"), last = change(29, 1, "A");
  EXPECT_EQ(alone(first), "missense&splice_region 10L>10M");
  EXPECT_EQ(together({first, last}), "missense 10L>10I");
}

TEST_F(SmallGene, BasesSubstitutedAcrossTheEndOfTheCodeShiftNoFrame) {
  // The last base of the stop codon TAA and the one behind it.
  EXPECT_EQ(alone({107, 109, codes("CT")}), "stop_lost&3_prime_utr 26*>26Y");
  EXPECT_EQ(alone({107, 109, codes("GT")}), "stop_retained&3_prime_utr 26*");
}

TEST_F(SmallGene, LongChangesAreCutAsCsqCutsThem) {
  // 22 amino acids are shown, of 23 only 20, and the number of the stop.
  EXPECT_EQ(alone(change(13, 1, "")), "frameshift 5KRVIALAGVHWLRPSEASVPV*>5NV*");
  EXPECT_EQ(alone(change(10, 1, "")), "frameshift 4KKRVIALAGVHWLRPSEASV..26>4KNV*");
  // Without a stop up to the transcript's end: the number behind the last one.
  EXPECT_EQ(alone(change(25, 1, "")), "frameshift 9ALAGVHWLRPSEASVPV*>9AWLASIGCVRPRLACLSKQP..33");
}

TEST(PhasedGenotypes, TellWhichHaplotypeHasWhichAllele) {
  const auto haplotypes = [](const std::string& format, const std::string& sample, PhaseMode mode) {
    VcfLine line;
    EXPECT_TRUE(line.assign("1\t5\t.\tA\tC,G\t.\t.\t.\t" + format + "\t" + sample));
    PhasedGenotypes genotypes;
    genotypes.read(line, mode);
    std::string out;
    for (std::size_t i = 0; i < genotypes.samples(); ++i) {
      const SampleHaplotypes found = genotypes.of(i);
      for (const int allele : found.alleles) out += fmt::format("{} ", allele);
      out += found.everywhere ? "all;" : fmt::format("{};", found.set);
    }
    return out;
  };
  const auto skip = PhaseMode::Skip;
  EXPECT_EQ(haplotypes("GT", "0|2\t1|0", skip), "0 2 ;1 0 ;");
  EXPECT_EQ(haplotypes("GT:DP:PS", "0|1:3:77\t1|1:3:.\t0|1", skip), "0 1 77;1 1 all;0 1 ;");
  EXPECT_EQ(haplotypes("DP:GT", "3:1\t3:0|1|2\t3:.", skip), "1 all;0 1 2 ;-1 all;");
  EXPECT_EQ(haplotypes("GT", "0/1\t1/1\t./1", skip), "-1 -1 all;1 1 all;-1 -1 all;");
  EXPECT_EQ(haplotypes("GT", "0/1\t1/2", PhaseMode::AsIs), "0 1 all;1 2 all;");
  EXPECT_EQ(haplotypes("GT", "0/1\t1/2", PhaseMode::NotReference), "1 1 all;1 2 all;");
  EXPECT_EQ(haplotypes("GT", "0/1\t1/2\t0|2", PhaseMode::Merge), "1 all;1 all;2 all;");
  EXPECT_EQ(haplotypes("DP", "3", skip), "");
  EXPECT_EQ(haplotypes("GT", "1/1\t0|1", PhaseMode::Require), "1 1 all;0 1 ;");
  EXPECT_TRUE(contains(
      refused(Errc::CorruptData, [&] { haplotypes("GT", "0|1\t0/1", PhaseMode::Require); }),
      "sample 2: the genotype 0/1 is not phased"));
  for (const std::string bad : {"0|x", "", "0|", "0-1", "-1|0", "0|99999999999"})
    EXPECT_TRUE(contains(refused(Errc::CorruptData, [&] { haplotypes("GT", bad, skip); }),
                         "sample 1: expected a genotype such as 0|1"))
        << bad;
}

/// Files and what annotating makes of them.
class Annotating : public ::testing::Test {
 protected:
  static std::string vcf(const std::string& lines, const std::string& contig = "1",
                         const std::string& heads = {}) {
    return "##fileformat=VCFv4.2\n##contig=<ID=" + contig + ">\n" + heads +
           "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"x\">\n"
           "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\n" +
           lines;
  }

  /// Lines of what is written, without the header.
  std::vector<std::string> run(const std::string& variants, unsigned threads = 1) {
    job.inputs["variants"] = {folder.write("variants.vcf", variants)};
    return run(threads);
  }
  std::vector<std::string> run(unsigned threads = 1) {
    job.outputs = {{"output", folder.path("out.vcf")}};
    job.threads = threads;
    metrics = run_app(annotate_app(), job);
    std::vector<std::string> out;
    header.clear();
    for (const std::string& line : split(read_file(folder.path("out.vcf")), '\n')) {
      if (line.starts_with('#'))
        header += line + "\n";
      else if (!line.empty())
        out.push_back(line);
    }
    return out;
  }
  static std::string column(const std::string& line, std::size_t index) {
    return split(line, '\t').at(index);
  }

  Folder folder;
  AppRun job;
  Json metrics;
  std::string header;
};

const std::string kTrackHeads =
    "##INFO=<ID=AF,Number=A,Type=Float,Description=\"a, b\">\n"
    "##INFO=<ID=AD,Number=R,Type=Integer,Description=\"x\">\n"
    "##INFO=<ID=COMMON,Number=0,Type=Flag,Description=\"x\">\n"
    "##INFO=<ID=PL,Number=G,Type=Integer,Description=\"x\">\n"
    "##INFO=<ID=CLNSIG,Number=.,Type=String,Description=\"x\">\n";

TEST_F(Annotating, AllelesAreFoundOneByOneHoweverTheyAreWritten) {
  //                             1234567890123456789012345
  const std::string genome = "GATTACAGGCTCACACACATTTGACC";
  job.inputs["reference"] = {folder.write("genome.fa", ">1\n" + genome + "\n")};
  const std::string track =
      vcf("1\t4\trs1\tT\tC,G\t.\t.\tAF=0.1,0.2;AD=7,8,9;COMMON\tGT\t0/1\n"
          "1\t4\trs2\tTAC\tTAG\t.\t.\tAF=0.3;AD=1,2\tGT\t0/1\n"
          "1\t17\trs3;rs4\tACA\tA\t.\t.\tAF=0.4;AD=3,4\tGT\t0/1\n",
          "1", kTrackHeads);
  job.inputs["tracks"] = {folder.write("track.vcf", track)};
  job.options["columns"] = "ID,AF,AD,COMMON,FREQ:=AF";
  // The deletion stands at the other end of its repeat; the base at 6 is told by a longer REF.
  const auto lines =
      run(vcf("1\t4\told\tT\tG,A\t.\t.\tDP=3;AF=9\tGT\t0/1\n1\t6\t.\tC\tG\t.\t.\t.\tGT\t0/1\n"
              "1\t9\t.\tG\tT\t.\t.\tDP=1\tGT\t0/1\n1\t11\t.\tTCA\tT,*\t.\t.\t.\tGT\t1/2\n"));
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0],
            "1\t4\told;rs1\tT\tG,A\t.\t.\tDP=3;AF=0.2,.;AD=7,9,.;COMMON;FREQ=0.2,.\tGT\t0/1");
  EXPECT_EQ(lines[1], "1\t6\trs2\tC\tG\t.\t.\tAF=0.3;AD=1,2;FREQ=0.3\tGT\t0/1");
  EXPECT_EQ(lines[2], "1\t9\t.\tG\tT\t.\t.\tDP=1\tGT\t0/1");
  EXPECT_EQ(lines[3], "1\t11\trs3;rs4\tTCA\tT,*\t.\t.\tAF=0.4,.;AD=3,4,.;FREQ=0.4,.\tGT\t1/2");
  EXPECT_TRUE(contains(header, "##INFO=<ID=FREQ,Number=A,Type=Float,Description=\"a, b\">"));
  EXPECT_EQ(metrics["tracks"][0]["alleles"], 3);
  // Without a reference the deletion is not found, all others are.
  job.inputs.erase("reference");
  EXPECT_EQ(column(run()[3], 2), ".");
  EXPECT_EQ(column(run()[1], 2), "rs2");
}

TEST_F(Annotating, TracksMayHaveOtherNamesAndAnotherOrderOfContigs) {
  const auto lines_on = [](const std::vector<std::string>& contigs, const std::string& id) {
    std::string out;
    for (const std::string& contig : contigs)
      out += contig + "\t10\t" + (id.empty() ? "." : id + contig) + "\tA\tC\t.\t.\t.\tGT\t0/1\n";
    return out;
  };
  job.inputs["tracks"] = {
      folder.write("track.vcf", vcf(lines_on({"chr2", "chr9", "chr1", "chrM"}, "rs")))};
  const auto lines = run(vcf(lines_on({"1", "2", "3", "9", "MT"}, "")));
  ASSERT_EQ(lines.size(), 5U);
  const std::vector<std::string> expected{"rschr1", "rschr2", ".", "rschr9", "rschrM"};
  for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(column(lines[i], 2), expected[i]);
}

TEST_F(Annotating, AnIndexChangesNothing) {
  ReadMaker maker(11);
  std::string known, called;
  for (const std::string contig : {"1", "2", "4"}) {
    for (int at = 5; at < 3'000'000; at += 1 + static_cast<int>(maker.below(600))) {
      const std::string line = fmt::format("{}\t{}\t{{}}\tA\t{}\t.\t.\t.\tGT\t0/1\n", contig, at,
                                           maker.below(9) == 0 ? "AC" : "C");
      if (maker.below(4) > 0) known += fmt::format(fmt::runtime(line), fmt::format("rs{}", at));
      // Here many, there few.
      if (maker.below(at < 500'000 ? 3 : 400) == 0) called += fmt::format(fmt::runtime(line), ".");
    }
    if (contig == "2") called += "3\t7\t.\tA\tC\t.\t.\t.\tGT\t0/1\n";
  }
  const auto track = folder.write("track.vcf.gz", bgzf(vcf(known)));
  job.inputs["tracks"] = {track};
  const auto expected = run(vcf(called));
  EXPECT_GT(metrics["tracks"][0]["alleles"], 100);
  ASSERT_EQ(tbx_index_build3(track.c_str(), nullptr, 0, 1, &tbx_conf_vcf), 0);
  const auto by_index = run(vcf(called));
  ASSERT_EQ(by_index.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(by_index[i], expected[i]);
  // An index that is older than the file is not its own.
  std::filesystem::last_write_time(track.string() + ".tbi",
                                   std::filesystem::last_write_time(track) - std::chrono::hours(1));
  EXPECT_EQ(run(vcf(called)), expected);
}

TEST_F(Annotating, ClinVarGivesItsSignificanceUnasked) {
  job.inputs["tracks"] = {folder.write(
      "clinvar.vcf",
      vcf("1\t4\t1234\tT\tC\t.\t.\tCLNSIG=Pathogenic,risk_factor\tGT\t0/1\n", "1", kTrackHeads))};
  EXPECT_EQ(run(vcf("1\t4\t.\tT\tC\t.\t.\t.\tGT\t0/1\n"))[0],
            "1\t4\t.\tT\tC\t.\t.\tCLNSIG=Pathogenic,risk_factor\tGT\t0/1");
  EXPECT_EQ(run(vcf("1\t4\t.\tT\tA,C\t.\t.\t.\tGT\t1/2\n"))[0],
            "1\t4\t.\tT\tA,C\t.\t.\tCLNSIG=.,Pathogenic|risk_factor\tGT\t1/2");
}

TEST_F(Annotating, BcfAndPackedFilesAreReadAsText) {
  const std::string text = vcf("1\t4\t.\tT\tC\t50\tPASS\t.\tGT\t0/1\n");
  const auto path = folder.write("plain.vcf", text);
  const std::string bcf = folder.path("variants.bcf").string();
  htsFile* in = hts_open(path.c_str(), "r");
  htsFile* out = hts_open(bcf.c_str(), "wb");
  bcf_hdr_t* head = bcf_hdr_read(in);
  bcf1_t* record = bcf_init();
  ASSERT_EQ(bcf_hdr_write(out, head), 0);
  while (bcf_read(in, head, record) == 0) ASSERT_EQ(bcf_write(out, head, record), 0);
  bcf_destroy(record);
  bcf_hdr_destroy(head);
  hts_close(in);
  hts_close(out);
  job.inputs["tracks"] = {folder.write("t.vcf.gz", bgzf(vcf("1\t4\trs1\tT\tC\t.\t.\t.\tGT\t.\n")))};
  for (const auto& file :
       {std::filesystem::path(bcf), path, folder.write("v.vcf.gz", gzip(text))}) {
    job.inputs["variants"] = {file};
    EXPECT_EQ(run(), std::vector<std::string>{"1\t4\trs1\tT\tC\t50\tPASS\t.\tGT\t0/1"});
  }
}

TEST_F(Annotating, AGapAtABorderIsJudgedWhereItDoesLess) {
  GeneMaker made(12, 1);
  const MadeGene& gene = made.genes[0];
  // The exon ends with the base that the intron begins with: GG|T, so a G less leaves the site.
  const std::uint32_t border = gene.exons[0].end;
  made.genome[border - 1] = 'G';
  job.inputs["reference"] = {folder.write("genome.fa", ">1\n" + made.genome + "\n")};
  job.inputs["genes"] = {folder.write("genes.gff3", made.gff3())};
  const auto lines =
      run(vcf(fmt::format("1\t{}\t.\tGG\tG\t.\t.\t.\tGT\t0/1\n"
                          "1\t{}\t.\tGT\tG\t.\t.\t.\tGT\t0/1\n",
                          border, border + 1)));
  EXPECT_TRUE(contains(column(lines[0], 7), "BCSQ=frameshift&splice_region|"));
  EXPECT_TRUE(contains(column(lines[1], 7), "BCSQ=splice_donor|"));
}

/// Lines with two changes of the third codon of a gene, and what HCSQ says of each.
class AnnotatingHaplotypes : public Annotating {
 protected:
  AnnotatingHaplotypes() {
    codon = made.genes[0].coding[0].begin + 6;
    made.genome.replace(codon, 3, "CTG");
    job.inputs["reference"] = {folder.write("genome.fa", ">1\n" + made.genome + "\n")};
    job.inputs["genes"] = {folder.write("genes.gff3", made.gff3())};
  }

  /// C to A, G to A: CTG is L, ATG M, CTA L, ATA I.
  [[nodiscard]] std::string two(const std::string& first, const std::string& second,
                                const std::string& format = "GT") const {
    return vcf(
        fmt::format("1\t{}\t.\tC\tA\t.\t.\t.\t{}\t{}\n"
                    "1\t{}\t.\tG\tA\t.\t.\t.\t{}\t{}\n",
                    codon + 1, format, first, codon + 3, format, second));
  }
  [[nodiscard]] std::vector<std::string> joint(const std::string& variants) {
    std::vector<std::string> out;
    for (const std::string& line : run(variants)) {
      bool present = false;
      const std::string info = column(line, 7);
      out.emplace_back(info_value(info, "HCSQ", present));
      EXPECT_TRUE(contains(info, "BCSQ="));
    }
    return out;
  }

  GeneMaker made{12, 2};
  std::uint32_t codon = 0;
};

TEST_F(AnnotatingHaplotypes, TwoChangesOfACodonCountTogetherOnOneHaplotypeOnly) {
  const std::string told =
      fmt::format("missense|N000|T000|protein_coding|+|3L>3I|{}C>A+{}G>A|", codon + 1, codon + 3);
  const std::vector<std::string> none{"", ""};
  EXPECT_EQ(joint(two("0|1", "0|1")), std::vector<std::string>(2, told + "1|s:2"));
  EXPECT_TRUE(contains(header, "##INFO=<ID=HCSQ,"));
  EXPECT_EQ(metrics["joint_consequences"], 2);
  EXPECT_EQ(joint(two("1|1", "1|1")), std::vector<std::string>(2, told + "2|s:1&s:2"));
  EXPECT_EQ(joint(two("1/1", "0|1")), std::vector<std::string>(2, told + "1|s:2"));
  EXPECT_EQ(joint(two("1", "1")), std::vector<std::string>(2, told + "1|s:1"));
  EXPECT_EQ(joint(two("0|0|1", "0|0|1")), std::vector<std::string>(2, told + "1|s:3"));
  for (const auto& [a, b] : std::vector<std::pair<std::string, std::string>>{
           {"0|1", "1|0"}, {"0/1", "0/1"}, {"0|1", "0|0"}, {".", "0|1"}})
    EXPECT_EQ(joint(two(a, b)), none) << a << " " << b;
  // Phase sets.
  EXPECT_EQ(joint(two("0|1:7", "0|1:9", "GT:PS")), none);
  EXPECT_EQ(joint(two("0|1:7", "0|1:7", "GT:PS"))[1], told + "1|s:2");
  EXPECT_EQ(joint(two("0|1:7", "1|1:9", "GT:PS"))[0], told + "1|s:2");
  job.options["local"] = true;
  EXPECT_EQ(joint(two("0|1", "0|1")), none);
}

TEST_F(AnnotatingHaplotypes, NamesOfTheNomenclatureAreAddedIfAsked) {
  job.options["hgvs"] = true;
  const auto lines = run(vcf(fmt::format("1\t{}\t.\tC\tA,T,*\t.\t.\t.\tGT\t0/1\n", codon + 1)));
  EXPECT_TRUE(contains(
      column(lines[0], 7) + ";",
      fmt::format(";HGVSG=g.{0}C>A,g.{0}C>T,.;HGVS=A|T000|c.7C>A|p.(Leu3Met),T|T000|c.7C>T|"
                  "p.(Leu3%3D);",
                  codon + 1)))
      << lines[0];
  EXPECT_TRUE(contains(header, "##INFO=<ID=HGVS,"));
  EXPECT_TRUE(contains(header, "##INFO=<ID=HGVSG,Number=A"));
  job.inputs.erase("genes");
  EXPECT_TRUE(contains(refused(Errc::InvalidArgument, [&] { run(); }), "hgvs: needs genes"));
}

TEST_F(AnnotatingHaplotypes, PhaseSaysWhatToDoWithoutIt) {
  const auto count = [&](const std::string& phase, const std::string& a, const std::string& b) {
    job.options["phase"] = phase;
    const std::string text = joint(two(a, b))[0];
    return text.empty() ? "0" : split(text, '|').at(7);
  };
  EXPECT_EQ(count("s", "0/1", "0/1"), "0");
  EXPECT_EQ(count("a", "0/1", "0/1"), "1");
  EXPECT_EQ(count("R", "0/1", "0/1"), "2");
  EXPECT_EQ(count("m", "0/1", "1|0"), "1");
  EXPECT_TRUE(contains(refused(Errc::CorruptData, [&] { (void)count("r", "0|1", "0/1"); }),
                       "record 2 (1:"));
}

TEST_F(AnnotatingHaplotypes, TheOrderOfRecordsOfAPlaceDoesNotMatter) {
  // Both at one POS; the second one writes a base that stays.
  const std::string one = fmt::format("1\t{}\t.\tC\tA\t.\t.\t.\tGT\t0|1\n", codon + 1);
  const std::string other = fmt::format("1\t{}\t.\tCT\tCA\t.\t.\t.\tGT\t0|1\n", codon + 1);
  const auto there = joint(vcf(one + other)), back = joint(vcf(other + one));
  ASSERT_EQ(there.size(), 2U);
  EXPECT_FALSE(there[0].empty());
  EXPECT_EQ(there[0], there[1]);
  EXPECT_EQ(there, back);
}

TEST_F(AnnotatingHaplotypes, OfAllelesThatOverlapTheLaterOneIsLeftOut) {
  const std::string lines = fmt::format(
      "1\t{}\t.\tCT\tAA\t.\t.\t.\tGT\t0|1\n1\t{}\t.\tT\tA\t.\t.\t.\tGT\t0|1\n"
      "1\t{}\t.\tG\tA\t.\t.\t.\tGT\t0|1\n",
      codon + 1, codon + 2, codon + 3);
  const auto found = joint(vcf(lines));
  EXPECT_TRUE(contains(found[0], fmt::format("|{}CT>AA+{}G>A|", codon + 1, codon + 3)));
  EXPECT_EQ(found[1], "");
  EXPECT_EQ(found[2], found[0]);
}

TEST_F(AnnotatingHaplotypes, AreTheSameForAnyNumberOfThreadsAndAcrossBatches) {
  std::string lines;
  const MadeGene& gene = made.genes[1];
  for (std::uint32_t at = 0; at < made.genome.size(); ++at) {
    const char other = made.genome[at] == 'A' ? 'C' : 'A';
    // The codons of the whole second gene change on one haplotype.
    lines += fmt::format("1\t{}\t.\t{}\t{}\t.\t.\t.\tGT\t0|{}\n", at + 1, made.genome[at], other,
                         at >= gene.coding[0].begin ? 1 : 0);
  }
  const auto one = run(vcf(lines), 1);
  EXPECT_GT(metrics["joint_consequences"], 300);
  EXPECT_EQ(run(vcf(lines), 3), one);
}

TEST_F(Annotating, IsTheSameForAnyNumberOfThreads) {
  GeneMaker made(9);
  job.inputs["reference"] = {folder.write("genome.fa", ">1\n" + made.genome + "\n")};
  job.inputs["genes"] = {folder.write("genes.gff3", made.gff3())};
  std::string lines;
  for (std::size_t i = 1; i < made.genome.size(); i += 2)
    lines += fmt::format("1\t{}\t.\t{}\t{}\t.\t.\t.\tGT\t0/1\n", i, made.genome[i - 1],
                         made.genome[i - 1] == 'A' ? "C" : "AAC");
  const auto one = run(vcf(lines), 1);
  EXPECT_EQ(run(vcf(lines), 3), one);
  EXPECT_GT(metrics["gravest"]["missense"], 10);
  EXPECT_EQ(metrics["records"], one.size());
  std::uint64_t sum = 0;
  for (const auto& [name, count] : metrics["gravest"].items()) sum += count.get<std::uint64_t>();
  EXPECT_EQ(sum, one.size());
}

TEST_F(Annotating, BadInputIsNamed) {
  const std::string good = vcf("1\t4\t.\tT\tC\t.\t.\t.\tGT\t0/1\n");
  const auto message = [&](Errc code, const std::string& variants) {
    return refused(code, [&] { run(variants); });
  };
  EXPECT_TRUE(contains(message(Errc::InvalidArgument, good), "expected tracks, or genes"));
  job.inputs["tracks"] = {folder.write("track.vcf", vcf("", "1", kTrackHeads))};
  EXPECT_TRUE(
      contains(message(Errc::CorruptData,
                       vcf("1\t9\t.\tT\tC\t.\t.\t.\tGT\t0\n1\t4\t.\tT\tC\t.\t.\t.\tGT\t0\n")),
               "record 2 (1:4): behind position 9; expected a sorted file"));
  EXPECT_TRUE(contains(message(Errc::CorruptData, vcf("1\t4\t.\tT\n")),
                       "record 1: expected eight columns or more"));
  EXPECT_TRUE(
      contains(message(Errc::CorruptData, "@read\nACGT\n+\nIIII\n"), "neither VCF nor BCF"));
  EXPECT_TRUE(contains(message(Errc::CorruptData, "##fileformat=VCFv4.2\n1\t4\t.\tT\tC\t.\t.\t.\n"),
                       "no line #CHROM"));
  job.options["columns"] = "NOPE";
  EXPECT_TRUE(contains(message(Errc::InvalidArgument, good), "declares no INFO field \"NOPE\""));
  job.options["columns"] = "PL";
  EXPECT_TRUE(contains(message(Errc::InvalidArgument, good), "a value for each genotype"));
  job.options["columns"] = "ID;AF";
  EXPECT_TRUE(contains(message(Errc::InvalidArgument, good), "2 lists for 1 tracks"));
  job.options["columns"] = "";
  job.inputs["reference"] = {folder.write("genome.fa", ">1\nGATTACA\n")};
  EXPECT_TRUE(contains(message(Errc::CorruptData, vcf("1\t4\t.\tG\tC\t.\t.\t.\tGT\t0\n")),
                       "REF is G, the reference has T there"));
  EXPECT_TRUE(contains(message(Errc::CorruptData, vcf("1\t40\t.\tG\tC\t.\t.\t.\tGT\t0\n")),
                       "ends behind the contig's last base"));
  EXPECT_TRUE(contains(message(Errc::CorruptData, vcf("8\t4\t.\tG\tC\t.\t.\t.\tGT\t0\n")),
                       "none of its contigs is in the reference: 8"));
  job.inputs.erase("reference");
  job.inputs["genes"] = {folder.write("genes.gff3", "##gff-version 3\n")};
  EXPECT_TRUE(contains(message(Errc::InvalidArgument, good), "genes: needs a reference too"));
  job.inputs.erase("genes");
  job.inputs["variants"] = {folder.write("cut.vcf.gz", bgzf(good).substr(0, 60))};
  EXPECT_TRUE(contains(refused(Errc::CorruptData, [&] { run(); }), "truncated"));
}

/// Effects by record and transcript, of files of ours and of bcftools csq.
std::map<std::string, std::set<std::string>> effects_of(const std::string& text) {
  std::map<std::string, std::set<std::string>> out;
  for (const std::string& line : split(text, '\n')) {
    if (line.empty() || line[0] == '#') continue;
    const auto columns = split(line, '\t');
    for (const std::string& entry : split(columns[7], ';')) {
      if (!entry.starts_with("BCSQ=")) continue;
      for (const std::string& one : split(entry.substr(5), ',')) {
        const auto fields = split(one, '|');
        // csq names no transcript for introns.
        const std::string whom = fields[0] == "intron" ? fields[1] : fields[2];
        for (const std::string& effect : split(fields[0], '&'))
          out[columns[1] + columns[3] + ">" + columns[4] + " " + whom].insert(effect);
      }
    }
  }
  return out;
}

TEST_F(Annotating, AgreesWithBcftoolsCsq) {
  if (std::system("command -v bcftools samtools >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "bcftools is not there";
  GeneMaker made(10, 30);
  const auto genome = folder.write("genome.fa", ">1\n" + made.genome + "\n");
  const auto genes = folder.write("genes.gff3", made.gff3());
  job.inputs["reference"] = {genome};
  job.inputs["genes"] = {genes};
  std::string lines;
  for (std::size_t i = 40; i + 40 < made.genome.size(); i += 1 + made.maker.below(5)) {
    const std::string base(1, made.genome[i]);
    std::string reference = base, other = base;
    const std::size_t kind = made.maker.below(4), size = 1 + made.maker.below(6);
    if (kind == 0) reference = made.genome.substr(i, size + 1);
    if (kind == 1) other += random_genome(made.maker, size);
    if (kind > 1) other = base == "A" ? "G" : "A";
    lines += fmt::format("1\t{}\t.\t{}\t{}\t.\t.\t.\tGT\t0/1\n", i + 1, reference, other);
  }
  (void)run(vcf(lines));
  const std::string command = fmt::format(
      "cd {} && samtools faidx genome.fa && bcftools csq -l -f genome.fa -g genes.gff3 "
      "variants.vcf -o theirs.vcf >/dev/null 2>&1",
      folder.path("").string());
  ASSERT_EQ(std::system(command.c_str()), 0);
  const auto ours = effects_of(read_file(folder.path("out.vcf")));
  const auto theirs = effects_of(read_file(folder.path("theirs.vcf")));
  std::size_t same = 0;
  for (const auto& [whom, effects] : theirs) {
    const auto found = ours.find(whom);
    same += found != ours.end() && found->second == effects ? 1 : 0;
  }
  std::cout << same << " of " << theirs.size() << " consequences are those of bcftools csq\n";
  EXPECT_GT(theirs.size(), 5000U);
  EXPECT_GT(static_cast<double>(same) / static_cast<double>(theirs.size()), 0.98);
}

}  // namespace
}  // namespace aceso::genomics
