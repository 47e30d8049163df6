/// \file
/// The sum of gradients of many micro-batches, in one order whatever thread brings which.
#pragma once

#include "tensors.hpp"

#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace aceso::train {

/// Adds leaves of a binary tree over micro-batches 0 … count - 1: (0 + 1) + (2 + 3) and so on, so
/// that the result depends neither on threads nor on how equal shares are dealt to ranks. Holds
/// about as many partial sums as there are threads, and one for each level. Thread-safe.
class GradientSum {
 public:
  explicit GradientSum(std::size_t count) : count_(count) {}

  /// Gives the gradients of one micro-batch, f32, which are added to in place.
  void add(std::size_t batch, std::vector<at::Tensor> gradients);
  /// The sum, when all are there.
  std::vector<at::Tensor> take();

 private:
  using Node = std::pair<std::size_t, std::size_t>;  ///< level, index in it

  bool has_sibling(const Node& node) const;

  std::size_t count_;
  std::mutex mutex_;
  std::map<Node, std::vector<at::Tensor>> waiting_;
};

}  // namespace aceso::train
