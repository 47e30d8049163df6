#include "aceso/molecules/similarity.hpp"

#include "../src/apps.hpp"
#include "aceso/app/runner.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <random>

namespace aceso::molecules {
namespace {
namespace fs = std::filesystem;

std::vector<BitFingerprint> random_bits(std::size_t count, unsigned seed) {
  std::mt19937_64 random(seed);
  std::vector<BitFingerprint> list(count);
  for (BitFingerprint& bits : list)
    for (std::uint64_t& word : bits) word = random() & random() & random();
  return list;
}

/// All pairs, sorted.
std::vector<std::vector<Hit>> by_hand(std::span<const BitFingerprint> library,
                                      std::span<const BitFingerprint> queries, std::size_t k,
                                      double threshold) {
  std::vector<std::vector<Hit>> lists;
  for (const BitFingerprint& query : queries) {
    std::vector<Hit> hits;
    for (std::size_t i = 0; i < library.size(); ++i)
      hits.push_back({i, tanimoto(library[i], query)});
    std::ranges::stable_sort(
        hits, [](const Hit& a, const Hit& b) { return a.similarity > b.similarity; });
    std::erase_if(hits, [&](const Hit& hit) { return hit.similarity < threshold; });
    hits.resize(std::min(hits.size(), k));
    lists.push_back(std::move(hits));
  }
  return lists;
}

TEST(MostSimilar, IsExactAndTheSameForAnyNumberOfThreads) {
  // More than one chunk; many equal similarities, since fingerprints repeat.
  auto library = random_bits(35'000, 1);
  std::copy_n(library.begin(), 5'000, library.begin() + 30'000);
  auto queries = random_bits(17, 2);
  queries.push_back(library[3]);
  queries.push_back(BitFingerprint{});
  for (const auto& [k, threshold] : {std::pair{std::size_t{10}, 0.0}, {std::size_t{3}, 0.08}}) {
    const auto expected = by_hand(library, queries, k, threshold);
    for (const unsigned threads : {1U, 3U})
      EXPECT_EQ(most_similar(library, queries, k, threshold, threads, {}), expected);
  }
  EXPECT_EQ(most_similar(library, {}, 3, 0, 1, {}).size(), 0U);
  EXPECT_TRUE(most_similar({}, queries, 3, 0, 1, {}).front().empty());
}

TEST(CommonBits, AreTheSameForEachKernel) {
  const auto bits = random_bits(100, 3);
  for (std::size_t i = 0; i + 1 < bits.size(); ++i)
    EXPECT_EQ(common_bits(best_bit_kernel(), bits[i], bits[i + 1]),
              common_bits(BitKernel::Portable, bits[i], bits[i + 1]));
}

class SimilarTest : public testing::Test {
 protected:
  [[nodiscard]] std::string place(const std::string& name) const {
    return (folder_.path() / name).string();
  }
  app::RunResult run(const app::App& made, Json inputs, Json options, Json outputs) const {
    std::vector<app::Mistake> mistakes;
    app::AppTable table;
    table.add(made);
    const app::App& app = table.all().front();
    const auto request = app::check_request(
        app.description,
        {{"inputs", std::move(inputs)}, {"options", std::move(options)}, {"outputs", outputs}},
        app::paths_of_this_machine(), mistakes);
    EXPECT_EQ(app::format_mistakes(mistakes), "");
    return app::run_app(app, request, {});
  }
  ScratchFolder folder_{fs::temp_directory_path()};
};

TEST_F(SimilarTest, APreparedLibraryGivesWhatItsMoleculesGive) {
  write_file(place("l.smi"), "CCO ethanol\nc1ccccc1O phenol\nCCCO propanol\nCc1ccccc1O cresol\n");
  write_file(place("q.smi"), "Oc1ccccc1 q1\nbroken[ q2\nOCCC q3\n");
  ASSERT_EQ(run(prepare_app(), {{"molecules", place("l.smi")}}, Json::object(),
                {{"fingerprints", place("l.safetensors")}})
                .exit_code(),
            0);
  const Json options = {{"top_k", 2}};
  const auto from_file =
      run(similar_app(), {{"queries", place("q.smi")}, {"fingerprints", place("l.safetensors")}},
          options, {{"output", place("a.csv")}});
  ASSERT_EQ(from_file.exit_code(), 0);
  EXPECT_EQ(from_file.warnings.size(), 1U);
  ASSERT_EQ(run(similar_app(), {{"queries", place("q.smi")}, {"library", place("l.smi")}}, options,
                {{"output", place("b.csv")}})
                .exit_code(),
            0);
  const auto rows = split(read_file(place("a.csv")), '\n');
  ASSERT_EQ(rows.size(), 6U);
  EXPECT_EQ(rows[1], "q1,1,phenol,Oc1ccccc1,1.000000");
  EXPECT_TRUE(rows[3].starts_with("q3,1,propanol,CCCO,1.000000")) << rows[3];
  const auto others = split(read_file(place("b.csv")), '\n');
  for (std::size_t i = 1; i < 5; ++i) EXPECT_EQ(split(rows[i], ',')[4], split(others[i], ',')[4]);
}

TEST_F(SimilarTest, DamagedFingerprintsAreNamed) {
  FingerprintFile::write(place("f.safetensors"), random_bits(3, 1), {"a", "b", "c"},
                         {"C", "CC", "CCC"});
  const FingerprintFile file(place("f.safetensors"));
  EXPECT_EQ(file.id(2), "c");
  EXPECT_EQ(file.smiles(1), "CC");
  EXPECT_EQ(file.bits()[1], random_bits(3, 1)[1]);

  nn::TensorSet tensors = nn::TensorFile(place("f.safetensors")).all();
  const auto problem = [&](const char* name, const Tensor& tensor) {
    nn::TensorSet broken = tensors;
    if (tensor.shape().empty())
      broken.erase(name);
    else
      broken.insert_or_assign(name, tensor);
    std::vector<nn::TensorInfo> infos;
    for (const auto& [key, value] : broken) infos.push_back({key, value.type(), value.shape()});
    nn::TensorFileWriter writer(place("g.safetensors"), infos);
    std::size_t i = 0;
    for (const auto& [key, value] : broken)
      writer.put(i++, {value.data(), static_cast<std::size_t>(value.element_count()) *
                                         size_in_bytes(value.type())});
    writer.commit();
    try {
      const FingerprintFile opened(place("g.safetensors"));
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(problem("bits", Tensor()).find("found no tensor \"bits\""), std::string::npos);
  EXPECT_NE(problem("bits", Tensor(DType::U64, {3, 16})).find("expected 32 words"),
            std::string::npos);
  Tensor falling(DType::I64, {3});
  std::ranges::copy(std::array<std::int64_t, 3>{2, 1, 3}, falling.values<std::int64_t>().begin());
  EXPECT_NE(problem("ids.ends", falling).find("rising ends"), std::string::npos);
  std::ranges::copy(std::array<std::int64_t, 3>{1, 2, 300}, falling.values<std::int64_t>().begin());
  EXPECT_NE(problem("ids.ends", falling).find("rising ends within 3 bytes"), std::string::npos);
}

}  // namespace
}  // namespace aceso::molecules
