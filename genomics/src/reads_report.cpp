#include "reads_report.hpp"

#include <nlohmann/json.hpp>

namespace aceso::genomics {

void report_reads(const ReadsJob& job, const ReadsResult& result, app::RunContext& context) {
  static_cast<void>(job);
  const auto& mates = result.tally.mates;
  context.metric("reads.before", mates[0].before.reads + mates[1].before.reads);
  context.metric("reads.after", mates[0].after.reads + mates[1].after.reads);
  context.metric("bases.before", mates[0].before.bases + mates[1].before.bases);
  context.metric("bases.after", mates[0].after.bases + mates[1].after.bases);
  context.metric("plan", result.plan);
}

}  // namespace aceso::genomics
