#include "../src/keras.hpp"

#include "../src/hdf5_file.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/nn/tokenizer.hpp"

#include <gtest/gtest.h>
#include <hdf5.h>
#include <nlohmann/json.hpp>

#include <cmath>

namespace aceso::models {
namespace {

namespace fs = std::filesystem;

Tensor counting(std::vector<std::int64_t> shape) {
  Tensor made(DType::F32, std::move(shape));
  float next = 0;
  for (float& one : made.values<float>()) one = next++;
  return made;
}

/// Two LSTM layers of 3 over 5 tokens, as Keras would save them.
nn::ForeignWeights checkpoint() {
  nn::ForeignWeights made;
  made.values = {
      {"",
       {{"layer_names", {"lstm", "dropout", "lstm_1", "dense"}}, {"keras_version", "2.2.4-tf"}}}};
  const auto layer = [&](const std::string& name, std::int64_t in, std::int64_t out,
                         bool recurrent) {
    Json names = Json::array();
    const auto add = [&](const char* weight, std::vector<std::int64_t> shape) {
      const std::string path = name + "/" + weight + ":0";
      names.push_back(path);
      made.tensors.emplace(name + "/" + path, counting(std::move(shape)));
    };
    add("kernel", {in, out});
    if (recurrent) add("recurrent_kernel", {out / 4, out});
    add("bias", {out});
    made.values[name] = {{"weight_names", names}};
  };
  layer("lstm", 5, 12, true);
  layer("lstm_1", 3, 12, true);
  layer("dense", 3, 5, false);
  made.values["dropout"] = Json::object();
  return made;
}

std::string problem(const nn::ForeignWeights& weights) {
  try {
    (void)from_keras(weights, "k.h5");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Keras, LayersBecomeOursTransposed) {
  const ImportedRecurrent net = from_keras(checkpoint(), "k.h5");
  EXPECT_EQ(net.spec.to_json(),
            Json({{"vocabulary", 5}, {"embedding", 0}, {"hidden", 3}, {"layers", 2}}));
  for (const nn::TensorInfo& wanted : net.spec.weights()) {
    ASSERT_TRUE(net.tensors.contains(wanted.name)) << wanted.name;
    EXPECT_EQ(net.tensors.at(wanted.name).shape(), wanted.shape) << wanted.name;
  }
  // Row 2 of ours, column 2 of theirs.
  const auto row = net.tensors.at("layers.0.input.weight").slice(2, 3).values<float>();
  EXPECT_EQ(std::vector<float>(row.begin(), row.end()), (std::vector<float>{2, 14, 26, 38, 50}));
}

TEST(Keras, WholeModelsSayTheirActivations) {
  nn::ForeignWeights whole = checkpoint();
  for (const std::string layer : {"lstm", "lstm_1", "dense", "dropout"})
    whole.values["model_weights/" + layer] = whole.values[layer];
  whole.values["model_weights"] = whole.values[""];
  nn::TensorSet moved;
  for (const auto& [name, tensor] : whole.tensors) moved.emplace("model_weights/" + name, tensor);
  whole.tensors = moved;
  const auto configured = [&](const std::string& gates) {
    whole.values[""] = {
        {"model_config",
         Json{{"class_name", "Sequential"},
              {"config",
               {{"layers",
                 {{{"class_name", "LSTM"},
                   {"config", {{"name", "lstm"}, {"recurrent_activation", gates}}}}}}}}}
             .dump()}};
    return problem(whole);
  };
  EXPECT_EQ(configured("sigmoid"), "");
  EXPECT_EQ(configured("hard_sigmoid"),
            "k.h5: lstm: expected recurrent_activation \"sigmoid\", found \"hard_sigmoid\"");
}

TEST(Keras, VariantsAreRefusedByName) {
  nn::ForeignWeights weights = checkpoint();
  weights.values[""]["keras_version"] = "2.2.4";
  EXPECT_NE(problem(weights).find("hard sigmoid"), std::string::npos);
  weights = checkpoint();
  weights.tensors.erase("lstm_1/lstm_1/bias:0");
  EXPECT_EQ(problem(weights), "k.h5: the data set lstm_1/lstm_1/bias:0 is missing");
  weights = checkpoint();
  weights.tensors["lstm/lstm/bias:0"] = counting({11});
  EXPECT_EQ(problem(weights), "k.h5: lstm/bias: expected the shape [12] (0: any), found [11]");
  weights = checkpoint();
  weights.tensors["lstm/lstm/recurrent_kernel:0"] = counting({4, 12});  // a GRU of 4
  EXPECT_NE(problem(weights).find("expected the four gates of an LSTM"), std::string::npos);
  weights = checkpoint();
  weights.values[""]["layer_names"] = {"lstm", "dense", "lstm_1"};
  EXPECT_NE(problem(weights).find("found the layer lstm_1 behind 1 LSTM layers"),
            std::string::npos);
  EXPECT_NE(problem({}).find("attribute layer_names"), std::string::npos);
}

TEST(Keras, VocabulariesAreGivenOrThatOfLstmChem) {
  const nn::Tokenizer own(keras_tokenizer("C\r\nN\n<bos>\n<eos>\n", 4, "v.txt"), "v.txt");
  EXPECT_EQ(own.encode("CN"), (std::vector<nn::Token>{2, 0, 1, 3}));
  const nn::Tokenizer known(keras_tokenizer("", 52, "k.h5"), "k.h5");
  EXPECT_EQ(known.encode("Cn1"), (std::vector<nn::Token>{49, 12, 32, 51}));
  EXPECT_EQ(known.pad(), 50);
  EXPECT_THROW((void)keras_tokenizer("", 51, "k.h5"), Error);
}

/// A file with one data set "group/numbers" and a list of texts, written by libhdf5.
void write_small_file(const fs::path& path) {
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t group = H5Gcreate2(file, "group", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const hsize_t extents[2] = {2, 3};
  const hid_t space = H5Screate_simple(2, extents, nullptr);
  const hid_t data =
      H5Dcreate2(group, "numbers", H5T_IEEE_F64BE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const double numbers[6] = {0, 1, 2, 3, 4, 5.5};
  H5Dwrite(data, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers);
  const hid_t text = H5Tcopy(H5T_C_S1);
  H5Tset_size(text, 4);
  const hsize_t count = 2;
  const hid_t list = H5Screate_simple(1, &count, nullptr);
  const hid_t names = H5Acreate2(file, "names", text, list, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(names, text, "abcdxy\0\0");
  const hid_t free = H5Tcopy(H5T_C_S1);
  H5Tset_size(free, H5T_VARIABLE);
  const hid_t one = H5Screate(H5S_SCALAR);
  const hid_t version = H5Acreate2(group, "version", free, one, H5P_DEFAULT, H5P_DEFAULT);
  const char* told = "two";
  H5Awrite(version, free, &told);
  for (const hid_t attribute : {names, version}) H5Aclose(attribute);
  for (const hid_t type : {text, free}) H5Tclose(type);
  for (const hid_t shape : {space, list, one}) H5Sclose(shape);
  H5Dclose(data);
  H5Gclose(group);
  H5Fclose(file);
}

TEST(Hdf5, NumbersAndTextsAreReadAsPlainData) {
  const ScratchFolder folder(fs::temp_directory_path());
  const fs::path path = folder.path() / "small.h5";
  write_small_file(path);
  const nn::ForeignWeights read = read_hdf5(path);
  ASSERT_EQ(read.tensors.size(), 1U);
  const Tensor& numbers = read.tensors.at("group/numbers");
  EXPECT_EQ(numbers.shape(), (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(numbers.values<float>()[5], 5.5F);
  EXPECT_EQ(read.values,
            Json({{"", {{"names", {"abcd", "xy"}}}}, {"group", {{"version", "two"}}}}));
}

TEST(Hdf5, DamagedFilesAreRefusedOrReadButNeverMore) {
  const ScratchFolder folder(fs::temp_directory_path());
  const fs::path path = folder.path() / "small.h5", broken = folder.path() / "broken.h5";
  write_small_file(path);
  const std::string whole = read_file(path);
  for (std::size_t length = 0; length < whole.size(); length += 97) {
    write_file(broken, std::string_view(whole).substr(0, length));
    try {
      (void)read_hdf5(broken);
      FAIL() << "a file cut to " << length << " bytes was read";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::CorruptData);
      EXPECT_NE(std::string(error.what()).find("broken.h5"), std::string::npos);
    }
  }
  EXPECT_THROW((void)read_hdf5(folder.path() / "nothing.h5"), Error);
}

TEST(Hdf5, RefusesMoreNumbersThanTheFileCanHold) {
  const ScratchFolder folder(fs::temp_directory_path());
  const fs::path path = folder.path() / "empty.h5";
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hsize_t extent = 100'000'000;  // never written: nothing but a fill value
  const hid_t space = H5Screate_simple(1, &extent, nullptr);
  H5Dclose(
      H5Dcreate2(file, "numbers", H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Sclose(space);
  H5Fclose(file);
  try {
    (void)read_hdf5(path);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("than a file of this size"), std::string::npos);
  }
}

/// The checkpoint of LSTM_Chem beside this checkout, in any folder above it; empty: not there.
fs::path published_checkpoint() {
  const fs::path inside = "shared/data/biomol/weights/lstm_chem/LSTM_Chem-21-0.47.hdf5";
  for (fs::path folder = fs::current_path(); folder != folder.parent_path();
       folder = folder.parent_path())
    if (fs::exists(folder / inside)) return folder / inside;
  return {};
}

TEST(Keras, NextTokensOfLstmChemAreThoseOfNumPy) {
  const fs::path path = published_checkpoint();
  if (path.empty()) GTEST_SKIP() << "shared/data/biomol is not beside this checkout";
  const ImportedRecurrent imported = from_keras(read_hdf5(path), path.string());
  const nn::Recurrent net(imported.spec, imported.tensors, "LSTM_Chem");
  const nn::Tokenizer tokenizer(keras_tokenizer("", imported.spec.vocabulary, ""), "");
  // models/bench/keras_lstm.py WEIGHTS 'Cn1cnc2c1c(=O)n(C)c(=O)n2CCCl': the step, the likeliest
  // next tokens and their probabilities.
  struct Expected {
    std::size_t step;
    nn::Token token;
    double probability;
  };
  const std::vector<Expected> expected{
      {0, 15, 0.7126332},  {0, 17, 0.1592041},  {1, 32, 0.9974371},  {3, 45, 0.4026754},
      {3, 24, 0.3806925},  {8, 46, 0.2508158},  {16, 15, 0.4207586}, {21, 25, 0.9997533},
      {25, 45, 0.4358172}, {27, 25, 0.5995447}, {27, 51, 0.2454076}};
  std::vector<nn::Token> tokens = tokenizer.encode("Cn1cnc2c1c(=O)n(C)c(=O)n2CCCl");
  tokens.pop_back();
  ASSERT_EQ(tokens.size(), 28U);
  nn::RecurrentState state = net.state(1);
  const std::vector<std::size_t> slot{0};
  for (std::size_t step = 0; step < tokens.size(); ++step) {
    const Tensor logits = net.step(state, slot, std::span(tokens).subspan(step, 1));
    double total = 0;
    for (const float logit : logits.values<float>()) total += std::exp(double{logit});
    for (const Expected& one : expected)
      if (one.step == step)
        EXPECT_NEAR(std::exp(logits.values<float>()[static_cast<std::size_t>(one.token)]) / total,
                    one.probability, 1e-5);
  }
}

}  // namespace
}  // namespace aceso::models
