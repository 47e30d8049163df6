#include "aceso/molecules/chemistry.hpp"

#include <GraphMol/MolDraw2D/MolDraw2DSVG.h>
#include <GraphMol/ROMol.h>

#include <algorithm>

namespace aceso::molecules {

std::string grid_svg(const std::vector<Molecule>& molecules,
                     const std::vector<std::string>& legends, int columns) {
  constexpr int kWidth = 240, kHeight = 200;
  const int count = static_cast<int>(molecules.size());
  const int rows = std::max(1, (count + columns - 1) / columns);
  RDKit::MolDraw2DSVG drawer(std::min(std::max(count, 1), columns) * kWidth, rows * kHeight, kWidth,
                             kHeight);
  std::vector<RDKit::ROMol> copies;
  copies.reserve(molecules.size());
  for (const Molecule& molecule : molecules) copies.emplace_back(molecule.rdkit());
  std::vector<RDKit::ROMol*> pointers;
  for (RDKit::ROMol& copy : copies) pointers.push_back(&copy);
  drawer.drawMolecules(pointers, &legends);
  drawer.finishDrawing();
  return drawer.getDrawingText();
}

}  // namespace aceso::molecules
