#include "../src/rdkit_2d.hpp"

#include "../src/distributions.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

namespace aceso::molecules {
namespace {

std::vector<std::vector<std::string>> rows_of(const std::string& csv) {
  std::vector<std::vector<std::string>> rows;
  for (const std::string& line : split(read_file("data/" + csv), '\n'))
    if (!line.empty()) rows.push_back(split(line, ','));
  return rows;
}

TEST(Distributions, EqualSciPys) {
  const auto rows = rows_of("distributions.csv");
  ASSERT_GT(rows.size(), 200U);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const Family* family = find_family(rows[i][0]);
    ASSERT_NE(family, nullptr) << rows[i][0];
    std::vector<double> shapes;
    for (std::size_t s = 3; s < rows[i].size(); ++s) shapes.push_back(std::stod(rows[i][s]));
    ASSERT_EQ(shapes.size(), family->shapes) << family->name;
    const double z = std::stod(rows[i][1]);
    EXPECT_NEAR(family->below(z, shapes), std::stod(rows[i][2]), 1e-7) << family->name << " " << z;
  }
  EXPECT_EQ(find_family("normal distribution"), nullptr);
}

TEST(Rdkit2d, EqualsRdkitsPythonAndSciPy) {
  const auto rows = rows_of("rdkit_2d.csv");
  ASSERT_EQ(rows.size(), rdkit_2d_names().size() + 1);
  for (std::size_t column = 1; column + 1 < rows[0].size(); column += 2) {
    const Molecule molecule = parse_smiles(rows[0][column]);
    const std::vector<double> values = rdkit_2d(molecule);
    const std::vector<float> places = rdkit_2d_normalised(molecule);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::vector<std::string>& row = rows[i + 1];
      ASSERT_EQ(row[0], rdkit_2d_names()[i]);
      const double value = std::stod(row[column]);
      EXPECT_EQ(std::isnan(values[i]), std::isnan(value)) << row[0] << rows[0][column];
      if (!std::isnan(value)) {
        EXPECT_NEAR(values[i], value, 1e-7 * (1 + std::abs(value))) << row[0] << rows[0][column];
      }
      EXPECT_NEAR(places[i], std::stod(row[column + 1]), 1e-6) << row[0] << rows[0][column];
    }
  }
}

TEST(Rdkit2d, AreZeroWithoutHeavyAtoms) {
  for (const float place : rdkit_2d_normalised(parse_smiles("[H][H]"))) EXPECT_EQ(place, 0.0F);
}

}  // namespace
}  // namespace aceso::molecules
