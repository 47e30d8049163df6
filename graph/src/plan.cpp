#include "topology.hpp"

#include "aceso/core/text.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <map>
#include <set>

namespace aceso::graph {
namespace detail {

std::size_t capacity_of(const EdgeSpec& edge, const std::vector<std::unique_ptr<NodeBase>>& nodes) {
  if (edge.policy.capacity != 0) return edge.policy.capacity;
  // Every copy on both sides can have one item in work and find one more waiting.
  return 2 * std::size_t{std::max(nodes[edge.from_node]->options.copies,
                                  nodes[edge.to_node]->options.copies)};
}

std::vector<std::size_t> topological_order(std::size_t node_count,
                                           const std::vector<EdgeSpec>& edges) {
  std::vector<std::size_t> waiting_for(node_count, 0);
  for (const EdgeSpec& edge : edges) ++waiting_for[edge.to_node];
  std::vector<std::size_t> order;
  for (std::size_t node = 0; node < node_count; ++node) {
    if (waiting_for[node] == 0) order.push_back(node);
  }
  for (std::size_t next = 0; next < order.size(); ++next) {
    for (const EdgeSpec& edge : edges) {
      if (edge.from_node == order[next] && --waiting_for[edge.to_node] == 0)
        order.push_back(edge.to_node);
    }
  }
  return order;
}

}  // namespace detail

namespace {

using detail::EdgeSpec;
using detail::NodeBase;
using Nodes = std::vector<std::unique_ptr<NodeBase>>;

std::string demangled(std::type_index type) {
  int status = 0;
  char* text = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  std::string result = status == 0 && text ? text : type.name();
  std::free(text);
  return result;
}

void check_names(const Nodes& nodes, std::vector<Diagnostic>& found) {
  std::set<std::string> seen;
  for (const auto& node : nodes) {
    if (!seen.insert(node->name).second)
      found.push_back({"duplicate-name", fmt::format("two nodes are called {}", node->name)});
  }
}

void check_inputs(const Nodes& nodes, const std::vector<EdgeSpec>& edges,
                  std::vector<Diagnostic>& found) {
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    const auto ins = nodes[n]->ins(0);
    for (std::size_t port = 0; port < ins.size(); ++port) {
      const auto feeds = std::ranges::count_if(
          edges, [&](const EdgeSpec& e) { return e.to_node == n && e.to_port == port; });
      if (feeds == 0)
        found.push_back({"unbound-port", fmt::format("input {} of {} is not connected",
                                                     ins[port]->name, nodes[n]->name)});
      if (feeds > 1)
        found.push_back({"fan-in", fmt::format("input {} of {} has {} edges, one is possible",
                                               ins[port]->name, nodes[n]->name, feeds)});
    }
    if (ins.empty() && nodes[n]->options.copies > 1)
      found.push_back(
          {"parallel-source",
           fmt::format("{} has no inputs and {} copies: each copy would send everything",
                       nodes[n]->name, nodes[n]->options.copies)});
  }
}

void check_outputs(const Nodes& nodes, const std::vector<EdgeSpec>& edges,
                   std::vector<Diagnostic>& found) {
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    const auto outs = nodes[n]->outs(0);
    for (std::size_t port = 0; port < outs.size(); ++port) {
      const auto leaves = [&](const EdgeSpec& e) {
        return e.from_node == n && e.from_port == port;
      };
      const auto readers = std::ranges::count_if(edges, leaves);
      if (readers == 0)
        found.push_back({"unbound-port", fmt::format("output {} of {} is not connected",
                                                     outs[port]->name, nodes[n]->name)});
      if (readers > 1 && !std::ranges::find_if(edges, leaves)->clone)
        found.push_back(
            {"copy-of-move-only",
             fmt::format("output {} of {} goes to {} inputs, but its items cannot be copied",
                         outs[port]->name, nodes[n]->name, readers)});
    }
  }
}

}  // namespace

Plan Graph::plan() const {
  Plan plan;
  if (nodes_.empty()) plan.diagnostics.push_back({"empty", "the graph has no nodes"});
  check_names(nodes_, plan.diagnostics);
  check_inputs(nodes_, edges_, plan.diagnostics);
  check_outputs(nodes_, edges_, plan.diagnostics);
  const auto order = detail::topological_order(nodes_.size(), edges_);
  if (order.size() < nodes_.size())
    plan.diagnostics.push_back({"cycle", fmt::format("{} nodes wait for each other in a circle",
                                                     nodes_.size() - order.size())});
  for (const std::size_t n : order)
    plan.nodes.push_back(
        {nodes_[n]->name, nodes_[n]->options.copies, nodes_[n]->options.keep_order});
  for (const EdgeSpec& edge : edges_) {
    const NodeBase& from = *nodes_[edge.from_node];
    const NodeBase& to = *nodes_[edge.to_node];
    plan.edges.push_back({from.name,
                          std::string(nodes_[edge.from_node]->outs(0)[edge.from_port]->name),
                          to.name, std::string(nodes_[edge.to_node]->ins(0)[edge.to_port]->name),
                          demangled(edge.item), detail::capacity_of(edge, nodes_)});
  }
  return plan;
}

namespace {

const NodeStats* stats_of(const std::string& name, const std::vector<NodeStats>& stats) {
  const auto found = std::ranges::find(stats, name, &NodeStats::name);
  return found == stats.end() ? nullptr : &*found;
}

std::string counters(const NodeStats& stats) {
  return fmt::format("{} in, {} out, {:.2f} s", stats.items_in, stats.items_out,
                     stats.busy_seconds);
}

/// Column of each node in the drawing: one more than that of what feeds it.
std::map<std::string, std::size_t> columns_of(const Plan& plan) {
  std::map<std::string, std::size_t> column;
  for (const Plan::Node& node : plan.nodes) {
    std::size_t& place = column[node.name];
    for (const Plan::Edge& edge : plan.edges) {
      if (edge.to == node.name) place = std::max(place, column[edge.from] + 1);
    }
  }
  return column;
}

struct Box {
  double x, y;
};

constexpr double kBoxWidth = 150, kBoxHeight = 46, kGapX = 90, kGapY = 24, kMargin = 12;

std::map<std::string, Box> layout(const Plan& plan) {
  std::map<std::string, Box> boxes;
  std::map<std::size_t, std::size_t> used;
  const auto columns = columns_of(plan);
  for (const Plan::Node& node : plan.nodes) {
    const std::size_t column = columns.at(node.name);
    const std::size_t row = used[column]++;
    boxes[node.name] = {kMargin + static_cast<double>(column) * (kBoxWidth + kGapX),
                        kMargin + static_cast<double>(row) * (kBoxHeight + kGapY)};
  }
  return boxes;
}

std::string svg_edge(const Plan::Edge& edge, const Box& from, const Box& to) {
  const double x1 = from.x + kBoxWidth, y1 = from.y + kBoxHeight / 2, x2 = to.x,
               y2 = to.y + kBoxHeight / 2;
  return fmt::format(
      "<path d=\"M{0} {1} C{4} {1} {4} {3} {2} {3}\" fill=\"none\" stroke=\"currentColor\" "
      "stroke-opacity=\".5\" marker-end=\"url(#a)\"/>"
      "<text x=\"{4}\" y=\"{5}\" text-anchor=\"middle\" font-size=\"10\" fill=\"currentColor\" "
      "fill-opacity=\".7\">≤ {6}</text>\n",
      x1, y1, x2, y2, (x1 + x2) / 2, (y1 + y2) / 2 - 4, edge.capacity);
}

std::string svg_node(const Plan::Node& node, const Box& box, const NodeStats* stats) {
  const std::string title =
      node.copies > 1 ? fmt::format("{} × {}", node.name, node.copies) : node.name;
  std::string text = fmt::format(
      "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"8\" fill=\"none\" "
      "stroke=\"currentColor\"/>"
      "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" font-weight=\"600\" "
      "fill=\"currentColor\">{}</text>",
      box.x, box.y, kBoxWidth, kBoxHeight, box.x + kBoxWidth / 2, box.y + (stats ? 20 : 28),
      escape_html(title));
  if (stats)
    text += fmt::format(
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" font-size=\"10\" fill=\"currentColor\" "
        "fill-opacity=\".8\">{}</text>",
        box.x + kBoxWidth / 2, box.y + 36, counters(*stats));
  return text + "\n";
}

}  // namespace

std::string Plan::text(const std::vector<NodeStats>& stats) const {
  std::string out;
  for (const Node& node : nodes) {
    out += fmt::format("{}{}", node.name,
                       node.copies > 1
                           ? fmt::format(" x{}{}", node.copies, node.keep_order ? " in order" : "")
                           : "");
    if (const NodeStats* found = stats_of(node.name, stats)) out += "  (" + counters(*found) + ")";
    out += '\n';
    for (const Edge& edge : edges) {
      if (edge.from == node.name)
        out += fmt::format("  {} -> {}.{}  {}, at most {}, then block\n", edge.from_port, edge.to,
                           edge.to_port, edge.item, edge.capacity);
    }
  }
  for (const Diagnostic& diagnostic : diagnostics)
    out += fmt::format("error {}: {}\n", diagnostic.code, diagnostic.message);
  return out;
}

std::string Plan::svg(const std::vector<NodeStats>& stats) const {
  const auto boxes = layout(*this);
  double width = 0, height = 0;
  std::string body;
  for (const auto& [name, box] : boxes) {
    width = std::max(width, box.x + kBoxWidth + kMargin);
    height = std::max(height, box.y + kBoxHeight + kMargin);
  }
  for (const Edge& edge : edges) {
    if (boxes.contains(edge.from) && boxes.contains(edge.to))
      body += svg_edge(edge, boxes.at(edge.from), boxes.at(edge.to));
  }
  for (const Node& node : nodes)
    body += svg_node(node, boxes.at(node.name), stats_of(node.name, stats));
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
      "height=\"{1}\" font-family=\"system-ui,sans-serif\" font-size=\"13\">\n"
      "<defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" "
      "markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0 L8 4 L0 8 z\" "
      "fill=\"currentColor\"/></marker></defs>\n"
      "{2}</svg>\n",
      width, height, body);
}

}  // namespace aceso::graph
