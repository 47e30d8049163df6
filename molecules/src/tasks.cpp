#include "aceso/molecules/objective.hpp"

namespace aceso::molecules {

const std::vector<Task>& tasks() {
  static const std::vector<Task> all{
      {"albuterol_similarity", R"(name: albuterol_similarity
aggregate: geometric_mean
terms:
  - type: similarity
    to: 'CC(C)(C)NCC(O)c1ccc(O)c(CO)c1'
    fingerprint: fcfp4
    modifier: {type: clip, upper: 0.75}
)",
       ""},
      {"amlodipine_mpo", R"(name: amlodipine_mpo
aggregate: geometric_mean
terms:
  - type: similarity
    to: 'Clc1ccccc1C2C(=C(/N/C(=C2/C(=O)OCC)COCCN)C)\C(=O)OC'
    fingerprint: ecfp4
  - type: descriptor
    descriptor: rings
    modifier: {type: gaussian, mu: 3, sigma: 0.5}
)",
       ""},
      {"celecoxib_rediscovery", R"(name: celecoxib_rediscovery
aggregate: geometric_mean
terms:
  - type: similarity
    to: 'CC1=CC=C(C=C1)C1=CC(=NN1C1=CC=C(C=C1)S(N)(=O)=O)C(F)(F)F'
    fingerprint: ecfp4
)",
       ""},
      {"deco_hop", R"(name: deco_hop
aggregate: mean
terms:
  - type: similarity
    to: 'CCCOc1cc2ncnc(Nc3ccc4ncsc4c3)c2cc1S(=O)(=O)C(C)(C)C'
    fingerprint: pharmacophore
    modifier: {type: clip, upper: 0.85}
  - type: substructure
    smarts: 'CS([#6])(=O)=O'
    absent: true
    name: no_sulfone
  - type: substructure
    smarts: '[#7]-c1ccc2ncsc2c1'
    absent: true
    name: no_benzothiazole
  - type: substructure
    smarts: '[#7]-c1n[c;h1]nc2[c;h1]c(-[#8])[c;h0][c;h1]c12'
    name: scaffold
)",
       ""},
      {"drd2", "",
       "a support vector classifier of dopamine D2 activity, which is a download of its own and "
       "not part of this program"},
      {"fexofenadine_mpo", R"(name: fexofenadine_mpo
aggregate: geometric_mean
terms:
  - type: similarity
    to: 'CC(C)(C(=O)O)c1ccc(cc1)C(O)CCCN2CCC(CC2)C(O)(c3ccccc3)c4ccccc4'
    fingerprint: atom_pairs
    modifier: {type: clip, upper: 0.8}
  - type: descriptor
    descriptor: tpsa
    modifier: {type: max_gaussian, mu: 90, sigma: 10}
  - type: descriptor
    descriptor: logp
    modifier: {type: min_gaussian, mu: 4, sigma: 1}
)",
       ""},
      {"gsk3b", "",
       "a random forest of GSK3-beta activity, which is a download of its own and not part of this "
       "program"},
      {"isomers_c7h8n2o2", R"(name: isomers_c7h8n2o2
aggregate: geometric_mean
terms:
  - type: formula
    formula: C7H8N2O2
)",
       ""},
      {"isomers_c9h10n2o2pf2cl", R"(name: isomers_c9h10n2o2pf2cl
aggregate: geometric_mean
terms:
  - type: formula
    formula: C9H10N2O2PF2Cl
)",
       ""},
      {"jnk3", "",
       "a random forest of JNK3 activity, which is a download of its own and not part of this "
       "program"},
      {"median1", R"(name: median1
aggregate: geometric_mean
terms:
  - type: similarity
    to: 'CC1(C)C2CCC1(C)C(=O)C2'
    fingerprint: ecfp4
  - type: similarity
    to: 'CC(C)C1CCC(C)CC1O'
    fingerprint: ecfp4
)",
       ""},
      {"median2", R"(name: median2
aggregate: geometric_mean
terms:
  - type: similarity
    to: 'O=C1N(CC(N2C1CC3=C(C2C4=CC5=C(OCO5)C=C4)NC6=C3C=CC=C6)=O)C'
    fingerprint: ecfp6
  - type: similarity
    to: 'CCCC1=NN(C2=C1N=C(NC2=O)C3=C(C=CC(=C3)S(=O)(=O)N4CCN(CC4)C)OCC)C'
    fingerprint: ecfp6
)",
       ""},
      {"mestranol_similarity", R"(name: mestranol_similarity
aggregate: geometric_mean
terms:
  - type: similarity
    to: 'COc1ccc2[C@H]3CC[C@@]4(C)[C@@H](CC[C@@]4(O)C#C)[C@@H]3CCc2c1'
    fingerprint: atom_pairs
    modifier: {type: clip, upper: 0.75}
)",
       ""},
      {"osimertinib_mpo", R"(name: osimertinib_mpo
aggregate: geometric_mean
terms:
  - type: similarity
    to: 'COc1cc(N(C)CCN(C)C)c(NC(=O)C=C)cc1Nc2nccc(n2)c3cn(C)c4ccccc34'
    fingerprint: fcfp4
    modifier: {type: clip, upper: 0.8}
  - type: similarity
    to: 'COc1cc(N(C)CCN(C)C)c(NC(=O)C=C)cc1Nc2nccc(n2)c3cn(C)c4ccccc34'
    fingerprint: ecfp6
    modifier: {type: min_gaussian, mu: 0.85, sigma: 0.1}
  - type: descriptor
    descriptor: tpsa
    modifier: {type: max_gaussian, mu: 100, sigma: 10}
  - type: descriptor
    descriptor: logp
    modifier: {type: min_gaussian, mu: 1, sigma: 1}
)",
       ""},
      {"perindopril_mpo", R"(name: perindopril_mpo
aggregate: geometric_mean
terms:
  - type: similarity
    to: 'O=C(OCC)C(NC(C(=O)N1C(C(=O)O)CC2CCCCC12)C)CCC'
    fingerprint: ecfp4
  - type: descriptor
    descriptor: aromatic_rings
    modifier: {type: gaussian, mu: 2, sigma: 0.5}
)",
       ""},
      {"qed", R"(name: qed
aggregate: geometric_mean
terms:
  - type: descriptor
    descriptor: qed
)",
       ""},
      {"ranolazine_mpo", R"(name: ranolazine_mpo
aggregate: geometric_mean
terms:
  - type: similarity
    to: 'COc1ccccc1OCC(O)CN2CCN(CC(=O)Nc3c(C)cccc3C)CC2'
    fingerprint: atom_pairs
    modifier: {type: clip, upper: 0.7}
  - type: descriptor
    descriptor: tpsa
    modifier: {type: max_gaussian, mu: 95, sigma: 20}
  - type: descriptor
    descriptor: logp
    modifier: {type: max_gaussian, mu: 7, sigma: 1}
  - type: element
    element: F
    name: fluorine
    modifier: {type: gaussian, mu: 1, sigma: 1}
)",
       ""},
      {"scaffold_hop", R"(name: scaffold_hop
aggregate: mean
terms:
  - type: similarity
    to: 'CCCOc1cc2ncnc(Nc3ccc4ncsc4c3)c2cc1S(=O)(=O)C(C)(C)C'
    fingerprint: pharmacophore
    modifier: {type: clip, upper: 0.75}
  - type: substructure
    smarts: '[#6]-[#6]-[#6]-[#8]-[#6]~[#6]~[#6]~[#6]~[#6]-[#7]-c1ccc2ncsc2c1'
    name: decoration
  - type: substructure
    smarts: '[#7]-c1n[c;h1]nc2[c;h1]c(-[#8])[c;h0][c;h1]c12'
    absent: true
    name: no_scaffold
)",
       ""},
      {"sitagliptin_mpo", R"(name: sitagliptin_mpo
aggregate: geometric_mean
terms:
  - type: similarity
    to: 'Fc1cc(c(F)cc1F)CC(N)CC(=O)N3Cc2nnc(n2CC3)C(F)(F)F'
    fingerprint: ecfp4
    modifier: {type: gaussian, mu: 0, sigma: 0.1}
  - type: descriptor
    descriptor: logp
    modifier: {type: gaussian, mu_of: 'Fc1cc(c(F)cc1F)CC(N)CC(=O)N3Cc2nnc(n2CC3)C(F)(F)F', sigma: 0.2}
  - type: descriptor
    descriptor: tpsa
    modifier: {type: gaussian, mu_of: 'Fc1cc(c(F)cc1F)CC(N)CC(=O)N3Cc2nnc(n2CC3)C(F)(F)F', sigma: 5}
  - type: formula
    formula: C16H15F6N5O
)",
       ""},
      {"thiothixene_rediscovery", R"(name: thiothixene_rediscovery
aggregate: geometric_mean
terms:
  - type: similarity
    to: 'CN(C)S(=O)(=O)c1ccc2Sc3ccccc3C(=CCCN4CCN(C)CC4)c2c1'
    fingerprint: ecfp4
)",
       ""},
      {"troglitazone_rediscovery", R"(name: troglitazone_rediscovery
aggregate: geometric_mean
terms:
  - type: similarity
    to: 'Cc1c(C)c2OC(C)(COc3ccc(CC4SC(=O)NC4=O)cc3)CCc2c(C)c1O'
    fingerprint: ecfp4
)",
       ""},
      {"valsartan_smarts", R"(name: valsartan_smarts
aggregate: geometric_mean
terms:
  - type: substructure
    smarts: 'CN(C=O)Cc1ccc(c2ccccc2)cc1'
  - type: descriptor
    descriptor: tpsa
    modifier: {type: gaussian, mu_of: 'NC(CC(=O)N1CCn2c(nnc2C(F)(F)F)C1)Cc1cc(F)c(F)cc1F', sigma: 5}
  - type: descriptor
    descriptor: logp
    modifier: {type: gaussian, mu_of: 'NC(CC(=O)N1CCn2c(nnc2C(F)(F)F)C1)Cc1cc(F)c(F)cc1F', sigma: 0.2}
  - type: descriptor
    descriptor: bertz
    modifier: {type: gaussian, mu_of: 'NC(CC(=O)N1CCn2c(nnc2C(F)(F)F)C1)Cc1cc(F)c(F)cc1F', sigma: 30}
)",
       ""},
      {"zaleplon_mpo", R"(name: zaleplon_mpo
aggregate: geometric_mean
terms:
  - type: similarity
    to: 'O=C(C)N(CC)C1=CC=CC(C2=CC=NC3=C(C=NN23)C#N)=C1'
    fingerprint: ecfp4
  - type: formula
    formula: C19H17N3O2
)",
       ""},
  };
  return all;
}

}  // namespace aceso::molecules
