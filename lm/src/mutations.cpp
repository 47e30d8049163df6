#include "mutations.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace aceso::lm {
namespace {

Substitution parse_one(std::string_view text, std::string_view sequence, std::int64_t first,
                       std::string_view alphabet, std::string_view place) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const bool long_enough = text.size() >= 3;
  const auto parsed = long_enough ? std::from_chars(text.data() + 1, end - 1, number)
                                  : std::from_chars_result{end, std::errc::invalid_argument};
  if (parsed.ec != std::errc() || parsed.ptr != end - 1 ||
      alphabet.find(text.front()) == std::string_view::npos ||
      alphabet.find(text.back()) == std::string_view::npos)
    fail(Errc::CorruptData, "{}: expected a substitution such as A42G, found \"{}\"", place,
         printable(text, 40));
  const auto length = static_cast<std::int64_t>(sequence.size());
  if (number < first || number - first >= length)
    fail(Errc::CorruptData, "{}: expected a position from {} to {}, found {}", place, first,
         first + length - 1, printable(text, 40));
  const auto position = static_cast<std::int32_t>(number - first);
  const char found = sequence[static_cast<std::size_t>(position)];
  if (found != text.front())
    fail(Errc::CorruptData, "{}: {} expects {} at position {}, the sequence has {}", place,
         printable(text, 40), text.front(), number, found);
  return {position, text.front(), text.back()};
}

}  // namespace

std::vector<Substitution> parse_substitutions(std::string_view text, std::string_view sequence,
                                              std::int64_t first, std::string_view alphabet,
                                              std::string_view place) {
  std::vector<Substitution> substitutions;
  if (text.empty() || text == "WT" || text == "wt" || text == "_wt") return substitutions;
  for (const std::string& part : split(text, ':')) {
    substitutions.push_back(parse_one(part, sequence, first, alphabet, place));
    const auto same = [&](const Substitution& s) {
      return s.position == substitutions.back().position;
    };
    if (std::ranges::count_if(substitutions, same) > 1)
      fail(Errc::CorruptData, "{}: expected each position once, found \"{}\"", place,
           printable(text, 40));
  }
  return substitutions;
}

}  // namespace aceso::lm
