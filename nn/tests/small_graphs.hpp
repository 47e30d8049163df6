/// \file
/// Small message passing nets with random weights, and chains of atoms for them.
#pragma once

#include "aceso/nn/message_passing.hpp"
#include "random_weights.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <vector>

namespace aceso::nn::test {

inline MessagePassingSpec small_spec() {
  MessagePassingSpec spec;
  spec.featuriser = "chemprop-v1";
  spec.atom_features = 3;
  spec.bond_features = 2;
  spec.hidden = 5;
  spec.depth = 3;
  spec.head_layers = 2;
  spec.head_hidden = 4;
  spec.members = 2;
  spec.outputs = {"a", "b"};
  return spec;
}

inline TensorSet random_weights(const MessagePassingSpec& spec) {
  return test::random_weights(spec.weights(), {.seed = 3, .deviation = 0.5F});
}

/// A chain of `atoms` atoms with random features, numbered from either end.
inline void add_chain(BondGraphs& graphs, int atoms, unsigned seed, bool backwards = false) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  const std::int32_t first = graphs.atom_offsets.back();
  std::vector<std::array<float, 3>> features(static_cast<std::size_t>(atoms));
  for (auto& row : features)
    for (float& value : row) value = normal(random);
  const auto place = [&](int atom) { return first + (backwards ? atoms - 1 - atom : atom); };
  graphs.atoms.resize(graphs.atoms.size() + 3 * features.size());
  for (int a = 0; a < atoms; ++a)
    std::ranges::copy(features[static_cast<std::size_t>(a)],
                      graphs.atoms.begin() + static_cast<std::ptrdiff_t>(place(a)) * 3);
  for (int a = 0; a + 1 < atoms; ++a) {
    const auto number = static_cast<std::int32_t>(graphs.source.size());
    const float x = normal(random), y = normal(random);
    graphs.bonds.insert(graphs.bonds.end(), {x, y, x, y});
    graphs.source.insert(graphs.source.end(), {place(a), place(a + 1)});
    graphs.target.insert(graphs.target.end(), {place(a + 1), place(a)});
    graphs.reverse.insert(graphs.reverse.end(), {number + 1, number});
  }
  graphs.atom_offsets.push_back(first + atoms);
}

}  // namespace aceso::nn::test
