#include "aceso/core/error.hpp"
#include "apps.hpp"
#include "moses_report.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <vector>

namespace aceso::molecules {
namespace fs = std::filesystem;
namespace {

struct Job {
  fs::path molecules;
  std::optional<fs::path> reference, train, alerts, output;
};

void run(const Job& job, app::RunContext& context) {
  const MosesFilters filters(job.alerts);
  const TraitLevel level = job.reference ? TraitLevel::All : TraitLevel::Filters;
  const std::vector<std::string> smiles = smiles_of(read_molecules(job.molecules));
  context.progress.stage("read molecules", smiles.size(), "molecules");
  const std::vector<MosesTraits> generated =
      moses_traits(smiles, level, &filters, context.threads, context.progress, context.stop);
  MosesReference reference;
  std::vector<MosesTraits> others;
  if (job.reference) {
    others = reference_traits(*job.reference, TraitLevel::All, &filters, context);
    reference.molecules = others;
    reference.level = TraitLevel::All;
  }
  std::unordered_set<std::string> train;
  if (job.train) {
    train = canonical_set(reference_traits(*job.train, TraitLevel::Canonical, nullptr, context));
    reference.train = &train;
  }
  context.progress.stage("compare", 0, "");
  context.metric("molecules", generated.size());
  context.report.section("Evaluation", "The metrics of MOSES (Polykovskiy et al. 2020).");
  context.report.figure("Molecules", static_cast<std::int64_t>(generated.size()));
  tell_moses(moses_metrics(generated, reference, context.threads, context.stop), filters,
             job.output, context);
}

}  // namespace

app::App evaluate_app() {
  app::Describe<Job> d{"molecules evaluate", "Tells how good a set of generated molecules is"};
  d.help(
      "Computes the metrics of the MOSES benchmark: the shares of molecules that are valid, unique "
      "among the first 1,000 and 10,000, and pass medicinal chemistry filters, and internal "
      "diversity. With --train also novelty; with --reference, a set of molecules as one would "
      "like them, also similarity to the nearest neighbour, of fragments and of scaffolds, and how "
      "far the distributions of logP, SA, QED and weight are apart. Filters are RDKit's PAINS and "
      "NIH alerts; give MOSES' mcf.csv as --alerts for the benchmark's own rules. The Fréchet "
      "ChemNet distance is left out: it needs the weights of ChemNet.");
  d.example(
      "aceso molecules evaluate --molecules generated.smi --train train.smi --reference test.smi "
      "--output metrics.csv");
  d.input(
      "molecules", &Job::molecules,
      {.kind = "molecules", .help = "generated molecules, invalid ones and duplicates included"});
  d.input("reference", &Job::reference,
          {.kind = "molecules", .help = "molecules to compare with, such as a test set"});
  d.input("train", &Job::train,
          {.kind = "molecules", .help = "what the generator was trained on, for novelty"});
  d.input("alerts", &Job::alerts,
          {.kind = "table", .help = "alerts of the filters instead of NIH's: names, smarts"});
  d.output("output", &Job::output,
           {.kind = "table", .file_name = "metrics.csv", .help = "metrics by their MOSES names"});
  d.sample({.name = "1,000 compounds",
            .summary = "how compounds of a collection measure up to all of it",
            .inputs = {{"molecules", {"nci_1000.smi"}}, {"reference", {"nci_5k.smi"}}},
            .options = {},
            .origin = "compounds of the NCI's open set, as Debian's rdkit-data has them"});
  d.resources({.memory_mb = 2000});
  return d.build(run);
}

}  // namespace aceso::molecules
