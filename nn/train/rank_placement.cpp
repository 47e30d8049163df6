#include "rank_placement.hpp"

#include <algorithm>

namespace aceso::train {
namespace {

std::string number(std::int64_t value) { return std::to_string(value); }

Placement on_own_gpu(const RankOf& rank, std::int64_t local, std::int64_t gpus) {
  if (local >= gpus)
    throw Mistake("expected a GPU for each rank of a machine, found " + number(gpus) +
                  " for rank " + number(rank.rank) +
                  ", whose number here (LOCAL_RANK, from 0) is " + number(local) +
                  ": start no more ranks than there are GPUs, or set LOCAL_RANK=0 where each rank "
                  "sees one of its own alone");
  return {Exchange::Nccl, local,
          "rank " + number(rank.rank) + " of " + number(rank.size) + " computes on GPU " +
              number(local) + "; gradients are added up on the GPUs, by NCCL"};
}

Placement by_gloo(const std::string& device, const RankOf& rank, std::int64_t local,
                  std::int64_t gpus) {
  const std::string who = "rank " + number(rank.rank) + " of " + number(rank.size);
  if (device != "cuda")
    return {Exchange::Gloo, 0, who + " computes on the CPU; gradients are added up by Gloo"};
  const std::int64_t gpu = local % std::max<std::int64_t>(gpus, 1);
  return {Exchange::Gloo, gpu,
          who + " computes on GPU " + number(gpu) + " of " + number(gpus) +
              "; gradients are added up on the host, by Gloo, because the training plugin was "
              "built without NCCL"};
}

}  // namespace

Placement place_rank(const std::string& device, const RankOf& rank, const Means& means) {
  if (rank.size == 1) return {};
  const std::int64_t local = rank.local_rank >= 0 ? rank.local_rank : rank.rank;
  if (device == "cuda" && means.nccl) return on_own_gpu(rank, local, means.gpus);
  if (means.gloo) return by_gloo(device, rank, local, means.gpus);
  throw Mistake(
      "this training plugin was built without the headers of Gloo, which several ranks need on the "
      "device " +
      device + ": run one rank, " + (means.nccl ? "train on the device cuda, " : "") +
      "or build with a LibTorch that has them");
}

}  // namespace aceso::train
