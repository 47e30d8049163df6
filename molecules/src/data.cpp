#include "data.hpp"

#include "aceso/assets/assets.hpp"
#include "aceso/core/error.hpp"

namespace aceso::assets {

/// Made by the build; see CMakeLists.txt.
[[nodiscard]] std::span<const Asset> molecule_data() noexcept;

}  // namespace aceso::assets

namespace aceso::molecules {

std::string_view data_file(std::string_view name) {
  for (const assets::Asset& asset : assets::molecule_data())
    if (asset.path == name) return asset.bytes;
  fail(Errc::Internal, "{} was not compiled in", name);
}

}  // namespace aceso::molecules
