#include "apps.hpp"
#include "fitting.hpp"

#include "aceso/lm/training.hpp"

namespace aceso::molecules {

app::App fit_app() {
  using F = FitOptions;
  app::Describe<F> d{"molecules fit", "Trains nets that predict properties from your own table"};
  d.help(
      "Trains message passing nets (D-MPNN, Yang et al. 2019, with chemprop's features and "
      "defaults) on a table of SMILES and measured values, and writes a model that `molecules "
      "predict` uses. Several targets are learnt at once; empty cells, NA and NaN count as not "
      "measured. Targets that are all 0 or 1 are classes, whose probabilities are learnt; others "
      "are values, learnt in units of their standard deviation and predicted in their own.\n\n"
      "Molecules are parted for training, validation and test: by scaffold, so that none has its "
      "rings in two sets (large groups go to training, as in chemprop's scaffold_balanced), at "
      "random, or by a column that says train, validation or test. The epoch that predicted the "
      "validation set best is kept. The report says how well the test set is predicted.\n\n"
      "With --ensemble several nets are trained that differ by their first weights and the order "
      "of the data; their deviation says how sure a prediction is. From the errors on the "
      "validation set an interval is calibrated that holds a chosen share of measured values "
      "(split conformal prediction: Papadopoulos et al. 2002); `molecules predict --uncertainty` "
      "writes both.\n\n"
      "The result does not depend on the number of threads, and --checkpoint with --resume goes on "
      "exactly. Needs the training plugin (LibTorch).");
  d.example(
      "aceso molecules fit --molecules esol.csv --targets logS --ensemble 5 --output solubility");
  d.input(
      "molecules", &F::molecules,
      {.kind = "molecules",
       .help = "table of SMILES and measured values, or SDF with measured values as properties"});
  d.output("output", &F::output,
           {.kind = "model", .file_name = "fitted.model.tar", .help = "the model"});
  d.output("predictions", &F::predictions,
           {.kind = "table",
            .file_name = "predictions.csv",
            .help = "every molecule's set, measured and predicted values",
            .extra = true});
  d.option("smiles_column", &F::smiles_column, {.help = "column of SMILES", .group = "Data"});
  d.option(
      "targets", &F::targets,
      {.help = "columns with what is to be predicted, with commas between them", .group = "Data"});
  d.option("task", &F::task,
           {.help = "automatic: classes if every value is 0 or 1",
            .choices = {"automatic", "regression", "classification"},
            .group = "Data"});
  d.option("split", &F::split,
           {.help = "what parts molecules for training, validation and test",
            .choices = {"scaffold", "random", "column"},
            .group = "Data"});
  d.option("split_column", &F::split_column,
           {.help = "with --split column: the column that says train, validation or test",
            .group = "Data"});
  d.option("validation", &F::validation,
           {.help = "share of molecules to choose the epoch by",
            .minimum = 0,
            .maximum = 0.9,
            .group = "Data"});
  d.option(
      "test", &F::test,
      {.help = "share of molecules to test with", .minimum = 0, .maximum = 0.9, .group = "Data"});
  d.option("ensemble", &F::ensemble,
           {.help = "nets that predict together", .minimum = 1, .maximum = 100, .group = "Net"});
  d.option("hidden", &F::hidden,
           {.help = "numbers of a bond's state", .minimum = 1, .maximum = 10000, .group = "Net"});
  d.option("depth", &F::depth,
           {.help = "states of a bond; each hears from bonds one further away",
            .minimum = 1,
            .maximum = 100,
            .group = "Net"});
  d.option("head_layers", &F::head_layers,
           {.help = "layers between the molecule's state and the targets",
            .minimum = 1,
            .maximum = 100,
            .group = "Net"});
  d.option("dropout", &F::dropout,
           {.help = "share of states left out in training",
            .minimum = 0,
            .maximum = 0.9,
            .group = "Net"});
  d.option("molecule_features", &F::molecule_features,
           {.help = "numbers of the whole molecule that are read beside its graph: RDKit's 200 "
                    "descriptors as places in ChEMBL's distributions",
            .choices = {"none", "rdkit-2d-normalised"},
            .group = "Net"});
  d.option("coverage", &F::coverage,
           {.help = "share of measured values that the interval of `molecules predict "
                    "--uncertainty` is to hold",
            .minimum = 0.05,
            .maximum = 0.99,
            .group = "Net"});
  d.option("epochs", &F::epochs,
           {.help = "times that all molecules are seen",
            .minimum = 1,
            .maximum = 100000,
            .group = "Training"});
  d.option("batch_size", &F::batch_size,
           {.help = "molecules of one update of the weights",
            .unit = "molecules",
            .minimum = 1,
            .maximum = 65536,
            .group = "Training"});
  d.option("learning_rate", &F::learning_rate,
           {.help = "highest learning rate; it then falls by half a cosine to a tenth",
            .minimum = 0,
            .maximum = 1,
            .group = "Training"});
  d.option("warmup_epochs", &F::warmup_epochs,
           {.help = "epochs over which the learning rate rises from zero",
            .minimum = 0,
            .maximum = 1000,
            .group = "Training",
            .advanced = true});
  d.option("weight_decay", &F::weight_decay,
           {.help = "decoupled weight decay of AdamW; biases do not decay",
            .minimum = 0,
            .maximum = 1,
            .group = "Training",
            .advanced = true});
  d.option("patience", &F::patience,
           {.help = "stop after so many epochs without a better validation loss; 0: never",
            .unit = "epochs",
            .minimum = 0,
            .group = "Training"});
  d.option("seed", &F::seed,
           {.help = "of the split, the first weights and the order of the data",
            .minimum = 0,
            .group = "Training"});
  lm::describe_training_device(d, &F::device);
  d.option("checkpoint", &F::checkpoint,
           {.help = "folder for the state, to go on from after an interruption",
            .group = "Checkpoints"});
  d.option("checkpoint_every", &F::checkpoint_every,
           {.help = "updates between two checkpoints", .minimum = 1, .group = "Checkpoints"});
  d.option("resume", &F::resume,
           {.help = "go on from the checkpoint if there is one", .group = "Checkpoints"});
  d.option("name", &F::name, {.help = "name of the new model; else the first target's"});
  d.sample(
      {.name = "polar surface of 5,000 compounds",
       .summary = "learns the polar surface area in under a minute, with curves and test figures",
       .inputs = {{"molecules", {"nci_tpsa.csv"}}},
       .options = {{"targets", std::string("tpsa")},
                   {"hidden", std::int64_t{64}},
                   {"epochs", std::int64_t{12}},
                   {"name", std::string("tpsa")}},
       .origin = "compounds of the NCI with values of Ertl's program, as RDKit ships them"});
  d.resources({.memory_mb = 4000});
  return d.build(fit);
}

}  // namespace aceso::molecules
