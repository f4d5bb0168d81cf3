// Tries clients that send any bytes, in any pieces and with any end: every answer is well-formed, a good
// client beside them is served, and nothing is left when they are gone.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cc/agent/http_server.h"
#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "cc/net/testing/memory_listener.h"
#include "cc/net/testing/memory_transport.h"

namespace {

using thaw::MemoryTransport;

void Check(bool holds) {
  if (!holds) std::abort();
}

class World {
 public:
  World() : server_(executor_, clock_, {.max_connections = 3, .max_incoming_bytes = 1 << 20}, Routes()) {
    server_.Serve(door_.Open());
    executor_.RunAll();
  }
  ~World() {
    server_.Close();
    executor_.RunAll();
  }

  std::unique_ptr<MemoryTransport> Connect() {
    auto client = door_.Connect();
    executor_.RunAll();
    return client;
  }
  void Send(MemoryTransport& client, std::string_view bytes) {
    if (bytes.empty()) return;
    client.StartWrite(bytes, [](thaw::IoResult) {});
    executor_.RunAll();
  }
  std::string Received(MemoryTransport& client) {
    std::string text;
    char buffer[4096];
    while (true) {
      const thaw::IoResult result = client.TryRead(absl::MakeSpan(buffer));
      if (!result.status.ok()) return text;
      text.append(buffer, result.bytes);
      executor_.RunAll();
    }
  }
  void Pass(absl::Duration time) {
    clock_.Advance(time);
    executor_.RunAll();
  }
  thaw::HttpServer& server() { return server_; }
  void Run() { executor_.RunAll(); }

 private:
  static std::vector<thaw::HttpRoute> Routes() {
    std::vector<thaw::HttpRoute> routes;
    const auto echo = [](thaw::HttpServerRequest& request, thaw::HttpReply& reply) {
      Check(request.body.size() <= 1000);
      reply.Set(200, thaw::kTextType, request.body);
    };
    routes.push_back({.path = "/", .methods = {"POST", "PUT"}, .max_body_bytes = 1000, .handler = echo});
    routes.push_back(
        {.path = "/x", .max_body_bytes = 1000, .too_large = thaw::TooLarge::kLeaveOutBody, .handler = echo});
    return routes;
  }

  thaw::ManualExecutor executor_;
  thaw::FakeClock clock_{executor_};
  thaw::MemoryListener::Door door_{executor_};
  thaw::HttpServer server_;
};

void CheckServes(World& world, MemoryTransport& client) {
  world.Send(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok");
  Check(std::string_view(world.Received(client)).ends_with("\r\n\r\nok"));
}

void Try(std::string_view bytes, size_t piece) {
  World world;
  const auto good = world.Connect();
  const auto half = world.Connect();
  world.Send(*half, "POST / HTTP/1.1\r\nHost: x\r\nContent-Le");
  {
    const auto client = world.Connect();
    std::string answers;
    for (std::string_view rest = bytes; !rest.empty(); rest.remove_prefix(std::min(piece, rest.size()))) {
      world.Send(*client, rest.substr(0, piece));
      answers += world.Received(*client);
      Check(world.server().incoming_bytes() <= (1 << 20) + (1 << 17));
    }
    world.Pass(absl::Milliseconds(20));
    // At the connection limit, other connections than the good one give way.
    for (int i = 0; i < 3; ++i) CheckServes(world, *world.Connect());
    Check(answers.empty() || std::string_view(answers).starts_with("HTTP/1.1 "));
    if (bytes.size() % 3 == 0) client->SendEnd();
    if (bytes.size() % 3 == 1) client->Reset();
    world.Run();
    answers += world.Received(*client);
    Check(answers.empty() || std::string_view(answers).starts_with("HTTP/1.1 "));
  }
  world.Run();
  CheckServes(world, *good);
  // Each unfinished request runs into its deadline.
  world.Pass(absl::Minutes(2));
  world.Pass(absl::Minutes(1));
  Check(world.server().connections() == 1);
  Check(world.server().incoming_bytes() == 0);
  const thaw::HttpServerCounts& counts = world.server().counts();
  Check(counts.accepted == 6 && counts.handled <= counts.requests);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > (1 << 12)) return 0;
  const std::string input(reinterpret_cast<const char*>(data), size);
  for (const size_t piece : {size_t{1}, size_t{13}, size_t{4096}}) {
    Try(input, piece);
    Try("POST / HTTP/1.1\r\nHost: x\r\n" + input, piece);
    Try("POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + input, piece);
    Try("POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\n" + input, piece);
    // The text is made of words that matter.
    constexpr std::string_view kWords[] = {"POST / HTTP/1.1\r\nHost: x\r\n",
                                           "GET /x HTTP/1.1\r\nHost: x\r\n",
                                           "\r\n",
                                           "Content-Length: 3\r\n",
                                           "abc",
                                           "Connection: close\r\n",
                                           "Transfer-Encoding: chunked\r\n",
                                           "3\r\nabc\r\n",
                                           "0\r\n\r\n",
                                           "Expect: 100-continue\r\n",
                                           "HEAD / HTTP/1.0\r\n",
                                           "Content-Length: 1001\r\n",
                                           "Content-Encoding: zstd\r\n",
                                           "PUT /none HTTP/1.1\r\nHost: x\r\n",
                                           "X: y\r\n",
                                           "\n"};
    std::string text;
    for (const char byte : input.substr(0, 64))
      text += kWords[static_cast<uint8_t>(byte) % std::size(kWords)];
    Try(text, piece);
  }
  return 0;
}
