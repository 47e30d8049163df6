#include "start_pool.hpp"

#include "aceso/core/text.hpp"
#include "data.hpp"

namespace aceso::molecules {
namespace {

/// About the sizes of drugs, in characters of SMILES.
constexpr std::size_t kShortest = 12, kLongest = 80;

}  // namespace

std::vector<std::string> default_pool() {
  std::vector<std::string> pool;
  for (const std::string& line : split(data_file("first_5K.smi"), '\n')) {
    std::string smiles = line.substr(0, line.find_first_of(" \t\r"));
    const bool one_piece = smiles.find('.') == std::string::npos;
    if (one_piece && smiles.size() >= kShortest && smiles.size() <= kLongest)
      pool.push_back(std::move(smiles));
  }
  return pool;
}

}  // namespace aceso::molecules
