#include "fit_split.hpp"

#include "aceso/core/random.hpp"

#include <cstddef>
#include <unordered_map>

namespace aceso::molecules {
namespace {

using Group = std::vector<std::size_t>;

/// Groups in the order in which they first occur.
std::vector<Group> groups_of(std::span<const std::string> keys) {
  std::unordered_map<std::string_view, std::size_t> places;
  std::vector<Group> groups;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto [place, is_new] = places.emplace(keys[i], groups.size());
    if (is_new) groups.emplace_back();
    groups[place->second].push_back(i);
  }
  return groups;
}

/// The large groups and then the small ones, each in random order.
std::vector<Group> balanced_order(std::vector<Group> groups, double validation, double test,
                                  std::uint64_t seed) {
  std::vector<Group> large, small;
  for (Group& group : groups) {
    const auto size = static_cast<double>(group.size());
    const bool is_large = size > validation / 2 || size > test / 2;
    (is_large ? large : small).push_back(std::move(group));
  }
  shuffle_in_place(large, Random(seed, 0));
  shuffle_in_place(small, Random(seed, 1));
  for (Group& group : small) large.push_back(std::move(group));
  return large;
}

}  // namespace

std::vector<lm::Split> split_by_group(std::span<const std::string> keys, const SplitShares& shares,
                                      bool balanced, std::uint64_t seed) {
  const auto all = static_cast<double>(keys.size());
  const double validation = shares.validation * all, test = shares.test * all;
  const double training = all - validation - test;
  std::vector<Group> groups = groups_of(keys);
  if (balanced)
    groups = balanced_order(std::move(groups), validation, test, seed);
  else
    shuffle_in_place(groups, Random(seed, 0));

  // Where what fits nowhere goes.
  const lm::Split rest = shares.test > 0         ? lm::Split::Test
                         : shares.validation > 0 ? lm::Split::Validation
                                                 : lm::Split::Train;
  std::vector<lm::Split> splits(keys.size());
  double trained = 0, validated = 0;
  for (const Group& group : groups) {
    const auto size = static_cast<double>(group.size());
    // Shares of whole numbers are whole numbers but for rounding.
    constexpr double kRounding = 1e-6;
    lm::Split split = rest;
    if (trained + size <= training + kRounding) {
      split = lm::Split::Train;
      trained += size;
    } else if (validated + size <= validation + kRounding) {
      split = lm::Split::Validation;
      validated += size;
    }
    for (const std::size_t i : group) splits[i] = split;
  }
  return splits;
}

}  // namespace aceso::molecules
