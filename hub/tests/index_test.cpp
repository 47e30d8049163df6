#include "test_hub.hpp"

#include <atomic>
#include <set>
#include <thread>

namespace aceso::hub::test {
namespace {

namespace fs = std::filesystem;

/// A maker for text whose index is its size, and what it was asked for.
struct Maker {
  std::atomic<int> made{0}, cancelled{0};
  std::atomic<bool> held{false};  ///< it waits until it is let go, or told to stop
  std::atomic<bool> disk_full{false};
  int version = 1;

  app::FileIndex index() {
    return {
        .kind = "text", .version = version, .make = [this](const auto& request) { make(request); }};
  }

  void make(const app::IndexRequest& request) {
    ++made;
    char text[64];
    const FileHandle file = open_for_reading(request.file);
    const ssize_t size = ::pread(file.get(), text, sizeof(text), 0);
    request.progress.stage("index", static_cast<std::uint64_t>(size), "bytes");
    while (held && !request.stop.stop_requested())
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (request.stop.stop_requested()) {
      ++cancelled;
      fail(Errc::Cancelled, "stopped");
    }
    write_file(request.folder / "idx", std::to_string(size) + " bytes");
    if (disk_full) fail(Errc::OutOfResources, "the disk is full");
    if (std::string_view(text, static_cast<std::size_t>(size)) == "bad")
      fail(Errc::CorruptData, "{}: line 1: is bad", request.file_name);
  }
};

class Index : public ::testing::Test {
 protected:
  Json wait(const std::string& path) {
    Json status;
    for (int i = 0; i < 5000; ++i) {
      status = hub.json("GET", path + "/index");
      const std::string state = status.value("state", "");
      if (state != "waiting" && state != "building") break;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return status;
  }
  std::string add(const std::string& name, std::string_view bytes) {
    return "/v1/data/" + hub.add_data(name, bytes);
  }
  [[nodiscard]] std::set<std::string> kept() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(hub.data() / "indexes"))
      names.insert(entry.path().filename().string());
    return names;
  }
  void restart() {
    hub.stop();
    hub.settings().indexes = {maker.index()};
    hub.start();
  }

  Maker maker;  // (outlives the hub)
  TestHub hub{[this](HubSettings& settings) { settings.indexes = {maker.index()}; }};
};

TEST_F(Index, IsMadeOnceForAllWhoAskAndServedInRanges) {
  maker.held = true;
  const std::string path = add("a.txt", "0123456789");
  std::vector<std::jthread> people;
  std::atomic<int> in_hand{0};
  for (int i = 0; i < 8; ++i)
    people.emplace_back([&] {
      const std::string state = hub.json("GET", path + "/index").value("state", "");
      if (state == "waiting" || state == "building") ++in_hand;
    });
  people.clear();
  EXPECT_EQ(in_hand, 8);
  Json status = Json::object();
  for (int i = 0; i < 5000 && status["progress"].is_null(); ++i) {
    status = hub.json("GET", path + "/index");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(status["state"], "building");
  EXPECT_EQ(status["progress"]["total"], 10);
  EXPECT_EQ(hub.request("GET", path + "/index/idx").status, 409);
  maker.held = false;
  EXPECT_EQ(
      wait(path),
      (Json{{"state", "ready"}, {"progress", nullptr}, {"parts", {"idx"}}, {"error", nullptr}}));
  EXPECT_EQ(hub.request("GET", path + "/index/idx").body, "10 bytes");
  const Answer part = hub.request("GET", path + "/index/idx", "", {{"Range", "bytes=3-6"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "byte");
  const std::string tag = part.headers.at("etag");
  EXPECT_EQ(hub.request("GET", path + "/index/idx", "", {{"If-None-Match", tag}}).status, 304);
  EXPECT_EQ(maker.made, 1);
}

TEST_F(Index, IsKeptByContentAcrossStarts) {
  const std::string path = add("a.txt", "0123456789");
  EXPECT_EQ(wait(path)["state"], "ready");
  restart();
  EXPECT_EQ(hub.json("GET", path + "/index")["state"], "ready");
  const std::string same = add("b.txt", "0123456789"), other = add("a.txt", "other");
  EXPECT_EQ(hub.json("GET", same + "/index")["state"], "ready");
  EXPECT_EQ(maker.made, 1);
  EXPECT_EQ(wait(other)["state"], "ready");
  EXPECT_EQ(hub.request("GET", other + "/index/idx").body, "5 bytes");
  EXPECT_EQ(hub.request("GET", path + "/content").body, "0123456789");
}

TEST_F(Index, GoesWithTheLastDataOfItsBytes) {
  const std::string one = add("a.txt", "0123456789"), two = add("b.txt", "0123456789");
  EXPECT_EQ(wait(one)["state"], "ready");
  EXPECT_EQ(hub.request("DELETE", one).status, 204);
  EXPECT_EQ(kept().size(), 1U);
  EXPECT_EQ(hub.request("DELETE", two).status, 204);
  EXPECT_EQ(kept().size(), 0U);
  EXPECT_EQ(hub.request("GET", two + "/index").status, 404);
}

TEST_F(Index, OfDataRemovedMeanwhileIsNotKept) {
  maker.held = true;
  const std::string path = add("a.txt", "0123456789");
  const std::string next = add("b.txt", "next");
  for (int i = 0; i < 5000 && maker.made == 0; ++i) {
    static_cast<void>(hub.json("GET", path + "/index"));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  static_cast<void>(hub.json("GET", next + "/index"));
  EXPECT_EQ(hub.request("DELETE", path).status, 204);
  maker.held = false;
  EXPECT_EQ(wait(next)["state"], "ready");  // they are made one after the other
  EXPECT_EQ(kept().size(), 1U);
}

TEST_F(Index, OfAnotherVersionIsMadeAgain) {
  const std::string path = add("a.txt", "0123456789");
  EXPECT_EQ(wait(path)["state"], "ready");
  const std::set<std::string> before = kept();
  fs::create_directory(hub.data() / "indexes/.left by a crash.part");
  maker.version = 2;
  restart();
  EXPECT_TRUE(kept().empty());
  EXPECT_EQ(hub.request("GET", path + "/index/idx").status, 409);
  EXPECT_EQ(wait(path)["state"], "ready");
  EXPECT_EQ(maker.made, 2);
  EXPECT_NE(kept(), before);
}

TEST_F(Index, OfABadFileSaysWhatIsWrongAndStaysSo) {
  const std::string path = add("a.txt", "bad");
  for (int i = 0; i < 3; ++i) {
    const Json status = wait(path);
    EXPECT_EQ(status["state"], "failed");
    EXPECT_EQ(status["error"]["code"], "corrupt_data");
    EXPECT_EQ(status["error"]["message"], "a.txt: line 1: is bad");
  }
  EXPECT_EQ(maker.made, 1);
  EXPECT_TRUE(kept().empty());
  EXPECT_EQ(hub.request("GET", path + "/index/idx").status, 409);
}

TEST_F(Index, ThatFoundNoRoomIsTriedAgain) {
  maker.disk_full = true;
  const std::string path = add("a.txt", "0123456789");
  EXPECT_EQ(wait(path)["error"]["code"], "out_of_resources");
  EXPECT_TRUE(kept().empty());
  maker.disk_full = false;
  EXPECT_EQ(wait(path)["state"], "ready");
}

TEST_F(Index, IsGivenUpWhenTheHubStops) {
  maker.held = true;
  const std::string path = add("a.txt", "0123456789");
  for (int i = 0; i < 5000 && maker.made == 0; ++i) {
    static_cast<void>(hub.json("GET", path + "/index"));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  hub.stop();
  EXPECT_EQ(maker.cancelled, 1);
  EXPECT_TRUE(kept().empty());
  maker.held = false;
  hub.start();
  EXPECT_EQ(wait(path)["state"], "ready");
}

TEST_F(Index, IsForThoseWhoMayAndForKindsThatHaveOne) {
  const std::string path = add("a.txt", "0123456789");
  EXPECT_EQ(Client(hub.port()).request("GET", path + "/index").status, 401);
  EXPECT_EQ(Client(hub.port()).request("GET", path + "/index/idx").status, 401);
  EXPECT_EQ(maker.made, 0);
  const std::string other = add("a.json", "{}");
  EXPECT_EQ(hub.request("GET", other + "/index").status, 404);
  EXPECT_EQ(hub.request("GET", other + "/index/idx").status, 404);
  EXPECT_EQ(wait(path)["state"], "ready");
  for (const char* part : {"fai", "..%2f..%2ftoken", "%2e%2e", "."})
    EXPECT_EQ(hub.request("GET", path + "/index/" + part).status, 404) << part;
}

}  // namespace
}  // namespace aceso::hub::test
