#include "aceso/molecules/chemistry.hpp"

#include <GraphMol/ChemTransforms/ChemTransforms.h>
#include <GraphMol/Descriptors/Lipinski.h>
#include <GraphMol/MolOps.h>
#include <GraphMol/ROMol.h>

#include <array>
#include <cmath>
#include <span>

namespace aceso::molecules {
namespace {

// The tables are those of Bickerton et al. 2012, with acceptors and alerts in RDKit's dialect of
// SMARTS, so that values equal the ones that people know.
constexpr const char* kAcceptors[] = {
    R"([oH0;X2])",
    R"([OH1;X2;v2])",
    R"([OH0;X2;v2])",
    R"([OH0;X1;v2])",
    R"([O-;X1])",
    R"([SH0;X2;v2])",
    R"([SH0;X1;v2])",
    R"([S-;X1])",
    R"([nH0;X2])",
    R"([NH0;X1;v3])",
    R"([$([N;+0;X3;v3]);!$(N[C,S]=O)])",
};

constexpr const char* kAlerts[] = {
    R"(*1[O,S,N]*1)",
    R"([S,C](=[O,S])[F,Br,Cl,I])",
    R"([CX4][Cl,Br,I])",
    R"([#6]S(=O)(=O)O[#6])",
    R"([$([CH]),$(CC)]#CC(=O)[#6])",
    R"([$([CH]),$(CC)]#CC(=O)O[#6])",
    R"(n[OH])",
    R"([$([CH]),$(CC)]#CS(=O)(=O)[#6])",
    R"(C=C(C=O)C=O)",
    R"(n1c([F,Cl,Br,I])cccc1)",
    R"([CH1](=O))",
    R"([#8][#8])",
    R"([C;!R]=[N;!R])",
    R"([N!R]=[N!R])",
    R"([#6](=O)[#6](=O))",
    R"([#16][#16])",
    R"([#7][NH2])",
    R"(C(=O)N[NH2])",
    R"([#6]=S)",
    R"([$([CH2]),$([CH][CX4]),$(C([CX4])[CX4])]=[$([CH2]),$([CH][CX4]),$(C([CX4])[CX4])])",
    R"(C1(=[O,N])C=CC(=[O,N])C=C1)",
    R"(C1(=[O,N])C(=[O,N])C=CC=C1)",
    R"(a21aa3a(aa1aaaa2)aaaa3)",
    R"(a31a(a2a(aa1)aaaa2)aaaa3)",
    R"(a1aa2a3a(a1)A=AA=A3=AA=A2)",
    R"(c1cc([NH2])ccc1)",
    R"([Hg,Fe,As,Sb,Zn,Se,se,Te,B,Si,Na,Ca,Ge,Ag,Mg,K,Ba,Sr,Be,Ti,Mo,Mn,Ru,Pd,Ni,Cu,Au,Cd,Al,Ga,Sn,Rh,Tl,Bi,Nb,Li,Pb,Hf,Ho])",
    R"(I)",
    R"(OS(=O)(=O)[O-])",
    R"([N+](=O)[O-])",
    R"(C(=O)N[OH])",
    R"(C1NC(=O)NC(=O)1)",
    R"([SH])",
    R"([S-])",
    R"(c1ccc([Cl,Br,I,F])c([Cl,Br,I,F])c1[Cl,Br,I,F])",
    R"(c1cc([Cl,Br,I,F])cc([Cl,Br,I,F])c1[Cl,Br,I,F])",
    R"([CR1]1[CR1][CR1][CR1][CR1][CR1][CR1]1)",
    R"([CR1]1[CR1][CR1]cc[CR1][CR1]1)",
    R"([CR2]1[CR2][CR2][CR2][CR2][CR2][CR2][CR2]1)",
    R"([CR2]1[CR2][CR2]cc[CR2][CR2][CR2]1)",
    R"([CH2R2]1N[CH2R2][CH2R2][CH2R2][CH2R2][CH2R2]1)",
    R"([CH2R2]1N[CH2R2][CH2R2][CH2R2][CH2R2][CH2R2][CH2R2]1)",
    R"(C#C)",
    R"([OR2,NR2]@[CR2]@[CR2]@[OR2,NR2]@[CR2]@[CR2]@[OR2,NR2])",
    R"([$([N+R]),$([n+R]),$([N+]=C)][O-])",
    R"([#6]=N[OH])",
    R"([#6]=NOC=O)",
    R"([#6](=O)[CX4,CR0X3,O][#6](=O))",
    R"(c1ccc2c(c1)ccc(=O)o2)",
    R"([O+,o+,S+,s+])",
    R"(N=C=O)",
    R"([NX3,NX4][F,Cl,Br,I])",
    R"(c1ccccc1OC(=O)[#6])",
    R"([CR0]=[CR0][CR0]=[CR0])",
    R"([C+,c+,C-,c-])",
    R"(N=[N+]=[N-])",
    R"(C12C(NC(N1)=O)CSC2)",
    R"(c1c([OH])c([OH,NH2,NH])ccc1)",
    R"(P)",
    R"([N,O,S]C#N)",
    R"(C=C=O)",
    R"([Si][F,Cl,Br,I])",
    R"([SX2]O)",
    R"([SiR0,CR0](c1ccccc1)(c2ccccc2)(c3ccccc3))",
    R"(O1CCCCC1OC2CCC3CCCCC3C2)",
    R"(N=[CR0][N,n,O,S])",
    R"([cR2]1[cR2][cR2]([Nv3X3,Nv4X4])[cR2][cR2][cR2]1[cR2]2[cR2][cR2][cR2]([Nv3X3,Nv4X4])[cR2][cR2]2)",
    R"(C=[C!r]C#N)",
    R"([cR2]1[cR2]c([N+0X3R0,nX3R0])c([N+0X3R0,nX3R0])[cR2][cR2]1)",
    R"([cR2]1[cR2]c([N+0X3R0,nX3R0])[cR2]c([N+0X3R0,nX3R0])[cR2]1)",
    R"([cR2]1[cR2]c([N+0X3R0,nX3R0])[cR2][cR2]c1([N+0X3R0,nX3R0]))",
    R"([OH]c1ccc([OH,NH2,NH])cc1)",
    R"(c1ccccc1OC(=O)O)",
    R"([SX2H0][N])",
    R"(c12ccccc1(SC(S)=N2))",
    R"(c12ccccc1(SC(=S)N2))",
    R"(c1nnnn1C=O)",
    R"(s1c(S)nnc1NC=O)",
    R"(S1C=CSC1=S)",
    R"(C(=O)Onnn)",
    R"(OS(=O)(=O)C(F)(F)F)",
    R"(N#CC[OH])",
    R"(N#CC(=O))",
    R"(S(=O)(=O)C#N)",
    R"(N[CH2]C#N)",
    R"(C1(=O)NCC1)",
    R"(S(=O)(=O)[O-,OH])",
    R"(NC[F,Cl,Br,I])",
    R"(C=[C!r]O)",
    R"([NX2+0]=[O+0])",
    R"([OR0,NR0][OR0,NR0])",
    R"(C(=O)O[C,H1].C(=O)O[C,H1].C(=O)O[C,H1])",
    R"([CX2R0][NX3R0])",
    R"(c1ccccc1[C;!R]=[C;!R]c2ccccc2)",
    R"([NX3R0,NX4R0,OR0,SX2R0][CX4][NX3R0,NX4R0,OR0,SX2R0])",
    R"([s,S,c,C,n,N,o,O]~[n+,N+](~[s,S,c,C,n,N,o,O])(~[s,S,c,C,n,N,o,O])~[s,S,c,C,n,N,o,O])",
    R"([s,S,c,C,n,N,o,O]~[nX3+,NX3+](~[s,S,c,C,n,N])~[s,S,c,C,n,N])",
    R"([*]=[N+]=[*])",
    R"([SX3](=O)[O-,OH])",
    R"(N#N)",
    R"(F.F.F.F)",
    R"([R0;D2][R0;D2][R0;D2][R0;D2])",
    R"([cR,CR]~C(=O)NC(=O)~[cR,CR])",
    R"(C=!@CC=[O,S])",
    R"([#6,#8,#16][#6](=O)O[#6])",
    R"(c[C;R0](=[O,S])[#6])",
    R"(c[SX2][C;!R])",
    R"(C=C=C)",
    R"(c1nc([F,Cl,Br,I,S])ncc1)",
    R"(c1ncnc([F,Cl,Br,I,S])c1)",
    R"(c1nc(c2c(n1)nc(n2)[F,Cl,Br,I]))",
    R"([#6]S(=O)(=O)c1ccc(cc1)F)",
    R"([15N])",
    R"([13C])",
    R"([18O])",
    R"([34S])",
};

/// An asymmetric double sigmoidal function of one property, and the property's mean weight.
struct Desirability {
  double a, b, c, d, e, f, highest, weight;

  [[nodiscard]] double operator()(double x) const {
    const double rise = 1 + std::exp(-(x - c + d / 2) / e);
    const double fall = 1 + std::exp(-(x - c - d / 2) / f);
    return (a + b / rise * (1 - 1 / fall)) / highest;
  }
};

constexpr Desirability kWeight{2.817065973, 392.5754953, 290.7489764, 2.419764353,
                               49.22325677, 65.37051707, 104.9805561, 0.66};
constexpr Desirability kLogP{3.172690585, 137.8624751, 2.534937431, 4.581497897,
                             0.822739154, 0.576295591, 131.3186604, 0.46};
constexpr Desirability kAcceptorCount{2.948620388, 160.4605972, 3.615294657, 4.435986202,
                                      0.290141953, 1.300669958, 148.7763046, 0.05};
constexpr Desirability kDonorCount{1.618662227, 1010.051101, 0.985094388, 0.000000001,
                                   0.713820843, 0.920922555, 258.1632616, 0.61};
constexpr Desirability kPolarSurface{1.876861559, 125.2232657, 62.90773554, 87.83366614,
                                     12.01999824, 28.51324732, 104.5686167, 0.06};
constexpr Desirability kRotatable{0.010000000, 272.4121427, 2.558379970, 1.565547684,
                                  1.271567166, 2.758063707, 105.4420403, 0.65};
constexpr Desirability kAromatic{3.217788970, 957.7374108, 2.274627939, 0.000000001,
                                 1.317690384, 0.375760881, 312.3372610, 0.48};
constexpr Desirability kAlertCount{0.010000000, 1199.094025, -0.09002883, 0.000000001,
                                   0.185904477, 0.875193782, 417.7253140, 0.95};

std::vector<Pattern> patterns(std::span<const char* const> smarts) {
  std::vector<Pattern> all;
  for (const char* text : smarts) all.emplace_back(text);
  return all;
}

double acceptors(const Molecule& molecule) {
  static const std::vector<Pattern> all = patterns(kAcceptors);
  std::size_t count = 0;
  for (const Pattern& pattern : all) count += pattern.count(molecule);
  return static_cast<double>(count);
}

double alerts(const Molecule& molecule) {
  static const std::vector<Pattern> all = patterns(kAlerts);
  int count = 0;
  for (const Pattern& pattern : all) count += pattern.in(molecule) ? 1 : 0;
  return count;
}

/// Rings that are left when ring atoms that are not aromatic are taken away.
double aromatic_systems(const Molecule& molecule) {
  static const Pattern aliphatic("[$([A;R][!a])]");
  const std::unique_ptr<RDKit::ROMol> rest(
      RDKit::deleteSubstructs(molecule.rdkit(), aliphatic.rdkit()));
  std::vector<std::vector<int>> rings;
  return RDKit::MolOps::findSSSR(*rest, rings);
}

double value(std::string_view descriptor, const Molecule& molecule) {
  return find_descriptor(descriptor)->compute(molecule);
}

}  // namespace

double qed(const Molecule& molecule) {
  const double rotatable = RDKit::Descriptors::calcNumRotatableBonds(
      molecule.rdkit(), RDKit::Descriptors::NumRotatableBondsOptions::Strict);
  const std::array<std::pair<const Desirability*, double>, 8> properties{{
      {&kWeight, value("molecular_weight", molecule)},
      {&kLogP, value("logp", molecule)},
      {&kAcceptorCount, acceptors(molecule)},
      {&kDonorCount, value("hb_donors", molecule)},
      {&kPolarSurface, value("tpsa", molecule)},
      {&kRotatable, rotatable},
      {&kAromatic, aromatic_systems(molecule)},
      {&kAlertCount, alerts(molecule)},
  }};
  double sum = 0, weights = 0;
  for (const auto& [desirability, x] : properties) {
    sum += desirability->weight * std::log((*desirability)(x));
    weights += desirability->weight;
  }
  return std::exp(sum / weights);
}

}  // namespace aceso::molecules
