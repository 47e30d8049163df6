#include "aceso/core/warnings.hpp"

#include <algorithm>

namespace aceso {

void Warnings::add(std::string_view kind, std::string_view message) {
  if (strict_) fail(Errc::CorruptData, "{} (an error because of --strict)", message);
  const std::scoped_lock lock{mutex_};
  auto found = std::ranges::lower_bound(counts_, kind, {}, &WarningCount::kind);
  if (found == counts_.end() || found->kind != kind)
    found = counts_.insert(found, WarningCount{std::string(kind), 0, {}});
  ++found->count;
  if (found->examples.size() < kExamples) found->examples.emplace_back(message);
}

std::vector<WarningCount> Warnings::counts() const {
  const std::scoped_lock lock{mutex_};
  return counts_;
}

}  // namespace aceso
