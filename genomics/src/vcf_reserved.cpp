#include "vcf_reserved.hpp"

#include <algorithm>
#include <span>

namespace aceso::genomics {
namespace {

using enum VcfType;

constexpr ReservedField kInfo[] = {
    {"AA", "1", String, 1},
    {"AC", "A", Integer, 1, true},
    {"AD", "R", Integer, 3, true},
    {"ADF", "R", Integer, 3, true},
    {"ADR", "R", Integer, 3, true},
    {"AF", "A", Float, 1, true},
    {"AN", "1", Integer, 1, true},
    {"BQ", "1", Float, 1},
    {"CIGAR", "A", String, 1},
    {"DB", "0", Flag, 1},
    {"DP", "1", Integer, 1, true},
    {"END", "1", Integer, 1, true},
    {"H2", "0", Flag, 1},
    {"H3", "0", Flag, 1},
    {"MQ", "1", Float, 3},
    {"MQ", "1", Float, 1, false, 2, true},
    {"MQ0", "1", Integer, 1, true},
    {"NS", "1", Integer, 1, true},
    {"SB", ".", Float, 1},
    {"SOMATIC", "0", Flag, 1},
    {"VALIDATED", "0", Flag, 1},
    {"1000G", "0", Flag, 1},
    {"IMPRECISE", "0", Flag, 1},
    {"NOVEL", "0", Flag, 1},
    {"SVTYPE", "1", String, 1},
    {"SVLEN", ".", Integer, 1},
    {"CIPOS", "2", Integer, 1, false, 3},
    {"CIPOS", ".", Integer, 4},
    {"CIEND", "2", Integer, 1, false, 3},
    {"CIEND", ".", Integer, 4},
    {"HOMLEN", ".", Integer, 1},
    {"HOMSEQ", ".", String, 1},
    {"BKPTID", ".", String, 1},
    {"MEINFO", "4", String, 1, false, 3},
    {"MEINFO", ".", String, 4},
    {"METRANS", "4", String, 1, false, 3},
    {"METRANS", ".", String, 4},
    {"DGVID", "1", String, 1},
    {"DBVARID", "1", String, 1},
    {"DBRIPID", "1", String, 1},
    {"MATEID", ".", String, 1},
    {"PARID", "1", String, 1, false, 3},
    {"PARID", ".", String, 4},
    {"EVENT", "1", String, 1, false, 3},
    {"EVENT", ".", String, 4},
    {"CILEN", "2", Integer, 1, false, 3},
    {"CILEN", ".", Integer, 4},
    {"CN", "1", Integer, 1, false, 3},
    {"CN", ".", Float, 4},
    {"DPADJ", ".", Integer, 1},
    {"CNADJ", ".", Integer, 1, false, 3},
    {"CICN", "2", Integer, 1, false, 3},
    {"CICNADJ", ".", Integer, 1, false, 3},
};

constexpr ReservedField kFormat[] = {
    {"AD", "R", Integer, 3, true},
    {"ADF", "R", Integer, 3, true},
    {"ADR", "R", Integer, 3, true},
    {"DP", "1", Integer, 1, true},
    {"EC", "A", Integer, 1, true},
    {"FT", "1", String, 1},
    {"GL", "G", Float, 1},
    {"GP", "G", Float, 1},
    {"GQ", "1", Integer, 1, true},
    {"GT", "1", String, 1},
    {"HQ", "2", Integer, 1, true},
    {"MQ", "1", Integer, 1, true},
    {"PL", "G", Integer, 1, true},
    {"PP", "G", Integer, 3, true},
    {"PQ", "1", Integer, 1, true},
    {"PS", "1", Integer, 1, true},
    {"CNQ", "1", Float, 1},
    {"CNL", "G", Float, 3},
    {"CNL", ".", Float, 1, false, 2},
    {"CN", "1", Integer, 1, false, 3},
    {"GLE", ".", String, 1, false, 2},
    {"NQ", "1", Integer, 1},
    {"HAP", "1", Integer, 1},
    {"AHAP", "1", Integer, 1},
};

const ReservedField* find(std::span<const ReservedField> fields, std::string_view key, int minor) {
  const auto found = std::ranges::find_if(fields, [&](const ReservedField& field) {
    return field.key == key && field.since <= minor && minor <= field.until;
  });
  return found == fields.end() ? nullptr : &*found;
}

constexpr std::string_view kTypes[] = {"Integer", "Float", "Flag", "Character", "String"};

}  // namespace

std::optional<VcfType> try_parse_vcf_type(std::string_view text) noexcept {
  const auto found = std::ranges::find(kTypes, text);
  if (found == std::end(kTypes)) return std::nullopt;
  return static_cast<VcfType>(found - std::begin(kTypes));
}

std::string_view name(VcfType type) noexcept { return kTypes[static_cast<std::size_t>(type)]; }

const ReservedField* reserved_info(std::string_view key, int minor) noexcept {
  return find(kInfo, key, minor);
}
const ReservedField* reserved_format(std::string_view key, int minor) noexcept {
  return find(kFormat, key, minor);
}

}  // namespace aceso::genomics
