#include "reads_report.hpp"

#include "adapter_guess.hpp"
#include "reads_figures.hpp"
#include "report_figures.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace aceso::genomics {
namespace {

using app::Cell;
using app::Plot;

constexpr std::uint32_t kMostPoints = 400;

class ReadsReport {
 public:
  ReadsReport(const ReadsResult& result, const ReadsFigures& figures, app::Report& report)
      : result_(result),
        tally_(result.tally),
        figures_(figures),
        report_(report),
        mates_(result.rules.paired ? 2 : 1) {}

  void write() {
    summary();
    filtering();
    quality();
    bases();
    lengths();
    if (result_.rules.paired) inserts();
    duplication();
    adapters();
    starts();
  }

 private:
  [[nodiscard]] std::string mate_name(std::size_t m) const {
    return mates_ == 1 ? std::string("reads")
           : m == 0    ? std::string("read 1")
                       : std::string("read 2");
  }

  void summary() {
    report_.section("Summary", "What came in and what was kept.");
    report_.figure("reads kept", percent(figures_.after.reads, figures_.before.reads), "%");
    report_.figure("bases kept", percent(figures_.after.bases, figures_.before.bases), "%");
    report_.figure("bases of Q30 or better, after", 100 * figures_.after.share(figures_.after.q30),
                   "%");
    report_.figure("duplicates, estimated", 100 * figures_.duplication.rate, "%");
    if (figures_.insert_peak > 0)
      report_.figure("commonest fragment", whole(figures_.insert_peak), "bases");
    const StageFigures &b = figures_.before, &a = figures_.after;
    std::vector<std::vector<Cell>> rows{
        {"reads", whole(b.reads), whole(a.reads)},
        {"bases", whole(b.bases), whole(a.bases)},
        {"bases of Q20 or better (%)", 100 * b.share(b.q20), 100 * a.share(a.q20)},
        {"bases of Q30 or better (%)", 100 * b.share(b.q30), 100 * a.share(a.q30)},
        {"G and C (%)", 100 * b.share(b.gc), 100 * a.share(a.gc)}};
    for (std::size_t m = 0; m < mates_; ++m)
      rows.push_back(
          {"mean length of " + mate_name(m), whole(b.mean_length[m]), whole(a.mean_length[m])});
    report_.table("Before and after", {{""}, {"before"}, {"after"}}, std::move(rows));
  }

  void filtering() {
    report_.section("Filters",
                    result_.rules.paired
                        ? "Reads by what became of them; both reads of a pair share its fate."
                        : "Reads by what became of them.");
    static constexpr std::pair<Verdict, const char*> kRows[] = {
        {Verdict::Passed, "kept"},         {Verdict::LowQuality, "quality too low"},
        {Verdict::TooManyN, "too many N"}, {Verdict::TooShort, "too short"},
        {Verdict::TooLong, "too long"},    {Verdict::LowComplexity, "complexity too low"}};
    std::vector<std::vector<Cell>> rows;
    for (const auto& [verdict, label] : kRows) {
      const std::uint64_t reads = tally_.reads_by_verdict[static_cast<std::size_t>(verdict)];
      rows.push_back({label, whole(reads), percent(reads, figures_.before.reads)});
    }
    report_.table("Filtering", {{""}, {"reads"}, {"share", "%"}}, std::move(rows));
    report_.table("Trimming", {{""}, {"reads"}, {"bases"}},
                  {{"adapters", whole(tally_.adapter_reads), whole(tally_.adapter_bases)},
                   {result_.rules.poly_g ? "tails of G" : "tails of G (off)",
                    whole(tally_.poly_g_reads), whole(tally_.poly_g_bases)},
                   {result_.rules.poly_x ? "tails of one base" : "tails of one base (off)",
                    whole(tally_.poly_x_reads), whole(tally_.poly_x_bases)},
                   {result_.rules.correct ? "corrected" : "corrected (off)",
                    whole(tally_.corrected_reads), whole(tally_.corrected_bases)}});
  }

  // Curves over cycles.

  [[nodiscard]] std::uint32_t step_of(std::uint32_t cycles) const {
    return std::max(1U, (cycles + kMostPoints - 1) / kMostPoints);
  }

  [[nodiscard]] std::uint32_t most_cycles() const {
    return std::max(tally_.mates[0].cycles_before.cycles(), tally_.mates[1].cycles_before.cycles());
  }

  static std::vector<double> cycle_axis(std::uint32_t cycles, std::uint32_t step) {
    std::vector<double> x;
    for (std::uint32_t c = 0; c < cycles; c += step) x.push_back(c + (step + 1) / 2.0);
    return x;
  }

  static std::vector<double> filled(std::vector<double> values, std::size_t size) {
    values.resize(size, std::numeric_limits<double>::quiet_NaN());
    return values;
  }

  void quality() {
    report_.section("Quality", "A quality of 20 means one error in 100 bases, 30 one in 1,000.");
    const std::uint32_t cycles = most_cycles(), step = step_of(cycles);
    Plot plot{.title = "Mean quality by place in the read",
              .x_label = "place in the read (1-based)",
              .y_label = "mean quality (phred)",
              .x = cycle_axis(cycles, step),
              .series = {},
              .note =
                  "Falling towards the end is usual; a sudden dip at one place points to the "
                  "instrument."};
    for (std::size_t m = 0; m < mates_; ++m) {
      plot.series.push_back(
          {mate_name(m) + ", before",
           filled(quality_curve(tally_.mates[m].cycles_before, kLetters, step), plot.x.size())});
      plot.series.push_back(
          {mate_name(m) + ", after",
           filled(quality_curve(figures_.cycles_after[m], kLetters, step), plot.x.size())});
    }
    report_.plot(std::move(plot));
    for (std::size_t m = 0; m < mates_; ++m) quality_range(m);
    mean_qualities();
  }

  void quality_range(std::size_t m) {
    const SampledStats& sampled = tally_.mates[m].sampled;
    if (sampled.cycles() == 0) return;
    Plot plot{.title = "Range of qualities, " + mate_name(m) + ", before",
              .x_label = "place in the read (1-based)",
              .y_label = "quality (phred)",
              .x = cycle_axis(sampled.cycles(), 1),
              .series = {},
              .note =
                  "From every 16th read: a tenth of the bases lies below the lowest line, half "
                  "below the median."};
    static constexpr std::pair<const char*, double> kLines[] = {
        {"90 %", 0.9}, {"75 %", 0.75}, {"median", 0.5}, {"25 %", 0.25}, {"10 %", 0.1}};
    for (const auto& [name, fraction] : kLines) {
      std::vector<double> values;
      for (std::uint32_t c = 0; c < sampled.cycles(); ++c)
        values.push_back(sampled.quantile(c, fraction));
      plot.series.push_back({name, std::move(values)});
    }
    report_.plot(std::move(plot));
  }

  void mean_qualities() {
    Plot plot{.title = "Reads by mean quality",
              .x_label = "mean quality of a read (phred)",
              .y_label = "reads",
              .x = {},
              .series = {},
              .note =
                  "One peak far to the right is good; a second one to the left is a part of the "
                  "run that went wrong."};
    std::size_t end = 0;
    for (const MateTally& mate : tally_.mates) {
      for (std::size_t q = 0; q < mate.before.by_mean_quality.size(); ++q) {
        if (mate.before.by_mean_quality[q] > 0) end = std::max(end, q + 1);
      }
    }
    for (std::size_t q = 0; q < end; ++q) plot.x.push_back(static_cast<double>(q));
    for (std::size_t m = 0; m < mates_; ++m) {
      plot.series.push_back(
          {mate_name(m) + ", before", numbers(tally_.mates[m].before.by_mean_quality, end)});
      plot.series.push_back(
          {mate_name(m) + ", after", numbers(tally_.mates[m].after.by_mean_quality, end)});
    }
    report_.plot(std::move(plot));
  }

  void bases() {
    report_.section("Bases");
    for (std::size_t m = 0; m < mates_; ++m) {
      content(tally_.mates[m].cycles_before, mate_name(m) + ", before");
      content(figures_.cycles_after[m], mate_name(m) + ", after");
    }
    Plot plot{.title = "Reads by share of G and C",
              .x_label = "G and C (%)",
              .y_label = "reads",
              .x = {},
              .series = {},
              .note =
                  "A smooth hill around the genome's own share is good; sharp peaks are "
                  "contaminants or repeats."};
    for (int p = 0; p <= 100; ++p) plot.x.push_back(p);
    for (std::size_t m = 0; m < mates_; ++m) {
      plot.series.push_back(
          {mate_name(m) + ", before", numbers(tally_.mates[m].before.by_gc_percent, 101)});
      plot.series.push_back(
          {mate_name(m) + ", after", numbers(tally_.mates[m].after.by_gc_percent, 101)});
    }
    report_.plot(std::move(plot));
  }

  void content(const CycleTable& cycles, const std::string& which) {
    if (cycles.cycles() == 0) return;
    const std::uint32_t step = step_of(cycles.cycles());
    Plot plot{.title = "Bases by place in the read, " + which,
              .x_label = "place in the read (1-based)",
              .y_label = "share of bases",
              .x = cycle_axis(cycles.cycles(), step),
              .series = {},
              .note =
                  "Lines should run flat but for the first dozen places, which primers bias; N "
                  "should be near 0."};
    static constexpr std::pair<const char*, unsigned> kLines[] = {
        {"A", 1}, {"C", 2}, {"G", 4}, {"T", 8}, {"N", 16}, {"G and C", 6}};
    for (const auto& [name, letters] : kLines)
      plot.series.push_back({name, content_curve(cycles, letters, step)});
    report_.plot(std::move(plot));
  }

  void lengths() {
    report_.section("Lengths");
    std::size_t end = 0;
    for (const MateTally& mate : tally_.mates) end = std::max(end, mate.before.by_length.size());
    const std::size_t step = std::max<std::size_t>(1, (end + kMostPoints - 1) / kMostPoints);
    Plot plot{.title = "Reads by length",
              .x_label = "length (bases)",
              .y_label = "reads",
              .x = {},
              .series = {},
              .log_y = true,
              .note =
                  "Instruments read all to one length; shorter reads after trimming are those that "
                  "held adapter or bad ends."};
    for (std::size_t begin = 0; begin < end; begin += step)
      plot.x.push_back(static_cast<double>(begin));
    for (std::size_t m = 0; m < mates_; ++m) {
      plot.series.push_back({mate_name(m) + ", before",
                             binned(tally_.mates[m].before.by_length, plot.x.size(), step)});
      plot.series.push_back(
          {mate_name(m) + ", after", binned(tally_.mates[m].after.by_length, plot.x.size(), step)});
    }
    report_.plot(std::move(plot));
  }

  void inserts() {
    report_.section("Fragments",
                    "The length of the sequenced fragment, known where both mates overlap.");
    report_.figure("commonest fragment", whole(figures_.insert_peak), "bases");
    report_.figure("pairs without overlap",
                   percent(tally_.inserts.back(), figures_.before.reads / 2), "%");
    Plot plot{.title = "Pairs by fragment length",
              .x_label = "fragment (bases)",
              .y_label = "pairs",
              .x = {},
              .series = {},
              .note =
                  "Only fragments shorter than both mates together can be measured, so the hill "
                  "may be cut off to the right."};
    for (std::size_t i = 0; i < kMostInsert; ++i) plot.x.push_back(static_cast<double>(i));
    plot.series.push_back({"pairs", numbers(tally_.inserts, kMostInsert)});
    report_.plot(std::move(plot));
  }

  void duplication() {
    const DuplicateSketch::Result& found = figures_.duplication;
    report_.section("Duplicates", result_.rules.paired
                                      ? "Pairs whose letters are all the same as another's."
                                      : "Reads whose letters are all the same as another's.");
    report_.figure("duplicates, estimated", 100 * found.rate, "%");
    report_.figure("looked at", 100 * found.sampled_fraction, "%");
    Plot plot{.title = "Sequences by number of copies",
              .type = Plot::Type::Bar,
              .x_label = "copies",
              .y_label = "distinct sequences",
              .x = {},
              .x_names = {},
              .series = {},
              .log_y = true,
              .note =
                  "High bars to the right mean that few molecules were copied often; exact copies "
                  "only, so errors hide some."};
    std::size_t end = found.levels.size();
    while (end > 2 && found.levels[end - 1] == 0) --end;
    std::vector<double> values;
    for (std::size_t n = 1; n < end; ++n) {
      plot.x.push_back(static_cast<double>(n));
      plot.x_names.push_back(n == DuplicateSketch::kLevels ? fmt::format("{} or more", n)
                                                           : fmt::format("{}", n));
      values.push_back(static_cast<double>(found.levels[n]));
    }
    plot.series.push_back({"distinct sequences", std::move(values)});
    report_.plot(std::move(plot));
  }

  void adapters() {
    if (!result_.rules.trim_adapters) return;
    report_.section("Adapters", adapter_text());
    for (std::size_t m = 0; m < mates_; ++m) adapter_table(m);
  }

  [[nodiscard]] std::string adapter_text() const {
    std::string text;
    for (std::size_t m = 0; m < mates_; ++m) {
      if (result_.rules.adapter[m].empty()) continue;
      const std::string_view known = adapter_name(result_.rules.adapter[m]);
      text += fmt::format("Looked for {}{}{} in {}. ", result_.rules.adapter[m],
                          known.empty() ? "" : ", ", known, mate_name(m));
    }
    if (result_.rules.paired)
      text += "Where mates overlap, what lies beyond the fragment was cut. ";
    return text + "The tables show what was cut most often, by its first 16 bases.";
  }

  void adapter_table(std::size_t m) {
    constexpr std::size_t kRows = 10;
    auto all = tally_.mates[m].adapters.sorted();
    std::ranges::stable_sort(all, std::ranges::greater{},
                             &std::pair<std::uint64_t, std::uint64_t>::second);
    std::uint64_t total = 0;
    for (const auto& [key, count] : all) total += count;
    std::vector<std::vector<Cell>> rows;
    for (const auto& [key, count] : all) {
      if (rows.size() == kRows) break;
      const std::string bases = prefix_of_key(key);
      rows.push_back(
          {bases, whole(count), percent(count, total), std::string(adapter_name(bases))});
    }
    report_.table("Cut from " + mate_name(m), {{"bases"}, {"reads"}, {"share", "%"}, {"known as"}},
                  std::move(rows));
  }

  void starts() {
    report_.section("Frequent sequences",
                    "Beginnings (50 bases) shared by more than 0.1 % of reads, from every 20th of "
                    "the first 2,000,000; and words of 5 bases that are commoner than their bases "
                    "explain, from every 16th read.");
    for (std::size_t m = 0; m < mates_; ++m) {
      start_table(m);
      word_table(m);
    }
  }

  void start_table(std::size_t m) {
    constexpr std::size_t kRows = 20;
    const MateTally& mate = tally_.mates[m];
    std::vector<std::pair<std::uint64_t, std::string>> often;
    for (const auto& [bases, count] : mate.starts) {
      if (count >= kStartFewest && count * 1000 > mate.starts_sampled)
        often.emplace_back(count, bases);
    }
    std::ranges::sort(often, [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    std::vector<std::vector<Cell>> rows;
    for (const auto& [count, bases] : often) {
      if (rows.size() == kRows) break;
      rows.push_back({bases, whole(count), percent(count, mate.starts_sampled), source_of(bases)});
    }
    report_.table("Frequent beginnings of " + mate_name(m),
                  {{"bases"}, {"seen"}, {"share", "%"}, {"may be"}}, std::move(rows));
  }

  static std::string source_of(const std::string& bases) {
    constexpr std::size_t kEnough = 12;
    for (const KnownAdapter& known : known_adapters()) {
      if (bases.find(known.bases.substr(0, kEnough)) != std::string::npos)
        return std::string(known.name);
    }
    for (const char base : {'A', 'C', 'G', 'T', 'N'}) {
      if (static_cast<std::size_t>(std::ranges::count(bases, base)) * 10 >= bases.size() * 9)
        return fmt::format("poly-{}", base);
    }
    return {};
  }

  void word_table(std::size_t m) {
    constexpr std::size_t kRows = 10;
    const auto& words = tally_.mates[m].sampled.kmers;
    std::array<double, 4> base_share{};
    std::uint64_t total = 0;
    for (std::size_t word = 0; word < words.size(); ++word) {
      total += words[word];
      for (std::size_t i = 0; i < SampledStats::kKmerSize; ++i)
        base_share[word >> 2 * i & 3] += static_cast<double>(words[word]);
    }
    if (total == 0) return;
    for (double& share : base_share) share /= static_cast<double>(total) * SampledStats::kKmerSize;
    std::vector<std::pair<double, std::size_t>> ranked;
    for (std::size_t word = 0; word < words.size(); ++word) {
      double expected = static_cast<double>(total);
      for (std::size_t i = 0; i < SampledStats::kKmerSize; ++i)
        expected *= base_share[word >> 2 * i & 3];
      if (expected >= 1) ranked.emplace_back(static_cast<double>(words[word]) / expected, word);
    }
    std::ranges::sort(ranked, [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    std::vector<std::vector<Cell>> rows;
    for (const auto& [times, word] : ranked) {
      if (rows.size() == kRows) break;
      rows.push_back({word_text(word), whole(words[word]), std::round(times * 100) / 100});
    }
    report_.table("Words of 5 bases in " + mate_name(m), {{"word"}, {"seen"}, {"times expected"}},
                  std::move(rows));
  }

  static std::string word_text(std::size_t word) {
    std::string text;
    for (std::size_t i = SampledStats::kKmerSize; i-- > 0;)
      text.push_back("ACGT"[word >> 2 * i & 3]);
    return text;
  }

  template <typename Counts>
  static std::vector<double> numbers(const Counts& counts, std::size_t end) {
    std::vector<double> out;
    for (std::size_t i = 0; i < end; ++i) out.push_back(static_cast<double>(counts[i]));
    return out;
  }

  static std::vector<double> binned(const std::vector<std::uint64_t>& counts, std::size_t bins,
                                    std::size_t step) {
    std::vector<double> out(bins);
    for (std::size_t i = 0; i < counts.size(); ++i) out[i / step] += static_cast<double>(counts[i]);
    return out;
  }

  const ReadsResult& result_;
  const Tally& tally_;
  const ReadsFigures& figures_;
  app::Report& report_;
  std::size_t mates_;
};

void set_metrics(const ReadsResult& result, const ReadsFigures& figures,
                 const app::RunContext& context) {
  const StageFigures &before = figures.before, &after = figures.after;
  context.metric("reads.before", before.reads);
  context.metric("reads.after", after.reads);
  context.metric("bases.before", before.bases);
  context.metric("bases.after", after.bases);
  context.metric("q20.rate.before", before.share(before.q20));
  context.metric("q20.rate.after", after.share(after.q20));
  context.metric("q30.rate.before", before.share(before.q30));
  context.metric("q30.rate.after", after.share(after.q30));
  context.metric("gc.before", before.share(before.gc));
  context.metric("gc.after", after.share(after.gc));
  context.metric("adapters.reads", result.tally.adapter_reads);
  context.metric("adapters.bases", result.tally.adapter_bases);
  context.metric("duplication.rate", figures.duplication.rate);
  if (result.rules.paired) context.metric("insert_size.peak", figures.insert_peak);
}

}  // namespace

void report_reads(const ReadsResult& result, app::RunContext& context) {
  const ReadsFigures figures = figures_of(result);
  set_metrics(result, figures, context);
  ReadsReport(result, figures, context.report).write();
  context.report.details(fastp_members(result, figures));
}

}  // namespace aceso::genomics
