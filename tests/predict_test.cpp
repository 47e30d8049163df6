// `models import` and `molecules predict` together, on a published checkpoint where it is at hand.

#include "support.hpp"

#include "aceso/core/text.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace aceso::tests {
namespace {
namespace fs = std::filesystem;

std::vector<std::vector<std::string>> rows_of(const fs::path& csv) {
  std::vector<std::vector<std::string>> rows;
  for (const std::string& line : split(read_file(csv), '\n'))
    if (!line.empty()) rows.push_back(split(line, ','));
  return rows;
}

TEST(Predict, ReproducesRecordedPredictionsOfChemprop) {
  const fs::path data = shared_data("biomol/weights/chemprop");
  if (data.empty()) GTEST_SKIP() << "shared/data/biomol is not beside this checkout";
  const ScratchFolder folder(fs::temp_directory_path());
  const std::string model = folder.path() / "model", table = folder.path() / "predictions.csv";
  const fs::path recorded = data / "example_model_v1_regression_mol_prediction.csv";
  const Ended imported =
      run({ACESO_PROGRAM, "models", "import", "--from", "chemprop", "--weights",
           (data / "example_model_v1_regression_mol.pt").string(), "--output", model});
  ASSERT_EQ(imported.exit_code, 0) << imported.err;
  const std::string there = "cd " + folder.path().string() + ";";
  EXPECT_EQ(run({ACESO_PROGRAM, "models", "verify", "--model", model}, there).exit_code, 0);
  const Ended predicted = run({ACESO_PROGRAM, "molecules", "predict", "--model", model,
                               "--molecules", recorded.string(), "--output", table});
  ASSERT_EQ(predicted.exit_code, 0) << predicted.err;
  const auto ours = rows_of(table), theirs = rows_of(recorded);
  ASSERT_EQ(ours.size(), theirs.size());
  EXPECT_EQ(ours[0], (std::vector<std::string>{"id", "smiles", "logSolubility"}));
  for (std::size_t i = 1; i < ours.size(); ++i)
    EXPECT_NEAR(std::stod(ours[i][2]), std::stod(theirs[i][1]), 1e-4) << theirs[i][0];
}

/// The cells of a line of CSV, some of them quoted.
std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"')
      quoted = !quoted;
    else if (c == ',' && !quoted)
      cells.emplace_back();
    else
      cells.back() += c;
  }
  return cells;
}

TEST(Predict, ReproducesRecordedPredictionsOfAdmetAi) {
  const fs::path data = shared_data("biomol/weights/admet_ai");
  if (data.empty()) GTEST_SKIP() << "shared/data/biomol is not beside this checkout";
  constexpr std::size_t kEvery = 25;
  const ScratchFolder folder(fs::temp_directory_path());
  const std::string model = folder.path() / "model", table = folder.path() / "predictions.csv",
                    smiles = folder.path() / "drugs.smi";
  const std::vector<std::string> lines = split(read_file(data / "drugbank_approved.csv"), '\n');
  const std::vector<std::string> columns = cells_of(lines[0]);
  std::vector<std::vector<std::string>> recorded;
  std::string file;
  for (std::size_t i = 1; i < lines.size(); i += kEvery) {
    recorded.push_back(cells_of(lines[i]));
    file += recorded.back().at(2) + "\n";
  }
  write_file(smiles, file);
  const Ended imported = run({ACESO_PROGRAM, "models", "import", "--from", "chemprop", "--weights",
                              (data / "admet_ai/resources/models/admet_regression").string(),
                              "--molecule-features", "rdkit-2d-normalised", "--output", model});
  ASSERT_EQ(imported.exit_code, 0) << imported.err;
  const Ended predicted = run({ACESO_PROGRAM, "molecules", "predict", "--model", model,
                               "--molecules", smiles, "--output", table});
  ASSERT_EQ(predicted.exit_code, 0) << predicted.err;
  const auto ours = rows_of(table);
  ASSERT_EQ(ours.size(), recorded.size() + 1);
  for (std::size_t column = 2; column < ours[0].size(); ++column) {
    const auto theirs = std::ranges::find(columns, ours[0][column]) - columns.begin();
    for (std::size_t i = 0; i < recorded.size(); ++i) {
      const double value = std::stod(recorded[i].at(static_cast<std::size_t>(theirs)));
      EXPECT_NEAR(std::stod(ours[i + 1][column]), value, 1e-3 * std::max(1.0, std::abs(value)))
          << ours[0][column] << " of " << recorded[i][2];
    }
  }
}

}  // namespace
}  // namespace aceso::tests
