#include "piped_file.hpp"

#include "aceso/core/error.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <span>
#include <system_error>
#include <utility>

namespace aceso::genomics {
namespace {

constexpr int kMillisecondsBetweenLooks = 100;
constexpr std::size_t kPieceSize = 256 << 10;

/// Waits until `descriptor` is ready for `events` (or broken); false if asked to stop before.
template <typename Stopped>
bool wait_for(int descriptor, short events, const Stopped& stopped) {
  while (!stopped()) {
    pollfd asked{descriptor, events, 0};
    const int ready = ::poll(&asked, 1, kMillisecondsBetweenLooks);
    if (ready > 0 || (ready < 0 && errno != EINTR)) return true;
  }
  return false;
}

/// Writes all; false if asked to stop, or if nobody reads any more.
template <typename Stopped>
bool write_whole(int descriptor, std::span<const std::byte> bytes, const Stopped& stopped) {
  while (!bytes.empty()) {
    if (!wait_for(descriptor, POLLOUT, stopped)) return false;
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR && errno != EAGAIN) return false;
    if (count > 0) bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

PipedFile::PipedFile(const std::filesystem::path& path, std::size_t head_size, std::stop_token stop)
    : source_path_(path),
      stop_(std::move(stop)),
      source_(open_for_reading(path)),
      head_(head_size, '\0') {
  const auto stopped = [this] { return stop_.stop_requested(); };
  std::size_t size = 0;
  const auto room = std::as_writable_bytes(std::span(head_));
  while (size < head_size) {
    if (!wait_for(source_.get(), POLLIN, stopped)) fail(Errc::Cancelled, "reading was stopped");
    const std::size_t got = read_some(source_.get(), room.subspan(size), path);
    if (got == 0) break;
    size += got;
  }
  head_.resize(size);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    fail(Errc::OutOfResources, "{}: cannot make a pipe: {}", path.string(),
         std::generic_category().message(errno));
  read_end_ = FileHandle(ends[0]);
  write_end_ = FileHandle(ends[1]);
  // (Writing must not wait for a reader that has gone.)
  (void)::fcntl(ends[1], F_SETFL, O_NONBLOCK);
  thread_ = std::jthread([this](const std::stop_token& asked) { hand_on(asked); });
}

PipedFile::~PipedFile() {
  read_end_.reset();
  thread_.request_stop();
}

std::filesystem::path PipedFile::path() const {
  return "/dev/fd/" + std::to_string(read_end_.get());
}

void PipedFile::finish() {
  read_end_.reset();
  thread_.request_stop();
  thread_.join();
  if (error_) std::rethrow_exception(error_);
  if (stop_.stop_requested()) fail(Errc::Cancelled, "reading was stopped");
}

void PipedFile::hand_on(const std::stop_token& given_up) noexcept {
  // Where nobody reads any more, write() shall say so and not end the program.
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  (void)pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  const auto stopped = [&] { return given_up.stop_requested() || stop_.stop_requested(); };
  try {
    bool going = write_whole(write_end_.get(), std::as_bytes(std::span(head_)), stopped);
    std::string piece(kPieceSize, '\0');
    while (going && wait_for(source_.get(), POLLIN, stopped)) {
      const std::size_t got =
          read_some(source_.get(), std::as_writable_bytes(std::span(piece)), source_path_);
      if (got == 0) break;
      going = write_whole(write_end_.get(), std::as_bytes(std::span(piece)).first(got), stopped);
    }
  } catch (...) {
    error_ = std::current_exception();
  }
  write_end_.reset();
}

}  // namespace aceso::genomics
