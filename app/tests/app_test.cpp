#include "aceso/app/app.hpp"
#include "aceso/app/documents.hpp"
#include "aceso/app/runner.hpp"
#include "aceso/app/workflow.hpp"

#include "aceso/core/files.hpp"
#include "aceso/core/hash.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>

#include <filesystem>

namespace aceso::app {
namespace {
namespace fs = std::filesystem;

struct CountJob {
  fs::path reads;
  std::vector<fs::path> more;
  std::optional<fs::path> table;
  int min_length = 15;
  double fraction = 0.5;
  bool fast = false;
  std::optional<int> limit;
  std::string mode = "plain";
  std::uint64_t memory = 1ULL << 30;
};

App count_app(std::function<void(const CountJob&, RunContext&)> run = [](const CountJob&,
                                                                         RunContext&) {}) {
  Describe<CountJob> d{"genomics count", "Counts reads"};
  d.help("Counts the reads of a file.");
  d.example("aceso genomics count --reads reads.fastq.gz --table counts.tsv");
  d.input("reads", &CountJob::reads, {.kind = "fastq", .help = "reads to count"});
  d.input("more", &CountJob::more, {.kind = "fastq", .help = "more reads", .required = false});
  d.output("table", &CountJob::table,
           {.kind = "table", .file_name = "counts.tsv", .help = "counts"});
  d.option("min_length", &CountJob::min_length,
           {.help = "shorter reads are ignored", .unit = "bases", .minimum = 1, .maximum = 1000});
  d.option("fraction", &CountJob::fraction,
           {.help = "of reads to look at", .minimum = 0, .maximum = 1});
  d.option("fast", &CountJob::fast, {.help = "skip the checks"});
  d.option("limit", &CountJob::limit, {.help = "stop after so many reads", .minimum = 1});
  d.option("mode", &CountJob::mode, {.help = "how to count", .choices = {"plain", "unique"}});
  d.size_option("memory", &CountJob::memory, {.help = "memory to use", .minimum = 1 << 20});
  d.sample({.name = "tiny",
            .summary = "a tiny file",
            .inputs = {{"reads", {"tiny.fastq"}}},
            .options = {{"fast", true}},
            .origin = "made up"});
  return d.build(std::move(run));
}

AppTable table_with(App app) {
  AppTable table;
  table.add(std::move(app));
  return table;
}

std::string outputs_of(const RunResult& result) {
  std::string names;
  for (const auto& [name, path] : result.outputs) names += name + " ";
  return names;
}

class AppTest : public testing::Test {
 protected:
  fs::path file(const std::string& name, std::string_view content = "@r\nA\n+\nI\n") {
    const fs::path path = folder_.path() / name;
    write_file(path, content);
    return path;
  }

  std::vector<Mistake> mistakes_of(const Json& request) {
    std::vector<Mistake> mistakes;
    static_cast<void>(
        check_request(table_.all()[0].description, request, paths_of_this_machine(), mistakes));
    return mistakes;
  }

  ScratchFolder folder_{fs::temp_directory_path()};
  AppTable table_ = table_with(count_app());
};

TEST_F(AppTest, ARequestIsBoundToTheMembersOfTheJob) {
  CountJob seen;
  const AppTable table =
      table_with(count_app([&](const CountJob& job, RunContext&) { seen = job; }));
  const auto reads = file("a.fastq"), b = file("b.fastq"), c = file("c.fastq");
  std::vector<Mistake> mistakes;
  const Request request = check_request(
      table.all()[0].description,
      {{"inputs", {{"reads", reads.string()}, {"more", {b.string(), c.string()}}}},
       {"options",
        {{"min-length", "20"}, {"fast", true}, {"limit", 7}, {"mode", "unique"}, {"memory", "2G"}}},
       {"outputs", {{"table", (folder_.path() / "t.tsv").string()}}}},
      paths_of_this_machine(), mistakes);
  EXPECT_EQ(format_mistakes(mistakes), "");
  const RunResult result = run_app(table.all()[0], request, {});
  EXPECT_EQ(result.status, "succeeded");
  EXPECT_EQ(seen.reads, reads);
  EXPECT_EQ(seen.more, (std::vector{b, c}));
  EXPECT_EQ(seen.min_length, 20);
  EXPECT_EQ(seen.fraction, 0.5);
  EXPECT_TRUE(seen.fast);
  EXPECT_EQ(seen.limit, 7);
  EXPECT_EQ(seen.mode, "unique");
  EXPECT_EQ(seen.memory, 2ULL << 30);
}

TEST_F(AppTest, AllMistakesAreToldAtOnceEachWithItsPointer) {
  const auto mistakes =
      mistakes_of({{"inputs", {{"reads", "/nowhere/a.fastq"}, {"more", 5}, {"raeds", "x"}}},
                   {"options",
                    {{"min_length", 0},
                     {"fraction", 1.5},
                     {"fast", "maybe"},
                     {"mode", "unqiue"},
                     {"limit", 2.5},
                     {"memory", "lots"},
                     {"speed", 1}}},
                   {"outputs", {{"table", "/nowhere/t.tsv"}}},
                   {"extra", 1}});
  std::string all;
  for (const Mistake& mistake : mistakes) all += mistake.pointer + " " + mistake.message + "\n";
  EXPECT_EQ(all,
            "/extra unknown member; expected app, inputs, options, outputs\n"
            "/inputs/reads /nowhere/a.fastq: no such file\n"
            "/inputs/more expected a file, found 5\n"
            "/inputs/raeds unknown name; did you mean reads?\n"
            "/options/min_length expected a whole number from 1 to 1000 bases, found 0\n"
            "/options/fraction expected a number from 0 to 1, found 1.5\n"
            "/options/fast expected true or false, found \"maybe\"\n"
            "/options/mode expected one of plain, unique; found \"unqiue\" (did you mean unique?)\n"
            "/options/limit expected a whole number of at least 1, found 2.5\n"
            "/options/memory expected a size such as 512M or 4G, found \"lots\"\n"
            "/options/speed unknown name\n"
            "/outputs/table /nowhere: the folder does not exist\n");
  EXPECT_TRUE(format_mistakes(mistakes).find("--min-length: expected a whole number") !=
              std::string::npos);
}

TEST_F(AppTest, WhatIsMissingOrRepeatedIsAMistake) {
  EXPECT_EQ(mistakes_of(Json::object()).at(0).message,
            "missing; expected sequencing reads (FASTQ)");
  EXPECT_EQ(mistakes_of(Json::array()).at(0).message, "expected an object, found []");
  const auto a = file("a.fastq").string();
  EXPECT_EQ(mistakes_of({{"inputs", {{"reads", {a, a}}}}}).at(0).message,
            "expected one file, found 2");
  EXPECT_EQ(mistakes_of({{"inputs", {{"reads", folder_.path().string()}}}}).at(0).message,
            folder_.path().string() + ": is a folder, expected a file");
}

TEST_F(AppTest, AnOutputNeverReplacesAnInputOrAnotherOutput) {
  const auto a = file("a.fastq").string();
  const auto out = (folder_.path() / "x.html").string();
  EXPECT_NE(mistakes_of({{"inputs", {{"reads", a}}}, {"outputs", {{"table", a}}}})
                .at(0)
                .message.find("is also the input --reads"),
            std::string::npos);
  EXPECT_NE(
      mistakes_of({{"inputs", {{"reads", a}}}, {"outputs", {{"table", out}, {"report", out}}}})
          .at(0)
          .message.find("is also the output --table"),
      std::string::npos);
}

TEST_F(AppTest, AResultListsOnlyOutputsThatThisRunWrote) {
  const AppTable table = table_with(count_app([&](const CountJob& job, RunContext& context) {
    if (job.fast) write_file(*job.table, "reads\n1\n");
    context.metric("reads.total", 1);
    context.report.section("Counts");
    context.report.figure("reads", std::int64_t{1});
  }));
  Request request;
  request.inputs["reads"] = {file("a.fastq")};
  request.outputs = {{"table", file("old.tsv", "old")},
                     {"report", folder_.path() / "r.html"},
                     {"report_json", folder_.path() / "r.json"}};
  RunResult result = run_app(table.all()[0], request, {});
  EXPECT_EQ(outputs_of(result), "report report_json ");
  request.options["fast"] = true;
  result = run_app(table.all()[0], request, {.command = "aceso genomics count"});
  EXPECT_EQ(outputs_of(result), "table report report_json ");
  EXPECT_EQ(result.to_json()["metrics"]["reads"]["total"], 1);
  const Json report = parse_json(read_file(folder_.path() / "r.json"), "r.json");
  EXPECT_EQ(report["inputs"][0]["sha256"], sha256("@r\nA\n+\nI\n"));
  EXPECT_EQ(report["sections"][0]["blocks"][0]["items"][0]["value"], 1);
  EXPECT_EQ(report["command"], "aceso genomics count");
  EXPECT_NE(read_file(folder_.path() / "r.html").find("id=\"report-data\""), std::string::npos);
}

TEST_F(AppTest, ErrorsBecomeResultsWithExitCodes) {
  const auto code_after = [&](auto raise) {
    const AppTable table = table_with(count_app([&](const CountJob&, RunContext&) { raise(); }));
    Request request;
    request.inputs["reads"] = {file("a.fastq")};
    const RunResult result = run_app(table.all()[0], request, {});
    return std::pair(result.exit_code(), result.status);
  };
  EXPECT_EQ(code_after([] { fail(Errc::CorruptData, "a.fastq: record 3: bad"); }),
            (std::pair<int, std::string>(3, "failed")));
  EXPECT_EQ(code_after([] { throw std::bad_alloc(); }), (std::pair<int, std::string>(4, "failed")));
  EXPECT_EQ(code_after([] { fail(Errc::Cancelled, "stopped"); }),
            (std::pair<int, std::string>(5, "cancelled")));
  EXPECT_EQ(code_after([] { throw std::logic_error("oops"); }),
            (std::pair<int, std::string>(70, "failed")));
}

TEST_F(AppTest, StrictTurnsWarningsIntoErrors) {
  const AppTable table = table_with(count_app([&](const CountJob&, RunContext& context) {
    context.warnings.add("reads.empty", "a.fastq: no reads");
  }));
  Request request;
  request.inputs["reads"] = {file("a.fastq")};
  EXPECT_EQ(run_app(table.all()[0], request, {}).warnings.at(0).count, 1U);
  request.options["strict"] = true;
  EXPECT_EQ(run_app(table.all()[0], request, {}).exit_code(), 3);
}

TEST_F(AppTest, AMalformedDescriptionIsRefusedWithAllItsFaults) {
  App app = count_app();
  app.description.name = "Count";
  app.description.options[0].minimum = 100;
  app.description.inputs[0].kind = "fastk";
  AppTable table;
  try {
    table.add(std::move(app));
    FAIL() << "accepted";
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("the name must be two words"), text.npos);
    EXPECT_NE(text.find("its default lies outside its range"), text.npos);
    EXPECT_NE(text.find("unknown kind \"fastk\""), text.npos);
  }
}

TEST_F(AppTest, HelpSchemaReferenceAndCompletionNameEverything) {
  const Description& d = table_.all()[0].description;
  const std::string help = help_text(d), page = reference_page(d),
                    completion = completion_script(table_, {"hub"}, "bash");
  const Json schema = request_schema(d), about = describe(d);
  for (const char* name : {"reads", "more", "table", "min-length", "fraction", "fast", "limit",
                           "mode", "memory", "threads", "strict", "report", "report-json"}) {
    EXPECT_NE(help.find("--" + std::string(name)), help.npos) << name;
    EXPECT_NE(page.find("`--" + std::string(name)), page.npos) << name;
    EXPECT_NE(completion.find("--" + std::string(name)), completion.npos) << name;
  }
  for (const std::string& line : {std::string(help)})
    EXPECT_NE(line.find("[bases; 1 to 1000; default 15]"), line.npos);
  EXPECT_EQ(schema["properties"]["options"]["properties"]["min_length"]["default"], 15);
  EXPECT_EQ(schema["properties"]["options"]["properties"]["min_length"]["maximum"], 1000);
  EXPECT_EQ(schema["properties"]["inputs"]["required"], Json::array({"reads"}));
  EXPECT_EQ(about["samples"][0]["inputs"]["reads"][0], "tiny.fastq");
  EXPECT_EQ(about["options"].size(), 8U);
  EXPECT_THROW(static_cast<void>(completion_script(table_, {}, "fish")), Error);
  EXPECT_NE(slurm_script(d, 4, "job.json").find("--cpus-per-task=4"), std::string::npos);
}

TEST_F(AppTest, WorkflowStepsNameEverything) {
  const Description& d = table_.all()[0].description;
  for (const WorkflowLanguage& language : workflow_languages()) {
    const std::string step = workflow_step(d, language.name);
    const bool arguments_apart = language.name == "nextflow";
    for (const InputSpec& input : d.inputs)
      EXPECT_NE(step.find(input.name), step.npos) << language.name << " " << input.name;
    for (const OutputSpec& output : d.outputs)
      EXPECT_EQ(step.find(output.name) == step.npos, arguments_apart && output.extra)
          << language.name << " " << output.name;
    for (const OptionSpec& option : d.options)
      EXPECT_TRUE(arguments_apart || step.find(option.name) != step.npos)
          << language.name << " " << option.name;
    EXPECT_NE(step.find("aceso"), step.npos);
  }
  EXPECT_THROW(static_cast<void>(workflow_step(d, "make")), Error);
}

TEST(Report, APictureHasAllOfEachOfItsThings) {
  Report report;
  report.scatter({.title = "s",
                  .x_label = "a",
                  .y_label = "b",
                  .x = {1, 2},
                  .y = {3, 0.123456789},
                  .names = {"p", "q"},
                  .values = {7, std::nan("")},
                  .colour_label = "length"});
  report.heat_map({.title = "h",
                   .row_names = {"A", "C"},
                   .column_names = {"M1", "K2", "A3"},
                   .values = {1, 2, 3, -1.23456, std::nan(""), 6},
                   .marks = {-1, -1, 0}});
  const Json& blocks = report.sections()[0]["blocks"];
  EXPECT_EQ(blocks[0]["y"], (Json{3, 0.12346}));
  EXPECT_EQ(blocks[0]["values"], (Json{7, nullptr}));
  EXPECT_EQ(blocks[1]["values"], Json::parse("[[1,2,3],[-1.235,null,6]]"));
  EXPECT_EQ(blocks[1]["marks"], (Json{-1, -1, 0}));

  EXPECT_THROW(report.scatter(
                   {.title = "s", .x_label = "", .y_label = "", .x = {1}, .y = {}, .names = {"p"}}),
               Error);
  EXPECT_THROW(report.heat_map(
                   {.title = "h", .row_names = {"A"}, .column_names = {"M1", "K2"}, .values = {1}}),
               Error);
}

TEST(ReportHtml, CannotBeLeftByItsData) {
  const std::string page =
      report_html({{"app", "a<b"}, {"metrics", {{"x", "</script><script>alert(1)"}}}});
  EXPECT_EQ(page.find("</script><script>alert"), page.npos);
  EXPECT_NE(page.find("<title>a&lt;b</title>"), page.npos);
}

TEST(Kinds, AreFoundByTheLongestEnding) {
  EXPECT_EQ(kind_of_file("A_R1.FASTQ.GZ")->name, "fastq");
  EXPECT_EQ(kind_of_file("x.vcf.gz")->name, "vcf");
  EXPECT_EQ(kind_of_file("x.smi")->name, "molecules");
  EXPECT_EQ(kind_of_file("x.csv")->name, "table");
  EXPECT_EQ(kind_of_file("x.unknown"), nullptr);
  EXPECT_THROW(static_cast<void>(kind("nothing")), Error);
}

}  // namespace
}  // namespace aceso::app
