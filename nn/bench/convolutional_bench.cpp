// convolutional_bench FOLDER fp32|bf16 SECONDS OUT.safetensors
//
// Runs the net of FOLDER (config.json, weights.safetensors) on its images (images.safetensors)
// again and again for SECONDS on one thread, writes what the first time gave, and prints the CPU
// seconds of the fastest time. The first time, which makes the plan, does not count.
#include "aceso/core/files.hpp"
#include "aceso/nn/convolutional.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <string>

int main(int argc, char** argv) {
  using namespace aceso;
  if (argc != 5) {
    fmt::print(stderr, "usage: {} FOLDER fp32|bf16 SECONDS OUT.safetensors\n", argv[0]);
    return 2;
  }
  try {
    const std::filesystem::path folder = argv[1];
    const std::string config = (folder / "config.json").string();
    const nn::ConvolutionalSpec spec =
        nn::ConvolutionalSpec::from_json(parse_json(read_file(config), config), config);
    const nn::Convolutional net(spec, nn::TensorFile(folder / "weights.safetensors").all(),
                                nn::precision_by_name(argv[2]), config);
    const Tensor images = nn::TensorFile(folder / "images.safetensors").tensor("images");
    const auto results = net.run(images);
    nn::TensorSet written;
    for (std::size_t i = 0; i < results.size(); ++i)
      written.emplace(fmt::format("outputs.{}", i), results[i]);
    nn::write_tensor_file(argv[4], written);
    const auto now = [] {
      return static_cast<double>(std::clock()) / static_cast<double>(CLOCKS_PER_SEC);
    };
    double best = std::numeric_limits<double>::infinity();
    for (const double begin = now(); now() - begin < std::atof(argv[3]);) {
      const double start = now();
      (void)net.run(images);
      best = std::min(best, now() - start);
    }
    fmt::print("{}\n", best);
  } catch (const std::exception& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 1;
  }
  return 0;
}
