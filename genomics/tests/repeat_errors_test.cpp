// How long sequencing makes repeats: finding them, counting, the model, and what calling makes of
// it.
#include "repeat_errors.hpp"

#include "calling_testing.hpp"
#include "compare_app.hpp"
#include "germline_app.hpp"
#include "kernels/band.hpp"
#include "learn_repeats.hpp"
#include "simulate_app.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

namespace aceso::genomics {
namespace {

TEST(TandemRepeats, AreFoundByTheirUnit) {
  const auto found = [](std::string_view letters, std::uint32_t unit) {
    std::vector<std::vector<std::size_t>> out;
    for_each_repeat(codes_of(letters), unit, [&](const TandemRepeat& r) {
      if (r.copies > 1) out.push_back({r.begin, r.end, r.copies});
    });
    return out;
  };
  using Found = std::vector<std::vector<std::size_t>>;
  EXPECT_EQ(found("GCAAAAATC", 1), (Found{{2, 7, 5}}));
  EXPECT_EQ(found("GCAAAAATC", 2), Found{}) << "a run of one base";
  EXPECT_EQ(found("GTACACACAGG", 2), (Found{{2, 9, 3}})) << "the last copy is cut";
  EXPECT_EQ(found("CAGCAGCAGT", 3), (Found{{0, 9, 3}}));
  EXPECT_EQ(found("GCNNNNNNTC", 1), Found{});
  EXPECT_EQ(found("", 1), Found{});
}

TEST(GapCosts, FallWithTheCopiesOfARepeat) {
  const GapCosts costs;
  for (std::uint32_t unit = 1; unit <= GapCosts::kMostUnit; ++unit) {
    EXPECT_EQ(costs.open(unit, GapCosts::free_copies(unit)), GapCosts::kOpen);
    for (std::uint32_t copies = 1; copies < 60; ++copies)
      EXPECT_LE(costs.open(unit, copies + 1), costs.open(unit, copies));
  }
  EXPECT_EQ(costs.open(1, 10), 27);
}

TEST(RepeatErrors, ChangeNothingWithoutCounts) {
  const RepeatModel model = RepeatTable().model(2);
  const GapCosts costs = costs_of(model), standard;
  const Priors priors = priors_of(model);
  for (std::uint32_t unit = 1; unit <= GapCosts::kMostUnit; ++unit) {
    for (std::uint32_t copies = 0; copies <= GapCosts::kMostCopies; ++copies) {
      EXPECT_EQ(costs.open(unit, copies), standard.open(unit, copies)) << unit << " " << copies;
      EXPECT_NEAR(priors.indel(unit, copies, 1), Priors::kIndel, 1e-9);
    }
  }
}

/// Counts of a sample in which 3 % of the repeats have another length on one copy, 2 % on both.
RepeatTable drawn(ReadMaker& maker, const std::function<double(std::uint32_t copies)>& rate,
                  std::uint32_t depth, int repeats) {
  RepeatTable table;
  for (std::uint32_t copies = 6; copies <= 16; ++copies) {
    for (int i = 0; i < repeats; ++i) {
      const std::uint64_t kind = maker.below(100);
      std::uint32_t changed = 0;
      for (std::uint32_t read = 0; read < depth; ++read) {
        const bool other = kind < 2 || (kind < 5 && maker.below(2) == 0);
        const bool error = static_cast<double>(maker.below(1'000'000)) < 1e6 * rate(copies);
        changed += other != error ? 1 : 0;
      }
      table.add(1, copies, depth, changed);
    }
  }
  return table;
}

TEST(RepeatErrors, RatesAreThoseThatWereDrawnWith) {
  ReadMaker maker(3);
  const auto rate = [](std::uint32_t copies) { return 0.004 * (copies - 5); };
  for (const std::uint32_t depth : {10U, 30U, 60U}) {
    const RepeatModel learnt =
        drawn(maker, rate, depth, 120'000 / static_cast<int>(depth)).model(2);
    for (std::uint32_t copies = 6; copies <= 16; ++copies)
      EXPECT_NEAR(learnt.errors[0][copies] / rate(copies), 1, 0.25) << depth << " " << copies;
    EXPECT_NEAR(learnt.variants[0][12], 0.05, 0.01) << depth;
    EXPECT_EQ(learnt.errors[1], standard_model().errors[1]) << "units of two bases were not seen";
  }
}

TEST(RepeatErrors, FewCopiesOfManyAreVariants) {
  ReadMaker maker(8);
  RepeatTable table;
  for (int i = 0; i < 1000; ++i) {
    std::uint32_t changed = 0;
    for (int read = 0; read < 60; ++read) changed += i < 50 && maker.below(4) == 0 ? 1 : 0;
    table.add(1, 9, 60, changed);
  }
  const RepeatModel of_four = table.model(4);
  EXPECT_LT(of_four.errors[0][9], 0.0005);
  EXPECT_NEAR(of_four.variants[0][9], 0.05, 0.01);
  EXPECT_NEAR(of_four.variants[0][12], 0.05, 0.01) << "longer repeats vary no less";
}

TEST(RepeatErrors, VariantsAreNotTakenForErrors) {
  ReadMaker maker(4);
  const RepeatRates learnt =
      drawn(maker, [](std::uint32_t) { return 0.0; }, 30, 300).model(2).errors;
  for (std::uint32_t copies = 6; copies <= 16; ++copies) EXPECT_LT(learnt[0][copies], 0.001);
}

TEST(RepeatErrors, LongerRepeatsDoNotErrLess) {
  ReadMaker maker(5);
  RepeatTable table;
  for (int i = 0; i < 2000; ++i) {
    const auto reads = static_cast<std::uint32_t>(4 + maker.below(60));
    const auto unit = static_cast<std::uint32_t>(1 + maker.below(3));
    const std::uint32_t copies =
        GapCosts::free_copies(unit) + 1 + static_cast<std::uint32_t>(maker.below(20));
    table.add(unit, copies, reads, static_cast<std::uint32_t>(maker.below(reads + 1)));
  }
  const RepeatModel model = table.model(2);
  for (const auto& of_unit : model.errors) {
    for (std::size_t copies = 1; copies < of_unit.size(); ++copies) {
      EXPECT_GE(of_unit[copies], of_unit[copies - 1]);
      EXPECT_LT(of_unit[copies], 0.5);
    }
  }
}

TEST(RepeatErrors, FewOrFarTooManyReadsTellNothing) {
  RepeatTable table;
  table.add(1, 8, RepeatTable::kLeastReads - 1, 3);
  table.add(1, 8, RepeatTable::kMostReads + 1, 3);
  EXPECT_EQ(table.repeats(), 0U);
}

TEST(RepeatErrors, ComeBackFromJson) {
  ReadMaker maker(6);
  const RepeatTable table = drawn(maker, [](std::uint32_t) { return 0.02; }, 20, 50);
  EXPECT_EQ(RepeatTable::from_json(table.to_json(), "t").to_json(), table.to_json());
  for (const std::string bad :
       {"{}", R"({"repeats":[[4,8,10,1,1]]})", R"({"repeats":[[1,8,10,11,1]]})",
        R"({"repeats":[[1,99,10,1,1]]})", R"({"repeats":[["a"]]})", R"({"repeats":[[1,8]]})",
        R"({"repeats":[[1,2,10,1,1]]})", R"({"repeats":[[1,8,100000,1,1]]})"})
    expect_error(Errc::CorruptData, {"kept.json"},
                 [&] { (void)RepeatTable::from_json(parse_json(bad, "t"), "kept.json"); });
}

TEST(RepeatChange, IsToldByUnitCopiesAndUnits) {
  const Folder folder;
  const auto reference =
      reference_of(folder, {{"one", "CGTACGATAAAAAAAACGACACACACTGCAGCAGCAGTTCGA"}});
  const auto change = [&](std::uint32_t at, std::uint32_t removed, std::string_view letters) {
    const RepeatChange c =
        repeat_change({kContigGap + at, removed, added(letters)}, reference->reference, 3);
    return std::array{c.unit, c.copies, c.units};
  };
  using Told = std::array<std::uint32_t, 3>;
  EXPECT_EQ(change(8, 1, ""), (Told{1, 8, 1}));
  EXPECT_EQ(change(8, 2, ""), (Told{1, 8, 2}));
  EXPECT_EQ(change(8, 0, "AAA"), (Told{1, 8, 3}));
  EXPECT_EQ(change(18, 2, ""), (Told{2, 4, 1})) << "ACACACAC";
  EXPECT_EQ(change(27, 0, "GCA"), (Told{3, 3, 1}));
  EXPECT_EQ(change(8, 1, "T"), (Told{0, 0, 0})) << "a substitution";
  EXPECT_EQ(change(8, 0, "CGTT"), (Told{0, 0, 0}));
  EXPECT_EQ(change(4, 0, "G"), (Told{1, 0, 1})) << "no copy of it stands there";
}

TEST(RepeatSites, CountReadsThatReachBeyond) {
  const Folder folder;
  // A run of eight from 30 on.
  const std::string genome =
      "CGTACGATCAGTCTAGCATGCTAGTCGATGAAAAAAAATGCTAGCTAGTCATCGATCGGACTAGCATCGA";
  const auto reference = reference_of(folder, {{"one", genome}});
  RepeatSites sites(reference->reference, kContigGap,
                    kContigGap + static_cast<std::uint32_t>(genome.size()));
  const auto add = [&](std::uint32_t at, const std::vector<std::uint32_t>& ops,
                       std::size_t length) {
    sites.add(HandRecord(kContigGap + at, std::string(length, 'A'), ops).record());
  };
  using enum CigarOp;
  for (int i = 0; i < 5; ++i) add(10, {cigar(Match, 50)}, 50);
  add(10, {cigar(Match, 20), cigar(Deletion, 1), cigar(Match, 29)}, 49);   // begins with the run
  add(10, {cigar(Match, 28), cigar(Insertion, 2), cigar(Match, 22)}, 52);  // ends with it
  add(10, {cigar(Match, 12), cigar(Deletion, 1), cigar(Match, 37)}, 49);   // elsewhere
  add(10,
      {cigar(Match, 20), cigar(Deletion, 1), cigar(Match, 4), cigar(Insertion, 1),
       cigar(Match, 25)},
      50);                                               // as long as before
  add(25, {cigar(Match, 40)}, 40);                       // not ten bases in front
  add(10, {cigar(Match, 35), cigar(SoftClip, 30)}, 65);  // nor behind
  RepeatTable table;
  sites.add_to(table);
  EXPECT_EQ(table.to_json(), (Json{{"repeats", Json::array({Json::array({1, 8, 9, 2, 1})})}}));
}

/// A genome with many runs, read by a sequencer that stutters.
class Stutter : public ::testing::Test {
 protected:
  Stutter() {
    ReadMaker maker(12);
    std::string genome = random_genome(maker, 120'000);
    for (std::size_t at = 100; at + 40 < genome.size(); at += 300)
      genome.replace(at, 8 + at / 300 % 7, std::string(8 + at / 300 % 7, "ACGT"[at % 4]));
    const std::filesystem::path reference = folder.write("genome.fa", ">one\n" + genome + "\n");
    AppRun simulate;
    simulate.inputs = {{"reference", {reference}}};
    simulate.options = {{"coverage", 25.0}, {"stutter_rate", 0.03}, {"seed", std::int64_t{3}}};
    simulate.outputs = {{"reads", folder.path("r1.fq")},
                        {"reads2", folder.path("r2.fq")},
                        {"truth", folder.path("truth.vcf")}};
    run_app(simulate_app(), simulate);
    run.inputs = {{"reads", {folder.path("r1.fq")}},
                  {"reads2", {folder.path("r2.fq")}},
                  {"reference", {reference}}};
    run.outputs = {{"variants", folder.path("calls.vcf")}};
  }

  Json calls_with(const std::string& errors) {
    run.options["repeat_errors"] = errors;
    run.options["hard_filter"] = true;
    run_app(germline_app(), run);
    AppRun compare;
    compare.inputs = {{"truth", {folder.path("truth.vcf")}},
                      {"calls", {folder.path("calls.vcf")}},
                      {"reference", run.inputs["reference"]}};
    return run_app(compare_app(), compare)["indel"];
  }

  Folder folder;
  AppRun run;
};

TEST_F(Stutter, IsNotTakenForVariants) {
  const Json standard = calls_with("standard"), learnt = calls_with("learn");
  EXPECT_GT(standard["fp"], 20);
  EXPECT_LT(learnt["fp"].get<int>() * 5, standard["fp"].get<int>());
  EXPECT_GT(learnt["f1"], standard["f1"]);
}

}  // namespace
}  // namespace aceso::genomics
