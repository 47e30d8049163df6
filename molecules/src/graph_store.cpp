#include "graph_store.hpp"

namespace aceso::molecules {

std::int32_t RowStore::add(const float* row) {
  std::string bytes(reinterpret_cast<const char*>(row), columns_ * sizeof(float));
  const auto next = static_cast<std::int32_t>(numbers_.size());
  const auto [place, is_new] = numbers_.emplace(std::move(bytes), next);
  if (is_new) rows_.insert(rows_.end(), row, row + columns_);
  return place->second;
}

void RowStore::append(std::int32_t number, std::vector<float>& to) const {
  const float* row = rows_.data() + static_cast<std::size_t>(number) * columns_;
  to.insert(to.end(), row, row + columns_);
}

GraphStore::GraphStore(const nn::MessagePassingSpec& spec)
    : atom_columns_(static_cast<std::size_t>(spec.atom_features)),
      bond_columns_(static_cast<std::size_t>(spec.bond_features)),
      feature_columns_(static_cast<std::size_t>(spec.molecule_features)),
      atoms_(atom_columns_),
      bonds_(bond_columns_) {}

void GraphStore::add(const nn::BondGraphs& graphs) {
  std::size_t bond = 0;
  for (std::size_t m = 0; m < graphs.molecules(); ++m) {
    Entry entry;
    const std::int32_t first = graphs.atom_offsets[m], last = graphs.atom_offsets[m + 1];
    for (std::int32_t a = first; a < last; ++a)
      entry.atoms.push_back(
          atoms_.add(graphs.atoms.data() + static_cast<std::size_t>(a) * atom_columns_));
    const auto first_bond = static_cast<std::int32_t>(bond);
    for (; bond < graphs.source.size() && graphs.source[bond] < last; ++bond) {
      entry.bonds.push_back(bonds_.add(graphs.bonds.data() + bond * bond_columns_));
      entry.source.push_back(graphs.source[bond] - first);
      entry.target.push_back(graphs.target[bond] - first);
      entry.reverse.push_back(graphs.reverse[bond] - first_bond);
    }
    const float* features = graphs.features.data() + m * feature_columns_;
    entry.features.assign(features, features + feature_columns_);
    molecules_.push_back(std::move(entry));
  }
}

void GraphStore::append(std::size_t molecule, nn::BondGraphs& to) const {
  const Entry& entry = molecules_[molecule];
  const std::int32_t first = to.atom_offsets.back();
  const auto first_bond = static_cast<std::int32_t>(to.source.size());
  for (const std::int32_t row : entry.atoms) atoms_.append(row, to.atoms);
  for (const std::int32_t row : entry.bonds) bonds_.append(row, to.bonds);
  for (const std::int32_t atom : entry.source) to.source.push_back(first + atom);
  for (const std::int32_t atom : entry.target) to.target.push_back(first + atom);
  for (const std::int32_t bond : entry.reverse) to.reverse.push_back(first_bond + bond);
  to.features.insert(to.features.end(), entry.features.begin(), entry.features.end());
  to.atom_offsets.push_back(first + static_cast<std::int32_t>(entry.atoms.size()));
}

}  // namespace aceso::molecules
