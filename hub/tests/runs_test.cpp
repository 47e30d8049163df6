#include "test_hub.hpp"

#include <signal.h>

#include <fstream>
#include <set>

namespace aceso::hub::test {
namespace {

pid_t pid_of_run(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::error_code error;
    const auto cwd = std::filesystem::read_symlink(entry.path() / "cwd", error);
    if (!error && cwd == folder) return std::stoi(entry.path().filename().string());
  }
  return 0;
}

std::size_t count_lines(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::size_t count = 0;
  for (std::string line; std::getline(file, line);) ++count;
  return count;
}

TEST(Runs, OneSucceedsWithItsOutputs) {
  TestHub hub;
  const std::string data = hub.add_data("a%20b.txt", "hello\n");
  const Json made = hub.add_run({{"count", 3}}, {{"words", {data, data}}});
  ASSERT_TRUE(made.contains("id")) << made;
  EXPECT_EQ(made["state"], "queued");
  const Json run = hub.wait_for_end(made["id"]);
  EXPECT_EQ(run["state"], "succeeded") << run;
  EXPECT_EQ(run["inputs"]["words"][1]["name"], "a b.txt");
  EXPECT_EQ(run["metrics"]["lines"], 7);
  EXPECT_EQ(run["error"], nullptr);
  EXPECT_EQ(run["progress"], nullptr);
  EXPECT_EQ(run["attempt"], 1);
  EXPECT_FALSE(run["options"].contains("threads")) << "only the job file names them";
  ASSERT_EQ(run["outputs"].size(), 2U) << "an output outside the run's folder must not count";
  EXPECT_EQ(run["outputs"][0]["file_name"], "lines.txt");
  EXPECT_EQ(run["outputs"][0]["viewer"], "text");

  const std::string path = "/v1/runs/" + made["id"].get<std::string>();
  EXPECT_EQ(hub.request("GET", path + "/outputs/lines").body, "line 0\nline 1\nline 2\nend\n");
  EXPECT_EQ(hub.json("GET", path + "/outputs/lines/preview")["text"],
            "line 0\nline 1\nline 2\nend\n");
  EXPECT_EQ(hub.request("GET", path + "/outputs/sly").status, 404);
  EXPECT_EQ(hub.request("GET", path + "/outputs/lines/rows").status, 404);
  // An index is what lies beside the output, and nothing else.
  EXPECT_EQ(hub.request("GET", path + "/outputs/lines/index").status, 404);
  write_file(hub.data() / "runs" / run["id"].get<std::string>() / "1" / "outputs" / "lines.txt.tbi",
             "0123456789");
  const Answer index =
      hub.request("GET", path + "/outputs/lines/index", "", {{"Range", "bytes=2-4"}});
  EXPECT_EQ(index.status, 206);
  EXPECT_EQ(index.body, "234");
  EXPECT_EQ(hub.request("GET", path + "/log").body, "fake program runs test lines\n");
}

TEST(Runs, AReportCannotActWithTheSession) {
  TestHub hub;
  const Json run = hub.wait_for_end(hub.add_run(Json::object())["id"]);
  const Answer page =
      hub.request("GET", "/v1/runs/" + run["id"].get<std::string>() + "/outputs/page");
  EXPECT_EQ(page.status, 200);
  EXPECT_TRUE(page.headers.at("content-type").starts_with("text/html"));
  EXPECT_TRUE(is_caged(page));
  EXPECT_EQ(page.headers.at("x-content-type-options"), "nosniff");
}

TEST(Runs, FailuresCarryTheRunsOwnWords) {
  TestHub hub;
  const Json failed = hub.wait_for_end(hub.add_run({{"end", "fail"}})["id"]);
  EXPECT_EQ(failed["state"], "failed");
  EXPECT_EQ(failed["error"]["code"], "out_of_resources");
  EXPECT_EQ(failed["error"]["message"], "the disk is full");
}

TEST(Runs, OneThatEndsWithoutAResultIsInterrupted) {
  TestHub hub;
  const Json killed = hub.wait_for_end(hub.add_run({{"end", "kill"}})["id"]);
  EXPECT_EQ(killed["state"], "interrupted");
  EXPECT_EQ(killed["error"]["message"],
            "the run ended without a result: killed by signal 9 (SIGKILL)");
  const Json gone = hub.wait_for_end(hub.add_run({{"end", "exit"}})["id"]);
  EXPECT_EQ(gone["state"], "interrupted");
  EXPECT_EQ(gone["error"]["message"], "the run ended without a result: exit code 3");
  const Json garbage = hub.wait_for_end(hub.add_run({{"end", "garbage"}})["id"]);
  EXPECT_EQ(garbage["state"], "failed");
  EXPECT_EQ(garbage["error"]["code"], "corrupt_data");
}

TEST(Runs, AnInterruptedOneCanBeRetriedAndASucceededOneNot) {
  TestHub hub;
  const std::string id = hub.wait_for_end(hub.add_run({{"end", "kill"}})["id"])["id"];
  const Answer again = hub.request("POST", "/v1/runs/" + id + "/retry");
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(Json::parse(again.body)["attempt"], 2);
  EXPECT_EQ(hub.wait_for_end(id)["state"], "interrupted");
  EXPECT_EQ(count_lines(hub.start_log()), 2U);
  const std::string good = hub.wait_for_end(hub.add_run(Json::object())["id"])["id"];
  EXPECT_EQ(hub.request("POST", "/v1/runs/" + good + "/retry").status, 409);
}

TEST(Runs, WaitInTheQueueInOrderOfCreation) {
  TestHub hub;
  const std::string first = hub.add_run({{"seconds", 0.3}})["id"];
  const std::string second = hub.add_run({{"seconds", 0.1}})["id"];
  const std::string third = hub.add_run(Json::object())["id"];
  hub.wait_for(first, "running");
  EXPECT_EQ(hub.run(second)["state"], "queued");
  EXPECT_EQ(hub.wait_for_end(third)["state"], "succeeded");
  EXPECT_EQ(hub.run(first)["state"], "succeeded");
  EXPECT_EQ(hub.run(second)["state"], "succeeded");
  std::ifstream starts(hub.start_log());
  std::string line;
  std::getline(starts, line);
  EXPECT_NE(line.find(first), std::string::npos);
  std::getline(starts, line);
  EXPECT_NE(line.find(second), std::string::npos);
}

TEST(Runs, CancellingStopsAQueuedARunningAndAStubbornOne) {
  TestHub hub([](HubSettings& settings) { settings.kill_after = std::chrono::milliseconds(300); });
  const std::string stubborn = hub.add_run({{"seconds", 100}, {"stubborn", true}})["id"];
  const std::string polite = hub.add_run({{"seconds", 100}})["id"];
  const std::string queued = hub.add_run({{"seconds", 100}})["id"];
  EXPECT_EQ(hub.json("POST", "/v1/runs/" + queued + "/cancel")["state"], "cancelled");
  hub.wait_for(stubborn, "running");
  EXPECT_EQ(hub.request("DELETE", "/v1/runs/" + stubborn).status, 409);
  EXPECT_EQ(hub.request("POST", "/v1/runs/" + stubborn + "/cancel").status, 200);
  EXPECT_EQ(hub.wait_for_end(stubborn)["state"], "cancelled");
  hub.wait_for(polite, "running");
  EXPECT_EQ(hub.request("POST", "/v1/runs/" + polite + "/cancel").status, 200);
  const Json run = hub.wait_for_end(polite);
  EXPECT_EQ(run["state"], "cancelled");
  EXPECT_EQ(run["error"]["code"], "cancelled");
  EXPECT_EQ(hub.request("POST", "/v1/runs/" + polite + "/cancel").status, 409);
  EXPECT_EQ(hub.request("DELETE", "/v1/runs/" + polite).status, 204);
  EXPECT_EQ(hub.request("GET", "/v1/runs/" + polite).status, 404);
  EXPECT_FALSE(std::filesystem::exists(hub.data() / "runs" / polite));
}

TEST(Runs, GoOnWhenTheHubStopsAndAreFollowedByTheNext) {
  TestHub hub;
  const std::string id = hub.add_run({{"seconds", 1}})["id"];
  hub.wait_for(id, "running");
  EXPECT_EQ(hub.stop(), 1U);
  hub.start();
  EXPECT_EQ(hub.run(id)["state"], "running");
  EXPECT_EQ(hub.wait_for_end(id)["state"], "succeeded");
  EXPECT_EQ(count_lines(hub.start_log()), 1U);
}

TEST(Runs, AnAdoptedOneCanBeCancelled) {
  TestHub hub([](HubSettings& settings) { settings.kill_after = std::chrono::milliseconds(300); });
  for (const bool stubborn : {false, true}) {
    const std::string id = hub.add_run({{"seconds", 100}, {"stubborn", stubborn}})["id"];
    hub.wait_for(id, "running");
    EXPECT_EQ(hub.stop(), 1U);
    hub.start();
    EXPECT_EQ(hub.request("POST", "/v1/runs/" + id + "/cancel").status, 200);
    EXPECT_EQ(hub.wait_for_end(id)["state"], "cancelled");
  }
}

TEST(Runs, OneThatEndedWithoutTheHubIsEndedAsItsResultSays) {
  TestHub hub;
  const std::string good = hub.add_run({{"seconds", 0.3}})["id"];
  hub.wait_for(good, "running");
  hub.stop();
  std::this_thread::sleep_for(std::chrono::milliseconds(600));
  hub.start();
  EXPECT_EQ(hub.wait_for_end(good)["state"], "succeeded");

  const std::string bad = hub.add_run({{"seconds", 100}})["id"];
  hub.wait_for(bad, "running");
  hub.stop();
  const pid_t process = pid_of_run(hub.data() / "runs" / bad / "1");
  ASSERT_GT(process, 1);
  ::kill(process, SIGKILL);
  hub.start();
  const Json run = hub.wait_for_end(bad);
  EXPECT_EQ(run["state"], "interrupted");
  EXPECT_EQ(run["error"]["message"], "the run ended without a result");
}

TEST(Runs, AProgramThatCannotBeStartedFailsTheRun) {
  TestHub hub;
  hub.stop();
  const auto program = hub.data().parent_path() / "not_a_program";
  write_file(program,
             "\x7f"
             "ELF, or so it seems");
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  hub.settings().program = program;
  hub.start();
  const Json run = hub.wait_for_end(hub.add_run(Json::object())["id"]);
  EXPECT_EQ(run["state"], "failed");
  EXPECT_NE(run["error"]["message"].get<std::string>().find("not_a_program"), std::string::npos)
      << run["error"];
}

// The sanitizers' programs do not begin under a limit.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t kRunMemory = 0;
#else
constexpr std::uint64_t kRunMemory = 3ULL << 30U;
#endif

TEST(Runs, SeeAMinimalWorld) {
  TestHub hub([](HubSettings& settings) { settings.run_memory_bytes = kRunMemory; });
  const std::string id = hub.add_run({{"seconds", 100}})["id"];
  hub.wait_for(id, "running");
  const auto folder = hub.data() / "runs" / id / "1";
  pid_t pid = 0;
  for (int i = 0; i < 3000 && pid == 0; ++i) {
    pid = pid_of_run(folder);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ASSERT_NE(pid, 0);
  const std::set<std::string> expected{"null", "log.txt", "lock"};
  std::set<std::string> open;
  // The run itself notes its start in a file, and may be doing so.
  for (int i = 0; i < 300 && open != expected; ++i) {
    if (i > 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    open.clear();
    for (const auto& entry :
         std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
      std::error_code gone;
      open.insert(std::filesystem::read_symlink(entry.path(), gone).filename().string());
    }
  }
  EXPECT_EQ(open, expected) << "a run inherits nothing of the hub but its lock";
  const std::string limits = read_file("/proc/" + std::to_string(pid) + "/limits");
  const std::string memory = kRunMemory == 0 ? "unlimited" : std::to_string(kRunMemory);
  EXPECT_NE(limits.find("Max address space         " + memory), std::string::npos) << limits;
  EXPECT_NE(limits.find("Max core file size        0 "), std::string::npos) << limits;
  EXPECT_EQ(::getsid(pid), pid);
  hub.request("POST", "/v1/runs/" + id + "/cancel");
  hub.wait_for_end(id);
}

TEST(Runs, EventsAreFollowedToTheEndAndResumed) {
  TestHub hub;
  const std::string id = hub.add_run({{"seconds", 0.5}, {"events", 50}})["id"];
  Client client(hub.port());
  client.send(client.head("GET", "/v1/runs/" + id + "/events", hub.with_token()));
  const std::string all = client.receive().body;
  EXPECT_LT(all.find("event: state"), all.find("event: progress"));
  EXPECT_NE(all.find("{\"state\":\"succeeded\"}"), std::string::npos);
  EXPECT_NE(all.find("\"done\":50"), std::string::npos);
  EXPECT_NE(all.find("event: log\ndata: {\"time\""), std::string::npos);
  EXPECT_LT(all.find("event: log"), all.find("event: end"));
  EXPECT_EQ(all.find("event: end\ndata: {\"id\":\"" + id), all.rfind("event: "));

  const auto middle = all.find("id: ", all.find("\"done\":25"));
  const std::string offset = all.substr(middle + 4, all.find('\n', middle) - middle - 4);
  const std::string rest =
      hub.request("GET", "/v1/runs/" + id + "/events", "", {{"Last-Event-ID", offset}}).body;
  EXPECT_EQ(rest.find("\"done\":25,"), std::string::npos);
  EXPECT_EQ(rest.find("\"done\":26,"), std::string::npos) << "the id is that of the event after it";
  EXPECT_NE(rest.find("\"done\":27,"), std::string::npos);
  const std::string odd = hub.request("GET", "/v1/runs/" + id + "/events?after=7").body;
  EXPECT_NE(odd.find("\"done\":1,"), std::string::npos)
      << "an offset within a line means the beginning";
}

TEST(Runs, AnOutputBecomesDataThatOutlivesTheRun) {
  TestHub hub;
  const std::string id = hub.wait_for_end(hub.add_run({{"count", 2}})["id"])["id"];
  const Answer kept =
      hub.request("POST", "/v1/runs/" + id + "/outputs/lines/keep", R"({"name":"kept.txt"})");
  ASSERT_EQ(kept.status, 201) << kept.body;
  const Json data = Json::parse(kept.body);
  EXPECT_EQ(data["name"], "kept.txt");
  EXPECT_EQ(hub.request("POST", "/v1/runs/" + id + "/outputs/lines/keep").status, 201);
  EXPECT_EQ(hub.request("DELETE", "/v1/runs/" + id).status, 204);
  EXPECT_EQ(hub.request("GET", "/v1/data/" + data["id"].get<std::string>() + "/content").body,
            "line 0\nline 1\nend\n");
}

TEST(Runs, DataInUseCannotBeDeletedAndARetryWithoutThemIsRefused) {
  TestHub hub;
  const std::string data = hub.add_data("a.txt", "x");
  const std::string id = hub.add_run({{"seconds", 100}}, {{"words", data}})["id"];
  EXPECT_EQ(hub.request("DELETE", "/v1/data/" + data).status, 409);
  hub.request("POST", "/v1/runs/" + id + "/cancel");
  hub.wait_for_end(id);
  EXPECT_EQ(hub.request("DELETE", "/v1/data/" + data).status, 204);
  EXPECT_EQ(hub.request("POST", "/v1/runs/" + id + "/retry").status, 409);
  EXPECT_EQ(hub.run(id)["state"], "cancelled");
}

TEST(Runs, ARequestIsAnsweredWithAllItsMistakes) {
  TestHub hub;
  const Answer answer = hub.request(
      "POST", "/v1/runs", R"({"app":"test lines","inputs":{"words":["/etc/passwd"],"wrods":"x"},
      "options":{"count":-1,"seconds":"soon","speed":3},"outputs":{"lines":"/tmp/x"},"folder":"/tmp","extra":1})");
  EXPECT_EQ(answer.status, 422);
  std::set<std::string> pointers;
  const Json body = Json::parse(answer.body);
  for (const auto& mistake : body["error"]["mistakes"]) pointers.insert(mistake["pointer"]);
  EXPECT_EQ(pointers, (std::set<std::string>{"/inputs/words/0", "/inputs/wrods", "/options/count",
                                             "/options/seconds", "/options/speed", "/outputs",
                                             "/folder", "/extra"}))
      << answer.body;
  EXPECT_EQ(hub.request("POST", "/v1/runs", R"({"app":"no such"})").status, 422);
  EXPECT_EQ(hub.request("POST", "/v1/runs", "[]").status, 422);
  EXPECT_EQ(hub.request("POST", "/v1/runs", "{").status, 400);
  EXPECT_EQ(hub.json("GET", "/v1/runs")["runs"].size(), 0U);
}

TEST(Runs, AreListedByAppAndState) {
  TestHub hub;
  const std::string good = hub.wait_for_end(hub.add_run(Json::object())["id"])["id"];
  const std::string bad = hub.wait_for_end(hub.add_run({{"end", "fail"}})["id"])["id"];
  EXPECT_EQ(hub.json("GET", "/v1/runs")["runs"][0]["id"], bad);
  EXPECT_EQ(hub.json("GET", "/v1/runs?state=succeeded")["runs"].size(), 1U);
  EXPECT_EQ(hub.json("GET", "/v1/runs?app=test%20lines&state=failed")["runs"][0]["id"], bad);
  EXPECT_EQ(hub.json("GET", "/v1/runs?app=other")["runs"].size(), 0U);
  EXPECT_EQ(hub.request("GET", "/v1/runs?state=lost").status, 422);
  const Json page = hub.json("GET", "/v1/runs?limit=1");
  EXPECT_EQ(hub.json("GET",
                     "/v1/runs?limit=1&cursor=" + page["next"].get<std::string>())["runs"][0]["id"],
            good);
}

}  // namespace
}  // namespace aceso::hub::test
