// `molecules generate` with a published language model, and `molecules evaluate` on samples whose
// metrics were recorded by the authors of MOSES, where the data are at hand.

#include "support.hpp"

#include "aceso/core/text.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace aceso::tests {
namespace {
namespace fs = std::filesystem;

TEST(Generate, TheValidShareOfLstmChemIsWhatItsAuthorsReport) {
  const fs::path weights = shared_data("biomol/weights/lstm_chem");
  if (weights.empty()) GTEST_SKIP() << "shared/data/biomol is not beside this checkout";
  const ScratchFolder folder(fs::temp_directory_path());
  const std::string model = folder.path() / "lstm-chem.model.tar";
  const std::string there = "cd " + folder.path().string() + ";";
  ASSERT_EQ(run({ACESO_PROGRAM, "models", "import", "--from", "keras", "--weights",
                 weights.string(), "--output", model},
                there)
                .exit_code,
            0);
  EXPECT_EQ(run({ACESO_PROGRAM, "models", "verify", "--model", model}, there).exit_code, 0);
  const Ended made = run({ACESO_PROGRAM, "molecules", "generate", "--model", model, "--count",
                          "600", "--temperature", "0.75", "--max-length", "128", "--output",
                          folder.path() / "out.csv", "--json"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const Json metrics = made.json()["metrics"];
  EXPECT_EQ(metrics["kept"], 600);
  // Of the last checkpoint of the same training they report 62.31 % valid, 99.76 % of these
  // distinct. Four standard deviations of about a thousand draws are 0.06.
  EXPECT_NEAR(metrics["valid"].get<double>(), 0.6231, 0.06);
  EXPECT_GT(metrics["unique_1000"].get<double>(), 0.99);
}

/// The first `count` lines below a table's names.
std::string beginning(const std::string& table, std::size_t count) {
  std::size_t at = 0;
  for (std::size_t line = 0; line <= count; ++line) at = table.find('\n', at) + 1;
  return table.substr(0, at);
}

std::map<std::string, double> values_in(const fs::path& csv) {
  std::map<std::string, double> values;
  for (const std::string& line : split(read_file(csv), '\n'))
    if (const auto cells = split(line, ','); cells.size() == 2)
      values[cells[0]] = std::stod(cells[1]);
  return values;
}

TEST(Evaluate, ReproducesTheRecordedMetricsOfMoses) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "30,000 molecules are many for a sanitizer";
#endif
  const fs::path data = shared_data("biomol/molecules/moses");
  if (data.empty()) GTEST_SKIP() << "shared/data/biomol is not beside this checkout";
  const ScratchFolder folder(fs::temp_directory_path());
  // Three runs of 30,000 lie one behind the other; the metrics are the first one's.
  const Ended unpacked = run({"gzip", "-dc", (data / "char_rnn_all.csv.gz").string()});
  ASSERT_EQ(unpacked.exit_code, 0);
  write_file(folder.path() / "run1.csv", beginning(unpacked.out, 30'000));
  const Ended evaluated =
      run({ACESO_PROGRAM, "molecules", "evaluate", "--molecules", folder.path() / "run1.csv",
           "--alerts", (data / "mcf.csv").string(), "--output", folder.path() / "metrics.csv"});
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.err;
  const auto ours = values_in(folder.path() / "metrics.csv");
  const auto theirs = values_in(data / "metrics_char_rnn_1.csv");
  for (const char* name : {"valid", "unique@1000", "unique@10000", "IntDiv", "IntDiv2", "Filters"})
    EXPECT_NEAR(ours.at(name), theirs.at(name), 1e-5) << name;
  for (const auto& [name, value] : theirs)
    if (!ours.contains(name))
      std::printf("skipped: %s needs sets or models of MOSES that are not here\n", name.c_str());
}

}  // namespace
}  // namespace aceso::tests
