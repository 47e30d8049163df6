#include "../src/docking.hpp"
#include "../src/docking_chemistry.hpp"
#include "../src/pdb_receptor.hpp"
#include "../src/pdbqt_file.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/random.hpp"
#include "docking_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace aceso::molecules {
namespace {
namespace fs = std::filesystem;

const fs::path kShared = "../../../shared/data/biomol/docking";

std::vector<Vec3> places_of(const DockLigand& ligand) {
  std::vector<Vec3> places;
  for (const DockAtom& atom : ligand.atoms) places.push_back(atom.place);
  return places;
}

DockLigand phenetole() { return ligand_of(parse_smiles("CCOc1ccccc1CN"), "phenetole", 1); }

const DockBox kBox{{0, 0, 0}, {14, 14, 14}};

TEST(DockingScore, IsThatOfThePaper) {
  // Two hydrophobic carbons whose surfaces touch: both Gaussians and the contact.
  const double touching = -0.035579 - 0.005156 * std::exp(-2.25) - 0.035069;
  EXPECT_NEAR(pair_energy(VinaType::CarbonHydrophobic, VinaType::CarbonHydrophobic, 3.8), touching,
              1e-12);
  // A hydrogen bond 0.7 Å into the surfaces is a whole one.
  const double bonded =
      -0.035579 * std::exp(-1.96) - 0.005156 * std::exp(-3.4225) + 0.840245 * 0.49 - 0.587439;
  EXPECT_NEAR(pair_energy(VinaType::NitrogenDonor, VinaType::OxygenAcceptor, 2.8), bonded, 1e-12);
  EXPECT_EQ(pair_energy(VinaType::Sulfur, VinaType::Sulfur, 8.0), 0.0);
  EXPECT_EQ(pair_energy(VinaType::Hydrogen, VinaType::Sulfur, 2.0), 0.0);
}

template <typename Field>
void expect_gradient(const Field& field, double tolerance) {
  const DockLigand ligand = phenetole();
  ASSERT_EQ(ligand.turning(), 3U);
  DockMover mover(ligand, kBox.center);
  const std::size_t n = mover.freedom();
  ASSERT_EQ(n, 9U);
  std::vector<double> gradient(n), other(n), step(n);
  DockPose pose = mover.input_pose();
  pose.position = {0.3, -0.2, 0.1};
  pose.turn = Turn::by({0.4, 1.1, -0.7});
  pose.angles = {0.5, -1.2, 2.0};
  mover.energy(pose, field, 1000, gradient);
  for (std::size_t i = 0; i < n; ++i) {
    // Short: energies jump a little where atoms come within the cutoff.
    constexpr double kStep = 2e-4;
    std::ranges::fill(step, 0.0);
    step[i] = 1;
    DockPose ahead = pose, behind = pose;
    DockMover::move(ahead, step, kStep);
    DockMover::move(behind, step, -kStep);
    const double slope =
        (mover.energy(ahead, field, 1000, other) - mover.energy(behind, field, 1000, other)) /
        (2 * kStep);
    EXPECT_NEAR(gradient[i], slope, tolerance * (1 + std::abs(slope))) << "freedom " << i;
  }
}

TEST(DockingGradient, EqualsFiniteDifferencesWithoutMaps) {
  const DockReceptor receptor(pocket_atoms());
  expect_gradient(ReceptorField(receptor, kBox), 0.02);
}

TEST(DockingGradient, EqualsFiniteDifferencesInMaps) {
  const DockReceptor receptor(pocket_atoms());
  const std::vector<DockLigand> ligands{phenetole()};
  expect_gradient(DockMaps(receptor, kBox, types_of(ligands), 1), 0.05);
}

TEST(DockingMaps, AreNearTheReceptorItselfAndTheSameForAnyNumberOfThreads) {
  const DockReceptor receptor(pocket_atoms());
  const std::vector<VinaType> types = organic_types();
  const DockMaps one(receptor, kBox, types, 1), two(receptor, kBox, types, 2);
  Random random(7, 0);
  for (int i = 0; i < 2000; ++i) {
    const double x = 8 * random.uniform() - 4, y = 8 * random.uniform() - 4,
                 z = 8 * random.uniform() - 4;
    const VinaType type = types[random.below(types.size())];
    const auto at = [&](const DockMaps& maps) {
      return maps.at(type, static_cast<float>(x), static_cast<float>(y), static_cast<float>(z),
                     1e6F);
    };
    EXPECT_EQ(at(one).energy, at(two).energy);
    EXPECT_EQ(at(one).x, at(two).x);
    const double direct = receptor.energy(type, {x, y, z});
    // Curvature times the square of the spacing is what straight lines may miss.
    if (direct < 0.5) {
      EXPECT_NEAR(
          one.at(type, static_cast<float>(x), static_cast<float>(y), static_cast<float>(z), 1e6F)
              .energy,
          direct, 0.12)
          << x << " " << y << " " << z;
    }
  }
}

TEST(DockingEnergy, IsTheSameWhenBothAreMoved) {
  const DockLigand ligand = phenetole();
  const Matrix3 turn(Turn::by({0.3, -2.0, 1.0}));
  const Vec3 shift{50, -20, 13};
  std::vector<DockAtom> atoms = pocket_atoms(), moved = atoms;
  for (DockAtom& atom : moved) atom.place = turn * atom.place + shift;
  std::vector<Vec3> places, moved_places;
  for (const Vec3 p : places_of(ligand)) {
    places.push_back(p);
    moved_places.push_back(turn * p + shift);
  }
  const DockEnergy here = energy_of(ligand, DockReceptor(atoms), places);
  const DockEnergy there = energy_of(ligand, DockReceptor(moved), moved_places);
  EXPECT_NEAR(here.inter, there.inter, 1e-6 * std::abs(here.inter));
  EXPECT_NEAR(here.intra, there.intra, 1e-6);
}

TEST(DockingPose, TurningKeepsBondsAndTheInputPoseIsTheFiles) {
  const DockLigand ligand = phenetole();
  DockMover mover(ligand, kBox.center);
  DockPose pose = mover.input_pose();
  const std::vector<Vec3> input = mover.places(pose), file = places_of(ligand);
  EXPECT_LT(rmsd(ligand, input, file), 1e-5);
  pose.turn = Turn::by({1, 2, 3});
  pose.angles = {1, 2, -1};
  const std::vector<Vec3> turned = mover.places(pose);
  EXPECT_GT(rmsd(ligand, turned, file), 1);
  for (std::size_t a = 0; a < ligand.bonds.size(); ++a)
    for (const std::uint32_t b : ligand.bonds[a])
      EXPECT_NEAR(distance2(turned[a], turned[b]), distance2(file[a], file[b]), 1e-5);
}

TEST(DockingLigand, BondsTurnAsAutodockTurnsThem) {
  const auto turning = [](const char* smiles) {
    const DockLigand ligand = ligand_of(parse_smiles(smiles), "", 1);
    return std::pair{ligand.turning(), ligand.torsions};
  };
  using Counts = std::pair<std::size_t, double>;
  EXPECT_EQ(turning("c1ccccc1"), (Counts{0, 0}));
  EXPECT_EQ(turning("CCCC"), (Counts{1, 1}));
  EXPECT_EQ(turning("CCO"), (Counts{0, 0.5}));                    // a hydrogen turns
  EXPECT_EQ(turning("CC(=O)Nc1ccccc1"), (Counts{1, 1}));          // not the amide
  EXPECT_EQ(turning("C1CCCCC1c1ccccc1"), (Counts{1, 1}));         // not the rings
  EXPECT_EQ(turning("CC(=O)Oc1ccccc1C(=O)O"), (Counts{3, 3.5}));  // aspirin
}

TEST(DockingLigand, WhatCannotBeDockedIsSaid) {
  const auto problem = [](const char* smiles) -> std::string {
    try {
      (void)ligand_of(parse_smiles(smiles), "", 1);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::CorruptData);
      return error.what();
    }
    return "";
  };
  EXPECT_NE(problem("CCO.CCN").find("found 2 pieces"), std::string::npos);
  EXPECT_NE(problem("C[Zn]C").find("metal complexes"), std::string::npos);
  EXPECT_NE(problem("CB(O)O").find("found B"), std::string::npos);
  EXPECT_NE(problem("[H][H]").find("heavy atoms"), std::string::npos);
}

TEST(DockingSearch, IsTheSameForASeedAndFindsTheBottom) {
  const DockReceptor receptor(pocket_atoms());
  const DockLigand ligand = ligand_of(parse_smiles("CCO"), "ethanol", 1);
  const std::vector<DockLigand> ligands{ligand};
  const DockMaps maps(receptor, kBox, types_of(ligands), 1);
  const DockSettings settings{.exhaustiveness = 2, .seed = 5};
  const auto first = dock(ligand, receptor, maps, settings);
  const auto again = dock(ligand, receptor, maps, settings);
  ASSERT_FALSE(first.empty());
  ASSERT_EQ(first.size(), again.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].energy, again[i].energy);
    if (i > 0) {
      EXPECT_GE(first[i].energy, first[i - 1].energy);
      EXPECT_GE(rmsd(ligand, first[i].places, first[0].places), 1);
    }
  }
  // No random pose is better.
  DockMover mover(ligand, kBox.center);
  std::vector<double> gradient(mover.freedom());
  Random random(11, 0);
  for (int i = 0; i < 5000; ++i) {
    DockPose pose = mover.input_pose();
    pose.position = {6 * random.uniform() - 3, 6 * random.uniform() - 3, 6 * random.uniform() - 3};
    pose.turn = Turn::by({3 * random.uniform(), 3 * random.uniform(), 3 * random.uniform()});
    EXPECT_GT(energy_of(ligand, receptor, mover.places(pose)).inter, first[0].parts.inter - 0.01);
  }
}

std::string problem_of_ligand(const std::string& text) {
  try {
    (void)parse_pdbqt_ligands(text, "l.pdbqt");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::CorruptData);
    return error.what();
  }
  return "";
}

TEST(Pdbqt, MistakesNameTheLine) {
  const std::string atom = pdbqt_line(1, 0, 0, 0, "C"), next = pdbqt_line(2, 1.5, 0, 0, "C");
  EXPECT_EQ(problem_of_ligand("ROOT\n" + atom + "ENDROOT\nTORSDOF 0\n"), "");
  EXPECT_NE(problem_of_ligand("").find("expected a ligand"), std::string::npos);
  EXPECT_NE(problem_of_ligand(atom).find("l.pdbqt: line 1: expected ROOT"), std::string::npos);
  EXPECT_NE(problem_of_ligand("ROOT\n" + pdbqt_line(1, 0, 0, 0, "Qq")).find("found \"Qq\""),
            std::string::npos);
  EXPECT_NE(problem_of_ligand("ROOT\n" + atom + atom).find("found 1 again"), std::string::npos);
  EXPECT_NE(problem_of_ligand("ROOT\n" + atom + "ENDROOT\nBRANCH 7 2\n").find("found atom 7"),
            std::string::npos);
  EXPECT_NE(problem_of_ligand("ROOT\n" + atom + "ENDROOT\nBRANCH 1 2\n" + next)
                .find("expected ENDBRANCH"),
            std::string::npos);
  EXPECT_NE(problem_of_ligand("ROOT\n" + atom + "ENDROOT\nBRANCH 1 9\n" + next + "ENDBRANCH 1 9\n")
                .find("line 4: expected atom 9 inside this branch"),
            std::string::npos);
  std::string broken = atom;
  broken.replace(33, 3, "nan");
  EXPECT_NE(problem_of_ligand("ROOT\n" + broken).find("expected a coordinate"), std::string::npos);
  EXPECT_THROW((void)parse_pdbqt_receptor("ROOT\n" + atom, "r"), Error);
  EXPECT_THROW((void)parse_pdbqt_receptor("", "r"), Error);
}

TEST(PdbReceptor, KeepsWhatBelongsToIt) {
  const std::string text =
      "HETATM    1  O   HOH A 100       9.000   9.000   9.000  1.00  0.00           O\n"
      "ATOM      2  N   SER A   1       0.000   0.000   0.000  1.00  0.00           N\n"
      "ATOM      3  CA  SER A   1       1.450   0.000   0.000  1.00  0.00           C\n"
      "ATOM      4  CB  SER A   1       2.000   1.400   0.000  1.00  0.00           C\n"
      "ATOM      5  OG ASER A   1       3.400   1.400   0.000  0.50  0.00           O\n"
      "ATOM      6  OG BSER A   1       1.500   2.700   0.000  0.50  0.00           O\n"
      "HETATM    7  C1  STI A 201       5.000   5.000   5.000  1.00  0.00           C\n"
      "HETATM    8 ZN    ZN A 300       7.000   0.000   0.000  1.00  0.00          ZN\n";
  Warnings warnings;
  const auto atoms = parse_pdb_receptor(text, "r.pdb", warnings);
  ASSERT_EQ(atoms.size(), 5U);
  EXPECT_EQ(atoms[0].type, VinaType::NitrogenDonor);
  EXPECT_EQ(atoms[1].type, VinaType::CarbonPolar);
  EXPECT_EQ(atoms[3].type, VinaType::OxygenBoth);
  EXPECT_EQ(atoms[4].type, VinaType::Metal);
  ASSERT_EQ(warnings.counts().size(), 1U);
  EXPECT_NE(warnings.counts()[0].examples[0].find("STI"), std::string::npos);
}

class DockingReference : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(kShared)) GTEST_SKIP() << kShared << " is not there";
  }
  static DockReceptor receptor(const fs::path& path) {
    Warnings warnings;
    return read_receptor(kShared / path, warnings);
  }
  static std::vector<DockLigand> ligands(const fs::path& path) {
    return parse_pdbqt_ligands(read_structure_text(kShared / path), path.string());
  }
};

TEST_F(DockingReference, ScoresTheRecordedPosesAsVinaDid) {
  const DockReceptor kinase = receptor("vina_1iep/1iep_receptor.pdbqt");
  const auto poses = ligands("vina_1iep/1iep_ligand_vina_out.pdbqt");
  const std::string text = read_file(kShared / "vina_1iep/1iep_ligand_vina_out.pdbqt");
  std::size_t at = 0;
  for (const DockLigand& pose : poses) {
    const auto value = [&](const std::string& label) {
      at = text.find(label, at);
      return std::stod(text.substr(at + label.size(), 30));
    };
    const DockEnergy found = scored(pose, kinase).parts;
    EXPECT_NEAR(found.inter, value("REMARK INTER: "), 0.02);
    EXPECT_NEAR(found.intra, value("REMARK INTRA: "), 0.02);
  }
  EXPECT_GE(poses.size(), 3U);
  EXPECT_NEAR(scored(ligands("vina_1iep/1iep_ligand.pdbqt")[0], kinase).energy, -12.513, 0.02);
}

TEST_F(DockingReference, ScoresTheCrystalPosesAsVinaDoes) {
  // AutoDock Vina 1.2.3, --score_only.
  const std::vector<std::pair<std::string, double>> recorded{
      {"1ac8", -3.278}, {"1hnn", -7.581}, {"1jla", -10.840}, {"1kzk", -12.009}, {"1n46", -11.791},
      {"1owe", -7.771}, {"1p62", -7.851}, {"1t46", -14.440}, {"1v0p", -8.294},  {"2bm2", -8.229},
      {"2brt", -5.445}, {"3er5", -6.624}, {"7cpa", -4.116}};
  for (const auto& [name, energy] : recorded) {
    const fs::path folder = fs::path("set42") / name;
    const auto pose = ligands(folder / "flex-xray.pdbqt")[0];
    EXPECT_NEAR(scored(pose, receptor(folder / "protein.pdbqt")).energy, energy, 0.02) << name;
  }
}

TEST_F(DockingReference, PreparesAPdbFileAsItsPdbqtWas) {
  const DockReceptor pdb = receptor("vina_1iep/1iep_receptorH.pdb");
  const DockReceptor pdbqt = receptor("vina_1iep/1iep_receptor.pdbqt");
  const auto ligand = ligands("vina_1iep/1iep_ligand.pdbqt")[0];
  EXPECT_EQ(pdb.atoms().size(), pdbqt.atoms().size());
  EXPECT_NEAR(scored(ligand, pdb).energy, scored(ligand, pdbqt).energy, 1e-6);
}

TEST_F(DockingReference, CrystalPosesGoDownToAMinimumNearby) {
  for (const char* name : {"1hnn", "1jla", "1kzk", "1t46"}) {
    const fs::path folder = fs::path("set42") / name;
    const DockReceptor protein = receptor(folder / "protein.pdbqt");
    const auto crystal = ligands(folder / "flex-xray.pdbqt")[0];
    const auto where = places_of(crystal);
    const DockedPose found = refined(crystal, protein, box_around(where, 4));
    EXPECT_LT(found.energy, scored(crystal, protein).energy - 0.1) << name;
    EXPECT_GT(rmsd(crystal, found.places, where), 0.01) << name;
    EXPECT_LT(rmsd(crystal, found.places, where), 1) << name;
  }
}

TEST_F(DockingReference, FindsASmallLigandsPose) {
  const DockReceptor protein = receptor("set42/1hnn/protein.pdbqt");
  const auto crystal = ligands("set42/1hnn/flex-xray.pdbqt");
  const auto start = ligands("set42/1hnn/rand-0.pdbqt");
  const auto where = places_of(crystal[0]);
  const DockBox box = box_around(where, 5);
  const DockMaps maps(protein, box, types_of(start), 1);
  const auto poses = dock(start[0], protein, maps, {.exhaustiveness = 2});
  ASSERT_FALSE(poses.empty());
  EXPECT_LT(rmsd(start[0], poses[0].places, where), 2);
}

}  // namespace
}  // namespace aceso::molecules
