#include "aceso/core/bytes.hpp"
#include "aceso/core/cancel.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/hash.hpp"
#include "aceso/core/json.hpp"
#include "aceso/core/log.hpp"
#include "aceso/core/process.hpp"
#include "aceso/core/progress.hpp"
#include "aceso/core/text.hpp"
#include "aceso/core/threads.hpp"
#include "aceso/core/warnings.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <numeric>
#include <thread>

namespace aceso {
namespace {

Errc code_of(const std::function<void()>& action, std::string* message = nullptr) {
  try {
    action();
  } catch (const Error& error) {
    if (message) *message = error.what();
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return Errc::Internal;
}

TEST(Errc, NamesAndExitCodesAreStable) {
  EXPECT_EQ(name(Errc::CorruptData), "corrupt_data");
  EXPECT_EQ(name(Errc::OutOfResources), "out_of_resources");
  EXPECT_EQ(exit_code(Errc::InvalidArgument), 2);
  EXPECT_EQ(exit_code(Errc::CorruptData), 3);
  EXPECT_EQ(exit_code(Errc::NotFound), 3);
  EXPECT_EQ(exit_code(Errc::OutOfResources), 4);
  EXPECT_EQ(exit_code(Errc::Cancelled), 5);
  EXPECT_EQ(exit_code(Errc::Internal), 70);
}

TEST(FailSystem, TellsAFullDiskFromAMissingFile) {
  std::string message;
  EXPECT_EQ(code_of([] { fail_system(ENOSPC, "write", "a.txt"); }, &message), Errc::OutOfResources);
  EXPECT_EQ(message, "a.txt: cannot write: No space left on device");
  EXPECT_EQ(code_of([] { fail_system(ENOENT, "open", "a.txt"); }), Errc::NotFound);
  EXPECT_EQ(code_of([] { fail_system(EACCES, "open", "a.txt"); }), Errc::Io);
}

TEST(ParseJson, KeepsTheOrderOfKeys) {
  EXPECT_EQ(parse_json(R"({"b":1,"a":[true,null,"x"]})", "t").dump(),
            R"({"b":1,"a":[true,null,"x"]})");
}

TEST(ParseJson, RefusesRepeatedKeysDepthAndGarbage) {
  std::string message;
  EXPECT_EQ(
      code_of([] { static_cast<void>(parse_json(R"({"a":1,"a":2})", "job.json")); }, &message),
      Errc::CorruptData);
  EXPECT_EQ(message, "job.json: not valid JSON: the key \"a\" stands twice in one object");
  const std::string deep(100'000, '[');
  EXPECT_EQ(code_of([&] { static_cast<void>(parse_json(deep, "t")); }, &message),
            Errc::CorruptData);
  EXPECT_EQ(message, "t: not valid JSON: nested too deeply");
  for (const char* text : {"", "{", "[1,]", "nul", "{\"a\":1}x", "\"\xff\"", "01"})
    EXPECT_EQ(code_of([&] { static_cast<void>(parse_json(text, "t")); }), Errc::CorruptData)
        << text;
}

TEST(Warnings, CountsPerKindAndKeepsAFewExamples) {
  Warnings warnings;
  for (int i = 0; i < 20; ++i) warnings.add("b", "message " + std::to_string(i));
  warnings.add("a", "once");
  const auto counts = warnings.counts();
  ASSERT_EQ(counts.size(), 2U);
  EXPECT_EQ(counts[0].kind, "a");
  EXPECT_EQ(counts[1].count, 20U);
  EXPECT_EQ(counts[1].examples.size(), Warnings::kExamples);
}

TEST(Warnings, StrictModeRaisesTheFirst) {
  Warnings warnings{true};
  EXPECT_EQ(code_of([&] { warnings.add("a", "r.fq: lower case"); }), Errc::CorruptData);
}

TEST(Log, HandsEventsWithTheirFieldsToTheSink) {
  std::string seen;
  const Log log{[&](LogLevel level, std::string_view event, const Json& fields) {
    seen += fmt::format("{} {} {};", name(level), event, fields.dump());
  }};
  log.info("run.finished", {{"run", "r1"}, {"ms", 12}, {"share", 0.5}, {"ok", true}});
  log.debug("quiet");
  EXPECT_EQ(seen, R"(info run.finished {"run":"r1","ms":12,"share":0.5,"ok":true};)");
  Log{}.error("dropped");
}

TEST(Progress, ReportsBeginAndEndOfAStageWithAllThatWasDone) {
  std::vector<ProgressEvent> events;
  Progress progress{[&](const ProgressEvent& event) { events.push_back(event); }};
  progress.stage("reads", 1000, "bytes");
  {
    std::array<std::jthread, 2> workers{std::jthread([&] {
                                          for (int i = 0; i < 500; ++i) progress.advance(1);
                                        }),
                                        std::jthread([&] {
                                          for (int i = 0; i < 500; ++i) progress.advance(1);
                                        })};
  }
  progress.finish();
  EXPECT_EQ(events.front().done, 0U);
  EXPECT_EQ(events.back().done, 1000U);
  EXPECT_LT(events.size(), 20U);
}

TEST(ParallelFor, VisitsEachBlockOnceForAnyNumberOfThreads) {
  for (const unsigned threads : {1U, 2U, 7U}) {
    std::vector<std::atomic<int>> visits(1003);
    parallel_for(visits.size(), 10, threads, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) ++visits[i];
    });
    for (const auto& count : visits) ASSERT_EQ(count, 1);
  }
}

TEST(ParallelFor, RaisesTheErrorOfTheLowestBlockAndMindsStop) {
  std::string message;
  code_of(
      [] {
        parallel_for(100, 1, 1, [](std::size_t i, std::size_t) {
          if (i >= 40) fail(Errc::CorruptData, "block {}", i);
        });
      },
      &message);
  EXPECT_EQ(message, "block 40");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(
      code_of([&] { parallel_for(100, 1, 2, [](std::size_t, std::size_t) {}, stop.get_token()); }),
      Errc::Cancelled);
}

TEST(ThreadBudget, IsAtLeastOne) {
  EXPECT_GE(available_cpus(), 1U);
  EXPECT_EQ(thread_budget(3), 3U);
  EXPECT_EQ(thread_budget(1'000'000), 1024U);
  EXPECT_EQ(thread_budget(0), available_cpus());
}

TEST(ByteReader, NeverPassesTheEnd) {
  const std::array<std::byte, 5> bytes{std::byte{1}, std::byte{2}, std::byte{0}, std::byte{0},
                                       std::byte{9}};
  ByteReader reader{bytes, "a.bin"};
  EXPECT_EQ(reader.little<std::uint32_t>("size"), 0x201U);
  std::string message;
  EXPECT_EQ(code_of([&] { static_cast<void>(reader.little<std::uint16_t>("count")); }, &message),
            Errc::CorruptData);
  EXPECT_EQ(message, "a.bin: offset 4: count needs 2 bytes, 1 are left");
  EXPECT_EQ(reader.text(1, "letter"), "\x09");
  EXPECT_EQ(code_of([] { static_cast<void>(checked_product(1ULL << 40, 1ULL << 40, "rows")); }),
            Errc::CorruptData);
}

TEST(Sha256, AgreesWithThePublishedExamples) {
  // FIPS 180-4 examples.
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Sha256 parts;
  parts.update("a");
  parts.update("bc");
  EXPECT_EQ(parts.finish(), sha256("abc"));
}

TEST(RandomHex, DoesNotRepeat) {
  EXPECT_EQ(random_hex(16).size(), 32U);
  EXPECT_NE(random_hex(16), random_hex(16));
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
}

TEST(Text, SizesAndTimesReadWell) {
  EXPECT_EQ(format_bytes(912), "912 B");
  EXPECT_EQ(format_bytes(1'400'000), "1.4 MB");
  EXPECT_EQ(format_bytes(999'960), "1.0 MB");
  EXPECT_EQ(format_seconds(0.84), "0.8 s");
  EXPECT_EQ(format_seconds(125), "2 min 05 s");
  EXPECT_EQ(format_seconds(4320), "1 h 12 min");
}

TEST(ParseSize, KnowsUnitsAndRefusesTheRest) {
  EXPECT_EQ(parse_size("1000"), 1000U);
  EXPECT_EQ(parse_size("512M"), 512ULL << 20);
  EXPECT_EQ(parse_size("1.5GiB"), 3ULL << 29);
  EXPECT_EQ(parse_size("2kb"), 2048U);
  for (const char* text : {"", "G", "-1", "1X", "1GG", "nan", "1e30", "4 G B", "inf"})
    EXPECT_EQ(code_of([&] { static_cast<void>(parse_size(text)); }), Errc::InvalidArgument) << text;
}

TEST(Closest, FindsWhatWasMeant) {
  EXPECT_EQ(closest("--treads", {"--threads", "--reads", "--json"}), "--threads");
  EXPECT_EQ(closest("genomics", {"genomics reads"}), "genomics reads");
  EXPECT_EQ(closest("zzz", {"--threads"}), "");
}

TEST(Text, ForeignBytesAreShownSafely) {
  EXPECT_TRUE(is_utf8("Ünïcode €"));
  for (const char* text : {"\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\x80"})
    EXPECT_FALSE(is_utf8(text));
  EXPECT_EQ(printable("a\x01\xff€"), "a\\x01\\xFF€");
  EXPECT_EQ(printable(std::string(100, 'x'), 10), "xxxxxxxxxx…");
  EXPECT_EQ(escape_html("<a href='x'>&\"</a>"), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;&lt;/a&gt;");
}

TEST(Process, TellsFactsOfThisMachine) {
  EXPECT_GT(peak_rss_mb(), 1);
  EXPECT_FALSE(cpu_model().empty());
  EXPECT_FALSE(cpu_features().empty());
  EXPECT_STREQ(version(), "0.1.0");
}

TEST(Cancel, RaisesOnlyWhenAsked) {
  std::stop_source stop;
  throw_if_stopped(stop.get_token());
  stop.request_stop();
  EXPECT_EQ(code_of([&] { throw_if_stopped(stop.get_token()); }), Errc::Cancelled);
}

}  // namespace
}  // namespace aceso
