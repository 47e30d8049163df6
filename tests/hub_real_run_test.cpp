// Runs of the real `aceso run` under a hub that, or whose run, is killed.

#include "support.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <fstream>
#include <thread>

namespace aceso::tests {
namespace {
namespace fs = std::filesystem;

/// The process that `parent` has started, or 0.
pid_t child_of(pid_t parent) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::ifstream stat{entry.path() / "stat"};
    pid_t id = 0, parent_id = 0;
    std::string name, state;
    if (stat >> id >> name >> state >> parent_id && parent_id == parent) return id;
  }
  return 0;
}

std::string start_run(const HubProcess& hub, double seconds) {
  const std::string data = hub.upload("line.txt", "banana");
  const auto made =
      hub.request("POST", "/v1/runs",
                  {"-d", R"({"app":"demo letters","inputs":{"text":")" + data +
                             R"("},"options":{"seconds":)" + std::to_string(seconds) + "}}"});
  const std::string id = made.json()["id"].get<std::string>();
  while (hub.request("GET", "/v1/runs/" + id).json()["state"] == "queued")
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  return id;
}

TEST(RealRun, KilledItIsInterruptedAndARetrySucceeds) {
  const ScratchFolder folder{fs::temp_directory_path()};
  const HubProcess hub{ACESO_TINY_PROGRAM, folder.path() / "data"};
  const std::string id = start_run(hub, 2);
  const pid_t run = child_of(hub.pid());
  ASSERT_GT(run, 1);
  kill(run, SIGKILL);
  const Json ended = hub.wait_for_run(id);
  EXPECT_EQ(ended["state"], "interrupted");
  EXPECT_NE(ended["error"]["message"].get<std::string>().find("SIGKILL"), std::string::npos)
      << ended["error"];
  EXPECT_EQ(hub.request("GET", "/v1/runs/" + id + "/outputs/counts").status, 404);
  EXPECT_EQ(hub.request("POST", "/v1/runs/" + id + "/retry").status, 200);
  EXPECT_EQ(hub.wait_for_run(id)["state"], "succeeded");
}

TEST(RealRun, OutlivesAKilledHubAndIsFollowedByTheNext) {
  const ScratchFolder folder{fs::temp_directory_path()};
  std::string id;
  {
    HubProcess hub{ACESO_TINY_PROGRAM, folder.path() / "data"};
    id = start_run(hub, 2);
    hub.end(SIGKILL);
  }
  const HubProcess next{ACESO_TINY_PROGRAM, folder.path() / "data"};
  EXPECT_EQ(next.request("GET", "/v1/runs/" + id).json()["state"], "running");
  const Json ended = next.wait_for_run(id);
  EXPECT_EQ(ended["state"], "succeeded");
  EXPECT_EQ(ended["attempt"], 1);
  EXPECT_EQ(next.request("GET", "/v1/runs/" + id + "/outputs/counts").body,
            "letter\tcount\na\t3\n");
}

}  // namespace
}  // namespace aceso::tests
