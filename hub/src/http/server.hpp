/// \file
/// The HTTP/1.1 server: connections, limits and timeouts. Knows no route.
#pragma once

#include "http/message.hpp"

#include "aceso/core/log.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace aceso::hub {

/// One request on its way. Its functions are called one after the other, on worker threads, and
/// may block; none lets an exception out. Destroyed without finish() when the client went away.
class Exchange {
 public:
  virtual ~Exchange() = default;
  /// Looks at the header. An answer means that the body is not wanted.
  [[nodiscard]] virtual std::optional<Response> begin() noexcept = 0;
  /// Takes the next bytes of the body. An answer means that no more are wanted.
  [[nodiscard]] virtual std::optional<Response> receive(
      std::span<const std::byte> bytes) noexcept = 0;
  /// The body is complete.
  [[nodiscard]] virtual Response finish() noexcept = 0;
};

/// Makes the exchange for a request whose header is complete. Does not throw.
using Application = std::function<std::unique_ptr<Exchange>(Request)>;

struct ServerSettings {
  std::string address;
  unsigned short port = 0;
  unsigned worker_threads = 4;
  unsigned max_connections = 512;
  std::chrono::milliseconds header_timeout{10'000};
  std::chrono::milliseconds body_timeout{30'000};
  std::chrono::milliseconds idle_timeout{60'000};
  std::chrono::milliseconds drain_timeout{5'000};  ///< for what is under way when the server stops
};

inline constexpr std::size_t kMaxHeaderBytes = 16 * 1024;

/// Serves from construction on until stop().
///
/// One thread moves bytes; worker threads run the exchanges, so that neither a slow disk nor
/// a slow client holds up the others. Bodies need a Content-Length; there is no limit on their
/// size here, as an exchange refuses what it does not want.
class Server {
 public:
  /// \throws Error InvalidArgument for a malformed address, Io if the port is taken.
  Server(ServerSettings settings, Application application, Log log);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] unsigned short port() const noexcept;
  /// Lets the exchanges under way end, then closes everything.
  void stop() noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Whether `address` is a numeric loopback address. \throws Error InvalidArgument if malformed.
[[nodiscard]] bool is_loopback_address(const std::string& address);

}  // namespace aceso::hub
