#include "pedigree.hpp"

#include "text_lines.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace aceso::genomics {
namespace {

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> out;
  std::size_t at = 0;
  while ((at = line.find_first_not_of(" \t", at)) != std::string_view::npos) {
    const std::size_t end = std::min(line.find_first_of(" \t", at), line.size());
    out.push_back(line.substr(at, end - at));
    at = end;
  }
  return out;
}

std::optional<std::size_t> find(const std::vector<std::string>& samples, std::string_view name) {
  const auto found = std::ranges::find(samples, name);
  if (found == samples.end()) return std::nullopt;
  return static_cast<std::size_t>(found - samples.begin());
}

bool is_nobody(std::string_view name) { return name == "0" || name == "." || name == "-9"; }

}  // namespace

std::vector<Trio> read_pedigree(const std::filesystem::path& path,
                                const std::vector<std::string>& samples, Warnings& warnings) {
  TextLines lines(path, warnings, "PED");
  std::vector<Trio> out;
  std::string_view line;
  while (lines.next(line)) {
    const auto words = words_of(line);
    if (words.empty() || words[0].starts_with('#')) continue;
    if (words.size() < 4)
      fail(Errc::CorruptData,
           "{}: line {}: expected family, child, father and mother, found \"{}\"", path.string(),
           lines.number(), printable(line));
    if (is_nobody(words[2]) || is_nobody(words[3])) continue;
    const auto child = find(samples, words[1]), father = find(samples, words[2]),
               mother = find(samples, words[3]);
    if (child && father && mother)
      out.push_back({*child, *father, *mother});
    else
      warnings.add("joint.family_not_there",
                   fmt::format("{}: line {}: {}, {} and {} are not all among the samples",
                               path.string(), lines.number(), printable(words[1]),
                               printable(words[2]), printable(words[3])));
  }
  if (out.empty())
    fail(Errc::CorruptData, "{}: no child with both its parents among the samples {}",
         path.string(), printable(join(samples, ", "), 200));
  return out;
}

}  // namespace aceso::genomics
