#include "aceso/core/threads.hpp"
#include "aceso/molecules/preparation.hpp"

#include <algorithm>
#include <numeric>

namespace aceso::molecules {

std::vector<std::int32_t> butina_clusters(std::span<const BitFingerprint> molecules,
                                          double similarity, unsigned threads) {
  const std::size_t size = molecules.size();
  std::vector<std::vector<std::int32_t>> neighbours(size);
  parallel_for(size, 64, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      for (std::size_t j = 0; j < size; ++j)
        if (i != j && tanimoto(molecules[i], molecules[j]) >= similarity)
          neighbours[i].push_back(static_cast<std::int32_t>(j));
  });
  std::vector<std::size_t> order(size);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return neighbours[a].size() > neighbours[b].size();
  });
  // Molecules by the centre that took them.
  std::vector<std::vector<std::size_t>> clusters;
  std::vector<bool> taken(size);
  for (const std::size_t centre : order) {
    if (taken[centre]) continue;
    taken[centre] = true;
    clusters.push_back({centre});
    for (const std::int32_t other : neighbours[centre]) {
      const auto place = static_cast<std::size_t>(other);
      if (taken[place]) continue;
      taken[place] = true;
      clusters.back().push_back(place);
    }
  }
  std::ranges::stable_sort(clusters,
                           [](const auto& a, const auto& b) { return a.size() > b.size(); });
  std::vector<std::int32_t> result(size);
  for (std::size_t c = 0; c < clusters.size(); ++c)
    for (const std::size_t member : clusters[c]) result[member] = static_cast<std::int32_t>(c);
  return result;
}

}  // namespace aceso::molecules
