#include "cc/net/testing/http_test_server.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <deque>
#include <iterator>
#include <list>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/log/check.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace thaw {
namespace {

size_t ContentLength(std::string_view head) {
  for (const std::string_view line : absl::StrSplit(head, "\r\n")) {
    const std::pair<std::string_view, std::string_view> field = absl::StrSplit(line, absl::MaxSplits(':', 1));
    size_t length = 0;
    if (absl::EqualsIgnoreCase(field.first, "content-length") && absl::SimpleAtoi(field.second, &length)) {
      return length;
    }
  }
  return 0;
}

// Takes one whole request off the front of `bytes`.
std::optional<HttpTestServer::Request> TakeRequest(std::string& bytes) {
  const size_t head_end = bytes.find("\r\n\r\n");
  if (head_end == std::string::npos) return std::nullopt;
  HttpTestServer::Request request;
  request.head = bytes.substr(0, head_end + 4);
  const size_t length = ContentLength(request.head);
  if (bytes.size() < request.head.size() + length) return std::nullopt;
  request.body = bytes.substr(request.head.size(), length);
  bytes.erase(0, request.head.size() + length);
  return request;
}

}  // namespace

struct HttpTestServer::State {
  struct Scripted {
    std::string bytes;
    Then then;
  };
  struct Connection {
    int fd;
    std::string received;
    bool asks = false;  // one of its requests waits for an answer
  };

  State() {
    listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    CHECK_EQ(listen(listener, 8), 0);
    socklen_t size = sizeof(address);
    getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    CHECK_EQ(pipe(wake), 0);
    thread = std::thread([this] { Serve(); });
  }
  ~State() {
    close(wake[1]);  // ends the thread
    thread.join();
    for (const Connection& connection : open) close(connection.fd);
    close(listener);
    close(wake[0]);
  }

  void Serve() {
    while (true) {
      std::vector<pollfd> polled = {{.fd = listener, .events = POLLIN}, {.fd = wake[0], .events = POLLIN}};
      for (const Connection& connection : open) polled.push_back({.fd = connection.fd, .events = POLLIN});
      CHECK_GE(poll(polled.data(), polled.size(), -1), 0);
      if (polled[1].revents != 0) {
        char byte;
        if (read(wake[0], &byte, 1) == 0) return;
      }
      size_t i = 2;
      for (auto connection = open.begin(); connection != open.end(); ++i) {
        const bool ended = polled[i].revents != 0 && !Receive(*connection);
        if (ended) close(connection->fd);
        connection = ended ? open.erase(connection) : std::next(connection);
      }
      if (polled[0].revents != 0) {
        const int fd = accept(listener, nullptr, nullptr);
        CHECK_GE(fd, 0);
        open.push_back({fd});
        const std::lock_guard lock(mutex);
        ++connections;
      }
      GiveAnswers();
    }
  }
  // Returns false at the connection's end.
  bool Receive(Connection& connection) {
    char buffer[4096];
    const ssize_t got = recv(connection.fd, buffer, sizeof(buffer), 0);
    if (got <= 0) return false;
    connection.received.append(buffer, static_cast<size_t>(got));
    if (std::optional<Request> request = TakeRequest(connection.received)) {
      connection.asks = true;
      const std::lock_guard lock(mutex);
      requests.push_back(*std::move(request));
    }
    return true;
  }
  void GiveAnswers() {
    for (auto connection = open.begin(); connection != open.end();) {
      std::optional<Scripted> answer;
      if (connection->asks) {
        const std::lock_guard lock(mutex);
        if (!script.empty()) {
          answer = std::move(script.front());
          script.pop_front();
        }
      }
      if (!answer.has_value()) {
        ++connection;
        continue;
      }
      connection->asks = false;
      // A client that is gone is the test's own business.
      (void)!send(connection->fd, answer->bytes.data(), answer->bytes.size(), MSG_NOSIGNAL);
      if (answer->then == Then::kKeep) {
        ++connection;
        continue;
      }
      if (answer->then == Then::kReset) {
        const linger at_once = {1, 0};
        setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
      }
      close(connection->fd);
      connection = open.erase(connection);
    }
  }

  int listener = -1;
  int wake[2] = {-1, -1};
  uint16_t port = 0;
  std::list<Connection> open;  // used by the server's thread only
  // Guards the members below.
  std::mutex mutex;
  std::deque<Scripted> script;
  std::vector<Request> requests;
  int connections = 0;
  std::thread thread;
};

HttpTestServer::HttpTestServer() : state_(std::make_unique<State>()) {}
HttpTestServer::~HttpTestServer() = default;

uint16_t HttpTestServer::port() const { return state_->port; }

void HttpTestServer::Answer(std::string bytes, Then then) {
  {
    const std::lock_guard lock(state_->mutex);
    state_->script.push_back({std::move(bytes), then});
  }
  CHECK_EQ(write(state_->wake[1], "a", 1), 1);
}

std::vector<HttpTestServer::Request> HttpTestServer::requests() const {
  const std::lock_guard lock(state_->mutex);
  return state_->requests;
}

int HttpTestServer::connections() const {
  const std::lock_guard lock(state_->mutex);
  return state_->connections;
}

}  // namespace thaw
