#include "moses_report.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/lm/table.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

namespace aceso::molecules {
namespace fs = std::filesystem;

std::vector<std::string> smiles_of(const std::vector<MoleculeRecord>& records) {
  std::vector<std::string> list;
  list.reserve(records.size());
  for (const MoleculeRecord& record : records) list.push_back(record.smiles);
  return list;
}

std::vector<MosesTraits> reference_traits(const fs::path& path, TraitLevel level,
                                          const MosesFilters* filters, app::RunContext& context) {
  const std::vector<MoleculeRecord> records = read_molecules(path);
  context.progress.stage("read " + path.filename().string(), records.size(), "molecules");
  std::vector<MosesTraits> traits = moses_traits(smiles_of(records), level, filters,
                                                 context.threads, context.progress, context.stop);
  for (std::size_t i = 0; i < records.size(); ++i)
    if (!traits[i].valid)
      context.warnings.add("smiles.unreadable",
                           fmt::format("{}: expected a molecule as SMILES", records[i].place));
  return traits;
}

std::unordered_set<std::string> canonical_set(const std::vector<MosesTraits>& traits) {
  std::unordered_set<std::string> set;
  for (const MosesTraits& one : traits)
    if (one.valid) set.insert(one.smiles);
  return set;
}

void tell_moses(const std::vector<MosesMetric>& metrics, const MosesFilters& filters,
                const std::optional<fs::path>& output, app::RunContext& context) {
  std::vector<std::vector<app::Cell>> rows;
  std::string text;
  for (const MosesMetric& metric : metrics) {
    const bool known = !std::isnan(metric.value);
    context.metric(metric.key, known ? Json(metric.value) : Json(nullptr));
    rows.push_back(
        {metric.name, known ? app::Cell(metric.value) : app::Cell("not defined"), metric.meaning});
    text += lm::table_line({metric.name, known ? fmt::format("{:.10g}", metric.value) : ""}, ',');
  }
  context.metric("filter_lists", filters.lists());
  context.report.table("MOSES metrics", {{"Metric"}, {"Value"}, {"Meaning"}}, std::move(rows));
  context.report.section("How they were measured",
                         fmt::format("Filters: {}. FCD is left out, because it needs the weights "
                                     "of ChemNet.",
                                     filters.lists()));
  if (output) write_file(*output, text);
}

}  // namespace aceso::molecules
