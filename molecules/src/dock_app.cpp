#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"
#include "aceso/core/threads.hpp"
#include "aceso/lm/table.hpp"
#include "apps.hpp"
#include "docking.hpp"
#include "docking_chemistry.hpp"
#include "docking_file.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <optional>

namespace aceso::molecules {
namespace fs = std::filesystem;
namespace {

struct Job {
  fs::path receptor, ligands;
  std::optional<fs::path> reference, output, table;
  std::string center, size;
  double margin = 4;
  std::int64_t exhaustiveness = 8;
  std::int64_t poses = 9;
  double energy_range = 3;
  std::uint64_t seed = 1;
  bool score_only = false, local_only = false;

  [[nodiscard]] bool searches() const { return !score_only && !local_only; }
};

/// Ligands held at once; starts of all of them are shared among the threads.
constexpr std::size_t kBatch = 64;
/// Å: a reference that is small or flat still leaves room to turn.
constexpr double kLeastSide = 15;
constexpr std::size_t kShown = 20;

/// Three numbers such as "15.2,53.9,16.9".
Vec3 parse_triple(const std::string& text, std::string_view option) {
  Vec3 found;
  const std::vector<std::string> parts = split(text, ',');
  const auto bad = [&] {
    fail(Errc::InvalidArgument, "{}: expected three numbers such as 15.2,53.9,16.9, found \"{}\"",
         option, printable(text, 60));
  };
  if (parts.size() != 3) bad();
  std::size_t i = 0;
  for (double* value : {&found.x, &found.y, &found.z}) {
    std::string part = parts[i++];
    std::erase(part, ' ');
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), *value);
    if (error != std::errc() || end != part.data() + part.size() || !(std::abs(*value) < 1e5))
      bad();
  }
  return found;
}

DockBox box_of_reference(const Job& job) {
  const LigandRecord record = read_ligands(*job.reference).front();
  if (!record.has_places)
    fail(Errc::CorruptData, "{}: expected a reference with places in space (SDF, PDBQT), found {}",
         record.place, record.is_flat ? "a drawing" : "none");
  const DockLigand ligand = record.make(job.seed);
  std::vector<Vec3> places;
  for (const DockAtom& atom : ligand.atoms) places.push_back(atom.place);
  DockBox box = box_around(places, job.margin);
  for (double* side : {&box.size.x, &box.size.y, &box.size.z}) *side = std::max(*side, kLeastSide);
  return box;
}

DockBox choose_box(const Job& job) {
  const bool is_given = !job.center.empty() || !job.size.empty();
  if (is_given == job.reference.has_value())
    fail(Errc::InvalidArgument, "give either --center and --size, or --reference");
  if (job.reference) return box_of_reference(job);
  if (job.center.empty() || job.size.empty())
    fail(Errc::InvalidArgument, "give both --center and --size");
  return {parse_triple(job.center, "--center"), parse_triple(job.size, "--size")};
}

/// One ligand's result.
struct Docked {
  DockLigand ligand;
  std::vector<DockedPose> poses;
};

class Docking {
 public:
  Docking(const Job& job, app::RunContext& context)
      : job_(job), context_(context), receptor_(read_receptor(job.receptor, context.warnings)) {
    settings_ = {job.exhaustiveness, job.poses, job.energy_range, job.seed};
    const bool has_box = job.reference || !job.center.empty() || !job.size.empty();
    if (!job.searches() && !has_box) return;
    box_ = choose_box(job);
    check_box(*box_, receptor_);
  }

  [[nodiscard]] const std::optional<DockBox>& box() const { return box_; }
  [[nodiscard]] std::size_t receptor_atoms() const { return receptor_.atoms().size(); }

  /// Results in the records' order; those that are no ligands are left out with a warning.
  std::vector<Docked> operator()(const std::vector<LigandRecord>& records) {
    context_.progress.stage("dock", records.size() * work_of_ligand(), "starts");
    std::vector<Docked> all;
    for (std::size_t begin = 0; begin < records.size(); begin += kBatch) {
      const std::size_t end = std::min(begin + kBatch, records.size());
      std::vector<Docked> batch = make_ligands({records.data() + begin, end - begin});
      if (job_.searches())
        with_search(batch);
      else
        without_search(batch);
      for (Docked& docked : batch) all.push_back(std::move(docked));
    }
    return all;
  }

 private:
  [[nodiscard]] std::size_t work_of_ligand() const {
    return job_.searches() ? static_cast<std::size_t>(job_.exhaustiveness) : 1;
  }

  std::vector<Docked> make_ligands(std::span<const LigandRecord> records) {
    std::vector<std::optional<DockLigand>> made(records.size());
    std::vector<std::string> problems(records.size());
    parallel_for(
        records.size(), 1, context_.threads,
        [&](std::size_t begin, std::size_t) {
          try {
            made[begin] = records[begin].make(job_.seed);
          } catch (const Error& error) {
            if (error.code() != Errc::CorruptData) throw;
            problems[begin] = error.what();
          }
        },
        context_.stop);
    std::vector<Docked> ligands;
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (records[i].is_flat && made[i])
        context_.warnings.add("ligand.flat",
                              records[i].place + ": a drawing; its places in space are made anew");
      if (made[i]) {
        ligands.push_back({std::move(*made[i]), {}});
        continue;
      }
      context_.warnings.add("ligand.unusable", records[i].place + ": " + problems[i]);
      context_.progress.advance(work_of_ligand());
    }
    return ligands;
  }

  void without_search(std::vector<Docked>& batch) {
    parallel_for(
        batch.size(), 1, context_.threads,
        [&](std::size_t begin, std::size_t) {
          Docked& docked = batch[begin];
          if (job_.score_only)
            docked.poses = {scored(docked.ligand, receptor_)};
          else
            docked.poses = {
                refined(docked.ligand, receptor_, box_ ? *box_ : own_box(docked.ligand))};
          context_.progress.advance(1);
        },
        context_.stop);
  }

  [[nodiscard]] DockBox own_box(const DockLigand& ligand) const {
    std::vector<Vec3> places;
    for (const DockAtom& atom : ligand.atoms) places.push_back(atom.place);
    return box_around(places, job_.margin);
  }

  void with_search(std::vector<Docked>& batch) {
    if (batch.empty()) return;
    const DockMaps& maps = maps_for(batch);
    const std::size_t starts = work_of_ligand();
    std::vector<PoseSet> found(batch.size() * starts, PoseSet(0));
    parallel_for(
        found.size(), 1, context_.threads,
        [&](std::size_t i, std::size_t) {
          found[i] = search(batch[i / starts].ligand, maps, job_.seed, i % starts, context_.stop);
          context_.progress.advance(1);
        },
        context_.stop);
    parallel_for(
        batch.size(), 1, context_.threads,
        [&](std::size_t i, std::size_t) {
          batch[i].poses = best_poses(batch[i].ligand, receptor_, *box_,
                                      {&found[i * starts], starts}, settings_);
        },
        context_.stop);
    for (const Docked& docked : batch)
      if (docked.poses.empty())
        context_.warnings.add("ligand.no_pose",
                              docked.ligand.name + ": no pose was found that lies in the box");
  }

  const DockMaps& maps_for(const std::vector<Docked>& batch) {
    std::vector<DockLigand> ligands;
    for (const Docked& docked : batch) ligands.push_back(docked.ligand);
    std::vector<VinaType> types = types_of(ligands);
    if (maps_ && std::ranges::includes(types_, types)) return *maps_;
    std::vector<VinaType> all;
    std::ranges::set_union(types_, types, std::back_inserter(all));
    types_ = std::move(all);
    maps_.emplace(receptor_, *box_, types_, context_.threads, context_.stop);
    return *maps_;
  }

  const Job& job_;
  app::RunContext& context_;
  DockReceptor receptor_;
  DockSettings settings_;
  std::optional<DockBox> box_;
  std::vector<VinaType> types_;
  std::optional<DockMaps> maps_;
};

std::string number(double value) { return fmt::format("{:.3f}", value); }

void write_poses(const fs::path& path, const std::vector<Docked>& all) {
  AtomicFile file(path);
  for (const Docked& docked : all)
    for (std::size_t i = 0; i < docked.poses.size(); ++i) {
      const DockedPose& pose = docked.poses[i];
      file.write(sdf_record(docked.ligand, pose.places,
                            {{"pose", std::to_string(i + 1)},
                             {"energy_kcal_per_mol", number(pose.energy)},
                             {"intermolecular_kcal_per_mol", number(pose.parts.inter)},
                             {"intramolecular_kcal_per_mol", number(pose.parts.intra)},
                             {"torsions", fmt::format("{:g}", docked.ligand.torsions)},
                             {"rmsd_angstrom", number(pose.rmsd)}}));
    }
  file.commit();
}

void write_table(const fs::path& path, const std::vector<Docked>& all) {
  const char separator = lm::separator_for(path);
  AtomicFile file(path);
  file.write(lm::table_line({"id", "pose", "energy_kcal_per_mol", "intermolecular_kcal_per_mol",
                             "intramolecular_kcal_per_mol", "torsions", "rmsd_angstrom"},
                            separator));
  for (const Docked& docked : all)
    for (std::size_t i = 0; i < docked.poses.size(); ++i) {
      const DockedPose& pose = docked.poses[i];
      file.write(lm::table_line({docked.ligand.name, std::to_string(i + 1), number(pose.energy),
                                 number(pose.parts.inter), number(pose.parts.intra),
                                 fmt::format("{:g}", docked.ligand.torsions), number(pose.rmsd)},
                                separator));
    }
  file.commit();
}

/// Places of ligands with a pose, best first.
std::vector<std::size_t> ranking(const std::vector<Docked>& all) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (!all[i].poses.empty()) order.push_back(i);
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return all[i].poses[0].energy; });
  return order;
}

/// Of one ligand its poses, else each ligand's best.
app::Plot energy_plot(const std::vector<Docked>& all, const std::vector<std::size_t>& order) {
  const bool is_one = order.size() == 1;
  app::Plot plot{.title = is_one ? "Energies of the poses" : "Best energies",
                 .type = app::Plot::Type::Bar,
                 .x_label = is_one ? "pose" : "ligand",
                 .y_label = "energy of binding, kcal/mol",
                 .x = {},
                 .series = {{"energy", {}}}};
  const auto add = [&](const std::string& name, double energy) {
    plot.x.push_back(static_cast<double>(plot.x.size() + 1));
    plot.x_names.push_back(name);
    plot.series[0].values.push_back(energy);
  };
  if (is_one)
    for (const DockedPose& pose : all[order[0]].poses)
      add(std::to_string(plot.x.size() + 1), pose.energy);
  else
    for (std::size_t i = 0; i < order.size() && i < kShown; ++i)
      add(all[order[i]].ligand.name, all[order[i]].poses[0].energy);
  return plot;
}

void report(const Job& job, const Docking& docking, const std::vector<Docked>& all,
            std::size_t records, app::RunContext& context) {
  const std::vector<std::size_t> order = ranking(all);
  const double best = all[order[0]].poses[0].energy;
  const std::size_t poses = std::accumulate(
      all.begin(), all.end(), std::size_t{0},
      [](std::size_t sum, const Docked& docked) { return sum + docked.poses.size(); });
  context.metric("ligands", records);
  context.metric("docked", order.size());
  context.metric("poses", poses);
  context.metric("best_energy_kcal_per_mol", best);
  context.metric("best_ligand", all[order[0]].ligand.name);
  context.report.section("Docking", job.score_only   ? "Poses were scored as they are."
                                    : job.local_only ? "Poses went down to the next minimum."
                                                     : "Each ligand's best poses in the box.");
  context.report.figure("Receptor's heavy atoms",
                        static_cast<std::int64_t>(docking.receptor_atoms()));
  context.report.figure("Ligands docked", static_cast<std::int64_t>(order.size()));
  context.report.figure("Best energy", best, "kcal/mol");
  if (docking.box()) {
    const DockBox& box = *docking.box();
    context.report.figure(
        "Box's centre",
        fmt::format("{:.2f}, {:.2f}, {:.2f}", box.center.x, box.center.y, box.center.z), "Å");
    context.report.figure(
        "Box's size", fmt::format("{:.1f} x {:.1f} x {:.1f}", box.size.x, box.size.y, box.size.z),
        "Å");
  }
  context.report.plot(energy_plot(all, order));
  std::vector<std::vector<app::Cell>> rows;
  for (std::size_t i = 0; i < order.size() && i < kShown; ++i) {
    const Docked& docked = all[order[i]];
    for (std::size_t p = 0; p < (order.size() == 1 ? docked.poses.size() : 1); ++p)
      rows.push_back({docked.ligand.name, static_cast<std::int64_t>(p + 1), docked.poses[p].energy,
                      docked.poses[p].parts.inter, docked.poses[p].parts.intra,
                      docked.poses[p].rmsd});
  }
  context.report.table("Best poses",
                       {{"Ligand"},
                        {"Pose"},
                        {"Energy", "kcal/mol"},
                        {"With receptor", "kcal/mol"},
                        {"Within ligand", "kcal/mol"},
                        {"RMSD from first", "Å"}},
                       std::move(rows));
}

void run(const Job& job, app::RunContext& context) {
  if (job.score_only && job.local_only)
    fail(Errc::InvalidArgument, "give --score-only or --local-only, not both");
  Docking docking(job, context);
  const std::vector<LigandRecord> records = read_ligands(job.ligands);
  if (!job.searches())
    for (const LigandRecord& record : records)
      if (!record.has_places)
        fail(Errc::CorruptData, "{}: expected a ligand with places in space to score, found none",
             record.place);
  const std::vector<Docked> all = docking(records);
  if (ranking(all).empty())
    fail(Errc::CorruptData, "{}: expected a ligand that can be docked, found none",
         job.ligands.string());
  if (job.output) write_poses(*job.output, all);
  if (job.table) write_table(*job.table, all);
  report(job, docking, all, records.size(), context);
}

}  // namespace

app::App dock_app() {
  app::Describe<Job> d{"molecules dock", "Docks molecules into a protein's pocket"};
  d.help(
      "Finds how ligands bind within a box of a rigid receptor, by AutoDock Vina's score (Trott & "
      "Olson 2010) and search: Monte Carlo steps, each followed by a way down, from "
      "--exhaustiveness starts. Receptors are PDBQT files, or PDB files, of which amino acids, "
      "nucleotides and metal ions are kept and waters and the rest left out; without hydrogens, "
      "donors are known by residue. Ligands are SDF, PDBQT or SMILES; those without places in "
      "space get them by ETKDG and MMFF94s. Rings and amides stay rigid. Energies are in kcal/mol, "
      "as Vina reports them; hydrogens do not count but by what they make of their atoms.\n\n"
      "Poses are written as SDF with energies as properties (PDBQT knows no bond orders: then all "
      "bonds are single), the best first, those within 1 Å of a better one left out. The same seed "
      "gives the same poses on any number of threads.");
  d.example(
      "aceso molecules dock --receptor receptor.pdb --ligands hits.smi --reference ligand.sdf "
      "--output poses.sdf --table poses.tsv");
  d.input("receptor", &Job::receptor, {.kind = "structure", .help = "the protein (PDB, PDBQT)"});
  d.input("ligands", &Job::ligands,
          {.kind = "molecules", .help = "molecules to dock (SDF, SMILES, PDBQT)"});
  d.input("reference", &Job::reference,
          {.kind = "molecules",
           .help = "a ligand in the pocket (SDF, PDBQT): the box is drawn around it, instead of "
                   "--center and --size"});
  d.output("output", &Job::output,
           {.kind = "molecules", .file_name = "poses.sdf", .help = "poses with energies"});
  d.output("table", &Job::table,
           {.kind = "table", .file_name = "poses.tsv", .help = "energies of the poses"});
  d.option("center", &Job::center, {.help = "the box's centre as X,Y,Z", .unit = "Å"});
  d.option("size", &Job::size, {.help = "the box's sides as X,Y,Z, 1 to 126 each", .unit = "Å"});
  d.option("margin", &Job::margin,
           {.help = "room around the reference; sides get at least 15 Å",
            .unit = "Å",
            .minimum = 0,
            .maximum = 50});
  d.option("exhaustiveness", &Job::exhaustiveness,
           {.help = "starts of the search; time grows with it", .minimum = 1, .maximum = 10'000});
  d.option("poses", &Job::poses,
           {.help = "poses that are kept of each ligand", .minimum = 1, .maximum = 1'000});
  d.option("energy_range", &Job::energy_range,
           {.help = "leave out poses so much worse than the best",
            .unit = "kcal/mol",
            .minimum = 0,
            .maximum = 1'000,
            .advanced = true});
  d.option("seed", &Job::seed, {.help = "of the random choices"});
  d.option("score_only", &Job::score_only, {.help = "score the ligands' poses as they are"});
  d.option("local_only", &Job::local_only,
           {.help = "go down from the ligands' poses to the next minimum"});
  d.resources({.memory_mb = 2000});
  return d.build(run);
}

}  // namespace aceso::molecules
