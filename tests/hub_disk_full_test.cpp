// A full disk: uploads and runs are refused with words, reads go on, and room brings all back.
#include "../hub/tests/test_hub.hpp"

#include "aceso/core/hash.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

namespace aceso::hub::test {
namespace {

namespace fs = std::filesystem;

/// A file system of a few megabytes.
class SmallDisk {
 public:
  SmallDisk()
      : error_(::mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, "size=24m") == 0 ? 0 : errno) {}
  ~SmallDisk() {
    if (error_ == 0) ::umount2(folder_.path().c_str(), MNT_DETACH);
  }
  [[nodiscard]] int error() const { return error_; }
  [[nodiscard]] const fs::path& path() const { return folder_.path(); }

  /// Leaves no byte free.
  void fill() const {
    const FileHandle file(
        ::open((path() / "filler").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    for (std::size_t size : {1U << 16U, 1U << 12U, 1U}) {
      const std::string bytes(size, 'x');
      while (::write(file.get(), bytes.data(), bytes.size()) > 0) {
      }
    }
  }
  void make_room() const { fs::remove(path() / "filler"); }
  [[nodiscard]] std::uintmax_t free_bytes() const { return fs::space(path()).available; }

 private:
  ScratchFolder folder_{"/tmp"};
  int error_;
};

class DiskFull : public testing::Test {
 protected:
  void SetUp() override {
    if (disk_.error() != 0)
      GTEST_SKIP() << "cannot mount a small file system: " << std::strerror(disk_.error());
    hub_ = std::make_unique<TestHub>(
        [&](HubSettings& settings) { settings.data = disk_.path() / "data"; });
  }
  void TearDown() override { hub_.reset(); }

  void expect_reads_go_on(const std::string& id, const std::string& bytes) {
    EXPECT_EQ(hub_->request("GET", "/healthz").status, 200);
    EXPECT_EQ(hub_->request("GET", "/v1/data").status, 200);
    EXPECT_EQ(hub_->request("GET", "/v1/runs").status, 200);
    EXPECT_TRUE(hub_->request("GET", "/v1/data/" + id + "/content").body == bytes);
  }

  SmallDisk disk_;
  std::unique_ptr<TestHub> hub_;
};

TEST_F(DiskFull, AnUploadThatDoesNotFitIsRefusedBeforeItsBytes) {
  const Answer answer = hub_->request("POST", "/v1/data?name=a", std::string(30'000'000, 'x'));
  EXPECT_EQ(answer.status, 507);
  EXPECT_NE(answer.body.find("the file needs 30.0 MB"), std::string::npos) << answer.body;
  EXPECT_EQ(hub_->request("POST", "/v1/uploads", R"({"name":"a","bytes":30000000})").status, 507);
  EXPECT_EQ(hub_->request("POST", "/v1/data?name=a", "small").status, 201);
}

TEST_F(DiskFull, UploadsUnderWayEndAndReadsGoOn) {
  const std::string kept_bytes(1'000'000, 'k');
  const std::string kept = hub_->add_data("kept.bin", kept_bytes);
  const std::string upload =
      "/v1/uploads/" +
      hub_->json("POST", "/v1/uploads", R"({"name":"b","bytes":8000000})")["upload"]
          .get<std::string>();
  EXPECT_EQ(
      hub_->request("PATCH", upload, std::string(1'000'000, 'a'), {{"Upload-Offset", "0"}}).status,
      200);

  Client client(hub_->port());
  client.send(
      client.head("POST", "/v1/data?name=a", hub_->with_token({{"Content-Length", "9000000"}})));
  const std::uintmax_t before = disk_.free_bytes();
  client.send(std::string(1'000'000, 'x'));
  // The upload must have begun: a disk that is full before it would refuse it at its head.
  while (disk_.free_bytes() == before) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  disk_.fill();
  client.send(std::string(8'000'000, 'x'));
  const Answer answer = client.receive();
  EXPECT_EQ(answer.status, 507);
  EXPECT_NE(answer.body.find("No space left on device"), std::string::npos) << answer.body;
  EXPECT_EQ(
      hub_->request("PATCH", upload, std::string(7'000'000, 'b'), {{"Upload-Offset", "1000000"}})
          .status,
      507);
  disk_.fill();  // what broke off has left its room
  EXPECT_EQ(hub_->request("POST", "/v1/data?name=a", "small").status, 507);
  expect_reads_go_on(kept, kept_bytes);
  EXPECT_EQ(hub_->json("GET", upload)["offset"], 1'000'000);

  disk_.make_room();
  EXPECT_EQ(
      hub_->request("PATCH", upload, std::string(7'000'000, 'b'), {{"Upload-Offset", "1000000"}})
          .status,
      201);
  const std::string hash = sha256(std::string(1'000'000, 'a') + std::string(7'000'000, 'b'));
  EXPECT_EQ(hub_->json("GET", "/v1/data")["data"][0]["sha256"], hash);
  EXPECT_TRUE(fs::is_empty(hub_->data() / "uploads"));
}

TEST_F(DiskFull, DeletingDataMakesRoom) {
  const std::string id = hub_->add_data("big.bin", std::string(6'000'000, 'x'));
  disk_.fill();
  EXPECT_EQ(hub_->request("DELETE", "/v1/data/" + id).status, 204)
      << "the way out of a full disk must be open";
  EXPECT_EQ(hub_->request("POST", "/v1/data?name=a", std::string(1'000'000, 'y')).status, 201);
}

TEST_F(DiskFull, RunsFailWithWordsAndWaitForRoom) {
  const std::string kept_bytes(1'000'000, 'k');
  const std::string kept = hub_->add_data("kept.bin", kept_bytes);
  const std::string running = hub_->add_run({{"seconds", 0.5}, {"count", 3'000'000}})["id"];
  hub_->wait_for(running, "running");
  disk_.fill();
  const Answer refused = hub_->request("POST", "/v1/runs", R"({"app":"test lines"})");
  EXPECT_TRUE(refused.status == 507 || refused.status == 201) << refused.body;
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  expect_reads_go_on(kept, kept_bytes);
  const fs::path output = hub_->data() / "runs" / running / "1" / "outputs" / "lines.txt";
  EXPECT_FALSE(fs::exists(output));

  disk_.make_room();
  const Json ended = hub_->wait_for_end(running);
  EXPECT_TRUE(ended["state"] == "interrupted" || ended["state"] == "failed") << ended;
  EXPECT_FALSE(ended["error"]["message"].get<std::string>().empty());
  EXPECT_EQ(hub_->wait_for_end(hub_->add_run(Json::object())["id"])["state"], "succeeded");
}

TEST_F(DiskFull, AHubStartsOnAFullDiskOrSaysWhyNot) {
  const std::string kept = hub_->add_data("kept.bin", "kept");
  hub_->stop();
  disk_.fill();
  try {
    hub_->start();
    EXPECT_EQ(hub_->request("GET", "/v1/data/" + kept + "/content").body, "kept");
    hub_->stop();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::OutOfResources) << error.what();
  }
  disk_.make_room();
  hub_->start();
  EXPECT_EQ(hub_->request("GET", "/v1/data/" + kept + "/content").body, "kept");
}

}  // namespace
}  // namespace aceso::hub::test
