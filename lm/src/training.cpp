#include "aceso/lm/training.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/hash.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cmath>
#include <limits>
#include <numbers>

namespace aceso::lm {
namespace fs = std::filesystem;
namespace {

constexpr const char* kStateFile = "state.safetensors";
constexpr std::string_view kBest = "best.";

/// Everything about the training beside weights and moments, as a checkpoint keeps it.
struct State {
  std::int64_t step = 0;
  Json position;
  double best_loss = std::numeric_limits<double>::infinity();
  std::int64_t looks_without_gain = 0;
  double loss = 0;
  std::vector<double> steps, losses, rates;            ///< of some steps, for the plots
  std::vector<double> evaluated_at, evaluated_losses;  ///< of the looks at the held-out data
};

Json to_json(const State& state) {
  Json json{{"step", state.step},
            {"position", state.position},
            {"looks_without_gain", state.looks_without_gain},
            {"loss", state.loss},
            {"steps", state.steps},
            {"losses", state.losses},
            {"rates", state.rates},
            {"evaluated_at", state.evaluated_at},
            {"evaluated_losses", state.evaluated_losses}};
  if (std::isfinite(state.best_loss)) json["best_loss"] = state.best_loss;
  return json;
}

State state_from(const Json& json) {
  State state;
  state.step = json.at("step");
  state.position = json.at("position");
  state.looks_without_gain = json.at("looks_without_gain");
  state.loss = json.at("loss");
  state.steps = json.at("steps").get<std::vector<double>>();
  state.losses = json.at("losses").get<std::vector<double>>();
  state.rates = json.at("rates").get<std::vector<double>>();
  state.evaluated_at = json.at("evaluated_at").get<std::vector<double>>();
  state.evaluated_losses = json.at("evaluated_losses").get<std::vector<double>>();
  if (json.contains("best_loss")) state.best_loss = json.at("best_loss");
  return state;
}

/// What must be the same for a training to go on. The number of steps is part of it, because the
/// learning rate follows from it.
std::string fingerprint_of(const nn::TrainingPlan& plan, const BatchSource& source,
                           const TrainingOptions& o) {
  const Json facts{{"architecture", plan.architecture},
                   {"config", plan.config},
                   {"trained", plan.trained},
                   {"loss", plan.loss},
                   {"precision", plan.precision},
                   {"data", source.fingerprint()},
                   {"steps", o.steps},
                   {"learning_rate", o.learning_rate},
                   {"warmup_steps", o.warmup_steps},
                   {"schedule", o.schedule},
                   {"weight_decay", o.weight_decay},
                   {"clip", o.clip},
                   {"micro_batches", o.micro_batches},
                   {"evaluate_every", o.evaluate_every},
                   {"patience", o.patience}};
  return sha256(facts.dump());
}

/// The folder with the state of a training.
class Checkpoint {
 public:
  Checkpoint(const TrainingOptions& options, std::string fingerprint)
      : folder_(options.checkpoint), fingerprint_(std::move(fingerprint)) {
    if (folder_.empty()) {
      if (options.resume)
        fail(Errc::InvalidArgument, "--resume needs --checkpoint, the folder to go on from");
      return;
    }
    exists_ = fs::exists(file());
    if (exists_ && !options.resume)
      fail(Errc::InvalidArgument,
           "{}: holds the checkpoint of a training; --resume goes on from it, another folder "
           "begins anew",
           folder_.string());
    std::error_code error;
    fs::create_directories(folder_, error);
    if (error) fail_system(error.value(), "make the folder", folder_.string());
  }

  [[nodiscard]] bool wanted() const { return !folder_.empty(); }

  /// Gives the tensors, and sets `state`; nothing if there is no checkpoint.
  [[nodiscard]] std::optional<nn::TensorSet> read(State& state) const {
    if (!exists_) return std::nullopt;
    const nn::TensorFile tensors(file());
    const auto& metadata = tensors.metadata();
    const auto found = metadata.find("fingerprint");
    if (found == metadata.end() || !metadata.contains("state"))
      fail(Errc::CorruptData, "{}: expected the state of a training, found other tensors",
           file().string());
    if (found->second != fingerprint_)
      fail(Errc::InvalidArgument,
           "{}: is the checkpoint of another training: data, model or options differ from these",
           file().string());
    try {
      state = state_from(parse_json(metadata.at("state"), file().string()));
    } catch (const Json::exception&) {
      fail(Errc::CorruptData, "{}: the state of the training is damaged", file().string());
    }
    return tensors.all();
  }

  void write(const State& state, const nn::TensorSet& tensors) const {
    nn::write_tensor_file(file(), tensors,
                          {{"fingerprint", fingerprint_}, {"state", to_json(state).dump()}});
  }

 private:
  [[nodiscard]] fs::path file() const { return folder_ / kStateFile; }

  fs::path folder_;
  std::string fingerprint_;
  bool exists_ = false;
};

/// One training from its first or its last step on.
class Training {
 public:
  Training(const nn::TrainingPlan& plan, const nn::TensorSet& weights, BatchSource& source,
           const TrainingOptions& options, app::RunContext& context)
      : options_(options),
        source_(source),
        context_(context),
        writes_(plan.ranks.rank == 0),
        sharded_(plan.optimizer.sharded && plan.ranks.size > 1),
        checkpoint_(options, fingerprint_of(plan, source, options)),
        trainer_(plan, weights) {}

  TrainingOutcome run() {
    if (const std::string where = trainer_.placement(); !where.empty())
      context_.log.info("training.ranks", {{"placement", where}});
    restore();
    context_.progress.stage("train", static_cast<std::uint64_t>(options_.steps), "steps");
    context_.progress.advance(static_cast<std::uint64_t>(state_.step));
    const std::int64_t first = state_.step;
    const auto begin = std::chrono::steady_clock::now();
    const bool stopped_early = loop();
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
    if (options_.plots) plot();
    TrainingOutcome outcome;
    outcome.weights = best_.empty() ? trainer_.weights() : best_;
    outcome.steps = state_.step;
    outcome.resumed_from = first;
    outcome.loss = state_.loss;
    if (!state_.evaluated_losses.empty())
      outcome.held_out_loss = best_.empty() ? state_.evaluated_losses.back() : state_.best_loss;
    outcome.tokens_per_second = elapsed.count() > 0 ? computed_ / elapsed.count() : 0;
    outcome.stopped_early = stopped_early;
    outcome.placement = trainer_.placement();
    outcome.training_losses = {state_.steps, state_.losses};
    outcome.held_out_losses = {state_.evaluated_at, state_.evaluated_losses};
    return outcome;
  }

 private:
  /// Whether patience came to its end before the steps.
  bool loop() {
    try {
      // A training that is gone on with may have come to its end before.
      if (out_of_patience()) return state_.step < options_.steps;
      while (state_.step < options_.steps) {
        step();
        const bool last = state_.step == options_.steps;
        const bool look = last || state_.step % options_.evaluate_every == 0;
        const bool enough = look && evaluate();
        if (last || enough || state_.step % options_.checkpoint_every == 0) save();
        if (enough) return !last;
      }
    } catch (const Error& error) {
      // Nothing of an interrupted step was kept, so the last whole one is what to go on from.
      // Other ranks may not have been stopped, so they cannot be asked for their shares.
      if (error.code() == Errc::Cancelled && state_.step > 0 && !sharded_) save();
      throw;
    }
    return false;
  }

  void restore() {
    const auto tensors = checkpoint_.read(state_);
    if (!tensors) return;
    trainer_.restore(*tensors, state_.step);
    source_.seek(state_.position);
    for (const auto& [name, tensor] : *tensors)
      if (name.starts_with(kBest)) best_.emplace(name.substr(kBest.size()), tensor);
  }

  void step() {
    const double rate = learning_rate_at(options_, state_.step + 1);
    const nn::TrainingFigures figures =
        trainer_.step(source_.next(), rate, context_.threads, context_.stop);
    if (!std::isfinite(figures.loss) || !std::isfinite(figures.gradient_norm))
      fail(Errc::CorruptData,
           "step {}: the loss is no number any more; a lower learning rate or a longer warm-up "
           "may help",
           state_.step + 1);
    ++state_.step;
    state_.position = source_.position();
    state_.loss = figures.mean_loss();
    computed_ += figures.computed;
    context_.progress.advance(1);
    // Some hundred points of a curve are enough for any screen.
    const std::int64_t stride = std::max<std::int64_t>(1, options_.steps / 400);
    if (state_.step % stride != 0 && state_.step != 1) return;
    state_.steps.push_back(static_cast<double>(state_.step));
    state_.losses.push_back(state_.loss);
    state_.rates.push_back(rate);
    context_.log.info("training.step", {{"step", state_.step},
                                        {"loss", state_.loss},
                                        {"learning_rate", rate},
                                        {"gradient_norm", figures.gradient_norm}});
  }

  /// Whether patience is at its end.
  bool evaluate() {
    if (source_.held_out().empty()) return false;
    const double loss =
        trainer_.evaluate(source_.held_out(), context_.threads, context_.stop).mean_loss();
    state_.evaluated_at.push_back(static_cast<double>(state_.step));
    state_.evaluated_losses.push_back(loss);
    context_.log.info("training.step", {{"step", state_.step}, {"held_out_loss", loss}});
    const bool better = loss < state_.best_loss;
    if (better) state_.best_loss = loss;
    state_.looks_without_gain = better ? 0 : state_.looks_without_gain + 1;
    if (better && options_.patience > 0) best_ = trainer_.weights();
    return out_of_patience();
  }

  [[nodiscard]] bool out_of_patience() const {
    return options_.patience > 0 && state_.looks_without_gain >= options_.patience;
  }

  void save() {
    if (!checkpoint_.wanted() || !(writes_ || sharded_)) return;
    nn::TensorSet tensors = trainer_.state();
    if (!writes_) return;
    for (const auto& [name, tensor] : best_) tensors.emplace(std::string(kBest) + name, tensor);
    checkpoint_.write(state_, tensors);
  }

  void plot() const {
    app::Plot loss{.title = "Loss",
                   .x_label = "step",
                   .y_label = "nats a target",
                   .x = state_.steps,
                   .series = {{"training", state_.losses}}};
    context_.report.section("Training");
    context_.report.plot(std::move(loss));
    if (!state_.evaluated_at.empty())
      context_.report.plot({.title = "Held-out loss",
                            .x_label = "step",
                            .y_label = "nats a target",
                            .x = state_.evaluated_at,
                            .series = {{"held out", state_.evaluated_losses}}});
    context_.report.plot({.title = "Learning rate",
                          .x_label = "step",
                          .y_label = "rate",
                          .x = state_.steps,
                          .series = {{"learning rate", state_.rates}}});
  }

  const TrainingOptions& options_;
  BatchSource& source_;
  app::RunContext& context_;
  bool writes_;
  bool sharded_;  ///< the state is gathered from all ranks
  Checkpoint checkpoint_;
  nn::Trainer trainer_;
  State state_;
  nn::TensorSet best_;
  double computed_ = 0;
};

}  // namespace

double learning_rate_at(const TrainingOptions& options, std::int64_t step) {
  if (step <= options.warmup_steps)
    return options.learning_rate * static_cast<double>(step) /
           static_cast<double>(options.warmup_steps);
  if (options.schedule == "constant") return options.learning_rate;
  const double share =
      static_cast<double>(step - options.warmup_steps) /
      static_cast<double>(std::max<std::int64_t>(1, options.steps - options.warmup_steps));
  if (options.schedule == "linear") return options.learning_rate * std::max(0.0, 1 - share);
  return options.learning_rate *
         (0.1 + 0.45 * (1 + std::cos(std::numbers::pi * std::min(1.0, share))));
}

void configure(nn::TrainingPlan& plan, const TrainingOptions& options,
               const app::RunContext& context) {
  plan.precision = options.precision;
  plan.device = options.device;
  plan.optimizer.weight_decay = options.weight_decay;
  plan.optimizer.clip = options.clip;
  plan.optimizer.sharded = options.shard_optimizer;
  plan.ranks = {.rank = context.launch.rank,
                .size = context.launch.size,
                .local_rank = context.launch.local_rank,
                .address = context.launch.address,
                .port = context.launch.port};
  if (options.micro_batches % context.launch.size != 0)
    fail(Errc::InvalidArgument,
         "--micro-batches: expected a multiple of the {} ranks, so that each has the same share; "
         "found {}",
         context.launch.size, options.micro_batches);
}

TrainingOutcome train(const nn::TrainingPlan& plan, const nn::TensorSet& weights,
                      BatchSource& source, const TrainingOptions& options,
                      app::RunContext& context) {
  return Training(plan, weights, source, options, context).run();
}

void report_training(const TrainingOutcome& outcome, const nn::TrainingPlan& plan,
                     app::RunContext& context) {
  context.metric("steps", outcome.steps);
  context.metric("loss", outcome.loss);
  if (outcome.held_out_loss) {
    context.metric("held_out_loss", *outcome.held_out_loss);
    context.report.figure("Held-out loss", *outcome.held_out_loss);
  }
  context.metric("tokens_per_second", outcome.tokens_per_second);
  context.metric("resumed_from", outcome.resumed_from);
  context.metric("stopped_early", outcome.stopped_early);
  if (!outcome.placement.empty()) context.metric("placement", outcome.placement);
  context.metric("trained_weights", plan.trained.size());
  context.report.figure("Steps", outcome.steps);
  context.report.figure("Loss of the last step", outcome.loss);
  context.report.figure("Speed", outcome.tokens_per_second, "tokens/s");
}

}  // namespace aceso::lm
