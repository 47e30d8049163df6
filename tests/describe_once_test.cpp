// Describe once: an app that is one source file (tests/tiny/tiny_app.cpp) and one line
// (tests/tiny/main.cpp) appears everywhere, with nothing else edited.

#include "support.hpp"

#include <gtest/gtest.h>

namespace aceso::tests {
namespace {
namespace fs = std::filesystem;

constexpr const char* kProgram = ACESO_TINY_PROGRAM;

const Json* app_in(const Json& list, const std::string& name) {
  for (const Json& app : list) {
    if (app["name"] == name) return &app;
  }
  return nullptr;
}

TEST(DescribeOnce, TheCommandListsDescribesAndCompletesTheApp) {
  const Json apps = run({kProgram, "apps", "--json"}).json();
  const Json* app = app_in(apps["apps"], "demo letters");
  ASSERT_NE(app, nullptr);
  EXPECT_EQ((*app)["schema"]["properties"]["options"]["properties"]["letter"]["default"], "a");
  EXPECT_NE(run({kProgram, "demo", "letters", "--help"}).out.find("--letter TEXT"),
            std::string::npos);
  EXPECT_NE(run({kProgram, "completion", "bash"}).out.find("--fail-as"), std::string::npos);
  EXPECT_EQ(app_in(run({ACESO_PROGRAM, "apps", "--json"}).json()["apps"], "demo letters"), nullptr);
}

TEST(DescribeOnce, CompletionIsAScriptThatCompletes) {
  const std::string script = std::string("source <(") + kProgram + " completion bash); ";
  const auto complete = [&](const std::string& words, int index) {
    return run({"bash", "-c",
                script + "COMP_WORDS=(" + words + "); COMP_CWORD=" + std::to_string(index) +
                    "; _aceso; echo ${COMPREPLY[@]}"})
        .out;
  };
  EXPECT_EQ(complete("aceso dem", 1), "demo\n");
  EXPECT_EQ(complete("aceso demo le", 2), "letters\n");
  EXPECT_EQ(complete("aceso demo letters --let", 3), "--letter\n");
  EXPECT_EQ(complete("aceso demo letters --fail-as b", 4), "bad-input bug\n");
}

TEST(DescribeOnce, TheReferenceHasAPageForIt) {
  const ScratchFolder folder{fs::temp_directory_path()};
  EXPECT_EQ(run({kProgram, "apps", "--reference", folder.path().string()}).exit_code, 0);
  EXPECT_NE(read_file(folder.path() / "demo-letters.md").find("| `--letter` | a |"),
            std::string::npos);
  EXPECT_NE(read_file(folder.path() / "README.md").find("(demo-letters.md)"), std::string::npos);
}

TEST(DescribeOnce, TheReferenceInTheDocsIsUpToDate) {
  const ScratchFolder folder{fs::temp_directory_path()};
  EXPECT_EQ(run({ACESO_PROGRAM, "apps", "--reference", folder.path().string()}).exit_code, 0);
  const Ended difference = run({"diff", "-r", folder.path().string(),
                                std::string(ACESO_SOURCE_DIR) + "/docs/reference/apps"});
  EXPECT_EQ(difference.exit_code, 0) << "run ./dev docs\n" << difference.out;
}

TEST(DescribeOnce, TheHubOffersChecksAndRunsIt) {
  const ScratchFolder folder{fs::temp_directory_path()};
  const HubProcess hub{kProgram, folder.path() / "data"};
  EXPECT_NE(app_in(hub.request("GET", "/v1/apps").json()["apps"], "demo letters"), nullptr);
  EXPECT_NE(hub.request("GET", "/openapi.json").body.find("demo letters"), std::string::npos);

  const auto wrong = hub.request(
      "POST", "/v1/runs",
      {"-d", R"({"app":"demo letters","inputs":{"text":"/etc/passwd"},"options":{"seconds":-1}})"});
  EXPECT_EQ(wrong.status, 422);
  EXPECT_EQ(wrong.json()["error"]["mistakes"][0]["pointer"], "/inputs/text");
  EXPECT_EQ(wrong.json()["error"]["mistakes"][1]["pointer"], "/options/seconds");

  const std::string data = hub.upload("line.txt", "banana");
  const auto made = hub.request(
      "POST", "/v1/runs",
      {"-d", R"({"app":"demo letters","inputs":{"text":")" + data + R"("},"options":{}})"});
  ASSERT_EQ(made.status, 201) << made.body;
  const Json ended = hub.wait_for_run(made.json()["id"].get<std::string>());
  EXPECT_EQ(ended["state"], "succeeded") << ended.dump(1);
  EXPECT_EQ(ended["metrics"]["letters"]["count"], 3);
  EXPECT_EQ(
      hub.request("GET", "/v1/runs/" + ended["id"].get<std::string>() + "/outputs/counts").body,
      "letter\tcount\na\t3\n");
  std::printf("hub ready after %.3f s\n", hub.seconds_to_ready());
}

}  // namespace
}  // namespace aceso::tests
