#include "aceso/molecules/objective.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"
#include "docking.hpp"
#include "docking_chemistry.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>

namespace aceso::molecules {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kLargestText = 1'000'000;

/// Fingerprints of one molecule, each computed once however many terms use it.
class Features {
 public:
  explicit Features(const Molecule& molecule) : molecule_(molecule) {}
  [[nodiscard]] const Molecule& molecule() const noexcept { return molecule_; }
  const FeatureCounts& counts(Fingerprint kind) {
    const auto [place, fresh] = counts_.try_emplace(kind);
    if (fresh) place->second = fingerprint(molecule_, kind);
    return place->second;
  }

 private:
  const Molecule& molecule_;
  std::map<Fingerprint, FeatureCounts> counts_;
};

using Measure = std::function<double(Features&)>;
using Modifier = std::function<double(double)>;

struct Term {
  std::string name;
  double weight = 1;
  Measure measure;
  Modifier modifier;
};

/// A mapping of the text, whose keys are read one by one; what is left over is a mistake.
class Section {
 public:
  Section(const YAML::Node& node, std::string_view source, std::string what)
      : node_(node), source_(source), what_(std::move(what)) {
    if (!node.IsMap()) fail_at(node, fmt::format("expected {} as \"key: value\" lines", what_));
  }

  [[noreturn]] void fail_at(const YAML::Node& node, const std::string& problem) const {
    fail(Errc::CorruptData, "{}: line {}: {}", source_, node.Mark().line + 1, problem);
  }
  [[noreturn]] void fail_here(const std::string& problem) const { fail_at(node_, problem); }

  YAML::Node find(const std::string& key) {
    used_.push_back(key);
    return node_[key];
  }
  YAML::Node need(const std::string& key) {
    YAML::Node node = find(key);
    if (!node) fail_here(fmt::format("{} needs \"{}\"", what_, key));
    return node;
  }
  std::string text(const std::string& key, const std::string& otherwise = {}) {
    const YAML::Node node = otherwise.empty() ? need(key) : find(key);
    if (!node) return otherwise;
    if (!node.IsScalar()) fail_at(node, fmt::format("expected text for \"{}\"", key));
    return node.Scalar();
  }
  double number(const std::string& key, double otherwise = std::nan("")) {
    const YAML::Node node = std::isnan(otherwise) ? need(key) : find(key);
    if (!node) return otherwise;
    double value = 0;
    if (!node.IsScalar() || !YAML::convert<double>::decode(node, value) || !std::isfinite(value))
      fail_at(node, fmt::format("expected a number for \"{}\"", key));
    return value;
  }
  std::int64_t whole(const std::string& key, std::int64_t otherwise, std::int64_t least,
                     std::int64_t most) {
    const double value = number(key, static_cast<double>(otherwise));
    if (value != std::floor(value) || value < static_cast<double>(least) ||
        value > static_cast<double>(most))
      fail_at(node_[key],
              fmt::format("expected a whole number from {} to {} for \"{}\"", least, most, key));
    return static_cast<std::int64_t>(value);
  }
  Vec3 triple(const std::string& key) {
    const YAML::Node node = need(key);
    std::array<double, 3> values{};
    for (std::size_t i = 0; i < 3; ++i)
      if (!node.IsSequence() || node.size() != 3 ||
          !YAML::convert<double>::decode(node[i], values[i]) || !(std::abs(values[i]) < 1e5))
        fail_at(node, fmt::format("expected three numbers, [x, y, z], for \"{}\"", key));
    return {values[0], values[1], values[2]};
  }
  bool flag(const std::string& key) {
    const YAML::Node node = find(key);
    bool value = false;
    if (node && !YAML::convert<bool>::decode(node, value))
      fail_at(node, fmt::format("expected true or false for \"{}\"", key));
    return value;
  }
  /// Runs `make` and says where it went wrong.
  template <typename Make>
  auto at(const std::string& key, Make make) {
    try {
      return make(text(key));
    } catch (const Error& error) {
      if (error.code() == Errc::CorruptData && std::string(error.what()).starts_with(source_))
        throw;
      fail_at(node_[key], error.what());
    }
  }
  /// \throws Error if a key was not asked for.
  void finish() const {
    for (const auto& entry : node_) {
      const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "?";
      if (std::ranges::find(used_, key) != used_.end()) continue;
      const std::string hint = closest(key, used_);
      fail_at(entry.first,
              fmt::format("{} has no \"{}\"{}", what_, printable(key, 40),
                          hint.empty() ? "" : fmt::format("; did you mean \"{}\"?", hint)));
    }
  }

 private:
  const YAML::Node node_;
  std::string source_, what_;
  std::vector<std::string> used_;
};

double gaussian(double x, double mu, double sigma) {
  const double z = (x - mu) / sigma;
  return std::exp(-0.5 * z * z);
}

/// Closeness to a formula: each element's count, and that of all atoms (Brown et al. 2019).
double formula_score(const Molecule& molecule, const Formula& wanted) {
  const Formula found = formula_of(molecule);
  int atoms = 0, wanted_atoms = 0;
  double log_sum = 0;
  for (const auto& [element, count] : found) atoms += count;
  for (const auto& [element, count] : wanted) {
    wanted_atoms += count;
    const auto place = found.find(element);
    log_sum += std::log(gaussian(place == found.end() ? 0 : place->second, count, 1));
  }
  log_sum += std::log(gaussian(atoms, wanted_atoms, 2));
  return std::exp(log_sum / static_cast<double>(wanted.size() + 1));
}

Measure similarity_measure(Section& section) {
  const Fingerprint kind =
      section.at("fingerprint", [](const std::string& name) { return fingerprint_by_name(name); });
  const FeatureCounts wanted = section.at(
      "to", [&](const std::string& smiles) { return fingerprint(parse_smiles(smiles), kind); });
  return [kind, wanted](Features& features) { return tanimoto(features.counts(kind), wanted); };
}

Measure descriptor_measure(Section& section) {
  const Descriptor* descriptor = section.at("descriptor", [](const std::string& name) {
    if (const Descriptor* found = find_descriptor(name)) return found;
    std::string known;
    for (const Descriptor& d : descriptors())
      known += (known.empty() ? "" : ", ") + std::string(d.name);
    fail(Errc::InvalidArgument, "expected one of the descriptors {}, found \"{}\"", known,
         printable(name, 40));
  });
  return [descriptor](Features& features) { return descriptor->compute(features.molecule()); };
}

Measure substructure_measure(Section& section) {
  const Pattern pattern =
      section.at("smarts", [](const std::string& smarts) { return Pattern(smarts); });
  const bool absent = section.flag("absent");
  return [pattern, absent](Features& features) {
    return pattern.in(features.molecule()) != absent ? 1.0 : 0.0;
  };
}

Measure formula_measure(Section& section) {
  const Formula wanted = section.at("formula", parse_formula);
  return [wanted](Features& features) { return formula_score(features.molecule(), wanted); };
}

Measure element_measure(Section& section) {
  const std::string element = section.text("element");
  return [element](Features& features) {
    const Formula formula = formula_of(features.molecule());
    const auto found = formula.find(element);
    return found == formula.end() ? 0.0 : static_cast<double>(found->second);
  };
}

/// The energy of the best pose; NaN, which scores 0, for molecules that cannot be docked.
double docking_energy(const Molecule& molecule, const DockReceptor& receptor, const DockMaps& maps,
                      const DockSettings& settings) {
  try {
    const DockLigand ligand =
        ligand_of(parse_smiles(canonical_smiles(molecule)), "", settings.seed);
    const auto poses = dock(ligand, receptor, maps, settings);
    return poses.empty() ? std::nan("") : poses.front().energy;
  } catch (const Error& error) {
    if (error.code() != Errc::CorruptData) throw;
    return std::nan("");
  }
}

/// Beside the objective or below: a text from elsewhere names no file of this machine.
fs::path file_beside(const fs::path& folder, const std::string& name) {
  const fs::path path(name);
  if (path.is_absolute() || std::ranges::find(path, fs::path("..")) != path.end())
    fail(Errc::InvalidArgument,
         "expected a file beside the objective or in a folder there, found \"{}\"",
         printable(name, 80));
  return folder / path;
}

std::shared_ptr<const DockReceptor> docking_receptor(Section& section,
                                                     const ObjectiveFiles& files) {
  Warnings ignored;
  const auto read = [&](const fs::path& path) {
    return std::make_shared<const DockReceptor>(read_receptor(path, ignored));
  };
  if (files.receptor.empty())
    return section.at(
        "receptor", [&](const std::string& name) { return read(file_beside(files.folder, name)); });
  section.find("receptor");
  return read(files.receptor);
}

Measure docking_measure(Section& section, const ObjectiveFiles& files) {
  const auto receptor = docking_receptor(section, files);
  const DockBox box{section.triple("center"), section.triple("size")};
  DockSettings settings{
      .exhaustiveness = section.whole("exhaustiveness", 1, 1, 1'000),
      .poses = 1,
      .seed = static_cast<std::uint64_t>(section.whole("seed", 1, 0, 1LL << 53U))};
  try {
    check_box(box, *receptor);
  } catch (const Error& error) {
    section.fail_here(error.what());
  }
  const auto maps = std::make_shared<const DockMaps>(*receptor, box, organic_types(), 1);
  return [receptor, maps, settings](Features& features) {
    return docking_energy(features.molecule(), *receptor, *maps, settings);
  };
}

Measure read_measure(Section& section, const std::string& type, const ObjectiveFiles& files) {
  if (type == "docking") return docking_measure(section, files);
  if (type == "similarity") return similarity_measure(section);
  if (type == "descriptor") return descriptor_measure(section);
  if (type == "substructure") return substructure_measure(section);
  if (type == "formula") return formula_measure(section);
  if (type == "element") return element_measure(section);
  section.fail_at(section.find("type"),
                  fmt::format("expected one of the types similarity, descriptor, substructure, "
                              "formula, element, docking, found \"{}\"",
                              printable(type, 40)));
}

/// The place of a Gaussian: a number, or what another molecule has.
double read_mu(Section& section, const Measure& measure) {
  if (!section.find("mu_of")) return section.number("mu");
  return section.at("mu_of", [&](const std::string& smiles) {
    const Molecule molecule = parse_smiles(smiles);
    Features features(molecule);
    return measure(features);
  });
}

double positive(Section& section, const std::string& key) {
  const double value = section.number(key);
  if (value <= 0) section.fail_at(section.find(key), fmt::format("expected \"{}\" above 0", key));
  return value;
}

Modifier gaussian_modifier(Section& section, const std::string& type, const Measure& measure) {
  const double mu = read_mu(section, measure), sigma = positive(section, "sigma");
  const bool flat_below = type == "min_gaussian", flat_above = type == "max_gaussian";
  return [=](double x) {
    if ((flat_below && x <= mu) || (flat_above && x >= mu)) return 1.0;
    return gaussian(x, mu, sigma);
  };
}

Modifier clip_modifier(Section& section) {
  const double upper = section.number("upper"), lower = section.number("lower", 0.0);
  if (upper == lower) section.fail_here("expected \"upper\" and \"lower\" to differ");
  return [=](double x) { return std::clamp((x - lower) / (upper - lower), 0.0, 1.0); };
}

Modifier threshold_modifier(Section& section) {
  const double at = section.number("at");
  return [=](double x) { return x >= at ? 1.0 : 0.0; };
}

Modifier read_modifier(const YAML::Node& node, std::string_view source, const Measure& measure) {
  if (!node) return [](double x) { return x; };
  Section section(node, source, "a modifier");
  const std::string type = section.text("type");
  Modifier modifier;
  if (type == "gaussian" || type == "min_gaussian" || type == "max_gaussian")
    modifier = gaussian_modifier(section, type, measure);
  else if (type == "clip")
    modifier = clip_modifier(section);
  else if (type == "threshold")
    modifier = threshold_modifier(section);
  else
    section.fail_here(
        fmt::format("expected one of the modifiers gaussian, min_gaussian, "
                    "max_gaussian, clip, threshold, found \"{}\"",
                    printable(type, 40)));
  section.finish();
  return modifier;
}

Term read_term(const YAML::Node& node, std::string_view source, const ObjectiveFiles& files) {
  Section section(node, source, "a term");
  Term term;
  const std::string type = section.text("type");
  term.measure = read_measure(section, type, files);
  term.modifier = read_modifier(section.find("modifier"), source, term.measure);
  const YAML::Node descriptor = type == "descriptor" ? node["descriptor"] : YAML::Node();
  term.name =
      section.text("name", descriptor && descriptor.IsScalar() ? descriptor.Scalar() : type);
  term.weight = section.number("weight", 1.0);
  if (term.weight <= 0) section.fail_here("expected a weight above 0");
  section.finish();
  return term;
}

enum class Aggregate { Product, GeometricMean, Mean, Minimum };

Aggregate aggregate_by_name(const std::string& name) {
  if (name == "product") return Aggregate::Product;
  if (name == "geometric_mean") return Aggregate::GeometricMean;
  if (name == "mean") return Aggregate::Mean;
  if (name == "min") return Aggregate::Minimum;
  fail(Errc::InvalidArgument,
       "expected one of the aggregates product, geometric_mean, mean, min, found \"{}\"",
       printable(name, 40));
}

double aggregated(Aggregate aggregate, const std::vector<Term>& terms,
                  const std::vector<double>& parts) {
  double weights = 0, sum = 0, logs = 0, lowest = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    weights += terms[i].weight;
    sum += terms[i].weight * parts[i];
    logs += terms[i].weight * std::log(std::max(parts[i], 0.0));
    lowest = std::min(lowest, parts[i]);
  }
  switch (aggregate) {
    case Aggregate::Product:
      return std::exp(logs);
    case Aggregate::GeometricMean:
      return std::exp(logs / weights);
    case Aggregate::Mean:
      return sum / weights;
    case Aggregate::Minimum:
      return lowest;
  }
  return 0;
}

const Task& find_task(const std::string& name) {
  std::vector<std::string> known;
  for (const Task& task : tasks()) {
    if (task.name == name) return task;
    known.emplace_back(task.name);
  }
  const std::string hint = closest(name, known);
  fail(Errc::InvalidArgument, "no task is called \"{}\"{}", printable(name, 40),
       hint.empty() ? "" : fmt::format("; did you mean \"{}\"?", hint));
}

}  // namespace

struct Objective::Impl {
  std::string name, text;
  Aggregate aggregate = Aggregate::GeometricMean;
  std::vector<Term> terms;
  std::vector<std::string> names;

  Impl(const std::string& yaml, std::string_view source, const ObjectiveFiles& files) : text(yaml) {
    YAML::Node root;
    try {
      if (yaml.size() > kLargestText) fail(Errc::CorruptData, "{}: longer than 1 MB", source);
      root = YAML::Load(yaml);
    } catch (const YAML::Exception& error) {
      fail(Errc::CorruptData, "{}: line {}: {}", source, error.mark.line + 1, error.msg);
    }
    Section section(root, source, "an objective");
    if (section.find("task"))
      read_task(section);
    else
      read_terms(section, source, files);
  }

  void read_task(Section& section) {
    const Task& task = section.at("task", [](const std::string& wanted) -> const Task& {
      const Task& found = find_task(wanted);
      if (found.yaml.empty())
        fail(Errc::InvalidArgument, "the task \"{}\" needs {}", wanted, found.lacks);
      return found;
    });
    section.finish();
    *this = Impl(std::string(task.yaml), fmt::format("task {}", task.name), {});
  }

  void read_terms(Section& section, std::string_view source, const ObjectiveFiles& files) {
    name = section.text("name", "objective");
    section.find("aggregate");
    if (section.find("aggregate")) aggregate = section.at("aggregate", aggregate_by_name);
    const YAML::Node list = section.need("terms");
    if (!list.IsSequence() || list.size() == 0)
      section.fail_at(list, "expected a list of terms, each beginning with \"-\"");
    if (list.size() > 100) section.fail_at(list, "expected at most 100 terms");
    for (const YAML::Node& node : list) terms.push_back(read_term(node, source, files));
    section.finish();
    for (const Term& term : terms) add_name(term.name);
  }

  /// Terms of the same name are told apart by a number.
  void add_name(const std::string& wanted) {
    std::string fresh = wanted;
    for (int i = 2; std::ranges::find(names, fresh) != names.end(); ++i)
      fresh = fmt::format("{}_{}", wanted, i);
    names.push_back(std::move(fresh));
  }
};

Objective::Objective(const std::string& yaml, std::string_view source, const ObjectiveFiles& files)
    : impl_(std::make_shared<const Impl>(yaml, source, files)) {}

Objective Objective::load(const fs::path& path, const fs::path& receptor) {
  return {read_file(path, kLargestText), path.string(), {path.parent_path(), receptor}};
}

Score Objective::operator()(const Molecule& molecule) const {
  Features features(molecule);
  Score score;
  for (const Term& term : impl_->terms) {
    const double part = term.modifier(term.measure(features));
    score.parts.push_back(std::isfinite(part) ? part : 0);
  }
  score.total = aggregated(impl_->aggregate, impl_->terms, score.parts);
  return score;
}

const std::string& Objective::name() const noexcept { return impl_->name; }
const std::vector<std::string>& Objective::terms() const noexcept { return impl_->names; }
const std::string& Objective::text() const noexcept { return impl_->text; }

}  // namespace aceso::molecules
