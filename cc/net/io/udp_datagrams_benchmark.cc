// Measures the cost of receiving a datagram: the socket's buffer is filled over the loopback, which is not
// measured, and emptied, which is.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/log/check.h"
#include "benchmark/benchmark.h"
#include "cc/net/io/event_loop.h"
#include "cc/net/io/udp_datagrams.h"

namespace thaw {
namespace {

constexpr int kWaiting = 32;

// Sends datagrams of one size to a port of the loopback, kWaiting at once.
class Filler {
 public:
  Filler(uint16_t port, size_t bytes) : socket_(socket(AF_INET, SOCK_DGRAM, 0)), text_(bytes, 'x') {
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_EQ(connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 0);
    for (mmsghdr& message : messages_) {
      message.msg_hdr.msg_iov = &place_;
      message.msg_hdr.msg_iovlen = 1;
    }
  }
  Filler(const Filler&) = delete;
  Filler& operator=(const Filler&) = delete;
  ~Filler() { close(socket_); }

  void Fill() { CHECK_EQ(sendmmsg(socket_, messages_.data(), messages_.size(), 0), kWaiting); }

 private:
  const int socket_;
  std::string text_;
  iovec place_ = {text_.data(), text_.size()};
  std::array<mmsghdr, kWaiting> messages_ = {};
};

// Arguments: bytes of a datagram, datagrams per turn. The CPU time is that of kWaiting datagrams.
void BM_Receive(benchmark::State& state) {
  EventLoop loop;
  auto datagrams = BindUdp(
      loop, {.receive_buffer_bytes = 1 << 20, .datagrams_per_batch = static_cast<int>(state.range(1))});
  CHECK_OK(datagrams.status());
  int64_t received = 0, bytes = 0, dropped = 0;
  Cancellation end;
  Datagrams::Handler handler = [&](const DatagramBatch& batch) {
    dropped += batch.dropped;
    for (const std::string_view datagram : batch.datagrams) bytes += static_cast<int64_t>(datagram.size());
    received += static_cast<int64_t>(batch.datagrams.size());
    if (received % kWaiting == 0) loop.Stop();
  };
  absl::AnyInvocable<void(absl::Status)> done = [&](const absl::Status&) { loop.Stop(); };
  Spawn<absl::Status>(loop, (*datagrams)->Receive(std::move(handler), end), std::move(done));
  Filler filler((*datagrams)->port(), static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    state.PauseTiming();
    filler.Fill();
    state.ResumeTiming();
    loop.Run();
  }
  end.Request(absl::CancelledError("measured"));
  loop.Run();
  CHECK_EQ(dropped, 0);
  state.SetItemsProcessed(received);
  state.SetBytesProcessed(bytes);
}
BENCHMARK(BM_Receive)->Args({60, 32})->Args({60, 1})->Args({1400, 32})->Args({8000, 32});

}  // namespace
}  // namespace thaw
