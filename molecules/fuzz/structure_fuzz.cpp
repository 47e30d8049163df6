// Foreign bytes as receptors and ligands for docking: they may be refused with an Error, nothing
// else. The first byte chooses the reader.

#include "docking.hpp"
#include "pdb_receptor.hpp"
#include "pdbqt_file.hpp"

#include "aceso/core/error.hpp"

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace aceso;
using namespace aceso::molecules;

void check_ligand(const DockLigand& ligand) {
  if (ligand.bodies.empty() || ligand.body_of.size() != ligand.atoms.size()) std::abort();
  for (std::size_t b = 1; b < ligand.bodies.size(); ++b)
    if (ligand.bodies[b].parent >= b) std::abort();
  for (const std::uint32_t body : ligand.body_of)
    if (body >= ligand.bodies.size()) std::abort();
  if (ligand.atoms.size() > 60) return;
  DockMover mover(ligand, {0, 0, 0});
  if (mover.places(mover.input_pose()).size() != ligand.atoms.size()) std::abort();
}

void read(std::uint8_t how, std::string_view text) {
  Warnings warnings;
  switch (how % 3) {
    case 0:
      for (const DockLigand& ligand : parse_pdbqt_ligands(text, "memory")) check_ligand(ligand);
      break;
    case 1:
      (void)DockReceptor(parse_pdbqt_receptor(text, "memory")).energy(VinaType::Oxygen, {0, 0, 0});
      break;
    default:
      (void)DockReceptor(parse_pdb_receptor(text, "memory", warnings))
          .energy(VinaType::Oxygen, {0, 0, 0});
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  try {
    read(data[0], {reinterpret_cast<const char*>(data) + 1, size - 1});
  } catch (const Error& error) {
    if (error.code() == Errc::Internal) std::abort();
  }
  return 0;
}
