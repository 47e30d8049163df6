#include "http/server.hpp"

// Boost 1.74 uses std::exchange in its coroutine headers without including this.
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <limits>
#include <list>
#include <thread>

namespace aceso::hub {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t kBodyBlock = 256 * 1024;
constexpr std::size_t kSendBlock =
    64 * 1024;  // one block per write_timeout is the slowest client we serve
constexpr std::uint64_t kDiscardable = 64 * 1024;  // of an unwanted body, to keep the connection
constexpr std::chrono::seconds kWriteTimeout{30};
constexpr std::chrono::milliseconds kStreamPause{150};
constexpr std::string_view kTooBusy =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: "
    "close\r\n\r\n";

/// Runs `work` on a worker thread and comes back to the caller's executor with its result.
template <typename Work>
asio::awaitable<std::invoke_result_t<Work&>> on_worker(asio::thread_pool& workers, Work& work) {
  auto call = [&work]() -> asio::awaitable<std::invoke_result_t<Work&>> { co_return work(); };
  co_return co_await asio::co_spawn(workers, call, asio::use_awaitable);
}

/// Belongs to the network thread, but for its exchange.
struct Connection {
  explicit Connection(tcp::socket socket)
      : stream(std::move(socket)), buffer(kMaxHeaderBytes + kBodyBlock) {}

  beast::tcp_stream stream;
  beast::flat_buffer buffer;
  std::vector<std::byte> block;  // for bodies, once one is needed
  bool waiting = true;           // for a request: may be closed in favour of others
  steady_clock::time_point waiting_since = steady_clock::now();
};

using ConnectionList = std::list<std::shared_ptr<Connection>>;
using RequestParser = http::request_parser<http::empty_body>;

[[nodiscard]] Method to_method(http::verb verb) noexcept {
  switch (verb) {
    case http::verb::get:
      return Method::Get;
    case http::verb::head:
      return Method::Head;
    case http::verb::post:
      return Method::Post;
    case http::verb::patch:
      return Method::Patch;
    case http::verb::delete_:
      return Method::Delete;
    default:
      return Method::Other;
  }
}

[[nodiscard]] std::string to_string(beast::string_view text) { return {text.data(), text.size()}; }

[[nodiscard]] Request to_request(const RequestParser& parser) {
  Request request;
  request.method = to_method(parser.get().method());
  request.target = to_string(parser.get().target());
  for (const auto& field : parser.get())
    request.headers.push_back({to_string(field.name_string()), to_string(field.value())});
  return request;
}

/// The header's own error, or nullopt if the client went away or was too slow.
[[nodiscard]] std::optional<Response> answer_to(const error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow)
    return error_response(
        431, Errc::InvalidArgument,
        fmt::format("the request header is larger than {} bytes", kMaxHeaderBytes));
  const error_code any_http = http::make_error_code(http::error::bad_method);
  if (error.category() != any_http.category() || error == http::error::end_of_stream ||
      error == http::error::partial_message)
    return std::nullopt;
  return error_response(400, Errc::InvalidArgument, "malformed HTTP: " + error.message());
}

/// Sets request.content_length, or returns what is wrong with the framing of the body.
[[nodiscard]] std::optional<Response> check_framing(Request& request) {
  if (request.count_headers("Transfer-Encoding") > 0)
    return error_response(411, Errc::InvalidArgument,
                          "send the body with a Content-Length, not in chunks");
  const std::size_t lengths = request.count_headers("Content-Length");
  if (lengths == 0) return std::nullopt;
  const std::string_view text = request.header("Content-Length");
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), request.content_length);
  if (lengths > 1 || error != std::errc() || end != text.data() + text.size())
    return error_response(400, Errc::InvalidArgument, "malformed Content-Length");
  return std::nullopt;
}

[[nodiscard]] std::string serialised_head(const Response& response,
                                          std::optional<std::uint64_t> length, bool keep_alive) {
  const auto reason = http::obsolete_reason(static_cast<http::status>(response.status));
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", response.status,
                                 std::string_view(reason.data(), reason.size()));
  for (const auto& header : response.headers) {
    // Header values never carry line breaks; one that did could forge an answer.
    if (header.value.find_first_of("\r\n") != std::string::npos) continue;
    head += fmt::format("{}: {}\r\n", header.name, header.value);
  }
  if (length && response.status != 204) head += fmt::format("Content-Length: {}\r\n", *length);
  head += keep_alive ? "\r\n" : "Connection: close\r\n\r\n";
  return head;
}

[[nodiscard]] std::uint64_t body_length(const Response& response) {
  return response.file ? response.file->length : response.body.size();
}

[[nodiscard]] bool peer_has_gone(tcp::socket& socket) {
  std::byte unused{};
  return ::recv(socket.native_handle(), &unused, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

[[nodiscard]] tcp::endpoint endpoint_of(const std::string& address, unsigned short port) {
  error_code error;
  const auto parsed = asio::ip::make_address(address, error);
  if (error) fail(Errc::InvalidArgument, "'{}' is not a numeric IP address", address);
  return {parsed, port};
}

}  // namespace

bool is_loopback_address(const std::string& address) {
  return endpoint_of(address, 0).address().is_loopback();
}

// GCC 12 miscompiles co_await inside conditions and && or ||, so each stands in a statement of its
// own.
struct Server::Impl {
  Impl(ServerSettings s, Application a, Log l)
      : settings(std::move(s)),
        application(std::move(a)),
        log(std::move(l)),
        workers(settings.worker_threads),
        acceptor(network) {}

  void listen();
  void begin_to_stop();

  asio::awaitable<void> accept_all();
  asio::awaitable<void> serve(std::shared_ptr<Connection> connection);
  asio::awaitable<bool> serve_one(Connection& connection);
  asio::awaitable<bool> read_head(Connection& connection, RequestParser& parser);
  asio::awaitable<bool> answer(Connection& connection, Request request, bool keep_alive);
  asio::awaitable<bool> receive_body(Connection& connection, Exchange& exchange,
                                     std::uint64_t& left, std::optional<Response>& early);
  asio::awaitable<std::size_t> fill_block(Connection& connection, std::uint64_t left);
  asio::awaitable<bool> discard(Connection& connection, std::uint64_t bytes);
  asio::awaitable<bool> send(Connection& connection, Response& response, bool head_only,
                             bool keep_alive);
  asio::awaitable<bool> send_file(Connection& connection, FileBody& file);
  asio::awaitable<bool> send_stream(Connection& connection, Stream& stream);
  asio::awaitable<bool> write(Connection& connection, std::string_view bytes);
  asio::awaitable<void> linger(Connection& connection);
  asio::awaitable<void> drain();
  asio::awaitable<void> pause(std::chrono::milliseconds time);
  bool make_room();

  ServerSettings settings;
  Application application;
  Log log;
  std::atomic<bool> stopping{false};
  asio::io_context network{1};
  asio::thread_pool workers;
  tcp::acceptor acceptor;
  ConnectionList connections;
  std::jthread thread;
};

Server::Server(ServerSettings settings, Application application, Log log)
    : impl_(std::make_unique<Impl>(std::move(settings), std::move(application), std::move(log))) {
  impl_->listen();
  asio::co_spawn(impl_->network, impl_->accept_all(), asio::detached);
  impl_->thread = std::jthread([impl = impl_.get()] { impl->network.run(); });
}

Server::~Server() { stop(); }

unsigned short Server::port() const noexcept {
  error_code ignored;
  return impl_->settings.port != 0 ? impl_->settings.port
                                   : impl_->acceptor.local_endpoint(ignored).port();
}

void Server::stop() noexcept {
  if (!impl_->thread.joinable()) return;
  asio::post(impl_->network, [impl = impl_.get()] { impl->begin_to_stop(); });
  impl_->thread.join();
  impl_->workers.join();
}

void Server::Impl::listen() {
  const auto endpoint = endpoint_of(settings.address, settings.port);
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error)
    fail(Errc::Io, "cannot listen on {} port {}: {}", settings.address, settings.port,
         error.message());
  settings.port = acceptor.local_endpoint().port();
}

asio::awaitable<void> Server::Impl::accept_all() {
  while (acceptor.is_open()) {
    error_code error;
    tcp::socket socket =
        co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (stopping) break;
    if (error) {  // most likely out of descriptors: let some connections end
      make_room();
      co_await pause(std::chrono::milliseconds(50));
      continue;
    }
    error_code ignored;
    if (connections.size() >= settings.max_connections && !make_room()) {
      socket.write_some(asio::buffer(kTooBusy.data(), kTooBusy.size()), ignored);
      continue;
    }
    socket.set_option(tcp::no_delay(true), ignored);
    connections.push_back(std::make_shared<Connection>(std::move(socket)));
    asio::co_spawn(network, serve(connections.back()), asio::detached);
  }
}

/// Closes the connection that has waited for a request the longest: a slow client must not keep
/// a good one out. Returns false if all are at work.
bool Server::Impl::make_room() {
  const auto longest = std::ranges::min_element(connections, [](const auto& a, const auto& b) {
    if (a->waiting != b->waiting) return a->waiting;
    return a->waiting_since < b->waiting_since;
  });
  if (longest == connections.end() || !(*longest)->waiting) return false;
  (*longest)->stream.close();
  return true;
}

asio::awaitable<void> Server::Impl::serve(std::shared_ptr<Connection> connection) {
  try {
    bool goes_on = true;
    while (goes_on && !stopping) goes_on = co_await serve_one(*connection);
  } catch (...) {
    log.error("http.connection", {{"message", current_error().what()}});
  }
  connection->stream.close();
  connections.remove(connection);
}

/// Serves one request; returns whether the connection can take another.
asio::awaitable<bool> Server::Impl::serve_one(Connection& connection) {
  RequestParser parser;
  parser.header_limit(kMaxHeaderBytes);
  parser.body_limit(std::numeric_limits<std::uint64_t>::max());  // the exchange has its own
  connection.waiting = true;
  connection.waiting_since = steady_clock::now();
  const bool have_head = co_await read_head(connection, parser);
  connection.waiting = false;
  if (!have_head) co_return false;

  Request request = to_request(parser);
  std::optional<Response> malformed = check_framing(request);
  if (malformed) {
    co_await send(connection, *malformed, false, false);
    co_await linger(connection);
    co_return false;
  }
  co_return co_await answer(connection, std::move(request), parser.keep_alive());
}

asio::awaitable<bool> Server::Impl::read_head(Connection& connection, RequestParser& parser) {
  error_code error;
  if (connection.buffer.size() == 0) {
    connection.stream.expires_after(settings.idle_timeout);
    const std::size_t count = co_await connection.stream.async_read_some(
        connection.buffer.prepare(4096), asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return false;
    connection.buffer.commit(count);
  }
  // Reset once, not per byte: the whole header must arrive in time.
  connection.stream.expires_after(settings.header_timeout);
  co_await http::async_read_header(connection.stream, connection.buffer, parser,
                                   asio::redirect_error(asio::use_awaitable, error));
  if (!error) co_return true;
  std::optional<Response> mistake = answer_to(error);
  if (mistake) {
    co_await send(connection, *mistake, false, false);
    co_await linger(connection);
  }
  co_return false;
}

asio::awaitable<bool> Server::Impl::answer(Connection& connection, Request request,
                                           bool keep_alive) {
  const bool head_only = request.method == Method::Head;
  const bool expects_continue = !request.header("Expect").empty();
  std::uint64_t left = request.content_length;
  std::unique_ptr<Exchange> exchange = application(std::move(request));

  auto begin = [&] { return exchange->begin(); };
  std::optional<Response> response = co_await on_worker(workers, begin);
  bool here = true;
  if (!response && expects_continue)
    here = co_await write(connection, "HTTP/1.1 100 Continue\r\n\r\n");
  if (!response && here) here = co_await receive_body(connection, *exchange, left, response);
  // The end of an exchange may flush to the disk, so it happens on a worker too.
  auto finish = [&] {
    if (here && !response) response = exchange->finish();
    exchange.reset();
    return 0;
  };
  co_await on_worker(workers, finish);
  if (!response) co_return false;

  const bool whole_body_read = left == 0 || (left <= kDiscardable && !expects_continue);
  keep_alive = keep_alive && whole_body_read && !response->stream && !stopping;
  if (keep_alive) {
    const bool discarded = co_await discard(connection, left);
    if (!discarded) co_return false;
  }
  const bool sent = co_await send(connection, *response, head_only, keep_alive);
  if (sent && !keep_alive) co_await linger(connection);
  co_return sent&& keep_alive;
}

/// Hands the body to the exchange block by block. Returns false if the client went away or
/// was too slow.
asio::awaitable<bool> Server::Impl::receive_body(Connection& connection, Exchange& exchange,
                                                 std::uint64_t& left,
                                                 std::optional<Response>& early) {
  while (left > 0 && !early) {
    const std::size_t count = co_await fill_block(connection, left);
    if (count == 0) co_return false;
    left -= count;
    auto receive = [&] { return exchange.receive(std::span(connection.block).first(count)); };
    early = co_await on_worker(workers, receive);
  }
  co_return true;
}

/// Reads at most a block and at most `left` bytes; returns how many, 0 if no more will come.
asio::awaitable<std::size_t> Server::Impl::fill_block(Connection& connection, std::uint64_t left) {
  if (connection.block.empty()) connection.block.resize(kBodyBlock);
  const std::size_t wanted =
      static_cast<std::size_t>(std::min<std::uint64_t>(left, connection.block.size()));
  std::size_t count = std::min(wanted, connection.buffer.size());
  asio::buffer_copy(asio::buffer(connection.block.data(), count), connection.buffer.data());
  connection.buffer.consume(count);

  error_code error;
  while (count < wanted && !error) {
    if (count > 0 && connection.stream.socket().available(error) == 0) break;
    connection.stream.expires_after(settings.body_timeout);
    count += co_await connection.stream.async_read_some(
        asio::buffer(connection.block.data() + count, wanted - count),
        asio::redirect_error(asio::use_awaitable, error));
  }
  co_return count;
}

asio::awaitable<bool> Server::Impl::discard(Connection& connection, std::uint64_t bytes) {
  while (bytes > 0) {
    const std::size_t count = co_await fill_block(connection, bytes);
    if (count == 0) co_return false;
    bytes -= count;
  }
  co_return true;
}

asio::awaitable<bool> Server::Impl::send(Connection& connection, Response& response, bool head_only,
                                         bool keep_alive) {
  const auto length = response.stream ? std::nullopt : std::optional(body_length(response));
  const std::string head = serialised_head(response, length, keep_alive);
  const bool has_text = !head_only && !response.file && !response.stream;
  const std::array<asio::const_buffer, 2> parts{
      asio::buffer(head), asio::buffer(response.body.data(), has_text ? response.body.size() : 0)};
  connection.stream.expires_after(kWriteTimeout);
  error_code error;
  co_await asio::async_write(connection.stream, parts,
                             asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return false;
  if (head_only) co_return true;
  if (response.file) co_return co_await send_file(connection, *response.file);
  if (response.stream) co_return co_await send_stream(connection, *response.stream);
  co_return true;
}

asio::awaitable<bool> Server::Impl::send_file(Connection& connection, FileBody& file) {
  std::string block(std::min<std::uint64_t>(kSendBlock, file.length), '\0');
  while (file.length > 0) {
    const std::size_t wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), file.length));
    auto read = [&] {
      return ::pread(file.file.get(), block.data(), wanted, static_cast<off_t>(file.offset));
    };
    const ssize_t count = co_await on_worker(workers, read);
    if (count <= 0)
      co_return false;  // shorter than promised: the client sees the broken connection
    file.offset += static_cast<std::uint64_t>(count);
    file.length -= static_cast<std::uint64_t>(count);
    const bool sent = co_await write(
        connection, std::string_view(block).substr(0, static_cast<std::size_t>(count)));
    if (!sent) co_return false;
  }
  co_return true;
}

asio::awaitable<bool> Server::Impl::send_stream(Connection& connection, Stream& stream) {
  while (!stopping) {
    auto next = [&] { return stream.next(); };
    const std::string bytes = co_await on_worker(workers, next);
    bool sent = true;
    if (!bytes.empty()) sent = co_await write(connection, bytes);
    if (!sent || stream.ended()) co_return sent;
    if (!bytes.empty()) continue;
    if (peer_has_gone(connection.stream.socket())) co_return false;
    co_await pause(kStreamPause);
  }
  co_return true;
}

asio::awaitable<bool> Server::Impl::write(Connection& connection, std::string_view bytes) {
  connection.stream.expires_after(kWriteTimeout);
  error_code error;
  co_await asio::async_write(connection.stream, asio::buffer(bytes.data(), bytes.size()),
                             asio::redirect_error(asio::use_awaitable, error));
  co_return !error;
}

/// Reads on for a moment: closing with unread bytes would reset the connection, and the client
/// might lose our answer.
asio::awaitable<void> Server::Impl::linger(Connection& connection) {
  error_code error;
  connection.stream.socket().shutdown(tcp::socket::shutdown_send, error);
  if (connection.block.empty()) connection.block.resize(kBodyBlock);
  connection.stream.expires_after(std::chrono::seconds(2));
  for (std::size_t read = 0; !error && !stopping && read < (64U << 20U);)
    read += co_await connection.stream.async_read_some(
        asio::buffer(connection.block), asio::redirect_error(asio::use_awaitable, error));
}

asio::awaitable<void> Server::Impl::pause(std::chrono::milliseconds time) {
  asio::steady_timer timer(network, time);
  error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

void Server::Impl::begin_to_stop() {
  stopping = true;
  error_code ignored;
  acceptor.close(ignored);
  asio::co_spawn(network, drain(), asio::detached);
}

asio::awaitable<void> Server::Impl::drain() {
  const auto deadline = steady_clock::now() + settings.drain_timeout;
  while (!connections.empty()) {
    for (const auto& connection : connections)
      if (connection->waiting || steady_clock::now() > deadline) connection->stream.close();
    co_await pause(std::chrono::milliseconds(10));
  }
}

}  // namespace aceso::hub
