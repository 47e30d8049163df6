#include "front_end.hpp"

#include <charconv>
#include <cstdlib>
#include <string_view>

namespace aceso::cli {
namespace {

/// The whole number in the environment variable `name`; `missing` if it is not set.
/// \throws Error InvalidArgument naming it.
std::int64_t number_of(const char* name, std::int64_t missing) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == '\0') return missing;
  const std::string_view view(text);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), value);
  if (error != std::errc{} || end != view.data() + view.size() || value < 0)
    fail(Errc::InvalidArgument,
         "the environment variable {}: expected a whole number, found \"{}\"", name,
         view.substr(0, 40));
  return value;
}

std::string text_of(const char* name, const std::string& missing) {
  const char* text = std::getenv(name);
  return text == nullptr || *text == '\0' ? missing : text;
}

app::Launch checked(app::Launch launch, std::int64_t port) {
  if (launch.size < 1 || launch.rank >= launch.size || port < 1 || port > 65535)
    fail(
        Errc::InvalidArgument,
        "the environment says rank {} of {} at port {}, which cannot be; unset RANK and WORLD_SIZE "
        "for one process alone",
        launch.rank, launch.size, port);
  launch.port = static_cast<std::uint16_t>(port);
  return launch;
}

}  // namespace

app::Launch launch_from_environment() {
  app::Launch launch;
  launch.address = text_of("MASTER_ADDR", text_of("SLURM_LAUNCH_NODE_IPADDR", launch.address));
  // Two jobs of one user on one machine should not meet.
  const std::int64_t job = number_of("SLURM_JOB_ID", -1);
  const std::int64_t port = number_of("MASTER_PORT", job < 0 ? launch.port : 20000 + job % 20000);
  struct Names {
    const char *rank, *size, *local_rank;
  };
  for (const Names& names :
       {Names{"RANK", "WORLD_SIZE", "LOCAL_RANK"},
        Names{"SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID"},
        Names{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"}}) {
    const std::int64_t rank = number_of(names.rank, -1), size = number_of(names.size, -1);
    if (rank < 0 || size < 0) continue;
    launch.rank = rank;
    launch.size = size;
    // A person's word counts whoever started the processes.
    launch.local_rank = number_of("LOCAL_RANK", number_of(names.local_rank, -1));
    return checked(launch, port);
  }
  return {};
}

}  // namespace aceso::cli
