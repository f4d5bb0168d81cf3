// Measures what a datagram of five lines costs from the socket to its bucket: the socket's buffer is filled over the
// loopback, which is not measured, and emptied, which is.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "cc/agent/dogstatsd_receiver.h"
#include "cc/base/fake_byte_account.h"
#include "cc/clock/clock.h"
#include "cc/metrics/aggregator.h"
#include "cc/metrics/dogstatsd_parser.h"
#include "cc/metrics/metric_points.h"
#include "cc/metrics/metric_sample.h"
#include "cc/metrics/metric_sink.h"
#include "cc/net/io/event_loop.h"
#include "cc/net/io/udp_datagrams.h"

namespace thaw {
namespace {

constexpr int kWaiting = 64;
constexpr int kLinesOfDatagram = 5;

// Stops the loop when all lines have come that wait at the beginning.
class StoppingSink : public MetricSink {
 public:
  explicit StoppingSink(EventLoop& loop)
      : loop_(loop), aggregator_({.max_bytes = 16 << 20}, loop, account_) {}
  void Add(const MetricSample& sample) override {
    aggregator_.Add(sample, MetricOwner::kFunction);
    if (++samples_ % (kWaiting * kLinesOfDatagram) == 0) loop_.Stop();
  }

 private:
  EventLoop& loop_;
  FakeByteAccount account_{std::numeric_limits<size_t>::max()};
  Aggregator aggregator_;
  int64_t samples_ = 0;
};

class Filler {
 public:
  explicit Filler(uint16_t port) : socket_(socket(AF_INET, SOCK_DGRAM, 0)) {
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_EQ(connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 0);
    constexpr std::string_view kTypes[] = {"c", "g", "d"};
    int line = 0;
    for (int i = 0; i < kWaiting; ++i) {
      std::string& datagram = datagrams_.emplace_back();
      for (int j = 0; j < kLinesOfDatagram; ++j, ++line)
        absl::StrAppend(&datagram, "checkout.step.", line % 50, ".value:", line % 1000, ".5|",
                        kTypes[line % 3], "|#env:prod,route:r", line % 20, "\n");
    }
  }
  Filler(const Filler&) = delete;
  Filler& operator=(const Filler&) = delete;
  ~Filler() { close(socket_); }

  void Fill() {
    for (const std::string& datagram : datagrams_)
      CHECK_EQ(send(socket_, datagram.data(), datagram.size(), 0), static_cast<ssize_t>(datagram.size()));
  }

 private:
  const int socket_;
  std::vector<std::string> datagrams_;
};

// Argument: datagrams per batch. An item is a datagram.
void BM_ReceiveDatagramsOfFiveLines(benchmark::State& state) {
  EventLoop loop;
  StoppingSink sink(loop);
  auto datagrams = BindUdp(
      loop, {.receive_buffer_bytes = 1 << 20, .datagrams_per_batch = static_cast<int>(state.range(0))});
  CHECK_OK(datagrams.status());
  Filler filler((*datagrams)->port());
  auto receiver = std::make_unique<DogStatsdReceiver>(loop, loop, DogStatsdOptions(), sink, nullptr, nullptr);
  receiver->Serve(*std::move(datagrams));
  for (auto _ : state) {
    state.PauseTiming();
    filler.Fill();
    state.ResumeTiming();
    loop.Run();
  }
  CHECK_EQ(receiver->counts().dropped, 0);
  state.SetItemsProcessed(receiver->counts().datagrams);
  // The task that receives ends in the loop's next turns.
  receiver.reset();
  const Alarm alarm(loop, absl::Milliseconds(10), [&loop] { loop.Stop(); });
  loop.Run();
}
BENCHMARK(BM_ReceiveDatagramsOfFiveLines)->Arg(8)->Arg(32);

}  // namespace
}  // namespace thaw
