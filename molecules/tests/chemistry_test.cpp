#include "aceso/molecules/chemistry.hpp"

#include "aceso/core/error.hpp"

#include <gtest/gtest.h>

namespace aceso::molecules {
namespace {

std::string problem(const std::string& smiles) {
  try {
    (void)parse_smiles(smiles);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::CorruptData);
    return error.what();
  }
  return "";
}

TEST(ParseSmiles, SaysWhatIsWrong) {
  EXPECT_NE(problem("").find("empty"), std::string::npos);
  EXPECT_NE(problem("C1CC").find("unclosed ring"), std::string::npos);
  EXPECT_NE(problem("C(C)(C)(C)(C)C").find("atom 1 has more bonds"), std::string::npos);
  EXPECT_NE(problem("c1cccc1").find("aromatic atoms"), std::string::npos);
  EXPECT_NE(problem("CC>>CO").find("a reaction"), std::string::npos);
  EXPECT_NE(problem("C[N\xE2\x88\x92]").find("not ASCII"), std::string::npos);
  EXPECT_NE(problem("C C").find("space"), std::string::npos);
  EXPECT_NE(problem(std::string(30'000, 'C')).find("too long"), std::string::npos);
  EXPECT_NE(problem("[Xx]").find("unknown atom"), std::string::npos);
}

TEST(CanonicalSmiles, DoesNotDependOnTheWriting) {
  const std::string one = canonical_smiles(parse_smiles("OCC"));
  EXPECT_EQ(canonical_smiles(parse_smiles("C(O)C")), one);
  EXPECT_EQ(canonical_smiles(parse_smiles("C1=CC=CC=C1")), "c1ccccc1");
}

// By RDKit 2022.09.3's Python: Descriptors, QED and GraphDescriptors of each molecule, and
// its contribution SA_Score.
struct Reference {
  const char* smiles;
  double weight, logp, tpsa, qed, bertz, sa_score;
};
constexpr Reference kReferences[] = {
    {"CCCOc1cc2ncnc(Nc3ccc4ncsc4c3)c2cc1S(=O)(=O)C(C)(C)C", 456.5930, 5.344100, 94.070000, 0.418136,
     1358.45194, 2.795760},
    {"Fc1cc(c(F)cc1F)CC(N)CC(=O)N3Cc2nnc(n2CC3)C(F)(F)F", 407.3180, 2.016500, 77.040000, 0.621638,
     896.38049, 3.251207},
    {"CC1=CC=C(C=C1)C1=CC(=NN1C1=CC=C(C=C1)S(N)(=O)=O)C(F)(F)F", 381.3790, 3.513920, 77.980000,
     0.754105, 1038.35231, 2.144357},
    {"COc1cc(N(C)CCN(C)C)c(NC(=O)C=C)cc1Nc2nccc(n2)c3cn(C)c4ccccc34", 499.6190, 4.509800, 87.550000,
     0.310535, 1427.57565, 2.924666},
    {"O=C(OCC)C(NC(C(=O)N1C(C(=O)O)CC2CCCCC12)C)CCC", 368.4740, 1.940600, 95.940000, 0.635821,
     524.05887, 3.695353},
    {"CC(=O)Oc1ccccc1C(=O)O", 180.1590, 1.310100, 63.600000, 0.550122, 343.22287, 1.580040},
    {"COc1ccc2[C@H]3CC[C@@]4(C)[C@@H](CC[C@@]4(O)C#C)[C@@H]3CCc2c1", 310.4370, 3.915600, 29.460000,
     0.796835, 672.90941, 3.810070},
    {"[O-][N+](=O)c1ccc(Cl)cc1", 157.5560, 2.248200, 43.140000, 0.463602, 244.42966, 1.429074},
    {"CC1(C)C2CCC1(C)C(=O)C2", 152.2370, 2.401700, 17.070000, 0.520631, 216.91267, 4.120342},
    {"CCCC1=NN(C2=C1N=C(NC2=O)C3=C(C=CC(=C3)S(=O)(=O)N4CCN(CC4)C)OCC)C", 474.5870, 1.610900,
     113.420000, 0.553405, 1322.63995, 2.739512},
    {"O", 18.0150, -0.824700, 31.500000, 0.327748, 0.00000, 5.868477},
};

TEST(Descriptors, EqualTheReference) {
  for (const Reference& r : kReferences) {
    const Molecule molecule = parse_smiles(r.smiles);
    const auto value = [&](const char* name) { return find_descriptor(name)->compute(molecule); };
    EXPECT_NEAR(value("molecular_weight"), r.weight, 1e-3) << r.smiles;
    EXPECT_NEAR(value("logp"), r.logp, 1e-5) << r.smiles;
    EXPECT_NEAR(value("tpsa"), r.tpsa, 1e-5) << r.smiles;
    EXPECT_NEAR(value("qed"), r.qed, 1e-5) << r.smiles;
    EXPECT_NEAR(value("bertz"), r.bertz, 1e-3) << r.smiles;
    EXPECT_NEAR(value("sa_score"), r.sa_score, 1e-5) << r.smiles;
  }
}

// Tanimoto similarity to the first molecule above, by RDKit's Python: counted Morgan fingerprints,
// counted atom pairs up to 10 bonds, and Gobbi's pharmacophores.
struct Similarities {
  double ecfp4, ecfp6, fcfp4, atom_pairs, pharmacophore;
};
constexpr Similarities kSimilarities[] = {
    {1.0000000, 1.0000000, 1.0000000, 1.0000000, 1.0000000},
    {0.1088435, 0.0846561, 0.1897810, 0.1013216, 0.1757848},
    {0.1791045, 0.1411765, 0.2440945, 0.2035541, 0.1230159},
    {0.2165605, 0.1642512, 0.3546099, 0.3468531, 0.2979705},
    {0.0748299, 0.0591398, 0.1366906, 0.0673352, 0.0180723},
    {0.1192661, 0.0935252, 0.1844660, 0.1026201, 0.0311111},
    {0.0857143, 0.0666667, 0.1875000, 0.0885668, 0.0330993},
    {0.0857143, 0.0681818, 0.1176471, 0.0419426, 0.0104948},
    {0.0450450, 0.0367647, 0.1485149, 0.0277186, 0.0014859},
    {0.2176871, 0.1666667, 0.3065693, 0.2380952, 0.2147350},
    {0.0000000, 0.0000000, 0.0114943, 0.0000000, 0.0000000},
};

TEST(Fingerprints, EqualTheReference) {
  const Molecule first = parse_smiles(kReferences[0].smiles);
  for (std::size_t i = 0; i < std::size(kReferences); ++i) {
    const Molecule molecule = parse_smiles(kReferences[i].smiles);
    const auto similarity = [&](const char* name) {
      const Fingerprint kind = fingerprint_by_name(name);
      return tanimoto(fingerprint(molecule, kind), fingerprint(first, kind));
    };
    EXPECT_NEAR(similarity("ecfp4"), kSimilarities[i].ecfp4, 1e-6) << kReferences[i].smiles;
    EXPECT_NEAR(similarity("ecfp6"), kSimilarities[i].ecfp6, 1e-6) << kReferences[i].smiles;
    EXPECT_NEAR(similarity("fcfp4"), kSimilarities[i].fcfp4, 1e-6) << kReferences[i].smiles;
    EXPECT_NEAR(similarity("atom_pairs"), kSimilarities[i].atom_pairs, 1e-6)
        << kReferences[i].smiles;
    EXPECT_NEAR(similarity("pharmacophore"), kSimilarities[i].pharmacophore, 1e-6)
        << kReferences[i].smiles;
  }
  EXPECT_THROW((void)fingerprint_by_name("ecfp5"), Error);
}

TEST(Formula, CountsHydrogensToo) {
  EXPECT_EQ(formula_of(parse_smiles("OCC")), parse_formula("C2H6O"));
  EXPECT_EQ(parse_formula("C9H10N2O2PF2Cl").at("Cl"), 1);
  for (const char* wrong : {"c6", "6C", "C-1", "C 6"})
    EXPECT_THROW((void)parse_formula(wrong), Error) << wrong;
}

TEST(Pattern, FindsAndRefuses) {
  EXPECT_TRUE(Pattern("[OX2H]").in(parse_smiles("OCC")));
  EXPECT_EQ(Pattern("[CH3]").count(parse_smiles("CC(C)C")), 3U);
  EXPECT_THROW(Pattern("[OX2"), Error);
  EXPECT_THROW(Pattern(""), Error);
}

TEST(GridSvg, DrawsEachMolecule) {
  const std::string svg = grid_svg({parse_smiles("CCO"), parse_smiles("c1ccccc1")}, {"a", "b"}, 5);
  EXPECT_NE(svg.find("<svg"), std::string::npos);
  EXPECT_NE(svg.find("</svg>"), std::string::npos);
}

}  // namespace
}  // namespace aceso::molecules
