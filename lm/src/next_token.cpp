#include "aceso/lm/next_token.hpp"

#include "aceso/core/error.hpp"
#include "aceso/nn/recurrent.hpp"
#include "aceso/nn/transformer.hpp"

#include <variant>

namespace aceso::lm {
namespace {

using Net = std::variant<nn::Transformer, nn::Recurrent>;

class TransformerWriting final : public Writing {
 public:
  TransformerWriting(const nn::Transformer& net, std::size_t slots)
      : net_(net), decoder_(net, slots) {}
  Tensor step(std::span<const std::size_t> slots, std::span<const nn::Token> tokens) override {
    return net_.logits(decoder_.step(slots, tokens));
  }
  void restart(std::size_t slot) override { decoder_.restart(slot); }

 private:
  nn::Transformer net_;
  nn::Decoder decoder_;
};

class RecurrentWriting final : public Writing {
 public:
  RecurrentWriting(const nn::Recurrent& net, std::size_t slots)
      : net_(net), state_(net.state(slots)) {}
  Tensor step(std::span<const std::size_t> slots, std::span<const nn::Token> tokens) override {
    return net_.step(state_, slots, tokens);
  }
  void restart(std::size_t slot) override { net_.restart(state_, slot); }

 private:
  nn::Recurrent net_;
  nn::RecurrentState state_;
};

Net open(const nn::ModelFolder& folder, nn::Device device) {
  const std::string& architecture = folder.description().architecture;
  if (architecture == "lstm") {
    if (device != nn::Device::Cpu)
      fail(Errc::Unsupported,
           "{}: expected a model of architecture transformer, which the device {} computes, found "
           "lstm: compute on the device cpu",
           folder.path().string(), nn::name(device));
    return nn::Recurrent(folder);
  }
  if (architecture != "transformer")
    fail(Errc::Unsupported, "{}: expected a model of architecture transformer or lstm, found {}",
         folder.path().string(), architecture);
  // Before a device is opened for what it will not be needed for.
  const auto spec =
      nn::TransformerSpec::from_json(folder.description().config, folder.path().string());
  if (!spec.causal || spec.head == "none")
    fail(Errc::Unsupported,
         "{}: expected a transformer that writes (causal: true, with a head), found one that reads "
         "only",
         folder.path().string());
  return nn::Transformer(folder, nn::Precision::Fp32, device);
}

}  // namespace

struct NextTokenModel::Impl {
  nn::ModelFolder folder;
  Net net;
  nn::Tokenizer tokenizer;

  Impl(const std::filesystem::path& path, nn::Device device)
      : folder(path),
        net(open(folder, device)),
        tokenizer(folder.description().tokenizer, path.string()) {
    const std::int64_t vocabulary =
        std::visit([](const auto& n) { return n.spec().vocabulary; }, net);
    if (tokenizer.size() > vocabulary)
      fail(Errc::CorruptData, "{}: the tokenizer has {} tokens, the weights only {}", path.string(),
           tokenizer.size(), vocabulary);
    if (tokenizer.begin() < 0 || tokenizer.end() < 0)
      fail(
          Errc::Unsupported,
          "{}: expected a tokenizer with a begin and an end token, which a model that writes needs",
          path.string());
  }
};

NextTokenModel::NextTokenModel(const std::filesystem::path& path, nn::Device device)
    : impl_(std::make_shared<const Impl>(path, device)) {}

const nn::Tokenizer& NextTokenModel::tokenizer() const noexcept { return impl_->tokenizer; }
const nn::ModelDescription& NextTokenModel::description() const noexcept {
  return impl_->folder.description();
}

nn::Device NextTokenModel::device() const noexcept {
  const auto* transformer = std::get_if<nn::Transformer>(&impl_->net);
  return transformer != nullptr ? transformer->device() : nn::Device::Cpu;
}

std::int64_t NextTokenModel::max_length() const noexcept {
  const auto* transformer = std::get_if<nn::Transformer>(&impl_->net);
  // The begin token takes a place; the end token is never read.
  return transformer != nullptr && transformer->spec().max_length > 0
             ? transformer->spec().max_length - 1
             : 0;
}

std::unique_ptr<Writing> NextTokenModel::write(std::size_t slots) const {
  if (const auto* transformer = std::get_if<nn::Transformer>(&impl_->net))
    return std::make_unique<TransformerWriting>(*transformer, slots);
  return std::make_unique<RecurrentWriting>(std::get<nn::Recurrent>(impl_->net), slots);
}

}  // namespace aceso::lm
