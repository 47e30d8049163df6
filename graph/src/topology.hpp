/// \file
/// Facts about a graph's shape that both the plan and the engine need.
#pragma once

#include "aceso/graph/graph.hpp"

namespace aceso::graph::detail {

/// The capacity of `edge`: what its policy says, or enough to keep all copies at its ends busy.
[[nodiscard]] std::size_t capacity_of(const EdgeSpec& edge,
                                      const std::vector<std::unique_ptr<NodeBase>>& nodes);

/// Nodes so that each comes after all that feed it. Shorter than `node_count` if there is a cycle.
[[nodiscard]] std::vector<std::size_t> topological_order(std::size_t node_count,
                                                         const std::vector<EdgeSpec>& edges);

}  // namespace aceso::graph::detail
