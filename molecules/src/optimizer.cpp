#include "optimizer.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/threads.hpp"
#include "operators.hpp"
#include "surrogate.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>
#include <optional>
#include <unordered_set>

namespace aceso::molecules {
namespace {

/// A molecule with what breeding and guessing need.
struct Individual {
  Molecule molecule;
  std::string smiles;
  Graph graph;
  FeatureCounts features;
  Score score;
  double promise = 0;  ///< before it is scored: what the surrogate hopes for
};

std::optional<Individual> individual(Molecule molecule) {
  std::optional<Graph> graph = graph_of(molecule);
  if (!graph) return std::nullopt;
  std::string smiles = canonical_smiles(molecule);
  FeatureCounts features = fingerprint(molecule, Fingerprint::Ecfp4);
  return Individual{
      std::move(molecule), std::move(smiles), std::move(*graph), std::move(features), {}, 0};
}

/// A starting molecule, if it can be read and its atoms have valences that operators know.
std::optional<Individual> founder(const std::string& smiles, const OptimizerSettings& settings) {
  try {
    std::optional<Individual> made = individual(parse_smiles(smiles));
    if (made && made->graph.size() <= settings.most_atoms && breedable(made->graph)) return made;
  } catch (const Error&) {
    // Unreadable ones are the caller's to report; here the others are used.
  }
  return std::nullopt;
}

class Search {
 public:
  Search(const Objective& objective, const OptimizerSettings& settings, Progress& progress,
         const std::stop_token& stop)
      : objective_(objective), settings_(settings), progress_(progress), stop_(stop) {}

  std::vector<ScoredMolecule> run(const std::vector<std::string>& pool) {
    progress_.stage("optimize", static_cast<std::uint64_t>(settings_.budget), "molecules");
    start(pool);
    int barren = 0;
    while (left() > 0 && barren < kMostBarren) {
      std::vector<Individual> children = breed();
      choose(children);
      barren = children.empty() ? barren + 1 : 0;
      score(std::move(children));
    }
    progress_.finish();
    return std::move(scored_);
  }

 private:
  /// So many generations without a new molecule end the search.
  static constexpr int kMostBarren = 100;

  [[nodiscard]] std::size_t left() const {
    return static_cast<std::size_t>(settings_.budget) - scored_.size();
  }

  void start(const std::vector<std::string>& pool) {
    std::vector<std::size_t> order(pool.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    Random random(settings_.seed, counter_++);
    std::vector<Individual> first;
    const std::size_t wanted = std::min(left(), static_cast<std::size_t>(settings_.start_size));
    for (std::size_t i = 0; i < order.size() && first.size() < wanted; ++i) {
      std::swap(order[i], order[i + random.below(order.size() - i)]);
      std::optional<Individual> made = founder(pool[order[i]], settings_);
      if (made && seen_.insert(made->smiles).second) first.push_back(std::move(*made));
    }
    if (first.empty())
      fail(Errc::CorruptData,
           "expected starting molecules of one piece, usual elements and at most {} heavy atoms, "
           "found none",
           settings_.most_atoms);
    score(std::move(first));
  }

  /// Scores molecules and adds them to the population.
  void score(std::vector<Individual> fresh) {
    parallel_for(
        fresh.size(), 1, settings_.threads,
        [&](std::size_t begin, std::size_t end) {
          for (std::size_t i = begin; i < end; ++i) fresh[i].score = objective_(fresh[i].molecule);
        },
        stop_);
    for (Individual& one : fresh) {
      scored_.push_back({one.smiles, one.score});
      all_.push_back(std::move(one));
      ranking_.push_back(&all_.back());
    }
    std::ranges::stable_sort(ranking_, [](const Individual* a, const Individual* b) {
      return a->score.total > b->score.total;
    });
    progress_.advance(fresh.size());
  }

  /// Few of the best or many of the good, at each scale alike.
  const Individual& parent(Random& random) const {
    const double share = std::pow(10.0, -3 * random.uniform());
    const double size = static_cast<double>(ranking_.size());
    return *ranking_[random.below(static_cast<std::size_t>(std::max(1.0, share * size)))];
  }

  std::optional<Individual> child(std::uint64_t number, const Surrogate& surrogate) const {
    Random random(settings_.seed, number);
    const double way = random.uniform();
    const Individual& mother = parent(random);
    std::optional<Graph> graph = mother.graph;
    if (way < 0.5) graph = crossed(mother.graph, parent(random).graph, random);
    if (graph && way > 0.4) graph = mutated(*graph, random);
    if (graph && way > 0.8) graph = mutated(*graph, random);
    if (!graph || graph->size() > settings_.most_atoms || graph->size() < 3) return std::nullopt;
    std::optional<Molecule> molecule = molecule_of(*graph);
    if (!molecule || !sound_rings(*molecule, settings_.largest_ring)) return std::nullopt;
    std::string smiles = canonical_smiles(*molecule);
    if (seen_.contains(smiles)) return std::nullopt;
    FeatureCounts features = fingerprint(*molecule, Fingerprint::Ecfp4);
    const Guess guess = surrogate(features);
    const double boldness = std::pow(10.0, -2 * random.uniform());
    return Individual{*molecule,
                      std::move(smiles),
                      std::move(*graph),
                      std::move(features),
                      {},
                      guess.mean + boldness * guess.deviation};
  }

  std::vector<Individual> breed() {
    const Surrogate surrogate(examples(), settings_.noise);
    const auto count = static_cast<std::size_t>(settings_.batch * settings_.candidates);
    std::vector<std::optional<Individual>> slots(count);
    parallel_for(
        count, 8, settings_.threads,
        [&](std::size_t begin, std::size_t end) {
          for (std::size_t i = begin; i < end; ++i) slots[i] = child(counter_ + i, surrogate);
        },
        stop_);
    counter_ += count;
    std::vector<Individual> children;
    std::unordered_set<std::string> names;
    for (auto& slot : slots)
      if (slot && names.insert(slot->smiles).second) children.push_back(std::move(*slot));
    return children;
  }

  /// Keeps the most promising.
  void choose(std::vector<Individual>& children) {
    std::ranges::stable_sort(
        children, [](const Individual& a, const Individual& b) { return a.promise > b.promise; });
    const std::size_t wanted = std::min(left(), static_cast<std::size_t>(settings_.batch));
    if (children.size() > wanted)
      children.erase(children.begin() + static_cast<std::ptrdiff_t>(wanted), children.end());
    for (const Individual& one : children) seen_.insert(one.smiles);
  }

  /// The best, and the latest of the others.
  [[nodiscard]] std::vector<Surrogate::Example> examples() const {
    const auto wanted = static_cast<std::size_t>(settings_.examples);
    std::vector<Surrogate::Example> list;
    std::unordered_set<const Individual*> taken;
    for (std::size_t i = 0; i < ranking_.size() && i < wanted * 2 / 3; ++i) {
      list.push_back({&ranking_[i]->features, ranking_[i]->score.total});
      taken.insert(ranking_[i]);
    }
    for (std::size_t i = all_.size(); i-- > 0 && list.size() < wanted;)
      if (!taken.contains(&all_[i])) list.push_back({&all_[i].features, all_[i].score.total});
    return list;
  }

  const Objective& objective_;
  const OptimizerSettings& settings_;
  Progress& progress_;
  const std::stop_token& stop_;
  std::deque<Individual> all_;              ///< in order of scoring; addresses stay
  std::vector<const Individual*> ranking_;  ///< best first
  std::vector<ScoredMolecule> scored_;
  std::unordered_set<std::string> seen_;
  std::uint64_t counter_ = 0;  ///< of random streams
};

}  // namespace

std::vector<ScoredMolecule> optimize(const std::vector<std::string>& pool,
                                     const Objective& objective, const OptimizerSettings& settings,
                                     Progress& progress, const std::stop_token& stop) {
  return Search(objective, settings, progress, stop).run(pool);
}

double top_mean(const std::vector<double>& scores, std::size_t calls, std::size_t k) {
  std::vector<double> first(
      scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(std::min(calls, scores.size())));
  if (first.empty()) return 0;
  const std::size_t count = std::min(k, first.size());
  std::ranges::partial_sort(first, first.begin() + static_cast<std::ptrdiff_t>(count),
                            std::greater{});
  return std::accumulate(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(count), 0.0) /
         static_cast<double>(count);
}

double auc_top(const std::vector<double>& scores, std::size_t k, std::size_t budget) {
  constexpr std::size_t kStep = 100;
  const std::size_t calls = std::min(scores.size(), budget);
  double area = 0, before = 0;
  std::size_t looked = 0;
  for (std::size_t at = kStep; at < calls; at += kStep) {
    const double now = top_mean(scores, at, k);
    area += static_cast<double>(kStep) * (now + before) / 2;
    before = now;
    looked = at;
  }
  const double last = top_mean(scores, calls, k);
  area += static_cast<double>(calls - looked) * (last + before) / 2;
  area += static_cast<double>(budget - calls) * last;
  return area / static_cast<double>(budget);
}

}  // namespace aceso::molecules
