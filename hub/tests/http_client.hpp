/// \file
/// A small blocking HTTP client on plain sockets, which can also send what is not HTTP.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aceso::hub::test {

struct Answer {
  int status = 0;                              ///< 0: the connection closed without an answer
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string head, body;
};

using Headers = std::vector<std::pair<std::string, std::string>>;

/// One connection.
class Client {
 public:
  explicit Client(unsigned short port, int timeout_seconds = 20)
      : port_(port), socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval timeout{timeout_seconds, 0};
    const int on = 1;
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    connected_ =
        ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~Client() { close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }

  /// Returns false if the other side does not take it all.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  [[nodiscard]] std::string head(const std::string& method, const std::string& target,
                                 const Headers& headers) const {
    std::string text = method + " " + target + " HTTP/1.1\r\n";
    const bool has_host = std::any_of(headers.begin(), headers.end(),
                                      [](const auto& h) { return h.first == "Host"; });
    if (!has_host) text += "Host: 127.0.0.1:" + std::to_string(port_) + "\r\n";
    for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
    return text + "\r\n";
  }

  Answer request(const std::string& method, const std::string& target, Headers headers = {},
                 std::string_view body = {}) {
    if (!body.empty() || method == "POST" || method == "PATCH")
      headers.emplace_back("Content-Length", std::to_string(body.size()));
    if (!send(head(method, target, headers) + std::string(body))) {
    }
    return receive(method == "HEAD");
  }

  /// Reads one answer.
  Answer receive(bool head_only = false) {
    Answer answer;
    std::size_t end = std::string::npos;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
      if (!read_more()) return answer;
    answer.head = buffer_.substr(0, end + 4);
    buffer_.erase(0, end + 4);
    parse_head(answer);
    if (answer.status == 100) return receive(head_only);
    if (head_only || answer.status == 204 || answer.status == 304) return answer;
    const auto length = answer.headers.find("content-length");
    if (length == answer.headers.end()) return read_to_end(std::move(answer));
    const std::size_t wanted = std::stoull(length->second);
    while (buffer_.size() < wanted && read_more()) {
    }
    answer.body = buffer_.substr(0, wanted);
    buffer_.erase(0, wanted);
    return answer;
  }

  /// Reads until `text` has come; returns all that came, or what came before the end or timeout.
  std::string read_until(std::string_view text) {
    while (buffer_.find(text) == std::string::npos && read_more()) {
    }
    return std::exchange(buffer_, {});
  }

  /// Whether the other side has closed, waiting for it.
  bool is_closed() {
    while (read_more()) {
    }
    return last_read_ == 0 || errno == ECONNRESET;
  }

 private:
  bool read_more() {
    char bytes[65536];
    last_read_ = ::recv(socket_, bytes, sizeof(bytes), 0);
    if (last_read_ <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(last_read_));
    return true;
  }

  static void parse_head(Answer& answer) {
    answer.status = std::stoi(answer.head.substr(9, 3));
    std::size_t begin = answer.head.find("\r\n") + 2;
    for (std::size_t end = answer.head.find("\r\n", begin); end != begin;
         end = answer.head.find("\r\n", begin)) {
      const std::string line = answer.head.substr(begin, end - begin);
      const auto colon = line.find(": ");
      std::string name = line.substr(0, colon);
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      answer.headers[name] = colon == std::string::npos ? "" : line.substr(colon + 2);
      begin = end + 2;
    }
  }

  Answer read_to_end(Answer answer) {
    while (read_more()) {
    }
    answer.body = std::exchange(buffer_, {});
    return answer;
  }

  unsigned short port_;
  int socket_;
  bool connected_ = false;
  ssize_t last_read_ = 1;
  std::string buffer_;
};

}  // namespace aceso::hub::test
