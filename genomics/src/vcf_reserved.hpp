// Keys of INFO and FORMAT that the VCF specification reserves (versions 4.1 to 4.4, tables of
// reserved INFO and genotype fields).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aceso::genomics {

enum class VcfType : std::uint8_t { Integer, Float, Flag, Character, String };

[[nodiscard]] std::optional<VcfType> try_parse_vcf_type(std::string_view text) noexcept;
[[nodiscard]] std::string_view name(VcfType type) noexcept;

/// What a key's values are.
struct VcfField {
  std::string number;  ///< digits, or A, R, G, . and from 4.4 on P
  VcfType type = VcfType::String;
};

struct ReservedField {
  std::string_view key, number;
  VcfType type = VcfType::String;
  int since = 1;              ///< minor version that reserved it
  bool not_negative = false;  ///< counts, and shares of one
  int until = 9;              ///< last minor version that this holds of
  bool any_type = false;      ///< the specification tells no type, and programs differ
};

/// Null if `key` is not reserved in version 4.`minor`.
[[nodiscard]] const ReservedField* reserved_info(std::string_view key, int minor) noexcept;
[[nodiscard]] const ReservedField* reserved_format(std::string_view key, int minor) noexcept;

}  // namespace aceso::genomics
