#include "call_net.hpp"

#include "call_figures.hpp"
#include "model_assets.hpp"

#include "aceso/core/error.hpp"
#include "aceso/nn/model_folder.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <string_view>

namespace aceso::genomics {
namespace {

constexpr std::string_view kBuiltIn = "germline-net.model.tar";

NetScoring scoring_of(const Json& config, const std::string& where) {
  const auto scoring = config.find("scoring");
  if (scoring == config.end() || !scoring->is_object())
    fail(Errc::CorruptData, "{}: expected a net made by genomics train-filter", where);
  const auto number = [&](const char* name) {
    const auto found = scoring->find(name);
    if (found == scoring->end() || !found->is_number() || !std::isfinite(found->get<double>()))
      fail(Errc::CorruptData, "{}: config.scoring.{}: expected a number", where, name);
    return found->get<double>();
  };
  return {number("band"), number("share"), {number("snp"), number("indel")}};
}

std::shared_ptr<const CallNet> from_model(const nn::ModelFolder& model) {
  const std::string where = model.path().string();
  const nn::ModelDescription& d = model.description();
  if (d.architecture != "convolutional")
    fail(Errc::CorruptData, "{}: expected a net made by genomics train-filter, found a {}", where,
         d.architecture);
  const NetScoring scoring = scoring_of(d.config, where);
  const auto spec = nn::ConvolutionalSpec::from_json(d.config, where);
  if (spec.to_json() != call_net_spec().to_json())
    fail(Errc::CorruptData, "{}: it was made for other pileups than this program's; train it again",
         where);
  return std::make_shared<const CallNet>(model.weights().all(), scoring);
}

}  // namespace

nn::ConvolutionalSpec call_net_spec() {
  using Layer = nn::ConvolutionalLayer;
  constexpr auto kRelu = Layer::Function::Relu;
  const auto convolution = [](const char* name, std::int64_t channels) {
    return Layer{.name = name,
                 .kind = Layer::Kind::Convolution,
                 .channels = channels,
                 .kernel = {3},
                 .padding = {1},
                 .activation = kRelu};
  };
  constexpr std::int64_t kLast = 48, kHidden = 24;
  const auto places = static_cast<std::int64_t>(kPileupPlaces / 2);
  nn::ConvolutionalSpec spec;
  spec.dimensions = 1;
  spec.channels = std::int64_t{kPileupChannels};
  spec.layers = {convolution("first", 24),
                 convolution("second", 32),
                 {.name = "pool", .kind = Layer::Kind::MaxPool, .kernel = {2}},
                 convolution("third", kLast),
                 {.name = "hidden",
                  .kind = Layer::Kind::Linear,
                  .channels = kHidden,
                  .features = kLast * places,
                  .activation = kRelu},
                 {.name = "odds", .kind = Layer::Kind::Linear, .channels = 1, .features = kHidden}};
  return spec;
}

Tensor net_images(std::span<const std::uint8_t> bytes) {
  const auto rows = static_cast<std::int64_t>(bytes.size() / kPileupBytes);
  Tensor images(DType::F32, {rows, std::int64_t{kPileupChannels}, std::int64_t{kPileupPlaces}});
  std::ranges::transform(bytes, images.values<float>().begin(),
                         [](std::uint8_t b) { return static_cast<float>(b) / 255.0F; });
  return images;
}

CallNet::CallNet(const nn::TensorSet& weights, const NetScoring& scoring)
    : scoring_(scoring), net_(call_net_spec(), weights, nn::Precision::Fp32, "the calls' net") {}

std::shared_ptr<const CallNet> CallNet::built_in() {
  static const std::shared_ptr<const CallNet> net = [] {
    for (const assets::Asset& asset : assets::genomics_models()) {
      if (asset.path == kBuiltIn)
        return from_model(
            nn::ModelFolder(std::as_bytes(std::span(asset.bytes)), "the built-in net"));
    }
    fail(Errc::Internal, "the built-in net is missing");
  }();
  return net;
}

std::shared_ptr<const CallNet> CallNet::open(const std::filesystem::path& path) {
  return from_model(nn::ModelFolder(path));
}

void CallNet::save(const std::filesystem::path& path, const nn::TensorSet& weights,
                   const NetScoring& scoring, const Json& provenance) {
  nn::ModelDescription d;
  d.name = "germline-net";
  d.architecture = "convolutional";
  d.config = call_net_spec().to_json();
  d.config["scoring"] = {{"band", scoring.band},
                         {"share", scoring.share},
                         {"snp", scoring.limits.snp},
                         {"indel", scoring.limits.indel}};
  d.intended_use =
      "correcting the learnt filter's score of variant calls it is not sure of; of the filter "
      "trained in the same run";
  d.training_data = "judged calls of genomics germline with their pileups";
  d.source = "trained by aceso genomics train-filter";
  d.provenance = provenance;
  nn::ModelWriter writer(path);
  writer.weights(weights);
  writer.commit(d);
}

std::vector<double> CallNet::corrections(std::span<const std::uint8_t> images) const {
  std::vector<double> out;
  if (images.empty()) return out;
  const Tensor odds = net_.run(net_images(images)).front();
  for (const float value : odds.values<const float>())
    out.push_back(scoring_.share * static_cast<double>(value));
  return out;
}

void CallNet::judge(const FilterModel& trees, std::span<VariantCall> calls) const {
  std::vector<VariantCall*> asked;
  std::vector<std::uint8_t> images;
  for (VariantCall& call : calls) {
    if (call.pileup.empty()) continue;
    if (!asks(trees.log_odds(features_of(call, figures_of(call))))) continue;
    asked.push_back(&call);
    images.insert(images.end(), call.pileup.begin(), call.pileup.end());
  }
  const std::vector<double> said = corrections(images);
  for (std::size_t i = 0; i < asked.size(); ++i) asked[i]->net_correction = said[i];
}

}  // namespace aceso::genomics
