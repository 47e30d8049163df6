// `models import` and `molecules predict` together, on a published checkpoint where it is at hand.

#include "support.hpp"

#include "aceso/core/text.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace aceso::tests
