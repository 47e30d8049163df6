#include "vcf_reserved.hpp"

#include <algorithm>
#include <span>

namespace aceso::genomics {
namespace {

using enum VcfType;

constexpr ReservedField kInfo[] = {
    {"AA", "1", String, 1},         {"AC", "A", Integer, 1, true},  {"AD", "R", Integer, 3, true},
    {"ADF", "R", Integer, 3, true}, {"ADR", "R", Integer, 3, true}, {"AF", "A", Float, 1, true},
    {"AN", "1", Integer, 1, true},  {"BQ", "1", Float, 1},          {"CIGAR", "A", String, 1},
    {"DB", "0", Flag, 1},           {"DP", "1", Integer, 1, true},  {"END", "1", Integer, 1, true},
    {"H2", "0", Flag, 1},           {"H3", "0", Flag, 1},           {"MQ", "1", Float, 1},
    {"MQ0", "1", Integer, 1, true}, {"NS", "1", Integer, 1, true},  {"SB", ".", Float, 1},
    {"SOMATIC", "0", Flag, 1},      {"VALIDATED", "0", Flag, 1},    {"1000G", "0", Flag, 1},
    {"IMPRECISE", "0", Flag, 1},    {"NOVEL", "0", Flag, 1},        {"SVTYPE", "1", String, 1},
    {"SVLEN", ".", Integer, 1},     {"CIPOS", ".", Integer, 1},     {"CIEND", ".", Integer, 1},
    {"HOMLEN", ".", Integer, 1},    {"HOMSEQ", ".", String, 1},     {"BKPTID", ".", String, 1},
    {"MEINFO", ".", String, 1},     {"METRANS", ".", String, 1},    {"DGVID", "1", String, 1},
    {"DBVARID", "1", String, 1},    {"DBRIPID", "1", String, 1},    {"MATEID", ".", String, 1},
    {"PARID", ".", String, 1},      {"EVENT", ".", String, 1},      {"CILEN", ".", Integer, 1},
    {"CN", ".", Float, 4},
};

constexpr ReservedField kFormat[] = {
    {"AD", "R", Integer, 3, true}, {"ADF", "R", Integer, 3, true}, {"ADR", "R", Integer, 3, true},
    {"DP", "1", Integer, 1, true}, {"EC", "A", Integer, 1, true},  {"FT", "1", String, 1},
    {"GL", "G", Float, 1},         {"GP", "G", Float, 3},          {"GQ", "1", Integer, 3, true},
    {"GT", "1", String, 1},        {"HQ", "2", Integer, 1, true},  {"MQ", "1", Integer, 3, true},
    {"PL", "G", Integer, 1, true}, {"PP", "G", Integer, 3, true},  {"PQ", "1", Integer, 1, true},
    {"PS", "1", Integer, 3, true}, {"CNQ", "1", Float, 1},         {"CNL", "G", Float, 1},
    {"NQ", "1", Integer, 1},       {"HAP", "1", Integer, 1},       {"AHAP", "1", Integer, 1},
};

const ReservedField* find(std::span<const ReservedField> fields, std::string_view key, int minor) {
  const auto found = std::ranges::find(fields, key, &ReservedField::key);
  return found == fields.end() || found->since > minor ? nullptr : &*found;
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
