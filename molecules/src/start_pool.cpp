#include "start_pool.hpp"

#include "aceso/assets/assets.hpp"
#include "aceso/core/text.hpp"

namespace aceso::assets {

/// Made by the build; see CMakeLists.txt.
[[nodiscard]] std::span<const Asset> start_pool() noexcept;

}  // namespace aceso::assets

namespace aceso::molecules {
namespace {

/// About the sizes of drugs, in characters of SMILES.
constexpr std::size_t kShortest = 12, kLongest = 80;

}  // namespace

std::vector<std::string> default_pool() {
  std::vector<std::string> pool;
  for (const std::string& line : split(assets::start_pool().front().bytes, '\n')) {
    std::string smiles = line.substr(0, line.find_first_of(" \t\r"));
    const bool one_piece = smiles.find('.') == std::string::npos;
    if (one_piece && smiles.size() >= kShortest && smiles.size() <= kLongest)
      pool.push_back(std::move(smiles));
  }
  return pool;
}

}  // namespace aceso::molecules
