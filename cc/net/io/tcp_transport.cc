#include <netinet/in.h>
#include <netinet/tcp.h>

#include <boost/asio/buffer.hpp>
#include <cstdint>
#include <utility>

#include "cc/net/io/tcp_transport_internal.h"

namespace thaw {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

absl::Status StatusOf(const error_code& error) {
  if (!error) return absl::OkStatus();
  if (error == asio::error::eof) return absl::OutOfRangeError("end of stream");
  if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor) {
    return absl::CancelledError("the connection was closed");
  }
  if (error == asio::error::connection_reset || error == asio::error::broken_pipe) {
    return absl::AbortedError(error.message());
  }
  if (error == asio::error::would_block || error == asio::error::try_again) {
    return absl::UnavailableError("nothing can be read or written now");
  }
  return absl::UnknownError(error.message());
}

class TcpTransport : public Transport {
 public:
  TcpTransport(EventLoop& loop, asio::ip::tcp::socket socket)
      : loop_(loop), state_(std::make_shared<State>(std::move(socket))) {}
  ~TcpTransport() override { Close(); }

  void StartRead(absl::Span<char> into, Done done) override {
    state_->read_pending = true;
    state_->polls_at_read = loop_.polls();
    state_->read_begun = loop_.Now().monotonic;
    state_->socket.async_read_some(
        asio::buffer(into.data(), into.size()),
        [state = state_, done = std::move(done)](const error_code& error, size_t bytes) mutable {
          state->received += static_cast<int64_t>(bytes);
          state->read_pending = false;
          done({StatusOf(error), bytes});
        });
  }

  void StartWrite(std::string_view from, Done done) override {
    state_->socket.async_write_some(
        asio::buffer(from.data(), from.size()),
        [state = state_, done = std::move(done)](const error_code& error, size_t bytes) mutable {
          state->sent += static_cast<int64_t>(bytes);
          done({StatusOf(error), bytes});
        });
  }

  IoResult TryRead(absl::Span<char> into) override {
    if (!state_->socket.is_open()) return {absl::CancelledError("the connection was closed"), 0};
    // The pending read has just tried, and the sockets were not polled since. If there was time for a freeze
    // in between, this does not hold.
    if (state_->read_pending && state_->polls_at_read == loop_.polls() &&
        loop_.Now().monotonic - state_->read_begun < absl::Milliseconds(1))
      return {absl::UnavailableError("nothing to read now"), 0};
    error_code error;
    // The socket is non-blocking (set when it was opened), so this is one system call.
    const size_t bytes = state_->socket.read_some(asio::buffer(into.data(), into.size()), error);
    state_->received += static_cast<int64_t>(bytes);
    return {StatusOf(error), bytes};
  }

  IoResult TryWrite(std::string_view from) override {
    if (!state_->socket.is_open()) return {absl::CancelledError("the connection was closed"), 0};
    error_code error;
    const size_t bytes = state_->socket.write_some(asio::buffer(from.data(), from.size()), error);
    state_->sent += static_cast<int64_t>(bytes);
    return {StatusOf(error), bytes};
  }

  void AcknowledgeNow() override {
    if (!state_->socket.is_open()) return;
    // Sends an acknowledgement that the kernel would delay by up to 40 ms. The kernel returns to delaying, so
    // this is done each time. A client that leaves Nagle's algorithm on sends the last, short segment of a
    // write only when everything before it is acknowledged.
    error_code ignored;
    // Does nothing if more bytes can be read at once: they are read first.
    if (state_->socket.available(ignored) > 0) return;
    state_->socket.set_option(asio::detail::socket_option::boolean<IPPROTO_TCP, TCP_QUICKACK>(true), ignored);
  }

  void Close() override {
    error_code ignored;
    state_->socket.close(ignored);
  }

  int64_t wire_bytes_sent() const override { return state_->sent; }
  int64_t wire_bytes_received() const override { return state_->received; }

 private:
  // Shared with pending operations, which end after the transport is gone.
  struct State {
    explicit State(asio::ip::tcp::socket opened) : socket(std::move(opened)) {}
    asio::ip::tcp::socket socket;
    int64_t sent = 0;
    int64_t received = 0;
    bool read_pending = false;
    int64_t polls_at_read = 0;  // EventLoop::polls() when the read began
    absl::Duration read_begun;  // monotonic
  };
  EventLoop& loop_;
  const std::shared_ptr<State> state_;
};

}  // namespace

std::unique_ptr<Transport> MakeTcpTransport(EventLoop& loop, asio::ip::tcp::socket socket) {
  return std::make_unique<TcpTransport>(loop, std::move(socket));
}

}  // namespace thaw
