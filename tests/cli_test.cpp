// The command as people and programs use it.

#include "support.hpp"

#include <gtest/gtest.h>
#include <signal.h>

namespace aceso::tests {
namespace {
namespace fs = std::filesystem;

class CliTest : public testing::Test {
 protected:
  fs::path file(const std::string& name, std::string_view content) {
    write_file(folder_.path() / name, content);
    return folder_.path() / name;
  }
  [[nodiscard]] std::string in_folder(const std::string& name) const {
    return (folder_.path() / name).string();
  }
  [[nodiscard]] std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator{}));
  }
  [[nodiscard]] Ended letters(std::vector<std::string> words,
                              const std::string& prefix = {}) const {
    words.insert(words.begin(), {kProgram, "demo", "letters"});
    return run(words, "cd " + folder_.path().string() + "; " + prefix);
  }

  static constexpr const char* kProgram = ACESO_TINY_PROGRAM;
  ScratchFolder folder_{fs::temp_directory_path()};
};

TEST_F(CliTest, PrintsExactlyOneJsonObject) {
  const auto text = file("a.txt", "banana");
  const Ended ended = letters({"--text", text, "--counts", in_folder("c.tsv"), "--json"});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  const Json result = ended.json();
  std::string keys;
  for (const auto& [key, value] : result.items()) keys += key + " ";
  EXPECT_EQ(keys, "app version status seconds cpu_seconds peak_rss_mb outputs metrics ");
  EXPECT_EQ(result["metrics"]["letters"]["count"], 3);
  EXPECT_EQ(result["outputs"]["counts"], in_folder("c.tsv"));
  EXPECT_EQ(result["outputs"]["report"], in_folder("c.report.html"));
  EXPECT_EQ(read_file(in_folder("c.tsv")), "letter\tcount\na\t3\n");
}

TEST_F(CliTest, StandardStreamsMayBeClosed) {
  const auto text = file("a.txt", "banana");
  const std::vector<std::string> good{"--text", text, "--counts", in_folder("c.tsv"), "--quiet"};
  EXPECT_EQ(letters({"--bogus"}, "exec 2>&-;").exit_code, 2);
  // A file of ours must not get the number of a closed stream, or messages would end up in it.
  EXPECT_EQ(letters(good, "exec 0<&- 2>&-;").exit_code, 0);
  EXPECT_EQ(read_file(in_folder("c.tsv")), "letter\tcount\na\t3\n");
  const Ended closed = letters(good, "exec >&-;");
  EXPECT_EQ(closed.exit_code, 3);
  EXPECT_NE(closed.err.find("standard output"), std::string::npos) << closed.err;
}

TEST_F(CliTest, AReaderMayLeaveEarly) {
  // Standard output is a pipe that nobody reads.
  const Ended ended = letters({"--help"}, "exec > >(exec 0<&-; sleep 0.2); sleep 0.1;");
  EXPECT_EQ(ended.exit_code, 5);
  EXPECT_EQ(ended.err, "");
}

TEST_F(CliTest, TellsAllMistakesAtOnce) {
  const Ended ended = letters({"--txt", "x", "--letter", "--seconds", "1e9", "--fail-as", "bugs",
                               "--counts", "/nowhere/c", "extra"});
  EXPECT_EQ(ended.exit_code, 2);
  for (const char* part :
       {"unknown option \"--txt\"; did you mean --text?", "--letter: needs a value",
        "--text: missing; expected text", "--seconds: expected a number from 0 to 600 s, found",
        "did you mean bug?", "--counts: /nowhere: the folder does not exist",
        "`aceso demo letters --help` shows what it takes"})
    EXPECT_NE(ended.err.find(part), std::string::npos) << part << "\n" << ended.err;
  EXPECT_EQ(ended.out, "");
  EXPECT_EQ(entries(), 0U);
}

TEST_F(CliTest, ExitCodesTellWhatHappened) {
  const auto text = file("a.txt", "x");
  EXPECT_EQ(letters({"--text", in_folder("missing.txt")}).exit_code, 3);
  EXPECT_EQ(letters({"--text", text, "--fail-as", "bad-input"}).exit_code, 3);
  EXPECT_EQ(letters({"--text", text, "--fail-as", "bug"}).exit_code, 70);
  EXPECT_EQ(letters({"--text", text, "--no-report"}).exit_code, 0);
  EXPECT_EQ(letters({"--help"}).exit_code, 0);
  EXPECT_EQ(run({kProgram, "demo", "leters"}).exit_code, 2);
  EXPECT_EQ(run({kProgram}).exit_code, 0);
  const Ended typo = run({kProgram, "hbu", "up"});
  EXPECT_EQ(typo.exit_code, 2);
  EXPECT_NE(typo.err.find("did you mean \"hub\"?"), std::string::npos) << typo.err;
}

TEST_F(CliTest, AFailedRunIsAlsoOneJsonObject) {
  const auto text = file("a.txt", "x");
  const Ended ended = letters({"--text", text, "--fail-as", "bad-input", "--json"});
  EXPECT_EQ(ended.json()["status"], "failed");
  EXPECT_EQ(ended.json()["error"]["code"], "corrupt_data");
  EXPECT_EQ(letters({"--json"}).json()["error"]["code"], "invalid_argument");
}

TEST_F(CliTest, AFailureLeavesNoOutputAndNoScratch) {
  const auto text = file("a.txt", "x");
  EXPECT_EQ(letters({"--text", text, "--counts", in_folder("c.tsv"), "--fail-as", "bad-input"},
                    "export TMPDIR=.;")
                .exit_code,
            3);
  EXPECT_EQ(entries(), 1U);
}

TEST_F(CliTest, AFullDiskIsExitCode4AndLeavesNothing) {
  const auto text = file("a.txt", "x");
  // A file size limit stands in for a full disk: the same refusal of the system, on any machine.
  const Ended ended = letters({"--text", text, "--counts", in_folder("c.tsv"), "--pad", "10M"},
                              "trap '' XFSZ; ulimit -f 1000;");
  EXPECT_EQ(ended.exit_code, 4) << ended.err;
  EXPECT_NE(ended.err.find("c.tsv: cannot write: File too large"), std::string::npos) << ended.err;
  EXPECT_EQ(entries(), 1U);
}

TEST_F(CliTest, CtrlCStopsWithCode5AndLeavesNothing) {
  const auto text = file("a.txt", "x");
  const Ended ended = letters({"--text", text, "--counts", in_folder("c.tsv"), "--seconds", "30"},
                              "(sleep 0.4; kill -INT $$) &");
  EXPECT_EQ(ended.exit_code, 5) << ended.err;
  EXPECT_EQ(entries(), 1U);
}

TEST_F(CliTest, AJobFileDoesTheSameAsTheCommand) {
  const auto text = file("a.txt", "banana");
  const Ended job = letters(
      {"--text", text, "--letter", "n", "--counts", in_folder("c.tsv"), "--print-job", "json"});
  EXPECT_EQ(job.exit_code, 0) << job.err;
  const auto job_file = file("job.json", job.out);
  const Ended ended = run({kProgram, "run", job_file, "--json"});
  EXPECT_EQ(ended.json()["metrics"]["letters"]["count"], 2);
  EXPECT_EQ(read_file(in_folder("c.tsv")), "letter\tcount\nn\t2\n");
  EXPECT_NE(letters({"--text", text, "--print-job", "slurm", "--threads", "3"})
                .out.find("#SBATCH --cpus-per-task=3"),
            std::string::npos);
}

TEST_F(CliTest, ARunFolderHoldsEventsOutputsAndTheResult) {
  file("a.txt", "banana");
  file(
      "job.json",
      R"({"app":"demo letters","inputs":{"text":"a.txt"},"options":{"seconds":0.2},"folder":"."})");
  EXPECT_EQ(run({kProgram, "run", "job.json"}, "cd " + folder_.path().string() + ";").exit_code, 0);
  const Json result = parse_json(read_file(in_folder("result.json")), "result.json");
  EXPECT_EQ(result["exit_code"], 0);
  EXPECT_TRUE(fs::exists(in_folder("outputs/counts.tsv")));
  EXPECT_TRUE(fs::exists(in_folder("outputs/report.html")));
  const std::string events = read_file(in_folder("events.jsonl"));
  EXPECT_NE(events.find(R"("type":"progress","stage":"waiting","unit":"steps","done":20)"),
            std::string::npos)
      << events;
  EXPECT_NE(events.find(R"("event":"letters.counted","fields":{"count":3})"), std::string::npos)
      << events;
}

TEST_F(CliTest, BadJobFilesAreNamed) {
  const auto message_of = [&](std::string_view content) {
    const auto path = file("job.json", content);
    const Ended ended = run({kProgram, "run", path});
    EXPECT_NE(ended.exit_code, 0);
    return ended.err;
  };
  EXPECT_NE(message_of("{").find("job.json: not valid JSON"), std::string::npos);
  EXPECT_NE(message_of("[]").find("expected an object with \"app\""), std::string::npos);
  EXPECT_NE(message_of(R"({"app":"demo nothing"})").find("no app is called \"demo nothing\""),
            std::string::npos);
  EXPECT_NE(message_of(R"({"app":"demo letters"})").find("--text: missing"), std::string::npos);
  EXPECT_EQ(run({kProgram, "run", in_folder("none.json")}).exit_code, 3);
}

TEST_F(CliTest, StartsQuickly) {
  // Not a bar: prints what a person waits for the help text.
  const Ended ended =
      run({"bash", "-c", std::string("TIMEFORMAT=%R; time ") + kProgram + " apps >/dev/null"});
  std::printf("seconds to list the apps: %s", ended.err.c_str());
  EXPECT_EQ(ended.exit_code, 0);
}

}  // namespace
}  // namespace aceso::tests
