#include "aceso/lm/language_training.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/process.hpp"
#include "aceso/nn/model_folder.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

namespace aceso::lm {
namespace {

nn::TransformerSpec new_spec(const LanguageTrainingOptions& options, const nn::Tokenizer& tokenizer,
                             bool causal) {
  nn::TransformerSpec spec;
  spec.vocabulary = tokenizer.size();
  spec.hidden = options.hidden;
  spec.layers = options.layers;
  spec.heads = options.heads;
  spec.feed_forward = 4 * options.hidden;
  spec.head = causal ? "plain" : "masked";
  spec.causal = causal;
  if (options.hidden % options.heads != 0 || options.hidden / options.heads % 2 != 0)
    fail(Errc::InvalidArgument, "--hidden: expected {} heads times an even number, found {}",
         options.heads, options.hidden);
  // As written and read again, so that what is trained is what is loaded.
  return nn::TransformerSpec::from_json(spec.to_json(), "the new model");
}

/// The model before training.
struct Start {
  nn::TransformerSpec spec;
  nn::TensorSet weights;
  nn::ModelDescription description;
};

Start start(const LanguageTrainingOptions& options, const nn::Tokenizer& tokenizer,
            const LanguageTrainingTask& task) {
  Start made;
  if (!options.base) {
    made.spec = new_spec(options, tokenizer, task.causal);
    made.weights = first_weights(made.spec, static_cast<std::uint64_t>(options.seed));
    return made;
  }
  const nn::ModelFolder model(*options.base);
  made.description = model.description();
  if (made.description.architecture != "transformer")
    fail(Errc::Unsupported, "{}: expected a model of architecture transformer, found {}",
         options.base->string(), made.description.architecture);
  made.spec = nn::TransformerSpec::from_json(made.description.config, options.base->string());
  if (made.spec.causal != task.causal || made.spec.head == "none")
    fail(Errc::Unsupported, "{}: expected a {} language model with its head",
         options.base->string(), task.causal ? "causal" : "masked");
  for (const nn::TensorInfo& info : made.spec.weights())
    made.weights.emplace(info.name, nn::to_float32(model.weights().tensor(info.name)));
  return made;
}

nn::ModelDescription describe(const Start& start, const nn::Tokenizer& tokenizer,
                              const LanguageTrainingTask& task,
                              const LanguageTrainingOptions& options,
                              const TrainingOutcome& outcome) {
  nn::ModelDescription d;
  d.name = options.name.empty() ? task.default_name : options.name;
  d.architecture = "transformer";
  d.config = start.spec.to_json();
  d.tokenizer = tokenizer.to_json();
  d.intended_use = task.intended_use;
  d.training_data = task.training_data;
  d.licence = start.description.licence;
  d.source = "trained by aceso";
  d.metrics = {{"loss", outcome.loss}, {"steps", outcome.steps}};
  if (outcome.held_out_loss) {
    d.metrics["held_out_loss"] = *outcome.held_out_loss;
    d.metrics["held_out_perplexity"] = std::exp(*outcome.held_out_loss);
  }
  d.provenance = {{"aceso", version()},
                  {"seed", options.seed},
                  {"learning_rate", options.learning_rate},
                  {"micro_batches", options.micro_batches},
                  {"micro_batch_tokens", options.micro_batch_tokens},
                  {"precision", options.precision}};
  if (options.base)
    d.provenance["parent"] = start.description.name + "@" + start.description.version;
  return d;
}

}  // namespace

nn::Tokenizer training_tokenizer(const LanguageTrainingOptions& options,
                                 const nn::Tokenizer& otherwise) {
  if (!options.base) return otherwise;
  const nn::ModelFolder model(*options.base);
  return {model.description().tokenizer, options.base->string()};
}

void train_language_model(TokenStore store, const nn::Tokenizer& tokenizer,
                          const LanguageTrainingTask& task, const LanguageTrainingOptions& options,
                          app::RunContext& context) {
  Start begin = start(options, tokenizer, task);
  nn::TrainingPlan plan;
  plan.architecture = "transformer";
  plan.config = begin.spec.to_json();
  for (const auto& [name, tensor] : begin.weights) plan.trained.push_back(name);
  configure(plan, options, context);

  const std::uint64_t tokens = store.tokens();
  PretrainingSource source(
      std::move(store), tokenizer, task.causal,
      {.max_length = begin.spec.max_length > 0 ? std::min(options.max_length, begin.spec.max_length)
                                               : options.max_length,
       .micro_batch_tokens = options.micro_batch_tokens,
       .micro_batches = options.micro_batches,
       .held_out_share = options.held_out,
       .masked_share = task.masked_share,
       .seed = static_cast<std::uint64_t>(options.seed),
       .rank = context.launch.rank,
       .ranks = context.launch.size});
  context.metric("parameters", begin.spec.parameters());
  context.metric("tokens", tokens);
  context.metric("training_sequences", source.training_sequences());
  context.metric("held_out_sequences", source.held_out_sequences());
  const TrainingOutcome outcome = train(plan, begin.weights, source, options, context);
  if (outcome.held_out_loss)
    context.metric("held_out_perplexity", std::exp(*outcome.held_out_loss));
  if (options.output && context.launch.rank == 0) {
    nn::ModelWriter writer(*options.output);
    nn::TensorSet weights = outcome.weights;
    if (options.store == "bf16")
      for (auto& [name, tensor] : weights) tensor = nn::to_bfloat16(tensor);
    writer.weights(weights);
    writer.commit(describe(begin, tokenizer, task, options, outcome));
  }
  context.report.figure("Parameters", begin.spec.parameters());
  context.report.figure("Sequences to train on",
                        static_cast<std::int64_t>(source.training_sequences()));
  context.report.figure("Sequences held out",
                        static_cast<std::int64_t>(source.held_out_sequences()));
  report_training(outcome, plan, context);
}

}  // namespace aceso::lm
