#include "rank_placement.hpp"

#include <gtest/gtest.h>

namespace aceso::train {
namespace {

constexpr Means kAll{.gloo = true, .nccl = true, .gpus = 4};
constexpr Means kGlooOnly{.gloo = true, .nccl = false, .gpus = 4};

std::string mistake(const std::string& device, const RankOf& rank, const Means& means) {
  try {
    (void)place_rank(device, rank, means);
  } catch (const Mistake& error) {
    return error.what();
  }
  return "nothing was refused";
}

TEST(RankPlacement, OneRankAloneNeedsNothing) {
  for (const char* device : {"cpu", "cuda", "reference"}) {
    // What torchrun says to a single process changes nothing.
    const Placement placed = place_rank(device, {.local_rank = 3}, {.gpus = 1});
    EXPECT_EQ(placed.exchange, Exchange::None);
    EXPECT_EQ(placed.gpu, 0);
    EXPECT_EQ(placed.told, "");
  }
}

TEST(RankPlacement, NcclGivesEachRankTheGpuOfItsNumberOnItsMachine) {
  // Rank 6 of two machines with four GPUs each.
  const Placement placed = place_rank("cuda", {6, 8, 2}, kAll);
  EXPECT_EQ(placed.exchange, Exchange::Nccl);
  EXPECT_EQ(placed.gpu, 2);
  EXPECT_EQ(placed.told,
            "rank 6 of 8 computes on GPU 2; gradients are added up on the GPUs, by NCCL");
}

TEST(RankPlacement, WithoutALocalRankAllRanksAreOnOneMachine) {
  EXPECT_EQ(place_rank("cuda", {3, 4, -1}, kAll).gpu, 3);
  EXPECT_EQ(mistake("cuda", {4, 8, -1}, kAll),
            "expected a GPU for each rank of a machine, found 4 for rank 4, whose number here "
            "(LOCAL_RANK, from 0) is 4: start no more ranks than there are GPUs, or set "
            "LOCAL_RANK=0 where each rank sees one of its own alone");
}

TEST(RankPlacement, NcclRefusesMoreRanksThanGpus) {
  EXPECT_NE(mistake("cuda", {1, 2, 1}, {.gloo = true, .nccl = true, .gpus = 1}).find("found 1 for"),
            std::string::npos);
  EXPECT_EQ(place_rank("cuda", {1, 2, 0}, {.nccl = true, .gpus = 1}).gpu, 0);
}

TEST(RankPlacement, WithoutNcclGradientsGoThroughTheHost) {
  const Placement placed = place_rank("cuda", {5, 8, 1}, kGlooOnly);
  EXPECT_EQ(placed.exchange, Exchange::Gloo);
  EXPECT_EQ(placed.gpu, 1);
  EXPECT_EQ(placed.told,
            "rank 5 of 8 computes on GPU 1 of 4; gradients are added up on the host, by Gloo, "
            "because the training plugin was built without NCCL");
  // Two ranks on one GPU are slow, but right.
  EXPECT_EQ(place_rank("cuda", {1, 2, 1}, {.gloo = true, .gpus = 1}).gpu, 0);
}

TEST(RankPlacement, TheCpuExchangesByGlooWhateverElseThereIs) {
  for (const char* device : {"cpu", "reference"}) {
    const Placement placed = place_rank(device, {1, 2, 9}, kAll);
    EXPECT_EQ(placed.exchange, Exchange::Gloo);
    EXPECT_EQ(placed.told, "rank 1 of 2 computes on the CPU; gradients are added up by Gloo");
  }
}

TEST(RankPlacement, WithoutAWayToExchangeSaysWhatHelps) {
  EXPECT_EQ(mistake("cuda", {0, 2, 0}, {.gpus = 2}),
            "this training plugin was built without the headers of Gloo, which several ranks need "
            "on the device cuda: run one rank, or build with a LibTorch that has them");
  EXPECT_EQ(mistake("cpu", {0, 2, 0}, {.nccl = true, .gpus = 2}),
            "this training plugin was built without the headers of Gloo, which several ranks need "
            "on the device cpu: run one rank, train on the device cuda, or build with a LibTorch "
            "that has them");
}

}  // namespace
}  // namespace aceso::train
