#include "message_passing_net.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/index_add.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

namespace aceso::train {
namespace {

/// A well mixed number for each number (splitmix64: Steele et al. 2014).
std::uint64_t mixed(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31U);
}

/// What one step leaves out, by the batch's own seed: no state is shared, so the order in which
/// threads compute batches does not matter.
class Dropout {
 public:
  Dropout(const Tensors& batch, double share) : share_(share) {
    const auto found = batch.find("dropout_seed");
    active_ = share > 0 && found != batch.end();
    if (!active_) return;
    if (found->second.numel() != 2) throw Mistake("dropout_seed is not two numbers");
    const auto* half = found->second.data_ptr<std::int32_t>();
    seed_ = (static_cast<std::uint64_t>(static_cast<std::uint32_t>(half[0])) << 32U) |
            static_cast<std::uint32_t>(half[1]);
  }

  at::Tensor operator()(const at::Tensor& x) {
    if (!active_) return x;
    const std::uint64_t stream = mixed(seed_ ^ mixed(++calls_));
    const auto limit = static_cast<std::uint64_t>(share_ * 0x1p32);
    const auto kept = static_cast<float>(1 / (1 - share_));
    at::Tensor factors = at::empty(x.sizes(), at::kFloat);
    float* to = factors.data_ptr<float>();
    for (std::int64_t i = 0; i < factors.numel(); ++i) {
      const std::uint64_t random = mixed(stream + static_cast<std::uint64_t>(i)) >> 32U;
      to[i] = random < limit ? 0.0F : kept;
    }
    return x * factors.to(x.device());
  }

 private:
  double share_;
  bool active_ = false;
  std::uint64_t seed_ = 0, calls_ = 0;
};

/// For each atom the number of its molecule.
at::Tensor molecule_of_atoms(const at::Tensor& offsets, std::int64_t atoms) {
  at::Tensor result = at::empty({atoms}, at::kInt);
  const auto* offset = offsets.data_ptr<std::int32_t>();
  const std::int64_t molecules = offsets.numel() - 1;
  if (molecules < 0 || offset[0] != 0 || offset[molecules] != atoms ||
      !std::is_sorted(offset, offset + molecules + 1))
    throw Mistake("the atoms are not those of the molecules");
  auto* to = result.data_ptr<std::int32_t>();
  for (std::int64_t m = 0; m < molecules; ++m)
    std::fill(to + offset[m], to + offset[m + 1], static_cast<std::int32_t>(m));
  return result;
}

/// The batch where the weights are, but for what the host looks at.
Tensors placed(const Tensors& batch, const at::Device& device) {
  Tensors result = batch;
  for (auto& [name, array] : result)
    if (name != "atom_offsets" && name != "dropout_seed") array = array.to(device);
  return result;
}

class MessagePassingNet : public Net {
 public:
  explicit MessagePassingNet(const nlohmann::json& config)
      : hidden_(config.at("hidden")),
        depth_(config.at("depth")),
        head_layers_(config.at("head_layers")),
        features_(config.at("molecule_features")),
        aggregation_(config.at("aggregation")),
        aggregation_norm_(config.at("aggregation_norm")),
        dropout_(config.value("dropout", 0.0)) {
    if (dropout_ < 0 || dropout_ >= 1) throw Mistake("the share of dropout is not in [0, 1)");
  }

  at::Tensor outputs(const Weights& w, const Tensors& given) const override {
    const Tensors batch = placed(given, w.device);
    Dropout dropout(batch, dropout_);
    at::Tensor state = molecules(batch, atoms(w, batch, bonds(w, batch, dropout), dropout));
    if (features_ > 0) state = at::cat({state, find(batch, "features")}, 1);
    for (std::int64_t i = 0; i < head_layers_; ++i) {
      if (i > 0) state = at::relu(state);
      state = linear(w, "members.0.head." + std::to_string(i), dropout(state));
    }
    return state.to(at::kFloat);
  }

  std::int64_t size(const Tensors& batch) const override {
    return find(batch, "atom_offsets").numel() - 1;
  }

 private:
  /// Sums of the states of the bonds that go to each atom.
  at::Tensor gathered(const Tensors& batch, const at::Tensor& bonds) const {
    const at::Tensor none =
        at::zeros({find(batch, "atoms").size(0), hidden_}, bonds.options().dtype(at::kFloat));
    return at::index_add(none, 0, find(batch, "target"), bonds);
  }

  at::Tensor bonds(const Weights& w, const Tensors& batch, Dropout& dropout) const {
    const at::Tensor& source = find(batch, "source");
    const at::Tensor features =
        at::cat({find(batch, "atoms").index_select(0, source), find(batch, "bonds")}, 1);
    const at::Tensor first = linear(w, "members.0.input", features).to(at::kFloat);
    at::Tensor state = at::relu(first);
    for (std::int64_t step = 1; step < depth_; ++step) {
      // What reached the bond's source, without what came back along the bond itself.
      const at::Tensor sent = gathered(batch, state).index_select(0, source) -
                              state.index_select(0, find(batch, "reverse"));
      state = dropout(at::relu(first + linear(w, "members.0.message", sent)));
    }
    return state;
  }

  at::Tensor atoms(const Weights& w, const Tensors& batch, const at::Tensor& bonds,
                   Dropout& dropout) const {
    const at::Tensor both = at::cat({find(batch, "atoms"), gathered(batch, bonds)}, 1);
    return dropout(at::relu(linear(w, "members.0.readout", both)).to(at::kFloat));
  }

  at::Tensor molecules(const Tensors& batch, const at::Tensor& atoms) const {
    const at::Tensor& offsets = find(batch, "atom_offsets");
    const at::Tensor none = at::zeros({size(batch), hidden_}, atoms.options());
    const at::Tensor sums =
        at::index_add(none, 0, molecule_of_atoms(offsets, atoms.size(0)).to(atoms.device()), atoms);
    if (aggregation_ == "sum") return sums;
    if (aggregation_ == "norm") return sums / static_cast<double>(aggregation_norm_);
    at::Tensor counts = at::empty({size(batch), 1}, at::kFloat);
    const auto* offset = offsets.data_ptr<std::int32_t>();
    for (std::int64_t m = 0; m < size(batch); ++m)
      counts.data_ptr<float>()[m] = static_cast<float>(std::max(offset[m + 1] - offset[m], 1));
    return sums / counts.to(sums.device());
  }

  std::int64_t hidden_, depth_, head_layers_, features_;
  std::string aggregation_;
  std::int64_t aggregation_norm_;
  double dropout_;
};

}  // namespace

std::unique_ptr<Net> message_passing_net(const nlohmann::json& config) {
  return std::make_unique<MessagePassingNet>(config);
}

}  // namespace aceso::train
