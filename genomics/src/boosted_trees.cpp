#include "boosted_trees.hpp"

#include "aceso/core/error.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace aceso::genomics {
namespace {

constexpr std::size_t kBins = 64;  // bin 0 is for missing values
constexpr std::size_t kMostTrees = 10'000, kMostNodes = 100'000;

double chance_of(double log_odds) { return 1 / (1 + std::exp(-log_odds)); }

/// Values of a column cut into bins of about equally many rows.
class Binning {
 public:
  Binning(const LabelledTable& table, std::span<const std::uint32_t> rows, std::size_t column) {
    std::vector<float> sorted;
    for (const std::uint32_t r : rows) {
      const float value = table.row(r)[column];
      if (!std::isnan(value)) sorted.push_back(value);
    }
    std::ranges::sort(sorted);
    for (std::size_t b = 1; b + 1 < kBins && !sorted.empty(); ++b) {
      const float limit = sorted[sorted.size() * b / (kBins - 1)];
      if (limits_.empty() || limit > limits_.back()) limits_.push_back(limit);
    }
    // The highest values need a bin behind the last limit.
    if (!limits_.empty() && limits_.back() == sorted.back()) limits_.pop_back();
  }
  [[nodiscard]] std::uint8_t of(float value) const {
    if (std::isnan(value)) return 0;
    return static_cast<std::uint8_t>(1 +
                                     (std::ranges::lower_bound(limits_, value) - limits_.begin()));
  }
  [[nodiscard]] const std::vector<float>& limits() const { return limits_; }

 private:
  std::vector<float> limits_;  ///< bin 1 + i holds values up to limits_[i]
};

struct Sums {
  double gradient = 0, weight = 0;

  void add(const Sums& other) {
    gradient += other.gradient;
    weight += other.weight;
  }
};
Sums operator-(const Sums& a, const Sums& b) {
  return {a.gradient - b.gradient, a.weight - b.weight};
}

}  // namespace

/// Grows the trees of one training.
class TreeGrower {
 public:
  TreeGrower(const LabelledTable& table, std::span<const std::uint32_t> rows,
             const BoostOptions& options)
      : table_(table),
        rows_(rows.begin(), rows.end()),
        options_(options),
        bins_(rows.size() * table.columns),
        sums_(rows.size()),
        log_odds_(rows.size()) {
    for (std::size_t c = 0; c < table.columns; ++c) {
      binnings_.emplace_back(table, rows, c);
      for (std::size_t i = 0; i < rows.size(); ++i)
        bins_[i * table.columns + c] = binnings_[c].of(table.row(rows[i])[c]);
    }
  }

  BoostedTrees grow(const std::stop_token& stop) {
    BoostedTrees out;
    out.columns_ = table_.columns;
    std::size_t ones = 0;
    for (const std::uint32_t r : rows_) ones += table_.labels[r];
    if (ones == 0 || ones == rows_.size())
      fail(Errc::InvalidArgument, "all {} examples have one label; there is nothing to learn",
           rows_.size());
    out.base_ = std::log(static_cast<double>(ones) / static_cast<double>(rows_.size() - ones));
    std::ranges::fill(log_odds_, out.base_);
    for (int t = 0; t < options_.trees; ++t) {
      if (stop.stop_requested()) fail(Errc::Cancelled, "training was stopped");
      for (std::size_t i = 0; i < rows_.size(); ++i) {
        const double p = chance_of(log_odds_[i]);
        sums_[i] = {p - table_.labels[rows_[i]], p * (1 - p)};
      }
      tree_.clear();
      std::vector<std::uint32_t> all(rows_.size());
      for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint32_t>(i);
      add_node(std::move(all), 0);
      out.trees_.push_back(tree_);
    }
    return out;
  }

 private:
  struct Split {
    double gain = 0;
    std::size_t column = 0, bin = 0;  ///< bins up to this one go left
    bool missing_left = true;
  };

  [[nodiscard]] double worth(const Sums& s) const {
    return s.gradient * s.gradient / (s.weight + options_.regularisation);
  }

  std::int32_t add_node(std::vector<std::uint32_t> members, int depth) {
    const auto index = static_cast<std::int32_t>(tree_.size());
    tree_.emplace_back();
    Sums all;
    for (const std::uint32_t i : members) all.add(sums_[i]);
    const Split split = depth < options_.depth ? best_split(members, all) : Split{};
    if (split.gain <= options_.least_gain) {
      const double value =
          -options_.learning_rate * all.gradient / (all.weight + options_.regularisation);
      tree_[static_cast<std::size_t>(index)].value = value;
      for (const std::uint32_t i : members) log_odds_[i] += value;
      return index;
    }
    std::vector<std::uint32_t> left, right;
    for (const std::uint32_t i : members) {
      const std::size_t bin = bins_[i * table_.columns + split.column];
      const bool goes_left = bin == 0 ? split.missing_left : bin <= split.bin;
      (goes_left ? left : right).push_back(i);
    }
    members = {};
    const std::int32_t l = add_node(std::move(left), depth + 1);
    const std::int32_t r = add_node(std::move(right), depth + 1);
    BoostedTrees::Node& node = tree_[static_cast<std::size_t>(index)];
    node.column = static_cast<std::int32_t>(split.column);
    node.limit = binnings_[split.column].limits()[split.bin - 1];
    node.missing_left = split.missing_left;
    node.left = l;
    node.right = r;
    node.gain = split.gain;
    return index;
  }

  [[nodiscard]] Split best_split(std::span<const std::uint32_t> members, const Sums& all) const {
    Split best;
    for (std::size_t c = 0; c < table_.columns; ++c) {
      std::array<Sums, kBins + 1> histogram{};
      for (const std::uint32_t i : members) histogram[bins_[i * table_.columns + c]].add(sums_[i]);
      const Sums missing = histogram[0];
      Sums left;
      for (std::size_t bin = 1; bin <= binnings_[c].limits().size(); ++bin) {
        left.add(histogram[bin]);
        for (const bool missing_left : {true, false}) {
          Sums l = left;
          if (missing_left) l.add(missing);
          const Sums r = all - l;
          if (l.weight < options_.least_weight || r.weight < options_.least_weight) continue;
          const double gain = (worth(l) + worth(r) - worth(all)) / 2;
          if (gain > best.gain) best = {gain, c, bin, missing_left};
        }
      }
    }
    return best;
  }

  const LabelledTable& table_;
  std::vector<std::uint32_t> rows_;
  BoostOptions options_;
  std::vector<Binning> binnings_;
  std::vector<std::uint8_t> bins_;  ///< by row and column
  std::vector<Sums> sums_;          ///< by row
  std::vector<double> log_odds_;    ///< by row
  BoostedTrees::Tree tree_;
};

BoostedTrees BoostedTrees::train(const LabelledTable& table, std::span<const std::uint32_t> rows,
                                 const BoostOptions& options, const std::stop_token& stop) {
  return TreeGrower(table, rows, options).grow(stop);
}

double BoostedTrees::log_odds(std::span<const float> row) const {
  double sum = base_;
  for (const Tree& tree : trees_) {
    const Node* node = &tree.front();
    while (node->column >= 0) {
      const float value = row[static_cast<std::size_t>(node->column)];
      const bool left = std::isnan(value) ? node->missing_left : value <= node->limit;
      node = &tree[static_cast<std::size_t>(left ? node->left : node->right)];
    }
    sum += node->value;
  }
  return sum;
}

std::vector<double> BoostedTrees::gains() const {
  std::vector<double> out(columns_);
  for (const Tree& tree : trees_) {
    for (const Node& node : tree) {
      if (node.column >= 0) out[static_cast<std::size_t>(node.column)] += node.gain;
    }
  }
  return out;
}

Json BoostedTrees::to_json() const {
  Json trees = Json::array();
  for (const Tree& tree : trees_) {
    Json nodes = Json::array();
    for (const Node& node : tree) {
      if (node.column < 0)
        nodes.push_back(Json::array({node.value}));
      else
        nodes.push_back(Json::array(
            {node.column, node.limit, node.missing_left, node.left, node.right, node.gain}));
    }
    trees.push_back(std::move(nodes));
  }
  return {{"base", base_}, {"trees", std::move(trees)}};
}

BoostedTrees BoostedTrees::from_json(const Json& json, std::size_t columns,
                                     std::string_view where) {
  const auto refuse = [&](std::string_view what) {
    fail(Errc::CorruptData, "{}: {}", where, what);
  };
  BoostedTrees out;
  out.columns_ = columns;
  try {
    out.base_ = json.at("base").get<double>();
    const Json& trees = json.at("trees");
    if (!trees.is_array() || trees.empty() || trees.size() > kMostTrees)
      refuse("it has no trees, or too many");
    for (const Json& nodes : trees) {
      if (!nodes.is_array() || nodes.empty() || nodes.size() > kMostNodes)
        refuse("a tree has no nodes, or too many");
      Tree tree;
      for (const Json& fields : nodes) {
        Node node;
        if (fields.size() == 1) {
          node.value = fields.at(0).get<double>();
        } else {
          node = {fields.at(0).get<std::int32_t>(), fields.at(1).get<float>(),
                  fields.at(2).get<bool>(),         fields.at(3).get<std::int32_t>(),
                  fields.at(4).get<std::int32_t>(), 0,
                  fields.at(5).get<double>()};
          // Children behind their parents: no way leads in circles.
          const auto self = static_cast<std::int32_t>(tree.size());
          const auto size = static_cast<std::int32_t>(nodes.size());
          if (node.column < 0 || static_cast<std::size_t>(node.column) >= columns ||
              node.left <= self || node.right <= self || node.left >= size || node.right >= size)
            refuse("a node names a column or a child that does not exist");
        }
        if (!std::isfinite(node.value)) refuse("a leaf is no number");
        tree.push_back(node);
      }
      out.trees_.push_back(std::move(tree));
    }
  } catch (const Json::exception& error) {
    refuse(error.what());
  }
  return out;
}

}  // namespace aceso::genomics
