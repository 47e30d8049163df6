// training_batches_bench FASTA OUT.safetensors LAYERS HIDDEN HEADS STEPS MICRO_BATCHES TOKENS SEED
//
// Writes the first weights and the batches that `proteins train` would use with these settings, so
// that a peer can be trained on exactly the same: "weights.NAME" and "batches.STEP.MICRO.NAME".
#include "aceso/core/files.hpp"
#include "aceso/lm/fasta.hpp"
#include "aceso/lm/pretraining.hpp"

#include <fmt/core.h>

#include <cstdlib>
#include <string>

int main(int argc, char** argv) {
  using namespace aceso;
  if (argc != 10) {
    fmt::print(stderr, "usage: {} FASTA OUT LAYERS HIDDEN HEADS STEPS MICRO_BATCHES TOKENS SEED\n",
               argv[0]);
    return 2;
  }
  const auto number = [&](int i) { return std::strtoll(argv[i], nullptr, 10); };
  try {
    const nn::Tokenizer tokenizer = nn::Tokenizer::esm();
    const ScratchFolder scratch{"/tmp"};
    lm::TokenStore::Writer writer(scratch.path() / "tokens.bin");
    lm::FastaReader reader(argv[1]);
    for (lm::FastaRecord record; reader.next(record);)
      writer.add(tokenizer.encode(record.sequence, false));
    const auto seed = static_cast<std::uint64_t>(number(9));
    lm::PretrainingSource source(std::move(writer).open(), tokenizer, false,
                                 {.micro_batch_tokens = number(8),
                                  .micro_batches = number(7),
                                  .held_out_share = 0,
                                  .seed = seed});
    const nn::TransformerSpec spec{.vocabulary = tokenizer.size(),
                                   .hidden = number(4),
                                   .layers = number(3),
                                   .heads = number(5),
                                   .feed_forward = 4 * number(4)};
    nn::TensorSet all;
    for (const auto& [name, tensor] : lm::first_weights(spec, seed))
      all.emplace("weights." + name, tensor);
    for (std::int64_t step = 0; step < number(6); ++step) {
      std::size_t micro = 0;
      for (const nn::TrainingBatch& batch : source.next()) {
        for (const auto& [name, tensor] : batch)
          all.emplace(fmt::format("batches.{}.{}.{}", step, micro, name), tensor);
        ++micro;
      }
    }
    nn::write_tensor_file(argv[2], all);
  } catch (const std::exception& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 1;
  }
  return 0;
}
