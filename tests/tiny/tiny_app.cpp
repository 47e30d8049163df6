#include "tiny_app.hpp"

#include "aceso/core/cancel.hpp"
#include "aceso/core/files.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <thread>

namespace aceso::tests {
namespace {

/// Counts letters; can also take its time, write much, warn or fail, as scenarios need.
struct LettersJob {
  std::filesystem::path text;
  std::optional<std::filesystem::path> counts;
  std::string letter = "a";
  double seconds = 0;
  std::uint64_t pad = 0;
  std::string fail_as = "none";
};

void wait(const LettersJob& job, app::RunContext& context) {
  const auto steps = static_cast<std::uint64_t>(job.seconds * 100);
  context.progress.stage("waiting", steps, "steps");
  for (std::uint64_t i = 0; i < steps; ++i) {
    throw_if_stopped(context.stop);
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
    context.progress.advance(1);
  }
}

void letters(const LettersJob& job, app::RunContext& context) {
  const std::string text = read_file(job.text);
  const auto count = std::ranges::count(text, job.letter.front());
  context.log.info("letters.counted", {{"count", count}});
  if (text.empty()) context.warnings.add("text.empty", job.text.string() + ": empty");
  std::optional<AtomicFile> output;
  if (job.counts) {
    output.emplace(*job.counts);
    output->write(fmt::format("letter\tcount\n{}\t{}\n", job.letter, count));
    const std::string block(1 << 16, 'x');
    for (std::uint64_t written = 0; written < job.pad; written += block.size())
      output->write(block);
  }
  wait(job, context);
  if (job.fail_as == "bad-input")
    fail(Errc::CorruptData, "{}: record 1: as asked", job.text.string());
  if (job.fail_as == "bug") throw std::logic_error("as asked");
  if (output) output->commit();
  context.metric("letters.count", count);
  context.report.section("Letters", "How often the letter occurs.");
  context.report.figure("count", std::int64_t{count});
}

}  // namespace

app::App tiny_app() {
  app::Describe<LettersJob> d{"demo letters", "Counts a letter in a text"};
  d.help(
      "Counts how often a letter occurs in a text file.\n\nWaits and fails as asked, to see what "
      "comes of it.");
  d.example("aceso demo letters --text notes.txt --letter e --counts counts.tsv");
  d.input("text", &LettersJob::text, {.kind = "text", .help = "text to look at"});
  d.output("counts", &LettersJob::counts,
           {.kind = "table", .file_name = "counts.tsv", .help = "the count"});
  d.option("letter", &LettersJob::letter, {.help = "the letter to count"});
  d.option("seconds", &LettersJob::seconds,
           {.help = "how long to take", .unit = "s", .minimum = 0, .maximum = 600});
  d.size_option("pad", &LettersJob::pad, {.help = "how much to write besides", .minimum = 0});
  d.option("fail_as", &LettersJob::fail_as,
           {.help = "how to fail", .choices = {"none", "bad-input", "bug"}, .advanced = true});
  d.sample({.name = "a line",
            .summary = "one line of text",
            .inputs = {{"text", {"line.txt"}}},
            .options = {},
            .origin = "made up"});
  return d.build(letters);
}

}  // namespace aceso::tests
