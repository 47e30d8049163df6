#include "qed.hpp"

#include "pattern_set.hpp"

#include <GraphMol/ROMol.h>

#include <array>
#include <cmath>
#include <iterator>
#include <numeric>
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

// As RDKit's NumHDonors and strict NumRotatableBonds.
constexpr const char* kDonors = "[N&!H0&v3,N&!H0&+1&v4,O&H1&+0,S&H1&+0,n&H1&+0]";
constexpr const char* kRotatableBonds =
    "[!$(*#*)&!D1&!$(C(F)(F)F)&!$(C(Cl)(Cl)Cl)&!$(C(Br)(Br)Br)&!$(C([CH3])([CH3])[CH3])"
    "&!$([CD3](=[N,O,S])-!@[#7,O,S!D1])&!$([#7,O,S!D1]-!@[CD3]=[N,O,S])"
    "&!$([CD3](=[N+])-!@[#7!D1])&!$([#7!D1]-!@[CD3]=[N+])]-,:;!@"
    "[!$(*#*)&!D1&!$(C(F)(F)F)&!$(C(Cl)(Cl)Cl)&!$(C(Br)(Br)Br)&!$(C([CH3])([CH3])[CH3])]";
constexpr const char* kAliphaticRingAtoms = "[$([A;R][!a])]";

/// Places in QedPatterns::all().
enum : std::size_t {
  kFirstAcceptor = 0,
  kFirstAlert = kFirstAcceptor + std::size(kAcceptors),
  kDonor = kFirstAlert + std::size(kAlerts),
  kRotatableBond,
  kAliphaticRingAtom,
};

/// All patterns of this file, for the calling thread.
PatternScan& scan() {
  static const PatternSet set(qed_patterns().all());
  thread_local PatternScan made(set);
  return made;
}

double acceptors(PatternScan& found) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < std::size(kAcceptors); ++i) count += found.count(kFirstAcceptor + i);
  return static_cast<double>(count);
}

double alerts(PatternScan& found) {
  int count = 0;
  for (std::size_t i = 0; i < std::size(kAlerts); ++i) count += found.in(kFirstAlert + i) ? 1 : 0;
  return count;
}

/// Rings that are left when ring atoms that are not aromatic are taken away: bonds that close a
/// cycle when the others are put in one after the other.
double aromatic_systems(const RDKit::ROMol& mol, PatternScan& found) {
  std::vector<unsigned> piece(mol.getNumAtoms());
  std::iota(piece.begin(), piece.end(), 0U);
  const auto piece_of = [&](unsigned atom) {
    while (piece[atom] != atom) atom = piece[atom] = piece[piece[atom]];
    return atom;
  };
  std::vector<bool> gone(mol.getNumAtoms());
  for (std::size_t i = 0; i < gone.size(); ++i) gone[i] = found.begins_at(kAliphaticRingAtom, i);
  int rings = 0;
  for (const RDKit::Bond* bond : mol.bonds()) {
    if (gone[bond->getBeginAtomIdx()] || gone[bond->getEndAtomIdx()]) continue;
    const unsigned a = piece_of(bond->getBeginAtomIdx()), b = piece_of(bond->getEndAtomIdx());
    rings += a == b ? 1 : 0;
    piece[a] = b;
  }
  return rings;
}

double value(std::string_view descriptor, const Molecule& molecule) {
  return find_descriptor(descriptor)->compute(molecule);
}

}  // namespace

std::vector<const char*> QedPatterns::all() const {
  std::vector<const char*> list = acceptors;
  list.insert(list.end(), alerts.begin(), alerts.end());
  list.insert(list.end(), {donors, rotatable_bonds, aliphatic_ring_atoms});
  return list;
}

QedPatterns qed_patterns() {
  return {.acceptors = {std::begin(kAcceptors), std::end(kAcceptors)},
          .alerts = {std::begin(kAlerts), std::end(kAlerts)},
          .donors = kDonors,
          .rotatable_bonds = kRotatableBonds,
          .aliphatic_ring_atoms = kAliphaticRingAtoms};
}

QedProperties qed_properties(const Molecule& molecule) {
  PatternScan& found = scan();
  found.read(molecule.rdkit());
  return {.weight = value("molecular_weight", molecule),
          .logp = value("logp", molecule),
          .acceptors = acceptors(found),
          .donors = static_cast<double>(found.count(kDonor)),
          .polar_surface = value("tpsa", molecule),
          .rotatable_bonds = static_cast<double>(found.count(kRotatableBond)),
          .aromatic_systems = aromatic_systems(molecule.rdkit(), found),
          .alerts = alerts(found)};
}

double qed(const Molecule& molecule) {
  const QedProperties p = qed_properties(molecule);
  const std::array<std::pair<const Desirability*, double>, 8> properties{{
      {&kWeight, p.weight},
      {&kLogP, p.logp},
      {&kAcceptorCount, p.acceptors},
      {&kDonorCount, p.donors},
      {&kPolarSurface, p.polar_surface},
      {&kRotatable, p.rotatable_bonds},
      {&kAromatic, p.aromatic_systems},
      {&kAlertCount, p.alerts},
  }};
  double sum = 0, weights = 0;
  for (const auto& [desirability, x] : properties) {
    sum += desirability->weight * std::log((*desirability)(x));
    weights += desirability->weight;
  }
  return std::exp(sum / weights);
}

}  // namespace aceso::molecules
