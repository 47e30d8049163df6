#include "aceso/molecules/moses.hpp"

#include "aceso/core/error.hpp"
#include "aceso/lm/table.hpp"

#include <GraphMol/MolOps.h>
#include <GraphMol/ROMol.h>
#include <GraphMol/RingInfo.h>
#include <GraphMol/Substruct/SubstructMatch.h>

#include <algorithm>
#include <array>

namespace aceso::molecules {
namespace {

constexpr std::size_t kLargestRing = 7;
constexpr std::array<int, 8> kElements{1, 6, 7, 8, 9, 16, 17, 35};

std::vector<Pattern> read_alerts(const std::filesystem::path& path) {
  lm::TableReader table(path);
  const std::size_t column = table.column("smarts");
  std::vector<Pattern> patterns;
  for (std::vector<std::string> cells; table.next(cells);) {
    try {
      patterns.emplace_back(cells[column]);
    } catch (const Error& error) {
      fail(Errc::CorruptData, "{}: {}", table.place(), error.what());
    }
  }
  return patterns;
}

bool is_plain(const RDKit::ROMol& mol) {
  const auto& rings = mol.getRingInfo()->atomRings();
  if (std::ranges::any_of(rings, [](const auto& r) { return r.size() > kLargestRing; }))
    return false;
  for (const RDKit::Atom* atom : mol.atoms())
    if (atom->getFormalCharge() != 0 ||
        std::ranges::find(kElements, atom->getAtomicNum()) == kElements.end())
      return false;
  return true;
}

}  // namespace

struct MosesFilters::Impl {
  FilterSet catalog;
  std::vector<Pattern> patterns;
  std::string lists;

  [[nodiscard]] bool has_alert(const Molecule& molecule) const {
    if (patterns.empty()) return false;
    const std::unique_ptr<RDKit::ROMol> whole(RDKit::MolOps::addHs(molecule.rdkit()));
    RDKit::MatchVectType match;
    return std::ranges::any_of(patterns, [&](const Pattern& pattern) {
      return RDKit::SubstructMatch(*whole, pattern.rdkit(), match);
    });
  }
};

MosesFilters::MosesFilters(const std::optional<std::filesystem::path>& alerts) {
  if (alerts)
    impl_.reset(new Impl{FilterSet({"pains"}), read_alerts(*alerts),
                         "PAINS (RDKit) and " + alerts->filename().string()});
  else
    impl_.reset(new Impl{FilterSet({"pains", "nih"}),
                         {},
                         "PAINS and NIH alerts (RDKit); MOSES' own list is read with --alerts"});
}

MosesFilters::~MosesFilters() = default;
MosesFilters::MosesFilters(MosesFilters&&) noexcept = default;

const std::string& MosesFilters::lists() const noexcept { return impl_->lists; }

bool MosesFilters::passes(const Molecule& molecule) const {
  return is_plain(molecule.rdkit()) && !impl_->has_alert(molecule) && !impl_->catalog.any(molecule);
}

}  // namespace aceso::molecules
