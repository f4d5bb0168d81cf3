// Measures the local HTTP server alone: requests of a tracer's size over loopback TCP, and a handler that
// only looks at the body. `server_cpu_us` is the CPU time of the server's thread for each request, the
// kernel's part included.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "cc/agent/http_server.h"
#include "cc/net/io/event_loop.h"
#include "cc/net/io/tcp_listener.h"

namespace thaw {
namespace {

double CpuMicroseconds() {
  rusage usage = {};
  CHECK_EQ(getrusage(RUSAGE_THREAD, &usage), 0);
  const auto microseconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
  };
  return microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
}

// Makes a request as ddtrace sends its traces.
std::string Request(size_t body_bytes) {
  return absl::StrCat(
      "PUT /v0.4/traces HTTP/1.1\r\nHost: localhost:8126\r\nAccept-Encoding: identity\r\n"
      "Datadog-Meta-Lang: python\r\nDatadog-Meta-Lang-Version: 3.12.3\r\n"
      "Datadog-Meta-Lang-Interpreter: CPython\r\nDatadog-Meta-Tracer-Version: 2.14.1\r\n"
      "Datadog-Client-Computed-Top-Level: yes\r\nDatadog-Entity-ID: in-1234567\r\n"
      "Content-Type: application/msgpack\r\nX-Datadog-Trace-Count: 1\r\nContent-Length: ",
      body_bytes, "\r\n\r\n", std::string(body_bytes, 'x'));
}

// A server on a thread of its own.
class RunningServer {
 public:
  RunningServer() {
    auto listener = ListenOnTcp(loop_, {});
    CHECK(listener.ok()) << listener.status();
    port_ = (*listener)->port();
    std::vector<HttpRoute> routes;
    routes.push_back({.path = "/v0.4/traces",
                      .methods = {"POST", "PUT"},
                      .max_body_bytes = 50 << 20,
                      .handler = [this](HttpServerRequest& request, HttpReply& reply) {
                        bytes_ += request.body.size();
                        reply.Set(200, kJsonType, R"({"rate_by_service":{}})");
                      }});
    server_.emplace(loop_, loop_, HttpServerOptions(), std::move(routes));
    server_->Serve(*std::move(listener));
    thread_ = std::thread([this] { loop_.Run(); });
  }
  ~RunningServer() {
    OnThread([this] { server_->Close(); });
    OnThread([] {});
    loop_.Stop();
    thread_.join();
  }
  template <typename Work>
  std::invoke_result_t<Work> OnThread(Work work) {
    std::packaged_task<decltype(work())()> task(std::move(work));
    auto result = task.get_future();
    loop_.Post([task = std::move(task)]() mutable { task(); });
    return result.get();
  }
  double CpuMicrosecondsSoFar() {
    return OnThread([] { return CpuMicroseconds(); });
  }
  uint16_t port() const { return port_; }

 private:
  EventLoop loop_;
  uint16_t port_ = 0;
  int64_t bytes_ = 0;
  std::optional<HttpServer> server_;
  std::thread thread_;
};

int Connect(uint16_t port, bool no_delay = true) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  const int on = no_delay ? 1 : 0;
  CHECK_EQ(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
  return fd;
}

// Reads the answer, which is shorter than a segment and comes whole.
void ReadAnswer(int fd) {
  char answer[1024];
  const ssize_t bytes = recv(fd, answer, sizeof(answer), 0);
  CHECK_GT(bytes, 0);
  CHECK(std::string_view(answer, bytes).ends_with("{}}")) << std::string_view(answer, bytes);
}

// Opens the given number of connections, each with one request at a time.
void Requests(benchmark::State& state) {
  RunningServer server;
  const std::string request = Request(state.range(1));
  std::vector<int> connections;
  for (int i = 0; i < state.range(0); ++i) connections.push_back(Connect(server.port()));
  const double cpu_before = server.CpuMicrosecondsSoFar();
  for (auto _ : state) {
    for (const int fd : connections)
      CHECK_EQ(send(fd, request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
    for (const int fd : connections) ReadAnswer(fd);
  }
  const double requests = static_cast<double>(state.iterations() * state.range(0));
  state.counters["server_cpu_us"] = (server.CpuMicrosecondsSoFar() - cpu_before) / requests;
  state.SetItemsProcessed(state.iterations() * state.range(0));
  for (const int fd : connections) close(fd);
}
BENCHMARK(Requests)
    ->ArgNames({"connections", "body"})
    ->Args({1, 3700})
    ->Args({8, 3700})
    ->Args({1, 100})
    ->Args({1, 15000})
    ->Args({1, 60000})
    ->UseRealTime();

// The client writes head and body apart and leaves Nagle's algorithm on, as dd-java-agent does: the kernel
// holds the body back until the head is acknowledged.
void RequestsInTwoWrites(benchmark::State& state) {
  RunningServer server;
  const std::string request = Request(state.range(0));
  const size_t head = request.size() - state.range(0);
  const int fd = Connect(server.port(), /*no_delay=*/false);
  const auto exchange = [&] {
    CHECK_EQ(send(fd, request.data(), head, 0), static_cast<ssize_t>(head));
    CHECK_EQ(send(fd, request.data() + head, request.size() - head, 0),
             static_cast<ssize_t>(request.size() - head));
    ReadAnswer(fd);
  };
  // The kernel delays no acknowledgement on a young connection.
  for (int i = 0; i < 20; ++i) exchange();
  for (auto _ : state) exchange();
  close(fd);
}
BENCHMARK(RequestsInTwoWrites)->ArgName("body")->Arg(100)->Arg(9000)->Arg(60000)->UseRealTime();

}  // namespace
}  // namespace thaw
