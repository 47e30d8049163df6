// The ways that are faster than RDKit's own give the same: each is compared with the slow one.
#include "../src/pattern_set.hpp"
#include "../src/qed.hpp"
#include "aceso/core/error.hpp"
#include "aceso/molecules/chemistry.hpp"
#include "aceso/molecules/molecule_file.hpp"
#include "aceso/molecules/preparation.hpp"

#include <GraphMol/ChemTransforms/ChemTransforms.h>
#include <GraphMol/Descriptors/Crippen.h>
#include <GraphMol/Descriptors/Lipinski.h>
#include <GraphMol/MolOps.h>
#include <GraphMol/RWMol.h>
#include <GraphMol/SmilesParse/SmilesParse.h>
#include <GraphMol/SmilesParse/SmilesWrite.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>

namespace aceso::molecules {
namespace {
namespace fs = std::filesystem;

constexpr const char* kVaried[] = {"C",
                                   "O",
                                   "[Na+].[Cl-]",
                                   "[H][H]",
                                   "[2H]C([2H])([2H])O",
                                   "[13CH4]",
                                   "[CH3]",
                                   "[O][O]",
                                   "[NH4+]",
                                   "C#N",
                                   "[C-]#[O+]",
                                   "N=[N+]=[N-]",
                                   "CS(=O)(=O)O",
                                   "CS(C)=O",
                                   "C[S+](C)C",
                                   "FS(F)(F)(F)(F)F",
                                   "OP(=O)(O)O",
                                   "CP(C)C",
                                   "FP(F)(F)(F)F",
                                   "C[N+](C)(C)CC([O-])=O",
                                   "O=[N+]([O-])c1ccccc1",
                                   "c1ccc2ccccc2c1",
                                   "c1ccc2c(c1)ccc1ccccc12",
                                   "c1ccc2cc3ccccc3cc2c1",
                                   "c1cc2ccc3cccc4ccc(c1)c2c34",
                                   "c1c[nH]cc1",
                                   "c1cnc[nH]1",
                                   "Cn1cnc2c1c(=O)n(C)c(=O)n2C",
                                   "c1ccsc1",
                                   "c1ccoc1",
                                   "[O-][n+]1ccccc1",
                                   "C[n+]1ccccc1",
                                   "O=c1cc[nH]cc1",
                                   "c1ccc2c(c1)[nH]c1ccccc12",
                                   "C1CC1",
                                   "C1CO1",
                                   "C1CN1C",
                                   "C1CCC2(CC1)CCCCC2",
                                   "C1CC2CCC1C2",
                                   "C12C3C4C1C5C2C3C45",
                                   "O=C1NC(=O)NC(=O)C1(CC)CC",
                                   "CC(C)(C)C(C)(C)C",
                                   "FC(F)(F)c1ccccc1",
                                   "ClC(Cl)(Cl)CC(Br)(Br)Br",
                                   "C/C=C/C",
                                   "C/C=C\\C(=O)O",
                                   "F/C(Cl)=C(/Br)I",
                                   "C[C@H](N)C(=O)O",
                                   "C[C@@H]1CC[C@H](O)CC1",
                                   "c1ccc(/C=C/c2ccccc2)cc1",
                                   "N[C@@H](Cc1c[nH]c2ccccc12)C(=O)O",
                                   "CC(=O)Oc1ccccc1C(=O)O.[Na]",
                                   "B(O)(O)c1ccccc1",
                                   "C[Si](C)(C)C",
                                   "C[Se]C",
                                   "c1cc[se]c1",
                                   "[Fe+2].c1cc[cH-]c1.c1cc[cH-]c1",
                                   "OO",
                                   "CSSC",
                                   "NN",
                                   "CN=NC",
                                   "C=C=C",
                                   "C=C=O",
                                   "O=C=O",
                                   "N#CC#N",
                                   "CC#CC(=O)C",
                                   "ON=C(C)C",
                                   "O=C1C=CC(=O)C=C1",
                                   "O=C1C=CC=CC1=O",
                                   "Nc1ccc(O)cc1",
                                   "Oc1ccccc1O",
                                   "SC(=S)N",
                                   "CC(=S)N",
                                   "[S-]c1ccccc1",
                                   "C1CCCCCCC1",
                                   "C1CCc2ccccc2CC1",
                                   "O=C1CCN1",
                                   "CC(=O)N(O)C",
                                   "CC(=O)NN",
                                   "O=CC",
                                   "C[N+]#[C-]",
                                   "c1ccccc1C(c1ccccc1)c1ccccc1",
                                   "C1=CC2=CC=CC3=CC=CC(=C1)C23",
                                   "F.F.F.F",
                                   "*c1ccccc1",
                                   "[*]CC",
                                   "COC(=O)C.COC(=O)C.COC(=O)C",
                                   "[CH3:1][CH2:2]c1ccccc1",
                                   "C1=CNC=CC1=C1CCCCC1",
                                   "[cH+]1cccccc1",
                                   "[nH]1c2ccccc2c2c1cccc2CCC3CCNCC3",
                                   "O=S1(=O)CCCC1",
                                   "CC1(C)SC2C(NC1=O)C(=O)N2",
                                   "CC[C@]1(O)C[C@H]2CN(CCc3c([nH]c4ccccc34)[C@@](C(=O)OC)(c3cc4c("
                                   "cc3OC)N(C)[C@H]3[C@@](O)(C(=O)OC)"
                                   "[C@H](OC(C)=O)[C@]5(CC)C=CCN6CC[C@]43[C@@H]65)C2)C1"};

/// Those above, and some of ChEMBL's where they are at hand.
std::vector<std::string> molecules() {
  constexpr std::size_t kEvery = 50;
  std::vector<std::string> all(std::begin(kVaried), std::end(kVaried));
  const fs::path file = "../../../shared/data/biomol/molecules/chembl_10k.smi";
  if (!fs::exists(file)) return all;
  const std::vector<MoleculeRecord> records = read_molecules(file);
  for (std::size_t i = 0; i < records.size(); i += kEvery) all.push_back(records[i].smiles);
  return all;
}

Molecule slowly_read(const std::string& smiles) {
  return Molecule(std::shared_ptr<const RDKit::ROMol>(RDKit::SmilesToMol(smiles)));
}

TEST(ParseSmiles, ReadsWhatRdkitReads) {
  for (const std::string& smiles : molecules()) {
    const Molecule fast = parse_smiles(smiles), slow = slowly_read(smiles);
    ASSERT_EQ(fast.atoms(), slow.atoms()) << smiles;
    EXPECT_EQ(RDKit::MolToSmiles(fast.rdkit()), RDKit::MolToSmiles(slow.rdkit())) << smiles;
    for (const RDKit::Bond* bond : fast.rdkit().bonds())
      EXPECT_EQ(bond->getStereo(), slow.rdkit().getBondWithIdx(bond->getIdx())->getStereo())
          << smiles;
    EXPECT_DOUBLE_EQ(sa_score(fast), sa_score(slow)) << smiles;
    EXPECT_EQ(fingerprint(fast, Fingerprint::Ecfp6), fingerprint(slow, Fingerprint::Ecfp6))
        << smiles;
  }
}

TEST(MurckoScaffold, EqualsRdkits) {
  for (const std::string& smiles : molecules()) {
    const std::unique_ptr<RDKit::ROMol> scaffold(
        RDKit::MurckoDecompose(slowly_read(smiles).rdkit()));
    const std::string slow = scaffold->getNumAtoms() > 0 ? RDKit::MolToSmiles(*scaffold) : "";
    EXPECT_EQ(murcko_scaffold(parse_smiles(smiles)), slow) << smiles;
  }
}

TEST(PatternScan, FindsWhatRdkitFinds) {
  const std::vector<const char*> smarts = qed_patterns().all();
  const PatternSet set(smarts);
  PatternScan scan(set);
  std::vector<Pattern> slow(smarts.begin(), smarts.end());
  for (const std::string& smiles : molecules()) {
    const Molecule molecule = parse_smiles(smiles);
    scan.read(molecule.rdkit());
    for (std::size_t p = 0; p < smarts.size(); ++p) {
      const std::size_t count = slow[p].count(molecule);
      EXPECT_EQ(scan.count(p), count) << smiles << " " << smarts[p];
      EXPECT_EQ(scan.in(p), count > 0) << smiles << " " << smarts[p];
    }
  }
}

TEST(PatternScan, RefusesWhatDoesNotFollowFromAnAtomsKind) {
  const std::array<const char*, 1> chiral{"[C@H](N)(O)C"};
  EXPECT_NO_THROW(PatternSet{chiral});  // chirality is not compared unless asked for, as in RDKit
  const std::array<const char*, 1> hybridisation{"[^2]"}, syntax{"[C"};
  EXPECT_THROW(PatternSet{hybridisation}, Error);
  EXPECT_THROW(PatternSet{syntax}, Error);
}

TEST(LogP, EqualsRdkitsWithHydrogensAdded) {
  for (const std::string& smiles : molecules()) {
    double logp = 0, refractivity = 0;
    RDKit::Descriptors::calcCrippenDescriptors(slowly_read(smiles).rdkit(), logp, refractivity);
    EXPECT_EQ(find_descriptor("logp")->compute(parse_smiles(smiles)), logp) << smiles;
  }
}

TEST(Qed, CountsWhatRdkitCounts) {
  namespace rd = RDKit::Descriptors;
  const Pattern aliphatic(qed_patterns().aliphatic_ring_atoms);
  for (const std::string& smiles : molecules()) {
    const Molecule slow = slowly_read(smiles);
    const QedProperties fast = qed_properties(parse_smiles(smiles));
    EXPECT_EQ(fast.donors, rd::calcNumHBD(slow.rdkit())) << smiles;
    EXPECT_EQ(fast.rotatable_bonds,
              rd::calcNumRotatableBonds(slow.rdkit(), rd::NumRotatableBondsOptions::Strict))
        << smiles;
    const std::unique_ptr<RDKit::ROMol> rest(
        RDKit::deleteSubstructs(slow.rdkit(), aliphatic.rdkit()));
    std::vector<std::vector<int>> rings;
    EXPECT_EQ(fast.aromatic_systems, RDKit::MolOps::findSSSR(*rest, rings)) << smiles;
  }
}

}  // namespace
}  // namespace aceso::molecules
