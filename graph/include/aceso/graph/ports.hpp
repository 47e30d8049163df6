/// \file
/// Typed ports of operators, and the items that travel between them.
#pragma once

#include "aceso/core/error.hpp"

#include <concepts>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

namespace aceso::graph {

/// What an operator says after a tick.
enum class Flow {
  Continue,  ///< call me again when there is work
  Done,      ///< I have nothing more to send; a source ends its stream with this
};

/// What an operator learns about the tick it is called for.
struct Tick {
  std::uint64_t sequence = 0;  ///< 0, 1, 2, … in the order in which this node's ticks began
  std::stop_token stop;        ///< look at it in long computations
};

namespace detail {

/// One item of any type. Move-only; can be cloned if its type can be copied.
struct AnyItem {
  std::shared_ptr<void> value;
};

/// The part of a port that the engine sees.
struct PortBase {
  std::string_view name;
};

struct InBase : PortBase {
  std::optional<AnyItem> item;  ///< of the tick under way
};

struct OutBase : PortBase {
  std::vector<AnyItem> sent;  ///< in the tick under way
};

}  // namespace detail

/// An input of an operator. At each tick it has an item, unless the operator accepts streams
/// of unequal length (see Operator) and this one has ended.
template <typename T>
class In : public detail::InBase {
 public:
  using Item = T;

  In() : In("in") {}
  explicit In(std::string_view port_name) : InBase{{port_name}, {}} {}

  /// Whether this tick brought an item.
  [[nodiscard]] bool has() const noexcept { return item.has_value(); }

  /// Takes this tick's item. \throws Error Internal if there is none.
  [[nodiscard]] T take() {
    if (!item) fail(Errc::Internal, "port {} was read although its stream has ended", name);
    T value = std::move(*static_cast<T*>(item->value.get()));
    item.reset();
    return value;
  }
};

/// An output of an operator.
template <typename T>
class Out : public detail::OutBase {
 public:
  using Item = T;

  Out() : Out("out") {}
  explicit Out(std::string_view port_name) : OutBase{{port_name}, {}} {}

  /// Sends an item when this tick ends. Items of one tick keep their order.
  void send(T value) { sent.push_back({std::make_shared<T>(std::move(value))}); }
};

/// An operator is a plain struct: some ports, `ports()` that names them, and `compute()`.
///
/// \code
/// struct Doubler {
///   In<int> in;
///   Out<int> out;
///   auto ports() { return std::tie(in, out); }
///   Flow compute(const Tick&) { out.send(2 * in.take()); return Flow::Continue; }
/// };
/// \endcode
///
/// compute() is called once for each set of items, one from every input; without inputs (a
/// source), until it returns Flow::Done. Optional members:
///   - `void finish(const Tick&)`: called once when all inputs have ended; may send.
///   - `static constexpr bool kUnequalStreams = true`: go on when one input ends before
///     another (`in.has()` tells); otherwise that is an error.
/// An Error that leaves compute() travels downstream behind the items already sent, ends the
/// run, and is raised by Graph::run().
template <typename T>
concept Operator = std::movable<T> && requires(T op, const Tick& tick) {
  op.ports();
  { op.compute(tick) } -> std::same_as<Flow>;
};

}  // namespace aceso::graph
