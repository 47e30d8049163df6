#include "apps.hpp"

#include "aceso/lm/sequence_apps.hpp"
#include "aceso/nucleotides/apps.hpp"
#include "spelling.hpp"

namespace aceso::nucleotides {
namespace {

lm::SequenceKind nucleotides() {
  return {.toolkit = "nucleotides",
          .noun = "nucleotide sequence",
          .id = "dna",
          .letter = "base",
          .alphabet = "ACGT",
          .vocabularies = {{"bases", [](int) { return nn::Tokenizer::nucleotides(); }},
                           {"words", [](int k) { return nn::Tokenizer::kmers(k, k); }},
                           {"codons", [](int) { return nn::Tokenizer::codons(); }}},
          .spelling = spelt,
          .other_strand = reverse_complement};
}

const char* const kSpelling =
    "\n\nSequences are DNA or RNA in any case: U and T are the same, and what stands for several "
    "bases (IUPAC codes such as R) is N unless the model has a token for it. Any other letter, "
    "gaps included, is an error.";

const char* const kOrigin = "human chromosome 22; a small model that the project trained";

}  // namespace

app::App embed_app() {
  return lm::embed_app(
      nucleotides(),
      {.summary = "Embeds DNA or RNA sequences with a language model",
       .help =
           std::string(
               "Writes for each sequence, under the first word of its FASTA header, the mean "
               "over its tokens of the model's last layer after its final norm; begin and end "
               "tokens are left out. With --per-base also the rows themselves, under "
               "ID.residues: one for each token, which is a base, or a word of several; what is "
               "left at the end and makes no whole word has no token. With --strands both the "
               "mean of the sequence and its reverse complement, which does not depend on the "
               "strand that was written down. A sequence's embedding does not depend on which "
               "others it was computed with.\n\n"
               "The output's ending chooses its format: .safetensors, .h5, or .npy (means only, "
               "in the order of the file). The report draws the embeddings in the plane of "
               "their first two principal components, coloured by length, or by a column of "
               "--labels, a table with the sequences' ids.") +
           kSpelling,
       .example =
           "aceso nucleotides embed --model dna-model --sequences genes.fasta --strands both "
           "--output embeddings.safetensors",
       .sample = {
           .name = "179 pieces of chromosome 22",
           .summary = "a picture of pieces of DNA by their embeddings, coloured by GC content",
           .inputs = {{"model", {"nucleotide-demo.model.tar"}},
                      {"sequences", {"chr22_pieces.fasta"}},
                      {"labels", {"chr22_gc.csv"}}},
           .options = {{"label_column", std::string("gc")}, {"strands", std::string("both")}},
           .origin = kOrigin}});
}

app::App score_app() {
  return lm::score_app(
      nucleotides(),
      {.summary = "Scores DNA or RNA sequences and substitutions with a language model",
       .help = std::string(
                   "For models with a token for each base. Without --mutations: the "
                   "pseudo-perplexity of each sequence. Each base is masked in turn; the score is "
                   "exp of the mean of -log p(base | all others), 1 for a sequence that the model "
                   "is sure of, 4 for one that it knows nothing of.\n\n"
                   "With --mutations, a table whose column \"mutant\" holds A42G or A42G:C50T: the "
                   "sum over a mutant's places of log p(new) - log p(old) (Meier et al. 2021), in "
                   "the letters of the model (T for DNA, U for RNA). The table gets a column "
                   "\"score\"; if it has measured values, their Spearman correlation with the "
                   "scores is reported. With --scan: the same for every single substitution, with "
                   "a heat map. --strands both takes the mean of what is expected on both strands "
                   "at each place.") +
               kSpelling,
       .example =
           "aceso nucleotides score --model dna-model --sequences promoter.fasta --mutations "
           "mpra.csv --strands both --output scores.csv",
       .sample = {.name = "a piece of chromosome 22",
                  .summary = "a heat map of every single substitution in 120 bases",
                  .inputs = {{"model", {"nucleotide-demo.model.tar"}},
                             {"sequences", {"chr22_piece.fasta"}}},
                  .options = {{"scan", true}, {"strands", std::string("both")}},
                  .origin = kOrigin}});
}

app::App generate_app() {
  return lm::generate_app(
      nucleotides(),
      {.summary = "Designs DNA or RNA by filling masked places",
       .help =
           std::string(
               "For models with a token for each base. Fills the open places of each template "
               "with a masked language model: '_' in its sequence, and the places named by "
               "--redesign. Places are decided in rounds, the ones that the model is surest of "
               "first, each drawn from the model's distribution (Ghazvininejad et al. 2019); "
               "all other bases stay. --length N starts from N open places.\n\n"
               "Places count from 1. --allow \"12:AG,30-35:CG\" limits what may stand at "
               "places, --exclude G what may be designed anywhere. The same seed gives the same "
               "designs on any number of threads. Headers of the output say how many bases were "
               "designed and their perplexity when they were chosen.") +
           kSpelling,
       .example = "aceso nucleotides generate --model dna-model --templates promoter.fasta "
                  "--redesign 24-36 --count 50 --output designs.fasta",
       .sample = {.name = "a piece of chromosome 22",
                  .summary = "ten variants with a new middle",
                  .inputs = {{"model", {"nucleotide-demo.model.tar"}},
                             {"templates", {"chr22_piece.fasta"}}},
                  .options = {{"count", std::int64_t{10}}, {"redesign", std::string("50-70")}},
                  .origin = kOrigin}});
}

app::App train_app() {
  return lm::train_app(
      nucleotides(),
      {.summary = "Trains a masked language model of DNA or RNA",
       .help =
           std::string(
               "Trains an encoder (ESM-2's architecture) to fill masked tokens, from random "
               "weights or from --model. Tokens of a new model are single bases, words of k "
               "bases side by side (--vocabulary words), or codons, which expects sequences in "
               "frame; words with an unknown base count as unknown. Long sequences are best cut "
               "into pieces of --max-length tokens beforehand: of a longer one each epoch sees "
               "one crop. The update of a step is the same for any number of threads; started "
               "by torchrun, srun or mpirun, several processes share each step.\n\n"
               "With --checkpoint the state is kept in a folder; a run that was killed and "
               "started again with --resume ends with the same bytes as one that was not. "
               "Needs the training plugin (LibTorch).") +
           kSpelling,
       .example = "aceso nucleotides train --sequences pieces.fasta.gz --vocabulary words --k 6 "
                  "--steps 2000 --output my-model",
       .sample = {.name = "a megabase of chromosome 22",
                  .summary = "trains a small model in a few minutes, with its curve of losses",
                  .inputs = {{"sequences", {"chr22_cut.fasta.gz"}}},
                  .options = {{"layers", std::int64_t{4}},
                              {"hidden", std::int64_t{64}},
                              {"heads", std::int64_t{4}},
                              {"steps", std::int64_t{300}},
                              {"micro_batches", std::int64_t{2}},
                              {"learning_rate", 2e-3},
                              {"evaluate_every", std::int64_t{50}},
                              {"name", std::string("chr22-demo")}},
                  .origin = "human chromosome 22, as Debian's hisat2 has it"}});
}

app::App finetune_app() {
  return lm::finetune_app(
      nucleotides(),
      {.summary = "Teaches a DNA or RNA language model a property from labelled sequences",
       .help =
           std::string(
               "Learns a value or a class of each sequence, from a table with the columns "
               "\"sequence\" and \"target\" or FASTA with TARGET= in its headers; with --labels "
               "a class of each base, from FASTA with a letter for each, for models with a "
               "token for each base. Columns \"set\" (train, validation, test) and "
               "\"validation\", or SET= and VALIDATION= in headers, say what is for what; "
               "without them one sequence in ten is for validation.\n\n"
               "--method lora trains low-rank adapters of the attention layers and writes an "
               "adapter, a small file beside the base; full trains everything and head only the "
               "layers on top, and both write a whole model. `nucleotides predict` uses either; "
               "`models merge` makes a whole model of base and adapter. The weights that "
               "predicted the validation set best are kept.\n\n"
               "Needs the training plugin (LibTorch).") +
           kSpelling,
       .example = "aceso nucleotides finetune --model dna-model --sequences promoters.csv --steps "
                  "300 --output promoter-adapter",
       .sample = {
           .name = "GC content",
           .summary = "learns the GC content of DNA from 179 examples, in about a minute",
           .inputs = {{"model", {"nucleotide-demo.model.tar"}}, {"sequences", {"chr22_gc.csv"}}},
           .options = {{"steps", std::int64_t{60}},
                       {"micro_batches", std::int64_t{1}},
                       {"learning_rate", 5e-3},
                       {"evaluate_every", std::int64_t{10}},
                       {"target_column", std::string("gc")},
                       {"name", std::string("gc")}},
           .origin = kOrigin}});
}

app::App predict_app() {
  return lm::predict_app(
      nucleotides(),
      {.summary = "Predicts properties of DNA or RNA by a fine-tuned model",
       .help = std::string(
                   "Uses what `nucleotides finetune` made: a whole model, or its base as --model "
                   "with the adapter as --adapter. Writes for each sequence a value, a class with "
                   "all classes' probabilities, or a letter for each base.") +
               kSpelling,
       .example = "aceso nucleotides predict --model dna-model --adapter promoter-adapter "
                  "--sequences new.fasta --output predictions.csv",
       .sample = {.name = "GC content",
                  .summary = "predicts what an adapter has learnt",
                  .inputs = {{"model", {"nucleotide-demo.model.tar"}},
                             {"adapter", {"gc-adapter.model.tar"}},
                             {"sequences", {"chr22_pieces.fasta"}}},
                  .options = {},
                  .origin = kOrigin}});
}

std::vector<app::App> apps() {
  return {embed_app(), score_app(), generate_app(), train_app(), finetune_app(), predict_app()};
}

}  // namespace aceso::nucleotides
