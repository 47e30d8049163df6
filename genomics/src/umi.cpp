#include "umi.hpp"

#include <algorithm>

namespace aceso::genomics {
namespace {

/// Takes the UMI at the beginning of `read`. At least one base stays.
std::string_view take_from_read(Window& read, const UmiRules& rules) {
  const std::int32_t length = std::min(read.length, rules.length);
  const std::string_view umi = read.view().substr(0, static_cast<std::size_t>(length));
  read.drop_front(std::clamp(length + rules.skip, 0, std::max(read.length - 1, 0)));
  return umi;
}

}  // namespace

std::string_view first_index(std::string_view name) {
  const std::size_t colon = name.rfind(':');
  if (colon == std::string_view::npos || colon + 2 >= name.size()) return {};
  const std::string_view indexes = name.substr(colon + 1);
  return indexes.substr(0, indexes.find('+'));
}

std::string_view last_index(std::string_view name) {
  const std::size_t mark = name.find_last_of(":+");
  if (mark == std::string_view::npos || mark + 2 >= name.size()) return {};
  return name.substr(mark + 1);
}

std::string take_umi(std::string_view read_name, Window& read, std::string_view mate_name,
                     Window* mate, const UmiRules& rules) {
  switch (rules.place) {
    case UmiPlace::None:
      return {};
    case UmiPlace::Index1:
      return std::string(first_index(read_name));
    case UmiPlace::Index2:
      return mate != nullptr ? std::string(last_index(mate_name)) : std::string();
    case UmiPlace::Read1:
      return std::string(take_from_read(read, rules));
    case UmiPlace::Read2:
      return mate != nullptr ? std::string(take_from_read(*mate, rules)) : std::string();
    case UmiPlace::PerIndex: {
      std::string both(first_index(read_name));
      if (mate != nullptr) both.append("_").append(last_index(mate_name));
      return both;
    }
    case UmiPlace::PerRead: {
      std::string both(take_from_read(read, rules));
      if (mate != nullptr) both.append("_").append(take_from_read(*mate, rules));
      return both;
    }
  }
  return {};
}

std::string name_with_umi(std::string_view name, std::string_view umi, const UmiRules& rules) {
  const std::size_t blank = std::min(name.find(' '), name.size());
  std::string out(name.substr(0, blank));
  out += ':';
  if (!rules.prefix.empty()) out.append(rules.prefix).append("_");
  out.append(umi).append(name.substr(blank));
  return out;
}

}  // namespace aceso::genomics
