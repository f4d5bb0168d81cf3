// The server over real sockets, for behaviour that a stream in memory can't show. Clients are blocking
// sockets on a thread of their own; every wait is for bytes that must come.

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cc/agent/http_server.h"
#include "cc/clock/system_clock.h"
#include "cc/net/io/event_loop.h"
#include "cc/net/io/tcp_listener.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace {
thread_local int64_t allocations = 0;
}

// Sanitizers have allocators of their own, which must not be mixed with these.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define THAW_COUNTS_ALLOCATIONS 1
void* operator new(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
#endif

namespace thaw {
namespace {

using ::testing::EndsWith;
using ::testing::StartsWith;

std::string Post(std::string_view path, std::string_view body) {
  return absl::StrCat("POST ", path, " HTTP/1.1\r\nHost: x\r\nContent-Length: ", body.size(), "\r\n\r\n",
                      body);
}
constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

// A blocking client.
class Client {
 public:
  explicit Client(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  Client(const Client&) = delete;
  ~Client() { close(fd_); }
  // Returns false if the server took no more.
  bool Send(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t sent = send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(sent);
    }
    return true;
  }
  std::string Read(size_t bytes) const {
    std::string text(bytes, '\0');
    text.resize(std::max<ssize_t>(recv(fd_, text.data(), bytes, MSG_WAITALL), 0));
    return text;
  }
  std::string ReadToEnd() const {
    std::string text;
    while (true) {
      const std::string more = Read(4096);
      if (more.empty()) return text;
      text += more;
    }
  }
  std::string Answer() const { return Read(kAnswer.size()); }
  void EndSending() const { shutdown(fd_, SHUT_WR); }
  void Reset() const {
    const linger now = {1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  }

 private:
  const int fd_;
};

class HttpServerSocketTest : public testing::Test {
 protected:
  // Serves while `clients` runs on another thread; all connections have ended afterwards.
  template <typename Work>
  void Serve(Work clients, HttpServerOptions options = {}) {
    absl::StatusOr<std::unique_ptr<Listener>> listener = ListenOnTcp(loop_, {});
    ASSERT_TRUE(listener.ok()) << listener.status();
    const uint16_t port = (*listener)->port();
    std::vector<HttpRoute> routes;
    routes.push_back({.path = "/take",
                      .methods = {"POST"},
                      .max_body_bytes = 50 << 20,
                      .handler = [this](HttpServerRequest& request, HttpReply& reply) {
                        bytes_ += request.body.size();
                        allocations_before_ = std::exchange(allocations_now_, allocations);
                        reply.Set(200, kJsonType, "{}");
                      }});
    routes.push_back(
        {.path = "/small", .max_body_bytes = 1000, .handler = [](HttpServerRequest&, HttpReply& reply) {
           reply.Set(200, kJsonType, "{}");
         }});
    HttpServer server(loop_, loop_, options, std::move(routes));
    server.Serve(*std::move(listener));
    std::thread thread([&] {
      clients(port);
      loop_.Post([this] { loop_.Stop(); });
    });
    loop_.Run();
    thread.join();
    counts_ = server.counts();
    server.Close();
    EXPECT_EQ(server.connections(), 0);
    EXPECT_EQ(server.incoming_bytes(), 0);
    // Closed connections end in the next turns.
    loop_.Post([this] { loop_.Post([this] { loop_.Stop(); }); });
    loop_.Run();
  }

  EventLoop loop_;
  int64_t bytes_ = 0;
  // Allocations of the loop's thread, at the last request and the one before it.
  int64_t allocations_now_ = 0;
  int64_t allocations_before_ = 0;
  HttpServerCounts counts_;
};

TEST_F(HttpServerSocketTest, ManyRequestsOnManyConnections) {
  Serve([](uint16_t port) {
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < 16; ++i) clients.push_back(std::make_unique<Client>(port));
    for (int round = 0; round < 50; ++round) {
      for (const auto& client : clients) EXPECT_TRUE(client->Send(Post("/take", std::string(3700, 'x'))));
      for (const auto& client : clients) EXPECT_EQ(client->Answer(), kAnswer);
    }
  });
  EXPECT_EQ(bytes_, 16 * 50 * 3700);
  EXPECT_EQ(counts_.accepted, 16);
  EXPECT_EQ(counts_.answered, 16 * 50);
}

#ifdef THAW_COUNTS_ALLOCATIONS
TEST_F(HttpServerSocketTest, ARequestThatFitsIntoTheBuffersAllocatesNothing) {
  Serve([](uint16_t port) {
    const Client client(port);
    for (int i = 0; i < 100; ++i) {
      EXPECT_TRUE(client.Send(Post("/take", std::string(3700, 'x'))));
      EXPECT_EQ(client.Answer(), kAnswer);
    }
  });
  EXPECT_GT(allocations_before_, 0);
  EXPECT_EQ(allocations_now_ - allocations_before_, 0);
}
#endif

TEST_F(HttpServerSocketTest, BodiesOfFiftyMegabytes) {
  Serve([](uint16_t port) {
    const Client client(port);
    const std::string body(50 << 20, 'x');
    for (int i = 0; i < 2; ++i) {
      EXPECT_TRUE(client.Send(Post("/take", body)));
      EXPECT_EQ(client.Answer(), kAnswer);
    }
  });
  EXPECT_EQ(bytes_, int64_t{100} << 20);
}

// A tracer that writes its whole body before it reads must find the answer and no reset.
TEST_F(HttpServerSocketTest, ARefusedBodyDoesNotBreakTheConnectionBeforeTheAnswerIsRead) {
  Serve([](uint16_t port) {
    const Client client(port);
    EXPECT_TRUE(client.Send(Post("/small", std::string(20 << 20, 'x'))));
    client.EndSending();
    EXPECT_THAT(client.ReadToEnd(),
                testing::AllOf(StartsWith("HTTP/1.1 413 "), EndsWith("is larger than 1000")));
  });
  EXPECT_EQ(counts_.refused_too_large, 1);
}

TEST_F(HttpServerSocketTest, PipelinedRequests) {
  Serve([](uint16_t port) {
    const Client client(port);
    std::string requests;
    for (int i = 0; i < 1000; ++i) requests += Post("/take", std::string(i, 'x'));
    std::thread sender([&] { EXPECT_TRUE(client.Send(requests)); });
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(client.Answer(), kAnswer) << i;
    sender.join();
  });
  EXPECT_EQ(counts_.answered, 1000);
}

TEST_F(HttpServerSocketTest, MoreConnectionsThanAllowed) {
  Serve(
      [](uint16_t port) {
        std::vector<std::unique_ptr<Client>> clients;
        for (int i = 0; i < 64; ++i) {
          clients.push_back(std::make_unique<Client>(port));
          EXPECT_TRUE(clients.back()->Send(Post("/take", "abc")));
          EXPECT_EQ(clients.back()->Answer(), kAnswer) << i;
        }
        // All connections but the last four have been closed in order.
        for (int i = 0; i < 60; ++i) EXPECT_EQ(clients[i]->ReadToEnd(), "") << i;
        for (int i = 60; i < 64; ++i) {
          EXPECT_TRUE(clients[i]->Send(Post("/take", "abc")));
          EXPECT_EQ(clients[i]->Answer(), kAnswer);
        }
      },
      {.max_connections = 4});
  EXPECT_EQ(counts_.closed_for_room, 60);
}

TEST_F(HttpServerSocketTest, ClientsThatDisappear) {
  Serve([](uint16_t port) {
    for (const std::string& bytes :
         {std::string(), std::string("POST /ta"),
          std::string("POST /take HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\nabc"),
          Post("/take", "whole")}) {
      {
        const Client gone(port);
        EXPECT_TRUE(gone.Send(bytes));
        gone.Reset();
      }
      {
        const Client ended(port);
      }
      const Client good(port);
      EXPECT_TRUE(good.Send(Post("/take", "abc")));
      EXPECT_EQ(good.Answer(), kAnswer);
    }
  });
}

TEST_F(HttpServerSocketTest, HalfOpenAndSlowClients) {
  Serve(
      [](uint16_t port) {
        const Client half_open(port);
        EXPECT_TRUE(half_open.Send(Post("/take", "abc")));
        half_open.EndSending();
        EXPECT_EQ(half_open.ReadToEnd(), kAnswer);
        const Client cut(port);
        EXPECT_TRUE(cut.Send("POST /take HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc"));
        cut.EndSending();
        EXPECT_THAT(cut.ReadToEnd(), StartsWith("HTTP/1.1 400 "));
        const Client slow_head(port);
        EXPECT_TRUE(slow_head.Send("POST"));
        const Client slow_body(port);
        EXPECT_TRUE(slow_body.Send("POST /take HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc"));
        EXPECT_THAT(slow_head.ReadToEnd(), StartsWith("HTTP/1.1 408 "));
        EXPECT_THAT(slow_body.ReadToEnd(), StartsWith("HTTP/1.1 408 "));
      },
      {.head_timeout = absl::Milliseconds(50),
       .body_timeout = absl::Milliseconds(50),
       .linger_timeout = absl::Milliseconds(50)});
  EXPECT_EQ(counts_.refused_timeout, 2);
}

// This client leaves Nagle's algorithm on: its second write waits until the first is acknowledged, which the
// kernel delays by 40 ms.
TEST_F(HttpServerSocketTest, AClientThatWaitsForAcknowledgementsIsNotKeptWaiting) {
  constexpr int kRequests = 40;
  for (const size_t size : {size_t{100}, size_t{9000}, size_t{300'000}}) {
    std::vector<absl::Duration> took;
    Serve([size, &took](uint16_t port) {
      const Client client(port);
      const std::string request = Post("/take", std::string(size, 'x'));
      const size_t head = request.size() - size;
      for (int i = 0; i < kRequests; ++i) {
        const absl::Duration begun = ReadSystemClocks().monotonic;
        EXPECT_TRUE(client.Send(std::string_view(request).substr(0, head)));
        EXPECT_TRUE(client.Send(std::string_view(request).substr(head)));
        EXPECT_EQ(client.Answer(), kAnswer);
        took.push_back(ReadSystemClocks().monotonic - begun);
      }
    });
    std::sort(took.begin(), took.end());
    EXPECT_LT(took[kRequests / 2], absl::Milliseconds(20)) << size;
  }
}

TEST_F(HttpServerSocketTest, UploadsThatNeverComeTakeNoRoom) {
  Serve(
      [](uint16_t port) {
        std::vector<std::unique_ptr<Client>> promising;
        for (int i = 0; i < 100; ++i) {
          promising.push_back(std::make_unique<Client>(port));
          EXPECT_TRUE(
              promising.back()->Send("POST /take HTTP/1.1\r\nHost: x\r\nContent-Length: 40000000\r\n\r\n" +
                                     std::string(10'000, 'x')));
        }
        for (int i = 0; i < 50; ++i) {
          const Client client(port);
          EXPECT_TRUE(client.Send(Post("/take", std::string(3 << 20, 'x'))));
          EXPECT_EQ(client.Answer(), kAnswer) << i;
        }
      },
      {.max_connections = 50, .max_incoming_bytes = 60 << 20});
  EXPECT_EQ(counts_.refused_incoming, 0);
  EXPECT_GE(counts_.gave_way, 50);
}

TEST_F(HttpServerSocketTest, BytesThatAreNoHttp) {
  Serve([](uint16_t port) {
    uint32_t random = 1;
    for (int i = 0; i < 50; ++i) {
      std::string noise;
      for (int n = 0; n < 1000; ++n)
        noise.push_back(static_cast<char>((random = random * 1664525 + 1013904223) >> 24));
      const Client client(port);
      EXPECT_TRUE(client.Send(noise));
      client.EndSending();
      EXPECT_THAT(client.ReadToEnd(), StartsWith("HTTP/1.1 4"));
    }
    const Client good(port);
    EXPECT_TRUE(good.Send(Post("/take", "abc")));
    EXPECT_EQ(good.Answer(), kAnswer);
  });
}

}  // namespace
}  // namespace thaw
