#include "data_folder.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <thread>

namespace aceso::hub {

namespace fs = std::filesystem;

namespace {

[[nodiscard]] fs::path make_root(const fs::path& path) {
  if (path.empty()) fail(Errc::InvalidArgument, "the data folder has no name");
  std::error_code error;
  const fs::path root = fs::absolute(path, error);
  if (!error && fs::create_directories(root, error)) ::chmod(root.c_str(), 0700);
  if (error) fail_system(error.value(), "make", path.string());
  return root;
}

/// Tries for a second: when a hub was killed while it started a run, the new process has its lock
/// until it has become the run's program.
[[nodiscard]] bool lock_within_a_second(int file) {
  for (int tries = 0; tries < 20; ++tries) {
    if (::flock(file, LOCK_EX | LOCK_NB) == 0) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return false;
}

[[nodiscard]] FileHandle lock_root(const fs::path& root) {
  FileHandle lock(::open((root / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) fail_system(errno, "open the lock of", root.string());
  if (!lock_within_a_second(lock.get()))
    fail(Errc::OutOfResources, "{}: another hub works on this data folder (process {})",
         root.string(), printable(read_file(root / "lock", 100), 20));
  const std::string id = std::to_string(::getpid());
  // For people only; on a full disk it stays empty.
  if (::ftruncate(lock.get(), 0) == 0)
    static_cast<void>(::pwrite(lock.get(), id.data(), id.size(), 0) == 0);
  return lock;
}

}  // namespace

DataFolder::DataFolder(const fs::path& path) : root_(make_root(path)), lock_(lock_root(root_)) {
  std::error_code error;
  fs::create_directories(runs(), error);
  if (error) fail_system(error.value(), "make", runs().string());
}

}  // namespace aceso::hub
