#include "constraints.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <algorithm>
#include <charconv>

namespace aceso::lm {
namespace {

/// Places from 0, the last one included.
struct Range {
  std::size_t first = 0, last = 0;
};

std::size_t read_place(std::string_view text, std::string_view whole, std::size_t length,
                       std::string_view option) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    fail(Errc::InvalidArgument, "{}: expected places such as 24-36, found \"{}\"", option,
         printable(whole, 40));
  if (number < 1 || number > length)
    fail(Errc::InvalidArgument, "{}: expected a place from 1 to {}, found {}", option, length,
         number);
  return number - 1;
}

Range read_range(std::string_view text, std::size_t length, std::string_view option) {
  const auto dash = text.find('-');
  const std::size_t first = read_place(text.substr(0, dash), text, length, option);
  if (dash == std::string_view::npos) return {first, first};
  const std::size_t last = read_place(text.substr(dash + 1), text, length, option);
  if (last < first)
    fail(Errc::InvalidArgument, "{}: expected rising places, found \"{}\"", option,
         printable(text, 40));
  return {first, last};
}

void check_residues(std::string_view residues, std::string_view alphabet, std::string_view option) {
  for (const char c : residues)
    if (alphabet.find(c) == std::string_view::npos)
      fail(Errc::InvalidArgument, "{}: expected letters among {}, found \"{}\"", option, alphabet,
           printable(std::string_view(&c, 1)));
}

std::vector<std::string> items_of(const std::string& text) {
  return text.empty() ? std::vector<std::string>{} : split(text, ',');
}

void open_places(Constraints& constraints, const std::string& redesign) {
  for (const std::string& item : items_of(redesign)) {
    const Range range = read_range(item, constraints.start.size(), "--redesign");
    for (std::size_t i = range.first; i <= range.last; ++i) constraints.start[i] = kOpenResidue;
  }
  for (std::size_t i = 0; i < constraints.start.size(); ++i)
    if (constraints.start[i] == kOpenResidue)
      constraints.open.push_back(static_cast<std::int32_t>(i));
}

void allow_residues(Constraints& constraints, const std::string& allow, std::string_view alphabet) {
  for (const std::string& item : items_of(allow)) {
    const auto colon = item.find(':');
    if (colon == std::string::npos || colon + 1 == item.size())
      fail(Errc::InvalidArgument, "--allow: expected PLACES:LETTERS, found \"{}\"",
           printable(item, 40));
    const std::string residues = item.substr(colon + 1);
    check_residues(residues, alphabet, "--allow");
    const Range range =
        read_range(std::string_view(item).substr(0, colon), constraints.start.size(), "--allow");
    for (std::size_t i = range.first; i <= range.last; ++i) constraints.allowed[i] = residues;
  }
}

}  // namespace

Constraints read_constraints(const std::string& sequence, const ConstraintTexts& texts,
                             std::string_view alphabet, std::string_view place) {
  if (sequence.empty()) fail(Errc::CorruptData, "{}: expected letters, found none", place);
  Constraints constraints;
  constraints.start = sequence;
  constraints.allowed.assign(sequence.size(), std::string(alphabet));
  open_places(constraints, texts.redesign);
  if (constraints.open.empty())
    fail(Errc::InvalidArgument,
         "{}: expected open places, found none: mark them with '_' or name them by --redesign",
         place);
  allow_residues(constraints, texts.allow, alphabet);
  check_residues(texts.exclude, alphabet, "--exclude");
  for (const std::int32_t residue : constraints.open) {
    std::string& allowed = constraints.allowed[static_cast<std::size_t>(residue)];
    std::erase_if(allowed, [&](char c) { return texts.exclude.find(c) != std::string::npos; });
    if (allowed.empty())
      fail(Errc::InvalidArgument,
           "nothing may stand at place {}: --allow and --exclude leave no "
           "letter",
           residue + 1);
  }
  return constraints;
}

}  // namespace aceso::lm
