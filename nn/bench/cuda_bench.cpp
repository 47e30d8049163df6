// cuda_bench device
//     prints the name of the first GPU, or why there is none (exit 1)
// cuda_bench make FOLDER HIDDEN LAYERS HEADS TOKENS
//     writes a transformer of ESM-2's kind with random weights, and random sequences
// cuda_bench run FOLDER cpu|cuda fp32|bf16 SECONDS OUT.safetensors [TOKENS]
//     runs it on the first sequences (of TOKENS at least, or all) again and again for SECONDS from
//     one thread, writes what the first time gave, and prints the tokens per second of the fastest
//     time (by the clock on the wall). The first time, which loads kernels, does not count.
// cuda_bench compare A.safetensors B.safetensors
//     prints the largest difference of the rows of A, which B begins with, relative to the root
//     mean square of A
#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/nn/transformer.hpp"
#include "cuda/driver.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace aceso;
using Arguments = std::vector<std::string>;

nn::TensorSet random_weights(const nn::TransformerSpec& spec) {
  std::mt19937 random(1);
  nn::TensorSet weights;
  for (const nn::TensorInfo& info : spec.weights()) {
    Tensor tensor(DType::F32, info.shape);
    const bool gain = info.name.ends_with("norm.weight");
    const double width = info.shape.size() > 1 && !info.name.starts_with("embed.")
                             ? 1.3 / std::sqrt(static_cast<double>(info.shape.back()))
                         : info.name.starts_with("embed.") ? 1.0
                                                           : 0.1;
    std::normal_distribution<float> normal(gain ? 1.0F : 0.0F, static_cast<float>(width));
    for (float& value : tensor.values<float>()) value = normal(random);
    weights.emplace(info.name, tensor);
  }
  return weights;
}

/// Sequences of 50 to 800 tokens.
nn::PackedTokens random_batch(std::size_t tokens) {
  std::mt19937 random(2);
  nn::PackedTokens batch;
  while (batch.tokens.size() < tokens) {
    std::vector<nn::Token> one(
        std::min<std::size_t>(50 + random() % 751, tokens - batch.tokens.size()));
    for (nn::Token& token : one) token = static_cast<nn::Token>(4 + random() % 20);
    batch.add(one);
  }
  return batch;
}

Tensor whole_numbers(const std::vector<std::int32_t>& numbers) {
  Tensor tensor(DType::I32, {static_cast<std::int64_t>(numbers.size())});
  std::ranges::copy(numbers, tensor.values<std::int32_t>().data());
  return tensor;
}

std::vector<std::int32_t> whole_numbers(const Tensor& tensor) {
  const auto values = tensor.values<std::int32_t>();
  return {values.begin(), values.end()};
}

void make(const Arguments& a) {
  const std::filesystem::path folder = a[2];
  const std::int64_t hidden = std::stoll(a[3]);
  const nn::TransformerSpec spec{.vocabulary = 33,
                                 .hidden = hidden,
                                 .layers = std::stoll(a[4]),
                                 .heads = std::stoll(a[5]),
                                 .feed_forward = 4 * hidden,
                                 .head = "none"};
  std::filesystem::create_directories(folder);
  write_file(folder / "config.json", spec.to_json().dump());
  nn::write_tensor_file(folder / "weights.safetensors", random_weights(spec));
  const nn::PackedTokens batch = random_batch(std::stoull(a[6]));
  nn::write_tensor_file(folder / "tokens.safetensors", {{"tokens", whole_numbers(batch.tokens)},
                                                        {"offsets", whole_numbers(batch.offsets)}});
}

/// As many sequences as have `tokens` tokens, or all.
nn::PackedTokens beginning(const nn::PackedTokens& batch, std::size_t tokens) {
  nn::PackedTokens some;
  for (std::size_t s = 0; s < batch.sequences() && some.tokens.size() < tokens; ++s)
    some.add(std::span(batch.tokens.begin() + batch.offsets[s],
                       batch.tokens.begin() + batch.offsets[s + 1]));
  return some;
}

void run(const Arguments& a) {
  const std::filesystem::path folder = a[2];
  const std::string config = (folder / "config.json").string();
  const auto spec = nn::TransformerSpec::from_json(parse_json(read_file(config), config), config);
  const nn::Transformer net(spec, nn::TensorFile(folder / "weights.safetensors").all(),
                            nn::precision_by_name(a[4]), config, nn::device_by_name(a[3]));
  const nn::TensorFile file(folder / "tokens.safetensors");
  const nn::PackedTokens batch =
      beginning({whole_numbers(file.tensor("tokens")), whole_numbers(file.tensor("offsets"))},
                a.size() > 7 ? std::stoull(a[7]) : std::numeric_limits<std::size_t>::max());
  nn::write_tensor_file(a[6], {{"hidden", net.hidden(batch)}});
  using Clock = std::chrono::steady_clock;
  std::chrono::duration<double> best = std::chrono::hours(1);
  const auto begin = Clock::now();
  do {
    const auto start = Clock::now();
    static_cast<void>(net.hidden(batch));
    best = std::min<std::chrono::duration<double>>(best, Clock::now() - start);
  } while (Clock::now() - begin < std::chrono::duration<double>(std::stod(a[5])));
  fmt::print("{:.0f}\n", static_cast<double>(batch.tokens.size()) / best.count());
}

void compare(const Arguments& a) {
  const Tensor one = nn::TensorFile(a[2]).tensor("hidden"),
               two = nn::TensorFile(a[3]).tensor("hidden");
  if (one.shape()[1] != two.shape()[1] || one.shape()[0] > two.shape()[0])
    fail(Errc::InvalidArgument, "expected two results of one width, found {} and {}",
         nn::shape_text(one.shape()), nn::shape_text(two.shape()));
  double largest = 0, squares = 0;
  for (std::size_t i = 0; i < one.values<float>().size(); ++i) {
    const double x = one.values<float>()[i], y = two.values<float>()[i];
    largest = std::max(largest, std::abs(x - y));
    squares += x * x;
  }
  fmt::print("{:.2g}\n", largest / std::sqrt(squares / static_cast<double>(one.element_count())));
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments(argv, argv + argc);
  const std::string action = argc > 1 ? arguments[1] : "";
  try {
    if (action == "device" && argc == 2)
      fmt::print("{}\n", nn::cuda::first_gpu()->name());
    else if (action == "make" && argc == 7)
      make(arguments);
    else if (action == "run" && (argc == 7 || argc == 8))
      run(arguments);
    else if (action == "compare" && argc == 4)
      compare(arguments);
    else
      fail(Errc::InvalidArgument, "expected device, make, run or compare with their arguments");
  } catch (const std::exception& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 1;
  }
  return 0;
}
