#include "aceso/molecules/moses.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"
#include "aceso/core/threads.hpp"
#include "aceso/molecules/similarity.hpp"

#include <GraphMol/ChemTransforms/ChemTransforms.h>
#include <GraphMol/ChemTransforms/MolFragmenter.h>
#include <GraphMol/MolOps.h>
#include <GraphMol/ROMol.h>
#include <GraphMol/RingInfo.h>
#include <GraphMol/SmilesParse/SmilesWrite.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <unordered_map>

namespace aceso::molecules {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMosesBits = 1024;

std::vector<std::string> brics_fragments(const Molecule& molecule) {
  const std::unique_ptr<RDKit::ROMol> pieces(
      RDKit::MolFragmenter::fragmentOnBRICSBonds(molecule.rdkit()));
  return split(RDKit::MolToSmiles(*pieces), '.');
}

/// The scaffold, if it has two rings at least.
std::string ring_system(const Molecule& molecule) {
  const std::unique_ptr<RDKit::ROMol> scaffold(RDKit::MurckoDecompose(molecule.rdkit()));
  if (!scaffold->getRingInfo()->isInitialized()) RDKit::MolOps::fastFindRings(*scaffold);
  return scaffold->getRingInfo()->numRings() >= 2 ? RDKit::MolToSmiles(*scaffold) : std::string();
}

/// A few strange molecules are written in a way that is then refused.
bool can_be_read(const std::string& smiles) {
  try {
    (void)parse_smiles(smiles);
    return true;
  } catch (const Error&) {
    return false;
  }
}

MosesTraits traits_of(const std::string& smiles, TraitLevel level, const MosesFilters* filters) {
  MosesTraits traits;
  try {
    const Molecule molecule = parse_smiles(smiles);
    traits.smiles = canonical_smiles(molecule);
    if (level >= TraitLevel::Fingerprint) traits.bits = bit_fingerprint(molecule, kMosesBits);
    if (level >= TraitLevel::Filters) {
      traits.readable = can_be_read(traits.smiles);
      traits.passes = traits.readable && filters->passes(molecule);
    }
    if (level >= TraitLevel::All) {
      traits.fragments = brics_fragments(molecule);
      traits.scaffold = ring_system(molecule);
      traits.logp = find_descriptor("logp")->compute(molecule);
      traits.sa = sa_score(molecule);
      traits.qed = qed(molecule);
      traits.weight = find_descriptor("molecular_weight")->compute(molecule);
    }
    traits.valid = true;
  } catch (const Error&) {
    // What is no molecule is counted, not reported.
  }
  return traits;
}

using Valid = std::vector<const MosesTraits*>;

Valid valid_ones(std::span<const MosesTraits> all) {
  Valid list;
  for (const MosesTraits& one : all)
    if (one.valid) list.push_back(&one);
  return list;
}

double share_of(double part, std::size_t whole) {
  return whole > 0 ? part / static_cast<double>(whole) : kNothing;
}

double unique_among_first(const Valid& valid, std::size_t k) {
  std::unordered_set<std::string_view> seen;
  const std::size_t looked_at = std::min(k, valid.size());
  for (std::size_t i = 0; i < looked_at; ++i) seen.insert(valid[i]->smiles);
  return share_of(static_cast<double>(seen.size()), looked_at);
}

/// The share of distinct generated molecules that were not trained on.
double novelty(const Valid& valid, const std::unordered_set<std::string>& train) {
  std::unordered_set<std::string_view> seen;
  std::size_t novel = 0;
  for (const MosesTraits* one : valid)
    if (seen.insert(one->smiles).second && !train.contains(one->smiles)) ++novel;
  return share_of(static_cast<double>(novel), seen.size());
}

std::vector<BitFingerprint> fingerprints(const Valid& valid) {
  std::vector<BitFingerprint> bits;
  bits.reserve(valid.size());
  for (const MosesTraits* one : valid) bits.push_back(one->bits);
  return bits;
}

/// IntDiv_p = 1 - mean over molecules of (mean over all of T^p)^(1/p), for p = 1 and 2.
struct Diversity {
  double one = kNothing, two = kNothing;
};

Diversity internal_diversity(std::span<const BitFingerprint> bits, unsigned threads,
                             const std::stop_token& stop) {
  const std::size_t size = bits.size();
  if (size == 0) return {};
  const BitKernel kernel = best_bit_kernel();
  std::vector<int> counts;
  for (const BitFingerprint& one : bits) counts.push_back(common_bits(kernel, one, one));
  std::vector<double> means(size), squares(size);
  parallel_for(
      size, 64, threads,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
          for (std::size_t j = 0; j < size; ++j) {
            const int both = common_bits(kernel, bits[i], bits[j]);
            const int either = counts[i] + counts[j] - both;
            const double t = either > 0 ? static_cast<double>(both) / either : 1.0;
            means[i] += t;
            squares[i] += t * t;
          }
          means[i] /= static_cast<double>(size);
          squares[i] = std::sqrt(squares[i] / static_cast<double>(size));
        }
      },
      stop);
  const auto rest = [&](const std::vector<double>& values) {
    return 1 - std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(size);
  };
  return {rest(means), rest(squares)};
}

/// Mean similarity of the generated molecules to their nearest one of the reference.
double nearest_similarity(std::span<const BitFingerprint> generated, const Valid& reference,
                          unsigned threads, const std::stop_token& stop) {
  const auto hits = most_similar(fingerprints(reference), generated, 1, 0.0, threads, stop);
  double sum = 0;
  for (const auto& one : hits) sum += one.empty() ? 0.0 : one.front().similarity;
  return reference.empty() ? kNothing : share_of(sum, hits.size());
}

using Counts = std::unordered_map<std::string_view, double>;

double cosine(const Counts& a, const Counts& b) {
  double ab = 0, aa = 0, bb = 0;
  for (const auto& [key, count] : a) {
    aa += count * count;
    if (const auto found = b.find(key); found != b.end()) ab += count * found->second;
  }
  for (const auto& [key, count] : b) bb += count * count;
  return aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : kNothing;
}

Counts fragment_counts(const Valid& valid) {
  Counts counts;
  for (const MosesTraits* one : valid)
    for (const std::string& fragment : one->fragments) ++counts[fragment];
  return counts;
}

Counts scaffold_counts(const Valid& valid) {
  Counts counts;
  for (const MosesTraits* one : valid)
    if (!one->scaffold.empty()) ++counts[one->scaffold];
  return counts;
}

double distance(const Valid& a, const Valid& b, double MosesTraits::* property) {
  std::vector<double> x, y;
  for (const MosesTraits* one : a) x.push_back(one->*property);
  for (const MosesTraits* one : b) y.push_back(one->*property);
  return wasserstein(std::move(x), std::move(y));
}

void compare(const Valid& valid, const Valid& reference, std::vector<MosesMetric>& metrics) {
  metrics.push_back({"frag", "Frag", "cosine similarity of the counts of BRICS fragments",
                     cosine(fragment_counts(valid), fragment_counts(reference))});
  metrics.push_back({"scaf", "Scaf", "cosine similarity of the counts of scaffolds",
                     cosine(scaffold_counts(valid), scaffold_counts(reference))});
  const auto add = [&](const char* key, const char* name, double MosesTraits::* property) {
    metrics.push_back({key, name, "Wasserstein distance of the distributions",
                       distance(valid, reference, property)});
  };
  add("logp_distance", "logP", &MosesTraits::logp);
  add("sa_distance", "SA", &MosesTraits::sa);
  add("qed_distance", "QED", &MosesTraits::qed);
  add("weight_distance", "weight", &MosesTraits::weight);
}

}  // namespace

std::vector<MosesTraits> moses_traits(std::span<const std::string> smiles, TraitLevel level,
                                      const MosesFilters* filters, unsigned threads,
                                      Progress& progress, const std::stop_token& stop) {
  if (level >= TraitLevel::Filters && filters == nullptr)
    fail(Errc::InvalidArgument, "expected filters, found none");
  std::vector<MosesTraits> traits(smiles.size());
  parallel_for(
      smiles.size(), 32, threads,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) traits[i] = traits_of(smiles[i], level, filters);
        progress.advance(end - begin);
      },
      stop);
  return traits;
}

std::vector<MosesMetric> moses_metrics(std::span<const MosesTraits> generated,
                                       const MosesReference& reference, unsigned threads,
                                       const std::stop_token& stop) {
  const Valid valid = valid_ones(generated), others = valid_ones(reference.molecules);
  const std::vector<BitFingerprint> bits = fingerprints(valid);
  const Diversity diversity = internal_diversity(bits, threads, stop);
  const auto passing = std::ranges::count_if(valid, [](const auto* one) { return one->passes; });
  std::vector<MosesMetric> metrics{
      {"valid", "valid", "share that RDKit can read",
       share_of(static_cast<double>(valid.size()), generated.size())},
      {"unique_1000", "unique@1000", "distinct share of the first 1,000 valid ones",
       unique_among_first(valid, 1000)},
      {"unique_10000", "unique@10000", "distinct share of the first 10,000 valid ones",
       unique_among_first(valid, 10'000)},
      {"int_div", "IntDiv", "1 - mean Tanimoto similarity", diversity.one},
      {"int_div2", "IntDiv2", "the same with squared similarities", diversity.two},
      {"filters", "Filters", "share that passes the medicinal chemistry filters",
       share_of(static_cast<double>(passing), valid.size())}};
  if (reference.train != nullptr)
    metrics.push_back({"novelty", "Novelty", "distinct share that is not in the training set",
                       novelty(valid, *reference.train)});
  if (reference.level >= TraitLevel::Fingerprint)
    metrics.push_back({"snn", "SNN", "mean similarity to the nearest of the reference",
                       nearest_similarity(bits, others, threads, stop)});
  if (reference.level >= TraitLevel::All) compare(valid, others, metrics);
  return metrics;
}

double wasserstein(std::vector<double> a, std::vector<double> b) {
  if (a.empty() || b.empty()) return kNothing;
  std::ranges::sort(a);
  std::ranges::sort(b);
  const double step_a = 1.0 / static_cast<double>(a.size());
  const double step_b = 1.0 / static_cast<double>(b.size());
  double area = 0, before = std::min(a.front(), b.front());
  std::size_t i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    const bool first = j == b.size() || (i < a.size() && a[i] <= b[j]);
    const double at = first ? a[i] : b[j];
    area +=
        std::abs(static_cast<double>(i) * step_a - static_cast<double>(j) * step_b) * (at - before);
    before = at;
    ++(first ? i : j);
  }
  return area;
}

}  // namespace aceso::molecules
