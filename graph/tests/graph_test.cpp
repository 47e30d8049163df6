#include "aceso/graph/graph.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <numeric>
#include <thread>

namespace aceso::graph {
namespace {

/// Sends first, first + 1, … last.
struct Numbers {
  int first = 1, last = 0;
  Out<int> out;
  int fail_at = -1;
  auto ports() { return std::tie(out); }
  Flow compute(const Tick&) {
    if (first == fail_at) fail(Errc::CorruptData, "number {} is bad", first);
    if (first > last) return Flow::Done;
    out.send(first++);
    return Flow::Continue;
  }
};

/// Sends each number doubled; later ones are ready earlier.
struct Doubler {
  In<int> in;
  Out<int> out;
  int fail_at = -1;
  long sum = 0;
  auto ports() { return std::tie(in, out); }
  Flow compute(const Tick& tick) {
    const int number = in.take();
    if (tick.sequence % 4 == 0) std::this_thread::sleep_for(std::chrono::microseconds{300});
    if (number >= fail_at && fail_at >= 0) fail(Errc::CorruptData, "cannot double {}", number);
    sum += number;
    out.send(2 * number);
    return Flow::Continue;
  }
};

struct Collector {
  In<int> in;
  std::vector<int> seen;
  int fail_at = -1;
  int stop_at = -1;
  auto ports() { return std::tie(in); }
  Flow compute(const Tick&) {
    seen.push_back(in.take());
    if (seen.back() == fail_at) fail(Errc::OutOfResources, "no room for {}", fail_at);
    return seen.back() == stop_at ? Flow::Done : Flow::Continue;
  }
};

struct Chain {
  Graph graph;
  NodeRef<Numbers> numbers;
  NodeRef<Doubler> twice;
  NodeRef<Collector> sink;

  Chain(Numbers source, Doubler middle, Collector end, NodeOptions options,
        Policy policy = block(3))
      : numbers(graph.add("numbers", std::move(source))),
        twice(graph.add("twice", std::move(middle), options)),
        sink(graph.add("sink", std::move(end))) {
    graph.connect(numbers, &Numbers::out, twice, &Doubler::in, policy);
    graph.connect(twice, &Doubler::out, sink, &Collector::in, policy);
  }
};

std::vector<int> even_numbers(int count) {
  std::vector<int> numbers(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) numbers[static_cast<std::size_t>(i)] = 2 * (i + 1);
  return numbers;
}

TEST(Graph, KeepsTheOrderForAnyNumberOfThreadsAndCopies) {
  for (const unsigned threads : {1U, 2U, 4U, 9U}) {
    Chain chain{{.last = 500}, {}, {}, {.copies = threads}};
    chain.graph.run({.threads = threads});
    EXPECT_EQ(chain.sink->seen, even_numbers(500)) << threads;
  }
}

TEST(Graph, WithoutOrderNothingIsLost) {
  Chain chain{{.last = 500}, {}, {}, {.copies = 4, .keep_order = false}};
  chain.graph.run({.threads = 4});
  auto seen = chain.sink->seen;
  std::ranges::sort(seen);
  EXPECT_EQ(seen, even_numbers(500));
}

TEST(Graph, CopiesCanBeAddedUpAfterTheRun) {
  Chain chain{{.last = 100}, {}, {}, {.copies = 3}};
  chain.graph.run({.threads = 3});
  long sum = 0;
  for (const Doubler& copy : chain.twice.copies()) sum += copy.sum;
  EXPECT_EQ(sum, 5050);
}

TEST(Graph, AnErrorArrivesBehindWhatCameBeforeIt) {
  for (const unsigned threads : {1U, 4U}) {
    Chain chain{{.last = 500}, {.fail_at = 40}, {}, {.copies = threads}};
    try {
      chain.graph.run({.threads = threads});
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::CorruptData);
      EXPECT_STREQ(error.what(), "cannot double 40");
    }
    EXPECT_EQ(chain.sink->seen, even_numbers(39));
  }
}

TEST(Graph, ASourcesErrorIsRaisedToo) {
  Chain chain{{.last = 50, .fail_at = 7}, {}, {}, {.copies = 2}};
  EXPECT_THROW(chain.graph.run({.threads = 2}), Error);
  EXPECT_EQ(chain.sink->seen, even_numbers(6));
}

TEST(Graph, ASinksErrorStopsTheSource) {
  Chain chain{{.last = 1'000'000'000}, {}, {.fail_at = 20}, {.copies = 2}};
  EXPECT_THROW(chain.graph.run({.threads = 2}), Error);
}

TEST(Graph, ASinkThatHasEnoughEndsTheRun) {
  Chain chain{{.last = 1'000'000'000}, {}, {.stop_at = 20}, {.copies = 2}};
  chain.graph.run({.threads = 2});
  EXPECT_EQ(chain.sink->seen, even_numbers(10));
}

TEST(Graph, AStopRequestCancelsTheRun) {
  std::stop_source stop;
  Chain chain{{.last = 1'000'000'000}, {}, {}, {.copies = 2}};
  const std::jthread killer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
    stop.request_stop();
  });
  try {
    chain.graph.run({.threads = 2, .stop = stop.get_token()});
    FAIL() << "not cancelled";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::Cancelled);
  }
}

/// Counts how many items are alive, to see that edges are bounded.
struct Counted {
  static inline std::atomic<int> alive{0}, most{0};
  Counted() { note(++alive); }
  Counted(Counted&&) noexcept { note(++alive); }
  Counted& operator=(Counted&&) noexcept = default;
  ~Counted() { --alive; }
  static void note(int now) {
    int seen = most;
    while (now > seen && !most.compare_exchange_weak(seen, now)) {
    }
  }
};

struct CountedSource {
  int left = 200;
  Out<Counted> out;
  auto ports() { return std::tie(out); }
  Flow compute(const Tick&) {
    if (left-- == 0) return Flow::Done;
    out.send({});
    return Flow::Continue;
  }
};

struct SlowSink {
  In<Counted> in;
  auto ports() { return std::tie(in); }
  Flow compute(const Tick&) {
    const Counted item = in.take();
    std::this_thread::sleep_for(std::chrono::microseconds{100});
    return Flow::Continue;
  }
};

TEST(Graph, ABlockingEdgeHoldsNoMoreThanItsCapacity) {
  Graph graph;
  const auto source = graph.add("source", CountedSource{});
  const auto sink = graph.add("sink", SlowSink{});
  graph.connect(source, &CountedSource::out, sink, &SlowSink::in, block(5));
  graph.run({.threads = 3});
  EXPECT_LE(Counted::most, 5 + 4);  // queued, and a few on their way in or out
}

struct Joiner {
  In<int> left{"left"}, right{"right"};
  Out<int> out;
  auto ports() { return std::tie(left, right, out); }
  Flow compute(const Tick&) {
    out.send(left.take() + right.take());
    return Flow::Continue;
  }
};

struct UnequalJoiner {
  static constexpr bool kUnequalStreams = true;
  In<int> left{"left"}, right{"right"};
  Out<int> out;
  auto ports() { return std::tie(left, right, out); }
  Flow compute(const Tick&) {
    out.send((left.has() ? left.take() : 0) + (right.has() ? right.take() : 0));
    return Flow::Continue;
  }
};

template <typename Join>
std::vector<int> join(int left_last, int right_last) {
  Graph graph;
  const auto left = graph.add("a", Numbers{.last = left_last});
  const auto right = graph.add("b", Numbers{.last = right_last});
  const auto sum = graph.add("sum", Join{});
  const auto sink = graph.add("sink", Collector{});
  graph.connect(left, &Numbers::out, sum, &Join::left);
  graph.connect(right, &Numbers::out, sum, &Join::right);
  graph.connect(sum, &Join::out, sink, &Collector::in);
  graph.run({.threads = 2});
  return sink->seen;
}

TEST(Graph, TwoStreamsAreJoinedItemByItem) {
  EXPECT_EQ(join<Joiner>(3, 3), (std::vector{2, 4, 6}));
}

TEST(Graph, StreamsOfUnequalLengthAreAnErrorUnlessTheOperatorAcceptsThem) {
  EXPECT_EQ(join<UnequalJoiner>(3, 1), (std::vector{2, 2, 3}));
  try {
    join<Joiner>(3, 1);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::CorruptData);
    EXPECT_STREQ(error.what(), "sum: stream right ended before the others");
  }
}

TEST(Graph, AnOutputMayFeedSeveralInputs) {
  Graph graph;
  const auto numbers = graph.add("numbers", Numbers{.last = 20});
  const auto one = graph.add("one", Collector{});
  const auto two = graph.add("two", Collector{.stop_at = 3});
  graph.connect(numbers, &Numbers::out, one, &Collector::in);
  graph.connect(numbers, &Numbers::out, two, &Collector::in);
  graph.run({.threads = 2});
  EXPECT_EQ(one->seen.size(), 20U);
  EXPECT_EQ(two->seen, (std::vector{1, 2, 3}));
}

struct Summer {
  In<int> in;
  Out<int> out;
  int sum = 0;
  auto ports() { return std::tie(in, out); }
  Flow compute(const Tick&) {
    sum += in.take();
    return Flow::Continue;
  }
  void finish(const Tick&) { out.send(sum); }
};

TEST(Graph, FinishMaySendWhatWasHeldBack) {
  Graph graph;
  const auto numbers = graph.add("numbers", Numbers{.last = 10});
  const auto sum = graph.add("sum", Summer{});
  const auto sink = graph.add("sink", Collector{});
  graph.connect(numbers, &Numbers::out, sum, &Summer::in);
  graph.connect(sum, &Summer::out, sink, &Collector::in);
  graph.run({.threads = 2});
  EXPECT_EQ(sink->seen, std::vector{55});
}

TEST(Graph, CountersTellWhatHappened) {
  Chain chain{{.last = 100}, {}, {}, {.copies = 2}};
  chain.graph.run({.threads = 2});
  const auto stats = chain.graph.stats();
  EXPECT_EQ(stats[1].name, "twice");
  EXPECT_EQ(stats[1].items_in, 100U);
  EXPECT_EQ(stats[1].items_out, 100U);
  EXPECT_GT(stats[1].busy_seconds, 0);
}

std::string codes(const Plan& plan) {
  std::string all;
  for (const auto& diagnostic : plan.diagnostics) all += diagnostic.code + " ";
  return all;
}

TEST(Plan, RefusesWithStableCodes) {
  EXPECT_EQ(codes(Graph{}.plan()), "empty ");

  Graph unbound;
  unbound.add("a", Numbers{});
  unbound.add("a", Collector{});
  EXPECT_EQ(codes(unbound.plan()), "duplicate-name unbound-port unbound-port ");
  EXPECT_THROW(unbound.run(), Error);

  Graph circle;
  const auto left = circle.add("left", Doubler{});
  const auto right = circle.add("right", Doubler{});
  circle.connect(left, &Doubler::out, right, &Doubler::in);
  circle.connect(right, &Doubler::out, left, &Doubler::in);
  EXPECT_EQ(codes(circle.plan()), "cycle ");

  Graph sources;
  const auto many = sources.add("many", Numbers{}, {.copies = 2});
  const auto sink = sources.add("sink", Collector{});
  sources.connect(many, &Numbers::out, sink, &Collector::in);
  sources.connect(many, &Numbers::out, sink, &Collector::in);
  EXPECT_EQ(codes(sources.plan()), "parallel-source fan-in ");

  Graph move_only;
  const auto source = move_only.add("source", CountedSource{});
  const auto a = move_only.add("a", SlowSink{});
  const auto b = move_only.add("b", SlowSink{});
  move_only.connect(source, &CountedSource::out, a, &SlowSink::in);
  move_only.connect(source, &CountedSource::out, b, &SlowSink::in);
  EXPECT_EQ(codes(move_only.plan()), "copy-of-move-only ");
}

TEST(Plan, PrintsAsTextAndSvg) {
  Chain chain{{.last = 3}, {}, {}, {.copies = 2}};
  const Plan plan = chain.graph.plan();
  EXPECT_EQ(plan.text(),
            "numbers\n  out -> twice.in  int, at most 3, then block\n"
            "twice x2 in order\n  out -> sink.in  int, at most 3, then block\n"
            "sink\n");
  const std::string svg = plan.svg();
  EXPECT_TRUE(svg.starts_with("<svg "));
  EXPECT_NE(svg.find("twice × 2"), svg.npos);
}

/// Whether Graph::connect accepts these ports: types must match at compile time.
template <typename From, typename To>
concept Connectable = requires(Graph& graph, NodeRef<From> from, NodeRef<To> to) {
  graph.connect(from, &From::out, to, &To::in);
};
static_assert(Connectable<Numbers, Collector>);
static_assert(!Connectable<CountedSource, Collector>);
static_assert(Operator<Doubler>);
static_assert(!Operator<int>);

}  // namespace
}  // namespace aceso::graph
