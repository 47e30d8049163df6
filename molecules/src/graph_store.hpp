/// \file
/// Many molecules as graphs, in little memory.
#pragma once

#include "aceso/nn/message_passing.hpp"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace aceso::molecules {

/// Rows of features, each different one kept once: a data set has far fewer kinds of atoms and
/// bonds than atoms and bonds.
class RowStore {
 public:
  explicit RowStore(std::size_t columns) : columns_(columns) {}

  [[nodiscard]] std::int32_t add(const float* row);
  /// Puts row `number` behind those in `to`.
  void append(std::int32_t number, std::vector<float>& to) const;

 private:
  std::size_t columns_;
  std::vector<float> rows_;
  std::unordered_map<std::string, std::int32_t> numbers_;  ///< by their bytes
};

/// Graphs of molecules by number, from 0.
class GraphStore {
 public:
  explicit GraphStore(const nn::MessagePassingSpec& spec);

  /// \pre `graphs` has the features of the spec. All of its molecules are added.
  void add(const nn::BondGraphs& graphs);
  [[nodiscard]] std::size_t size() const noexcept { return molecules_.size(); }
  /// Puts a molecule behind those in `to`.
  void append(std::size_t molecule, nn::BondGraphs& to) const;

 private:
  struct Entry {
    std::vector<std::int32_t> atoms, bonds;  ///< numbers of rows
    std::vector<std::int32_t> source, target, reverse;
    std::vector<float> features;
  };

  std::size_t atom_columns_, bond_columns_, feature_columns_;
  RowStore atoms_, bonds_;
  std::vector<Entry> molecules_;
};

}  // namespace aceso::molecules
