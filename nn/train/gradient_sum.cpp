#include "gradient_sum.hpp"

namespace aceso::train {

bool GradientSum::has_sibling(const Node& node) const {
  const std::size_t nodes = (count_ + (std::size_t{1} << node.first) - 1) >> node.first;
  return (node.second ^ 1) < nodes;
}

void GradientSum::add(std::size_t batch, std::vector<at::Tensor> gradients) {
  Node node{0, batch};
  while ((std::size_t{1} << node.first) < count_) {
    if (has_sibling(node)) {
      const Node sibling{node.first, node.second ^ 1};
      std::vector<at::Tensor> other;
      {
        const std::scoped_lock lock(mutex_);
        const auto found = waiting_.find(sibling);
        if (found == waiting_.end()) {
          waiting_.emplace(node, std::move(gradients));
          return;
        }
        other = std::move(found->second);
        waiting_.erase(found);
      }
      // a + b and b + a are the same number.
      for (std::size_t i = 0; i < gradients.size(); ++i) gradients[i].add_(other[i]);
    }
    node = {node.first + 1, node.second / 2};
  }
  const std::scoped_lock lock(mutex_);
  waiting_.emplace(node, std::move(gradients));
}

std::vector<at::Tensor> GradientSum::take() {
  const std::scoped_lock lock(mutex_);
  if (waiting_.size() != 1) throw std::logic_error("a micro-batch gave no gradients");
  std::vector<at::Tensor> sum = std::move(waiting_.begin()->second);
  waiting_.clear();
  return sum;
}

}  // namespace aceso::train
