#include "cc/net/io/udp_datagrams.h"

#include <arpa/inet.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cc/base/completion.h"
#include "cc/base/status_macros.h"
#include "cc/clock/sleep.h"
#include "cc/net/io/datagram_gathering.h"

namespace thaw {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// Buffers that recvmmsg fills in one call: a place for each datagram.
class ReceiveBuffers {
 public:
  ReceiveBuffers(int count, size_t datagram_bytes)
      : stride_(StrideOf(datagram_bytes)),
        bytes_(new char[static_cast<size_t>(count) * stride_]),
        places_(count),
        messages_(count) {
    for (int i = 0; i < count; ++i) {
      places_[i] = {bytes_.get() + static_cast<size_t>(i) * stride_, datagram_bytes};
      messages_[i].msg_hdr.msg_iov = &places_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
    views_.reserve(count);
  }

  static size_t BytesFor(int count, size_t datagram_bytes) {
    return static_cast<size_t>(count) * (StrideOf(datagram_bytes) + sizeof(iovec) + sizeof(mmsghdr));
  }

  // Returns the number of datagrams that were received, or -1 with errno.
  int Receive(int socket) {
    return recvmmsg(socket, messages_.data(), static_cast<unsigned>(messages_.size()), MSG_DONTWAIT, nullptr);
  }

  // Returns the first `received` datagrams.
  DatagramBatch Take(int received) {
    DatagramBatch batch;
    views_.clear();
    for (int i = 0; i < received; ++i) {
      if (messages_[i].msg_hdr.msg_flags & MSG_TRUNC) {
        ++batch.truncated;
      } else {
        views_.emplace_back(static_cast<const char*>(places_[i].iov_base), messages_[i].msg_len);
      }
    }
    batch.datagrams = views_;
    return batch;
  }

 private:
  // Returns one cache line more than a datagram takes: with a stride of 64 KiB the first lines of all
  // datagrams would compete for the same few places of the processor's cache.
  static size_t StrideOf(size_t datagram_bytes) { return (datagram_bytes + 63) / 64 * 64 + 64; }

  const size_t stride_;
  // Left uninitialized, so that pages without a datagram are never resident.
  const std::unique_ptr<char[]> bytes_;
  std::vector<iovec> places_;
  std::vector<mmsghdr> messages_;
  std::vector<std::string_view> views_;
};

// Counts the datagrams that found a socket's buffer full. The kernel could also tell of them with each datagram
// (SO_RXQ_OVFL), which costs more than a call for many.
class Drops {
 public:
  // Returns the number since the last call; 0 where the kernel doesn't tell (Linux before 4.12).
  int64_t Take(int socket) {
    uint32_t info[SK_MEMINFO_VARS] = {};
    socklen_t size = sizeof(info);
    if (getsockopt(socket, SOL_SOCKET, SO_MEMINFO, info, &size) != 0 || size < sizeof(info)) return 0;
    // The kernel's count wraps around.
    return static_cast<uint32_t>(info[SK_MEMINFO_DROPS] - std::exchange(known_, info[SK_MEMINFO_DROPS]));
  }

 private:
  uint32_t known_ = 0;
};

class Socket {
 public:
  explicit Socket(int number) : number_(number) {}
  Socket(Socket&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (number_ >= 0) close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

// Tells the loop that a socket is readable, except while it is paused. The loop's own watch of a socket would wake
// the loop for each datagram, even if no receive is pending, so the loop watches a second epoll instance instead of
// the socket.
class ReadableWatch {
 public:
  ReadableWatch(EventLoop& loop, int socket)
      : socket_(socket),
        epoll_(*static_cast<asio::io_context*>(loop.native()), epoll_create1(EPOLL_CLOEXEC)) {}

  // Returns false, with errno, if the kernel refuses.
  bool Resume() { return Control(EPOLL_CTL_ADD); }
  bool Pause() { return Control(EPOLL_CTL_DEL); }

  template <typename Done>
  void Wait(Done done) {
    epoll_.async_wait(asio::posix::stream_descriptor::wait_read, std::move(done));
  }
  // Ends a pending wait with operation_aborted, from the queue.
  void Cancel() {
    error_code ignored;
    epoll_.cancel(ignored);
  }

 private:
  bool Control(int operation) {
    epoll_event interest{.events = EPOLLIN, .data = {}};
    return epoll_ctl(epoll_.native_handle(), operation, socket_, &interest) == 0;
  }

  const int socket_;
  asio::posix::stream_descriptor epoll_;
};

// The result of one turn of the loop.
struct ReceivedTurn {
  int received = 0;
  bool more = false;  // datagrams may wait that the turn had no room for
  int error = 0;      // an errno; 0: none
};

bool IsShortage(int error) { return error == ENOMEM || error == ENOBUFS; }

class UdpDatagrams : public Datagrams {
 public:
  UdpDatagrams(EventLoop& loop, Socket socket, uint16_t port, const UdpOptions& options, ByteCharge charge,
               std::string where)
      : loop_(loop),
        socket_(std::move(socket)),
        watch_(loop, socket_.number()),
        charge_(std::move(charge)),
        datagrams_per_batch_(options.datagrams_per_batch),
        bytes_per_turn_(options.bytes_per_turn),
        buffers_(options.datagrams_per_batch, options.max_datagram_bytes),
        where_(std::move(where)),
        port_(port) {}

  Task<absl::Status> Receive(Handler handler, Cancellation& cancellation) override {
    DatagramGathering gathering;
    while (true) {
      if (cancellation.requested()) co_return cancellation.reason();
      if (!watched_ && !Watch()) co_return Failure(errno);
      Completion<error_code> readable(loop_);
      watch_.Wait([&readable](const error_code& result) { readable.Set(result); });
      const auto registration = cancellation.OnRequest([this](const absl::Status&) { watch_.Cancel(); });
      const error_code error = co_await readable;
      if (cancellation.requested()) co_return cancellation.reason();
      if (error) co_return absl::UnavailableError(absl::StrCat(where_, ": ", error.message()));
      ReceivedTurn turn = ReceiveTurn(handler, [&cancellation] { return cancellation.requested(); });
      // The socket stays unwatched from one pause to the next.
      while (turn.error == 0 && !cancellation.requested()) {
        const absl::Duration pause = gathering.PauseAfter(turn.received, turn.more, loop_.Now().monotonic);
        if (pause == absl::ZeroDuration()) break;
        Unwatch();
        Task<absl::Status> sleep = Sleep(loop_, loop_, pause, cancellation);
        THAW_CO_RETURN_IF_ERROR(co_await std::move(sleep));
        turn = ReceiveTurn(handler, [&cancellation] { return cancellation.requested(); });
      }
      if (turn.error != 0) co_return Failure(turn.error);
    }
  }

  bool ReceiveWaiting(absl::FunctionRef<void(const DatagramBatch&)> take) override {
    return ReceiveTurn(take, [] { return false; }).received > 0;
  }

  // Returns false, with errno, if the kernel refuses to watch the socket.
  bool Watch() {
    watched_ = watch_.Resume();
    return watched_;
  }

  uint16_t port() const override { return port_; }

 private:
  // Receives batches until one isn't full, the turn's bytes have come or `enough` says so.
  ReceivedTurn ReceiveTurn(absl::FunctionRef<void(const DatagramBatch&)> take,
                           absl::FunctionRef<bool()> enough) {
    constexpr size_t kCostOfOne = 64;
    ReceivedTurn turn;
    size_t bytes = 0;
    do {
      const int received = buffers_.Receive(socket_.number());
      if (received < 0) {
        turn.error = errno == EAGAIN || errno == EINTR ? 0 : errno;
        turn.more = false;
        return turn;
      }
      turn.received += received;
      turn.more = received == datagrams_per_batch_;
      DatagramBatch batch = buffers_.Take(received);
      if (turn.received == received) batch.dropped = drops_.Take(socket_.number());
      for (const std::string_view datagram : batch.datagrams) bytes += datagram.size() + kCostOfOne;
      bytes += static_cast<size_t>(batch.truncated) * kCostOfOne;
      take(batch);
    } while (turn.more && bytes < bytes_per_turn_ && !enough());
    return turn;
  }

  void Unwatch() {
    if (watched_) watched_ = !watch_.Pause();
  }

  absl::Status Failure(int error) const {
    const std::string text = absl::StrCat(where_, ": ", std::strerror(error));
    return IsShortage(error) ? absl::ResourceExhaustedError(text) : absl::UnavailableError(text);
  }

  EventLoop& loop_;
  const Socket socket_;
  ReadableWatch watch_;
  const ByteCharge charge_;
  const int datagrams_per_batch_;
  const size_t bytes_per_turn_;
  ReceiveBuffers buffers_;
  const std::string where_;
  const uint16_t port_;
  Drops drops_;
  bool watched_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Datagrams>> BindUdp(EventLoop& loop, const UdpOptions& options) {
  sockaddr_in at = {};
  at.sin_family = AF_INET;
  if (inet_pton(AF_INET, options.address.c_str(), &at.sin_addr) != 1)
    return absl::InvalidArgumentError(absl::StrCat("'", options.address, "' is not an IPv4 address"));
  if (options.datagrams_per_batch <= 0 || options.max_datagram_bytes == 0 || options.receive_buffer_bytes < 0)
    return absl::InvalidArgumentError("the limits of datagrams must be positive");
  ByteCharge charge(options.account);
  THAW_RETURN_IF_ERROR(
      charge.Grow(ReceiveBuffers::BytesFor(options.datagrams_per_batch, options.max_datagram_bytes)));
  const std::string where = absl::StrCat(options.address, ":", options.port, "/udp");
  const auto unavailable = [&] {
    const int reason = errno;
    return absl::UnavailableError(absl::StrCat("can't receive at ", where, ": ", std::strerror(reason)));
  };

  Socket socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket.number() < 0) return unavailable();
  const int bytes = options.receive_buffer_bytes;
  if (bytes > 0 && setsockopt(socket.number(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) != 0)
    return unavailable();
  at.sin_port = htons(options.port);
  socklen_t size = sizeof(at);
  if (bind(socket.number(), reinterpret_cast<const sockaddr*>(&at), size) != 0 ||
      getsockname(socket.number(), reinterpret_cast<sockaddr*>(&at), &size) != 0)
    return unavailable();
  const uint16_t port = ntohs(at.sin_port);
  auto bound =
      std::make_unique<UdpDatagrams>(loop, std::move(socket), port, options, std::move(charge), where);
  if (!bound->Watch()) return unavailable();
  return bound;
}

}  // namespace thaw
