#include "apps.hpp"

#include "aceso/lm/sequence_apps.hpp"
#include "aceso/proteins/apps.hpp"

namespace aceso::proteins {
namespace {

lm::SequenceKind proteins() {
  return {.toolkit = "proteins",
          .noun = "protein",
          .id = "protein",
          .letter = "residue",
          .alphabet = "ACDEFGHIKLMNPQRSTVWY",
          .vocabularies = {{"residues", [](int) { return nn::Tokenizer::esm(); }}}};
}

}  // namespace

app::App embed_app() {
  return lm::embed_app(
      proteins(),
      {.summary = "Embeds protein sequences with a language model",
       .help =
           "Writes for each sequence, under the first word of its FASTA header, the mean over its "
           "residues of the model's last layer after its final norm; begin and end tokens are left "
           "out. With --per-residue also the rows themselves, under ID.residues. Sequences are "
           "packed "
           "without padding, and a sequence's embedding does not depend on which others it was "
           "computed with.\n\n"
           "The output's ending chooses its format: .safetensors, .h5, or .npy (means only, in the "
           "order of the file). The report draws the embeddings in the plane of their first two "
           "principal "
           "components, coloured by length, or by a column of --labels, a table with the "
           "sequences' "
           "ids.",
       .example = "aceso proteins embed --model esm2-8m --sequences proteins.fasta --output "
                  "embeddings.safetensors",
       .sample = {
           .name = "300 proteins",
           .summary = "a picture of proteins by their embeddings, coloured by their hydropathy",
           .inputs = {{"model", {"protein-demo.model.tar"}},
                      {"sequences", {"proteins.fasta"}},
                      {"labels", {"hydropathy.csv"}}},
           .options = {{"label_column", std::string("hydropathy")}},
           .origin = "UniProt; a small model that the project trained"}});
}

app::App score_app() {
  return lm::score_app(
      proteins(),
      {.summary = "Scores proteins and mutations with a language model",
       .help =
           "Without --mutations: the pseudo-perplexity of each sequence. Each residue is masked in "
           "turn; "
           "the score is exp of the mean of -log p(residue | all others), 1 for a sequence that "
           "the "
           "model is sure of, 20 for one that it knows nothing of.\n\n"
           "With --mutations, a table as of ProteinGym whose column \"mutant\" holds A42G or "
           "A42G:C50D: "
           "the sum over a mutant's places of log p(new) - log p(old) (Meier et al. 2021). The "
           "table "
           "gets a column \"score\"; if it has measured values, their Spearman correlation with "
           "the "
           "scores is reported. With --scan: the same for every single substitution, with a heat "
           "map.",
       .example =
           "aceso proteins score --model esm2-8m --sequences wild_type.fasta --mutations dms.csv "
           "--output scores.csv",
       .sample = {
           .name = "ubiquitin",
           .summary = "a heat map of every single substitution",
           .inputs = {{"model", {"protein-demo.model.tar"}}, {"sequences", {"ubiquitin.fasta"}}},
           .options = {{"scan", true}},
           .origin =
               "human ubiquitin (UniProt P0CG48, residues 1-76); a small model that the project "
               "trained"}});
}

app::App generate_app() {
  return lm::generate_app(
      proteins(),
      {.summary = "Designs proteins by filling masked places",
       .help =
           "Fills the open places of each template with a masked language model: '_' in its "
           "sequence, "
           "and the places named by --redesign. Places are decided in rounds, the ones that the "
           "model "
           "is surest of first, each drawn from the model's distribution (Ghazvininejad et al. "
           "2019); "
           "all other residues stay. --length N starts from N open places.\n\n"
           "Places count from 1. --allow \"12:DE,30-35:AG\" limits what may stand at places, "
           "--exclude "
           "C "
           "what may be designed anywhere. The same seed gives the same designs on any number of "
           "threads. Headers of the output say how many residues were designed and their "
           "perplexity "
           "when they were chosen.",
       .example = "aceso proteins generate --model esm2-8m --templates binder.fasta --redesign "
                  "24-36 --exclude "
                  "C --count 50 --output designs.fasta",
       .sample = {
           .name = "ubiquitin",
           .summary = "ten variants with a new end",
           .inputs = {{"model", {"protein-demo.model.tar"}}, {"templates", {"ubiquitin.fasta"}}},
           .options = {{"count", std::int64_t{10}}, {"redesign", std::string("60-76")}},
           .origin =
               "human ubiquitin (UniProt P0CG48, residues 1-76); a small model that the project "
               "trained"}});
}

app::App train_app() {
  return lm::train_app(
      proteins(),
      {.summary = "Trains a masked language model of proteins",
       .help =
           "Trains an encoder of ESM-2's architecture to fill masked residues, from random weights "
           "or "
           "from --model. Sequences are packed without padding. The update of a step is the same "
           "for "
           "any number of threads; started by torchrun, srun or mpirun, several processes share "
           "each "
           "step.\n\n"
           "With --checkpoint the state is kept in a folder; a run that was killed and started "
           "again "
           "with --resume ends with the same bytes as one that was not. Needs the training plugin "
           "(LibTorch); no other command does.",
       .example = "aceso proteins train --sequences uniprot.fasta.gz --steps 2000 --checkpoint "
                  "state --resume "
                  "--output my-model",
       .sample = {.name = "20,000 proteins",
                  .summary = "trains a small model in a few minutes, with its curve of losses",
                  .inputs = {{"sequences", {"uniprot_20k.fasta.gz"}}},
                  .options = {{"layers", std::int64_t{4}},
                              {"hidden", std::int64_t{64}},
                              {"heads", std::int64_t{4}},
                              {"steps", std::int64_t{300}},
                              {"micro_batches", std::int64_t{2}},
                              {"max_length", std::int64_t{512}},
                              {"learning_rate", 2e-3},
                              {"evaluate_every", std::int64_t{50}},
                              {"name", std::string("uniprot-demo")}},
                  .origin = "UniProt, as Debian's mmseqs2-examples has it"}});
}

app::App finetune_app() {
  return lm::finetune_app(
      proteins(),
      {.summary = "Teaches a protein language model a property from labelled sequences",
       .help =
           "Learns a value or a class of each sequence, from a table with the columns \"sequence\" "
           "and "
           "\"target\" or FASTA with TARGET= in its headers; with --labels a class of each "
           "residue, "
           "from FASTA with a letter for each. Columns \"set\" (train, validation, test) and "
           "\"validation\", or SET= and VALIDATION= in headers, say what is for what, as in FLIP "
           "(Dallago et al. 2021); without them one sequence in ten is for validation.\n\n"
           "--method lora trains low-rank adapters of the attention layers and writes an adapter, "
           "a "
           "small file beside the base; full trains everything and head only the layers on top, "
           "and "
           "both write a whole model. `proteins predict` uses either; `models merge` makes a whole "
           "model of base and adapter. The weights that predicted the validation set best are "
           "kept.\n\n"
           "Needs the training plugin (LibTorch).",
       .example =
           "aceso proteins finetune --model esm2-8m --sequences gb1.csv --steps 300 --output "
           "gb1-adapter",
       .sample = {
           .name = "hydropathy",
           .summary = "learns the mean hydropathy of proteins from 300 examples, in about a minute",
           .inputs = {{"model", {"protein-demo.model.tar"}}, {"sequences", {"hydropathy.csv"}}},
           .options = {{"steps", std::int64_t{100}},
                       {"micro_batches", std::int64_t{1}},
                       {"learning_rate", 5e-3},
                       {"evaluate_every", std::int64_t{10}},
                       {"target_column", std::string("hydropathy")},
                       {"name", std::string("hydropathy")}},
           .origin = "UniProt; hydropathy by the scale of Kyte and Doolittle (1982)"}});
}

app::App predict_app() {
  return lm::predict_app(
      proteins(),
      {.summary = "Predicts properties of proteins by a fine-tuned model",
       .help = "Uses what `proteins finetune` made: a whole model, or its base as --model with the "
               "adapter "
               "as --adapter. Writes for each sequence a value, a class with all classes' "
               "probabilities, or "
               "a letter for each residue.",
       .example = "aceso proteins predict --model esm2-8m --adapter gb1-adapter --sequences "
                  "new.fasta --output "
                  "predictions.csv",
       .sample = {.name = "hydropathy",
                  .summary = "predicts what an adapter has learnt",
                  .inputs = {{"model", {"protein-demo.model.tar"}},
                             {"adapter", {"hydropathy-adapter.model.tar"}},
                             {"sequences", {"proteins.fasta"}}},
                  .options = {},
                  .origin = "UniProt; a small model and an adapter that the project trained"}});
}

std::vector<app::App> apps() {
  return {embed_app(), score_app(), generate_app(), train_app(), finetune_app(), predict_app()};
}

}  // namespace aceso::proteins
