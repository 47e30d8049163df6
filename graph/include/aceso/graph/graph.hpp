/// \file
/// Operators joined by typed, bounded edges, checked before they run, and run by a pool of workers.
#pragma once

#include "aceso/graph/ports.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <typeindex>
#include <vector>

namespace aceso::graph {

/// What happens at an edge that is full. (Streams of live data will add policies that drop.)
enum class Overflow { Block };

/// The policy of one edge.
struct Policy {
  Overflow overflow = Overflow::Block;
  std::size_t capacity = 0;  ///< items; 0: chosen by the plan from the nodes' copies
};

/// The producer waits while `capacity` items are queued or being made.
[[nodiscard]] constexpr Policy block(std::size_t capacity = 0) {
  return {Overflow::Block, capacity};
}

/// How a node is run.
struct NodeOptions {
  unsigned copies =
      1;  ///< ticks that may be under way at once, each on its own copy of the operator
  bool keep_order =
      true;  ///< outputs leave in the order of their inputs, whatever the number of copies
};

/// Counters of one node after or during a run.
struct NodeStats {
  std::string name;
  unsigned copies = 1;
  std::uint64_t ticks = 0;
  std::uint64_t items_in = 0;
  std::uint64_t items_out = 0;
  double busy_seconds = 0;  ///< time inside compute(), all copies together
};

/// Something that keeps a graph from running. Codes are stable: "empty", "unbound-port",
/// "fan-in", "cycle", "duplicate-name", "parallel-source", "copy-of-move-only".
struct Diagnostic {
  std::string code;
  std::string message;
};

/// What will run: nodes in topological order and edges with their capacities.
struct Plan {
  struct Node {
    std::string name;
    unsigned copies;
    bool keep_order;
  };
  struct Edge {
    std::string from, from_port, to, to_port, item;
    std::size_t capacity;
  };
  std::vector<Node> nodes;
  std::vector<Edge> edges;
  std::vector<Diagnostic> diagnostics;

  [[nodiscard]] bool ok() const noexcept { return diagnostics.empty(); }
  /// One line a node and edge; with `stats`, counters beside the nodes.
  [[nodiscard]] std::string text(const std::vector<NodeStats>& stats = {}) const;
  /// A drawing for people, self-contained SVG.
  [[nodiscard]] std::string svg(const std::vector<NodeStats>& stats = {}) const;
};

struct RunOptions {
  unsigned threads = 1;  ///< 1: everything runs on the caller's thread, in one fixed order
  std::stop_token stop = {};
};

namespace detail {

/// A node with its operator's type erased. Written by NodeOf, read by the engine.
class NodeBase {
 public:
  NodeBase(std::string node_name, NodeOptions node_options)
      : name(std::move(node_name)), options(node_options) {}
  virtual ~NodeBase() = default;

  virtual Flow compute(std::size_t copy, const Tick& tick) = 0;
  virtual void finish(std::size_t copy, const Tick& tick) = 0;
  virtual std::vector<InBase*> ins(std::size_t copy) = 0;
  virtual std::vector<OutBase*> outs(std::size_t copy) = 0;

  std::string name;
  NodeOptions options;
  bool unequal_streams = false;
};

template <Operator Op>
class NodeOf final : public NodeBase {
 public:
  NodeOf(std::string node_name, Op op, NodeOptions node_options)
      : NodeBase(std::move(node_name), node_options) {
    if constexpr (std::copy_constructible<Op>) {
      for (unsigned i = 1; i < node_options.copies; ++i) copies.push_back(op);
    }
    copies.push_back(std::move(op));
    if constexpr (requires { Op::kUnequalStreams; }) unequal_streams = Op::kUnequalStreams;
  }

  Flow compute(std::size_t copy, const Tick& tick) override { return copies[copy].compute(tick); }

  void finish(std::size_t copy, const Tick& tick) override {
    if constexpr (requires(Op op) { op.finish(tick); }) copies[copy].finish(tick);
  }

  std::vector<InBase*> ins(std::size_t copy) override { return select<InBase>(copy); }
  std::vector<OutBase*> outs(std::size_t copy) override { return select<OutBase>(copy); }

  std::deque<Op> copies;  // a deque: ports must not move

 private:
  template <typename Base>
  std::vector<Base*> select(std::size_t copy) {
    std::vector<Base*> found;
    const auto keep = [&](auto& port) {
      if constexpr (std::derived_from<std::remove_reference_t<decltype(port)>, Base>)
        found.push_back(&port);
    };
    std::apply([&](auto&... port) { (keep(port), ...); }, copies[copy].ports());
    return found;
  }
};

struct EdgeSpec {
  std::size_t from_node, from_port, to_node, to_port;
  std::type_index item;
  AnyItem (*clone)(const AnyItem&);  ///< null if the item's type cannot be copied
  Policy policy;
};

}  // namespace detail

/// A node of a graph whose operators are of type Op. Valid as long as the graph.
template <typename Op>
class NodeRef {
 public:
  /// The node's operators; read them when the run is over, e.g. to add up their counts.
  [[nodiscard]] std::deque<Op>& copies() const { return node_->copies; }
  /// The operator of a node with one copy.
  [[nodiscard]] Op& operator*() const { return node_->copies.front(); }
  [[nodiscard]] Op* operator->() const { return &node_->copies.front(); }

 private:
  friend class Graph;
  NodeRef(detail::NodeOf<Op>* node, std::size_t index) : node_(node), index_(index) {}
  detail::NodeOf<Op>* node_;
  std::size_t index_;
};

/// A graph under construction, and its engine. Build and run it from one thread; runs once.
///
/// \code
/// Graph g;
/// auto numbers = g.add("numbers", Numbers{.last = 100});
/// auto twice = g.add("twice", Doubler{}, {.copies = 4});
/// g.connect(numbers, &Numbers::out, twice, &Doubler::in);
/// …
/// g.run({.threads = 4});
/// \endcode
class Graph {
 public:
  /// Adds a node. With more than one copy, `op` is copied before the run begins.
  template <Operator Op>
  NodeRef<Op> add(std::string name, Op op, NodeOptions options = {}) {
    static_assert(std::move_constructible<Op>);
    if (options.copies == 0) fail(Errc::InvalidArgument, "node {}: 0 copies", name);
    if (!std::copy_constructible<Op> && options.copies > 1)
      fail(Errc::InvalidArgument,
           "node {}: its operator cannot be copied, but {} copies are asked for", name,
           options.copies);
    auto node = std::make_unique<detail::NodeOf<Op>>(std::move(name), std::move(op), options);
    NodeRef<Op> ref{node.get(), nodes_.size()};
    nodes_.push_back(std::move(node));
    return ref;
  }

  /// Joins an output to an input. Does not compile unless both carry the same type.
  template <typename From, typename To, typename T>
  void connect(NodeRef<From> from, Out<T> From::* out, NodeRef<To> to, In<T> To::* in,
               Policy policy = block()) {
    detail::AnyItem (*clone)(const detail::AnyItem&) = nullptr;
    if constexpr (std::copy_constructible<T>) {
      clone = [](const detail::AnyItem& item) {
        return detail::AnyItem{std::make_shared<T>(*static_cast<const T*>(item.value.get()))};
      };
    }
    edges_.push_back({from.index_, port_index(from.node_->outs(0), &(from.copies().front().*out)),
                      to.index_, port_index(to.node_->ins(0), &(to.copies().front().*in)),
                      std::type_index(typeid(T)), clone, policy});
  }

  /// Checks the graph and works out capacities.
  [[nodiscard]] Plan plan() const;

  /// Runs until every node is done.
  /// \throws Error InvalidArgument with all diagnostics if the plan is not ok; the first error
  ///         that left an operator, "first" by the order of items in the stream; Cancelled.
  void run(const RunOptions& options = {});

  /// Counters by node, in the order of add().
  [[nodiscard]] std::vector<NodeStats> stats() const { return stats_; }

 private:
  template <typename Base>
  static std::size_t port_index(const std::vector<Base*>& ports,
                                const std::type_identity_t<Base>* port) {
    for (std::size_t i = 0; i < ports.size(); ++i) {
      if (ports[i] == port) return i;
    }
    fail(Errc::InvalidArgument, "port {} is not listed by its operator's ports()", port->name);
  }

  std::vector<std::unique_ptr<detail::NodeBase>> nodes_;
  std::vector<detail::EdgeSpec> edges_;
  std::vector<NodeStats> stats_;
};

}  // namespace aceso::graph
