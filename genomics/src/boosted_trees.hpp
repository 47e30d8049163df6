// Gradient-boosted decision trees for two classes (Friedman 2001, Ann. Statist. 29:1189; splits
// from histograms and second-order gains as in Chen and Guestrin 2016,
// doi:10.1145/2939672.2939785).
#pragma once

#include "aceso/core/json.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

namespace aceso::genomics {

/// Examples, one row each. Values may be NaN: missing.
struct LabelledTable {
  std::size_t columns = 0;
  std::vector<float> values;         ///< rows x columns
  std::vector<std::uint8_t> labels;  ///< 1: the class whose chance is told

  [[nodiscard]] std::size_t rows() const noexcept { return labels.size(); }
  [[nodiscard]] std::span<const float> row(std::size_t i) const {
    return std::span(values).subspan(i * columns, columns);
  }
};

struct BoostOptions {
  int trees = 200;
  int depth = 4;
  double learning_rate = 0.1;
  double least_weight = 5;  ///< of a leaf: sum of p (1 - p)
  double regularisation = 1;
  double least_gain = 0.01;
};

class BoostedTrees {
 public:
  /// Learns from the rows named. Deterministic; cost: trees x depth x rows x columns.
  /// \throws Error InvalidArgument if all rows have one label; Cancelled.
  [[nodiscard]] static BoostedTrees train(const LabelledTable& table,
                                          std::span<const std::uint32_t> rows,
                                          const BoostOptions& options,
                                          const std::stop_token& stop = {});

  /// Natural logarithm of the odds of label 1.
  [[nodiscard]] double log_odds(std::span<const float> row) const;
  [[nodiscard]] std::size_t columns() const noexcept { return columns_; }
  [[nodiscard]] std::size_t size() const noexcept { return trees_.size(); }
  /// Sum of the gains of all splits by column.
  [[nodiscard]] std::vector<double> gains() const;

  [[nodiscard]] Json to_json() const;
  /// \throws Error CorruptData if it is no such thing; `where` names the file.
  [[nodiscard]] static BoostedTrees from_json(const Json& json, std::size_t columns,
                                              std::string_view where);

 private:
  friend class TreeGrower;
  struct Node {
    std::int32_t column = -1;  ///< -1: a leaf
    float limit = 0;           ///< smaller or equal goes left
    bool missing_left = true;
    std::int32_t left = 0, right = 0;
    double value = 0;  ///< of a leaf
    double gain = 0;
  };
  using Tree = std::vector<Node>;

  std::size_t columns_ = 0;
  double base_ = 0;
  std::vector<Tree> trees_;
};

}  // namespace aceso::genomics
