#include "aceso/core/error.hpp"
#include "aceso/nn/transformer.hpp"
#include "cuda/driver.hpp"
#include "cuda_pair.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

namespace aceso::nn {
namespace {

using cuda::EmulatedDevice;
using test::expect_near;
using test::expect_same_bits;
using test::kOrders;
using test::Pair;
using test::random_tokens;

struct Shape {
  const char* name;
  TransformerSpec spec;
  std::vector<std::size_t> lengths;  ///< within a page, at its end, behind it, two pages on
};

void PrintTo(const Shape& shape, std::ostream* out) { *out << shape.name; }

const Shape kShapes[] = {
    {"Rotary",
     {.vocabulary = 29,
      .hidden = 72,
      .layers = 2,
      .heads = 2,  // of 36 numbers
      .feed_forward = 100,
      .head = "plain",
      .causal = true},
     {2, 32, 1, 66}},
    {"Learned",
     {.vocabulary = 21,
      .hidden = 20,
      .layers = 2,
      .heads = 4,  // of 5 numbers
      .feed_forward = 50,
      .max_length = 90,
      .positions = "learned",
      .head = "plain",
      .causal = true,
      .tied = false},
     {5, 33}},
    {"LargestHead",
     {.vocabulary = 140,
      .hidden = 128,
      .layers = 1,
      .heads = 1,
      .feed_forward = 136,
      .head = "plain",
      .causal = true},
     {34, 3}},
};

/// What one sequence's steps gave.
using Steps = std::vector<Tensor>;

/// Writes sequences of these lengths, the slot of each its place; sequence s begins at time s.
std::vector<Steps> write(
    const std::function<Tensor(std::span<const std::size_t>, std::span<const Token>)>& step,
    const std::vector<std::vector<Token>>& sequences) {
  std::vector<Steps> made(sequences.size());
  for (std::size_t time = 0, ended = 0; ended < sequences.size(); ++time) {
    std::vector<std::size_t> slots;
    std::vector<Token> tokens;
    // The rows of slots change their places as sequences begin and end.
    for (std::size_t s = sequences.size(); s-- > 0;) {
      if (time < s || made[s].size() == sequences[s].size()) continue;
      slots.push_back(s);
      tokens.push_back(sequences[s][time - s]);
    }
    const Tensor rows = step(slots, tokens);
    for (std::size_t r = 0; r < slots.size(); ++r) {
      const auto row = static_cast<std::int64_t>(r);
      made[slots[r]].push_back(rows.slice(row, row + 1));
      ended += made[slots[r]].size() == sequences[slots[r]].size() ? 1 : 0;
    }
  }
  return made;
}

std::vector<Steps> write(DecoderNet& decoder, const std::vector<std::vector<Token>>& sequences) {
  return write([&](auto slots, auto tokens) { return decoder.step(slots, tokens); }, sequences);
}

std::vector<std::vector<Token>> some_sequences(const TransformerSpec& spec,
                                               const std::vector<std::size_t>& lengths) {
  std::vector<std::vector<Token>> sequences;
  for (std::size_t s = 0; s < lengths.size(); ++s)
    sequences.push_back(random_tokens(spec, lengths[s], static_cast<unsigned>(s)));
  return sequences;
}

/// One step of a slot alone.
Tensor step_of(DecoderNet& decoder, std::size_t slot, Token token) {
  return decoder.step(std::vector<std::size_t>{slot}, std::vector<Token>{token});
}

class CudaDecoderShape : public testing::TestWithParam<Shape> {};

TEST_P(CudaDecoderShape, EachStepGivesWhatTheCpuGives) {
  const Pair net(GetParam().spec, Precision::Fp32, std::make_shared<EmulatedDevice>());
  const auto sequences = some_sequences(net.spec, GetParam().lengths);
  const auto decoder = net.device.decoder(sequences.size());
  const auto found = write(*decoder, sequences);
  Decoder cpu(net.cpu, sequences.size());
  const auto expected =
      write([&](auto slots, auto tokens) { return cpu.step(slots, tokens); }, sequences);
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    EXPECT_EQ(decoder->length(s), static_cast<std::int64_t>(sequences[s].size()));
    for (std::size_t t = 0; t < sequences[s].size(); ++t) {
      SCOPED_TRACE(testing::Message() << "sequence " << s << " token " << t);
      expect_near(found[s][t], expected[s][t], 1e-4);
    }
    expect_near(net.device.logits(found[s].back()), net.cpu.logits(expected[s].back()), 1e-4);
  }
}

TEST_P(CudaDecoderShape, ASequenceAloneGivesWhatItGivesBesideOthers) {
  const Pair net(GetParam().spec, Precision::Fp32, std::make_shared<EmulatedDevice>());
  const auto sequences = some_sequences(net.spec, {4, 34});
  const auto together = write(*net.device.decoder(sequences.size()), sequences);
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    const auto alone = write(*net.device.decoder(1), {sequences[s]});
    for (std::size_t t = 0; t < sequences[s].size(); ++t)
      expect_same_bits(alone[0][t], together[s][t]);
  }
}

TEST_P(CudaDecoderShape, DoesNotDependOnWhatCudaLeavesOpen) {
  std::vector<Steps> first;
  for (const auto& order : kOrders) {
    const Pair net(GetParam().spec, Precision::Fp32, std::make_shared<EmulatedDevice>(order));
    const auto sequences = some_sequences(net.spec, {4, 18});
    const auto found = write(*net.device.decoder(sequences.size()), sequences);
    if (first.empty()) first = found;
    for (std::size_t s = 0; s < sequences.size(); ++s)
      expect_same_bits(found[s].back(), first[s].back());
  }
}

INSTANTIATE_TEST_SUITE_P(All, CudaDecoderShape, testing::ValuesIn(kShapes),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(CudaDecoder, ASlotThatIsRestartedForgetsAndItsMemoryIsUsedAgain) {
  const auto device = std::make_shared<EmulatedDevice>();
  const Pair net(kShapes[0].spec, Precision::Fp32, device);
  const auto decoder = net.device.decoder(2);
  const Tensor first = step_of(*decoder, 0, 7);
  for (int i = 0; i < 40; ++i) static_cast<void>(step_of(*decoder, 0, 3));
  decoder->restart(0);
  EXPECT_EQ(decoder->length(0), 0);
  const std::size_t free = device->memory().free;
  expect_same_bits(step_of(*decoder, 0, 7), first);
  expect_same_bits(step_of(*decoder, 1, 7), first);
  EXPECT_EQ(device->memory().free, free);
}

TEST(CudaDecoder, GivesItsMemoryBack) {
  const auto device = std::make_shared<EmulatedDevice>();
  const Pair net(kShapes[0].spec, Precision::Fp32, device);
  static_cast<void>(net.device.hidden({{1, 2, 3}, {0, 3}}));  // makes a workspace
  static_cast<void>(step_of(*net.device.decoder(1), 0, 1));
  const std::size_t free = device->memory().free;
  {
    const auto decoder = net.device.decoder(1);
    static_cast<void>(step_of(*decoder, 0, 1));
    EXPECT_LT(device->memory().free, free);
  }
  EXPECT_EQ(device->memory().free, free);
}

TEST(CudaDecoder, TellsWhatIsFreeWhenASequenceDoesNotFit) {
  const auto device = std::make_shared<EmulatedDevice>(cuda::emulation::Order{}, 600'000);
  const Pair net(kShapes[0].spec, Precision::Fp32, device);
  const auto decoder = net.device.decoder(100);
  const auto fill = [&] {
    for (std::size_t slot = 0; slot < 100; ++slot) static_cast<void>(step_of(*decoder, slot, 1));
  };
  try {
    fill();
    FAIL() << "nothing was refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::OutOfResources);
    const std::string message = error.what();
    EXPECT_NE(message.find("the keys and values of 100 sequences"), std::string::npos) << message;
    EXPECT_NE(message.find("of 0 MB are free"), std::string::npos) << message;
  }
  // The others go on.
  EXPECT_EQ(decoder->length(0), 1);
  static_cast<void>(step_of(*decoder, 0, 2));
}

TEST(CudaDecoder, SeveralWriteAtOnce) {
  const Pair net(kShapes[1].spec, Precision::Fp32, std::make_shared<EmulatedDevice>());
  const auto sequences = some_sequences(net.spec, {20, 33});
  const auto expected = write(*net.device.decoder(sequences.size()), sequences);
  std::vector<std::vector<Steps>> found(3);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < found.size(); ++i)
      threads.emplace_back(
          [&, i] { found[i] = write(*net.device.decoder(sequences.size()), sequences); });
  }
  for (const auto& one : found)
    for (std::size_t s = 0; s < sequences.size(); ++s)
      expect_same_bits(one[s].back(), expected[s].back());
}

TEST(CudaDecoder, OfNothingIsNothing) {
  const Pair net(kShapes[0].spec, Precision::Fp32, std::make_shared<EmulatedDevice>());
  EXPECT_EQ(net.device.decoder(1)->step({}, {}).shape(), (std::vector<std::int64_t>{0, 72}));
}

TEST(CudaDecoder, OnAGpuGivesWhatTheCpuGives) {
  std::shared_ptr<cuda::Executor> gpu;
  try {
    gpu = cuda::first_gpu();
  } catch (const Error& error) {
    GTEST_SKIP() << error.what();
  }
  for (const auto& [name, spec, lengths] : kShapes) {
    const Pair net(spec, Precision::Fp32, gpu);
    const auto sequences = some_sequences(spec, lengths);
    const auto found = write(*net.device.decoder(sequences.size()), sequences);
    Decoder cpu(net.cpu, sequences.size());
    const auto expected =
        write([&](auto slots, auto tokens) { return cpu.step(slots, tokens); }, sequences);
    for (std::size_t s = 0; s < sequences.size(); ++s) {
      const auto alone = write(*net.device.decoder(1), {sequences[s]});
      for (std::size_t t = 0; t < sequences[s].size(); ++t) {
        expect_near(found[s][t], expected[s][t], 1e-4);
        expect_same_bits(alone[0][t], found[s][t]);
      }
    }
  }
}

}  // namespace
}  // namespace aceso::nn
