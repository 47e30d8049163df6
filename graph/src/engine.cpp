#include "engine.hpp"

#include "aceso/core/cancel.hpp"

#include <algorithm>
#include <thread>

namespace aceso::graph {
namespace detail {

Engine::Engine(std::vector<std::unique_ptr<NodeBase>>& nodes, const std::vector<EdgeSpec>& edges,
               std::vector<NodeStats>& stats, std::stop_token stop)
    : stop_(std::move(stop)) {
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    Node& node = nodes_.emplace_back();
    node.base = nodes[n].get();
    node.stats = &stats[n];
    node.in.resize(node.base->ins(0).size());
    node.out.resize(node.base->outs(0).size());
    for (std::size_t copy = node.base->options.copies; copy-- > 0;)
      node.idle_copies.push_back(copy);
  }
  for (const EdgeSpec& spec : edges) {
    Edge& edge = edges_.emplace_back(Edge{&spec, capacity_of(spec, nodes), {}});
    nodes_[spec.from_node].out[spec.from_port].push_back(&edge);
    nodes_[spec.to_node].in[spec.to_port] = &edge;
  }
  for (const std::size_t n : topological_order(nodes.size(), edges))
    downstream_first_.push_back(&nodes_[n]);
  std::ranges::reverse(downstream_first_);
}

void Engine::run(unsigned threads) {
  const std::stop_callback wake{stop_, [this] {
                                  const std::scoped_lock lock{mutex_};
                                  changed_.notify_all();
                                }};
  {
    std::vector<std::jthread> helpers;
    for (unsigned i = 1; i < threads; ++i) helpers.emplace_back([this] { work(); });
    work();
  }
  if (error_) std::rethrow_exception(error_);
  if (!all_done()) throw_if_stopped(stop_);
}

void Engine::work() {
  std::unique_lock lock{mutex_};
  while (true) {
    if (stop_.stop_requested()) halted_ = true;
    advance_ends();
    if (halted_ || all_done()) break;
    const std::optional<Work> work = next_work();
    if (!work) {
      changed_.wait(lock);
      continue;
    }
    ++under_way_;
    lock.unlock();
    Outcome outcome = execute(*work);
    lock.lock();
    --under_way_;
    settle(*work, std::move(outcome));
    changed_.notify_all();
  }
  changed_.notify_all();
}

bool Engine::all_done() const { return std::ranges::all_of(nodes_, &Node::done); }

// ------------------------------------------------------------------------------ choosing work

std::optional<Engine::Work> Engine::next_work() {
  for (Node* node : downstream_first_) {
    if (node->done || node->finishing) continue;
    if (can_tick(*node)) return begin_tick(*node);
    if (!node->stopped && !node->in.empty() && inputs_ended(*node) && node->under_way == 0 &&
        node->finished.empty()) {
      node->finishing = true;
      return Work{node, 0, node->next_ticket++, true};
    }
  }
  return std::nullopt;
}

bool Engine::can_tick(const Node& node) const {
  if (node.stopped || node.idle_copies.empty() || !has_room(node)) return false;
  if (node.in.empty()) return true;
  const bool all_ready =
      std::ranges::all_of(node.in, [](const Edge* e) { return !e->queue.empty() || e->closed; });
  const bool any_item =
      std::ranges::any_of(node.in, [](const Edge* e) { return !e->queue.empty(); });
  return all_ready && any_item;
}

bool Engine::has_room(const Node& node) const {
  // Ticks under way and ticks that wait for an earlier one will all want a place.
  const std::size_t reserved = node.under_way + node.finished.size();
  for (const auto& port : node.out) {
    for (const Edge* edge : port) {
      if (!edge->cancelled && edge->queue.size() + reserved >= edge->capacity) return false;
    }
  }
  return true;
}

bool Engine::inputs_ended(const Node& node) {
  return std::ranges::all_of(node.in, [](const Edge* e) { return e->closed && e->queue.empty(); });
}

Engine::Work Engine::begin_tick(Node& node) {
  Work work{&node, node.idle_copies.back(), node.next_ticket++};
  node.idle_copies.pop_back();
  ++node.under_way;
  const auto ports = node.base->ins(work.copy);
  for (std::size_t port = 0; port < ports.size(); ++port) {
    ports[port]->item.reset();
    auto& queue = node.in[port]->queue;
    if (queue.empty()) continue;
    ports[port]->item = std::move(queue.front());
    queue.pop_front();
    ++node.stats->items_in;
  }
  return work;
}

// ------------------------------------------------------------------- running, outside the lock

Engine::Outcome Engine::execute(const Work& work) noexcept {
  const auto begin = std::chrono::steady_clock::now();
  Outcome outcome;
  if (work.finish) {
    outcome = execute_finish(*work.node);
  } else {
    bool last = false;
    std::exception_ptr error;
    try {
      const auto ports = work.node->base->ins(work.copy);
      if (!work.node->base->unequal_streams) {
        for (const InBase* port : ports) {
          if (!port->item)
            fail(Errc::CorruptData, "{}: stream {} ended before the others", work.node->base->name,
                 port->name);
        }
      }
      last = work.node->base->compute(work.copy, {work.ticket, stop_}) == Flow::Done;
    } catch (...) {
      error = std::current_exception();
    }
    outcome = collect(*work.node, work.copy);
    outcome.error = error;
    outcome.last = last;
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  const std::scoped_lock lock{mutex_};
  work.node->stats->busy_seconds += elapsed.count();
  ++work.node->stats->ticks;
  return outcome;
}

Engine::Outcome Engine::execute_finish(Node& node) noexcept {
  Outcome outcome;
  outcome.sent.resize(node.out.size());
  outcome.last = true;
  for (std::size_t copy = 0; copy < node.base->options.copies && !outcome.error; ++copy) {
    try {
      node.base->finish(copy, {node.next_ticket - 1, stop_});
    } catch (...) {
      outcome.error = std::current_exception();
    }
    Outcome part = collect(node, copy);
    for (std::size_t port = 0; port < part.sent.size(); ++port)
      std::ranges::move(part.sent[port], std::back_inserter(outcome.sent[port]));
  }
  return outcome;
}

Engine::Outcome Engine::collect(Node& node, std::size_t copy) {
  Outcome outcome;
  for (OutBase* port : node.base->outs(copy)) outcome.sent.push_back(std::exchange(port->sent, {}));
  return outcome;
}

// ------------------------------------------------------------------------- delivering outcomes

void Engine::settle(const Work& work, Outcome outcome) {
  Node& node = *work.node;
  if (!work.finish) {
    node.idle_copies.push_back(work.copy);
    --node.under_way;
  }
  if (outcome.last || outcome.error) node.stopped = true;
  if (!node.base->options.keep_order) {
    ++node.next_delivery;
    deliver(node, std::move(outcome));
    return;
  }
  node.finished.emplace(work.ticket, std::move(outcome));
  for (auto next = node.finished.begin();
       next != node.finished.end() && next->first == node.next_delivery;
       next = node.finished.begin()) {
    Outcome ready = std::move(next->second);
    node.finished.erase(next);
    ++node.next_delivery;
    deliver(node, std::move(ready));
  }
}

void Engine::deliver(Node& node, Outcome outcome) {
  if (node.done) return;  // an earlier tick failed: what came after it does not count
  for (std::size_t port = 0; port < outcome.sent.size(); ++port) {
    for (AnyItem& item : outcome.sent[port]) {
      ++node.stats->items_out;
      auto& edges = node.out[port];
      for (std::size_t i = 0; i < edges.size(); ++i) {
        if (edges[i]->cancelled) continue;
        const bool last_reader = i + 1 == edges.size();
        edges[i]->queue.push_back(last_reader ? std::move(item) : edges[i]->spec->clone(item));
      }
    }
  }
  if (outcome.error) end_node(node, outcome.error);
}

/// Closes the node's outputs and tells those who feed it that nobody reads any more.
void Engine::end_node(Node& node, const std::exception_ptr& error) {
  node.done = true;
  node.stopped = true;
  for (auto& port : node.out) {
    for (Edge* edge : port) {
      edge->closed = true;
      edge->error = error;
    }
  }
  for (Edge* edge : node.in) {
    edge->cancelled = true;
    edge->queue.clear();
  }
  if (error && node.out.empty()) fail_run(error);
}

void Engine::fail_run(const std::exception_ptr& error) {
  if (!error_) error_ = error;
  halted_ = true;
}

/// Ends every node that has nothing left to do; each may end the next.
void Engine::advance_ends() {
  bool any = true;
  while (any) {
    any = false;
    for (Node* node : downstream_first_) any = end_if_finished(*node) || any;
  }
}

bool Engine::end_if_finished(Node& node) {
  if (node.done || node.under_way > 0 || !node.finished.empty()) return false;
  // An error from upstream arrives when all that came before it has been read.
  for (const Edge* edge : node.in) {
    if (edge->closed && edge->queue.empty() && edge->error) {
      end_node(node, edge->error);
      return true;
    }
  }
  const bool nobody_reads =
      !node.out.empty() && std::ranges::all_of(node.out, [](const auto& port) {
        return std::ranges::all_of(port, &Edge::cancelled);
      });
  if (!node.stopped && !nobody_reads) return false;
  if (node.finishing && !node.stopped) return false;
  end_node(node, nullptr);
  return true;
}

}  // namespace detail

void Graph::run(const RunOptions& options) {
  const Plan checked = plan();
  if (!checked.ok()) {
    std::string all;
    for (const Diagnostic& diagnostic : checked.diagnostics)
      all += fmt::format("{}{} ({})", all.empty() ? "" : "; ", diagnostic.message, diagnostic.code);
    fail(Errc::InvalidArgument, "the graph cannot run: {}", all);
  }
  stats_.clear();
  for (const auto& node : nodes_) stats_.push_back({node->name, node->options.copies});
  detail::Engine engine{nodes_, edges_, stats_, options.stop};
  engine.run(std::max(1U, options.threads));
}

}  // namespace aceso::graph
