/// \file
/// The engine of batch graphs: workers take the most downstream tick that can run.
#pragma once

#include "topology.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <optional>

namespace aceso::graph::detail {

/// Runs a graph once. All state is guarded by one mutex; operators run outside it.
///
/// Invariants that keep it free of deadlock: a tick starts only when every output edge has room
/// for what it will send, and room is reserved while it runs; outputs of a node that keeps order
/// wait for those of earlier ticks, and the earliest tick under way always holds its reservation,
/// so it finishes and lets the others follow.
class Engine {
 public:
  Engine(std::vector<std::unique_ptr<NodeBase>>& nodes, const std::vector<EdgeSpec>& edges,
         std::vector<NodeStats>& stats, std::stop_token stop);

  /// \throws the run's first error, or Cancelled.
  void run(unsigned threads);

 private:
  struct Edge {
    const EdgeSpec* spec;
    std::size_t capacity;
    std::deque<AnyItem> queue;
    bool closed = false;            ///< nothing more will be queued
    bool cancelled = false;         ///< nobody will read
    std::exception_ptr error = {};  ///< why it was closed, if not by the end of the stream
  };

  /// What a tick left behind, until its turn to be delivered.
  struct Outcome {
    std::vector<std::vector<AnyItem>> sent;  ///< by output port
    std::exception_ptr error = {};
    bool last = false;
  };

  struct Node {
    NodeBase* base;
    NodeStats* stats;
    std::vector<Edge*> in;                ///< by input port
    std::vector<std::vector<Edge*>> out;  ///< by output port
    std::vector<std::size_t> idle_copies;
    std::uint64_t next_ticket = 0;              ///< of the next tick
    std::uint64_t next_delivery = 0;            ///< the tick whose outputs go out next
    std::map<std::uint64_t, Outcome> finished;  ///< ticks that wait for earlier ones
    std::size_t under_way = 0;
    bool stopped = false;    ///< starts no more ticks
    bool finishing = false;  ///< finish() is being called
    bool done = false;
  };

  /// Work for one thread, prepared under the lock.
  struct Work {
    Node* node = nullptr;
    std::size_t copy = 0;
    std::uint64_t ticket = 0;
    bool finish = false;
  };

  void work();
  std::optional<Work> next_work();
  [[nodiscard]] bool can_tick(const Node& node) const;
  [[nodiscard]] bool has_room(const Node& node) const;
  [[nodiscard]] static bool inputs_ended(const Node& node);
  Work begin_tick(Node& node);
  Outcome execute(const Work& work) noexcept;
  Outcome execute_finish(Node& node) noexcept;
  static Outcome collect(Node& node, std::size_t copy);
  void settle(const Work& work, Outcome outcome);
  void deliver(Node& node, Outcome outcome);
  void end_node(Node& node, const std::exception_ptr& error);
  void advance_ends();
  bool end_if_finished(Node& node);
  void fail_run(const std::exception_ptr& error);
  [[nodiscard]] bool all_done() const;

  std::deque<Edge> edges_;
  std::deque<Node> nodes_;
  std::vector<Node*> downstream_first_;
  std::stop_token stop_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::exception_ptr error_;
  bool halted_ = false;  ///< an error reached the end, or a stop was requested
  std::size_t under_way_ = 0;
};

}  // namespace aceso::graph::detail
