// Measures the cost of HTTP/1.1 itself: exchanges over a stream in memory, and parsing of answers.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/log/check.h"
#include "absl/log/log.h"
#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "cc/net/http1_connection.h"
#include "cc/net/http1_parser.h"
#include "cc/net/testing/memory_transport.h"

namespace thaw {
namespace {

// An answer like the intake's.
constexpr std::string_view kAccepted =
    "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
    "Strict-Transport-Security: max-age=31536000; includeSubDomains; preload\r\n"
    "X-Content-Type-Options: nosniff\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\n{}";

// A peer that reads a request as it comes and answers when it is complete.
class Peer {
 public:
  explicit Peer(std::unique_ptr<MemoryTransport> transport) : transport_(std::move(transport)) { Read(); }

  void Expect(size_t body_bytes) { body_bytes_ = body_bytes; }

 private:
  void Read() {
    transport_->StartRead(absl::MakeSpan(buffer_), [this](IoResult result) {
      if (!result.status.ok()) return;
      OnBytes(std::string_view(buffer_, result.bytes));
      Read();
    });
  }
  void OnBytes(std::string_view bytes) {
    if (head_.empty() || !whole_head_) {
      head_.append(bytes);
      const size_t end = head_.find("\r\n\r\n");
      if (end == std::string::npos) return;
      whole_head_ = true;
      received_ = head_.size() - end - 4;
    } else {
      received_ += bytes.size();
    }
    if (received_ < body_bytes_) return;
    head_.clear();
    whole_head_ = false;
    transport_->StartWrite(kAccepted, [](IoResult result) { CHECK(result.status.ok()); });
  }

  std::unique_ptr<MemoryTransport> transport_;
  char buffer_[16384];
  std::string head_;
  bool whole_head_ = false;
  size_t received_ = 0;
  size_t body_bytes_ = 0;
};

HttpRequest Payload(size_t bytes) {
  HttpRequest request;
  request.destination.host = "trace.agent.datadoghq.com";
  request.target = "/api/v0.2/traces";
  request.headers = {{"DD-API-KEY", "0123456789abcdef0123456789abcdef"},
                     {"Content-Type", "application/x-protobuf"},
                     {"Content-Encoding", "zstd"}};
  request.body = std::make_shared<const std::string>(bytes, 'x');
  return request;
}

void Exchange(ManualExecutor& executor, Http1Connection& connection, const HttpRequest& request,
              bool reusable) {
  bool answered = false;
  connection.Begin(request, [&](ExchangeEnd end) {
    answered = end.response.has_value() && end.response->status == 202 && end.reusable == reusable;
  });
  executor.RunAll();
  CHECK(answered);
}

// Sends one request on a connection that is kept.
void ExchangeKept(benchmark::State& state) {
  const HttpRequest request = Payload(state.range(0));
  const ClientOptions options;
  ExchangeCounts counts;
  ManualExecutor executor;
  FakeClock clock(executor);
  auto [client, server] = MemoryTransport::Pair(executor);
  Peer peer(std::move(server));
  peer.Expect(request.body->size());
  auto connection = Http1Connection::Start(executor, clock, std::move(client), RequestForm(), options, counts,
                                           [](const HttpConnection*) { LOG(FATAL) << "it was closed"; });
  for (auto _ : state) Exchange(executor, *connection, request, true);
  state.SetItemsProcessed(state.iterations());
  connection->Close();
  executor.RunAll();
}
BENCHMARK(ExchangeKept)->Arg(0)->Arg(4096)->Arg(65536)->Arg(1 << 20);

// Sends one request on a connection of its own: includes making and closing it, without handshakes.
void ExchangeFresh(benchmark::State& state) {
  const HttpRequest request = Payload(state.range(0));
  const ClientOptions options;
  ExchangeCounts counts;
  ManualExecutor executor;
  FakeClock clock(executor);
  for (auto _ : state) {
    auto [client, server] = MemoryTransport::Pair(executor);
    Peer peer(std::move(server));
    peer.Expect(request.body->size());
    auto connection = Http1Connection::Start(executor, clock, std::move(client), RequestForm(), options,
                                             counts, [](const HttpConnection*) {});
    Exchange(executor, *connection, request, true);
    connection->Close();
    executor.RunAll();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(ExchangeFresh)->Arg(4096);

// Parses answers in pieces of a given size.
void Parse(benchmark::State& state, const std::string& answer) {
  const size_t piece = static_cast<size_t>(state.range(0));
  const Http1Parser::Limits limits = {
      .head_bytes = 64 * 1024, .body_kept_bytes = 16 * 1024, .body_drained_bytes = 1 << 30};
  for (auto _ : state) {
    Http1Parser parser(limits);
    for (std::string_view rest = answer; !rest.empty(); rest.remove_prefix(std::min(piece, rest.size()))) {
      parser.Put(rest.substr(0, piece));
    }
    CHECK(parser.state() == Http1Parser::State::kDone);
    benchmark::DoNotOptimize(parser.response());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(answer.size()));
}

std::string Long() {
  return absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", 1 << 20, "\r\n\r\n", std::string(1 << 20, 'x'));
}
std::string Chunks() {
  std::string answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 1024; ++i) absl::StrAppend(&answer, "400\r\n", std::string(1024, 'x'), "\r\n");
  return answer + "0\r\n\r\n";
}
BENCHMARK_CAPTURE(Parse, accepted, std::string(kAccepted))->Arg(4096)->Arg(64)->Arg(1);
BENCHMARK_CAPTURE(Parse, content_length_1mb, Long())->Arg(4096);
BENCHMARK_CAPTURE(Parse, chunked_1mb, Chunks())->Arg(4096)->Arg(1000);

}  // namespace
}  // namespace thaw
