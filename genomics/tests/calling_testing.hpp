// A sample whose variants are known, with its reads in files: what tests of calling begin with.
#pragma once

#include "genome_testing.hpp"
#include "packed_record.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace aceso::genomics {

/// A genome with a sample's changes on it, and its reads in files.
class Calling : public ::testing::Test {
 protected:
  /// With so many pairs of 2 x 150 bases: 28,000 are 31x, at which all changes are called.
  explicit Calling(int pairs = 28'000) {
    ReadMaker maker(22);
    // Beyond one bucket, so that calls at and across its border are seen.
    genome = random_genome(maker, 270'000);
    const std::string unit = random_genome(maker, 24);
    genome.replace(60'000, 48, unit + unit);
    genome.replace(70'000, 14, "AAAAAAAAAAAAAA");
    const auto snv = [&](std::size_t at, int copies) {
      const std::string base(1, genome[at] == 'A' ? 'C' : 'A');
      changes.push_back({at, 1, base, copies});
    };
    for (std::size_t at = 1000; at < 50'000; at += 997) snv(at, static_cast<int>(at % 2 + 1));
    changes.push_back({52'000, 0, "ACGTTGCAACGGTTAACCGGATATCGCGTA", 1});  // 30 bases more
    changes.push_back({53'000, 45, "", 1});                               // 45 bases less
    changes.push_back({54'000, 0, "T", 2});
    changes.push_back({55'000, 2, "", 1});
    snv(55'006, 1);                           // beside it, on the same haplotype
    changes.push_back({60'048, 0, unit, 1});  // a third copy
    changes.push_back({70'014, 0, "AA", 1});  // a longer run
    // Buckets end at multiples of 2^18 on the line of all contigs.
    const std::size_t border = (1U << 18) - kContigGap;
    snv(border - 3, 1);
    changes.push_back({border + 4, 3, "", 2});
    snv(269'000, 1);
    const auto [one, two] = sequence(
        maker, {haplotype_of(genome, changes, 0), haplotype_of(genome, changes, 1)}, pairs);
    run.inputs = {{"reads", {folder.write("r1.fq", one)}},
                  {"reads2", {folder.write("r2.fq", two)}},
                  {"reference", {folder.write("genome.fa", ">one\n" + genome + "\n")}}};
  }

  struct Line {
    std::size_t position;
    std::string reference, other, filter, genotype;
  };

  [[nodiscard]] static std::vector<Line> lines_of(const std::string& vcf) {
    std::vector<Line> out;
    std::istringstream text(vcf);
    for (std::string line; std::getline(text, line);) {
      if (line.starts_with('#')) continue;
      std::istringstream fields(line);
      std::string f[10];
      for (std::string& field : f) fields >> field;
      out.push_back({std::stoul(f[1]) - 1, f[3], f[4], f[6], f[9].substr(0, 3)});
    }
    return out;
  }

  /// The haplotype pair of the calls that passed; phased calls are taken as they are phased.
  [[nodiscard]] std::vector<Change> changes_of(const std::vector<Line>& lines) const {
    std::vector<Change> out;
    for (const Line& line : lines) {
      if (line.filter != "PASS") continue;
      EXPECT_EQ(genome.substr(line.position, line.reference.size()), line.reference);
      const bool both = line.genotype[0] == line.genotype[2];
      out.push_back({line.position, line.reference.size(), line.other, both ? 2 : 1});
    }
    return out;
  }

  Folder folder;
  std::string genome;
  std::vector<Change> changes;
  AppRun run;
};

}  // namespace aceso::genomics
