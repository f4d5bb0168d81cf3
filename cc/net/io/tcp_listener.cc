#include "cc/net/io/tcp_listener.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cc/base/completion.h"
#include "cc/net/io/tcp_transport_internal.h"

namespace thaw {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// A descriptor that can't be watched fails at once each time, with the same errors as a connection that
// ended. The caller, which waits between its tries, must get the error.
constexpr int kMostFailuresInARow = 16;

// Returns true if the connection or its path failed before accept(2): the next one may work.
bool ConcernsOneConnection(const error_code& error) {
  namespace errc = boost::system::errc;
  for (const auto reason :
       {errc::connection_aborted, errc::protocol_error, errc::network_down, errc::network_unreachable,
        errc::host_unreachable, errc::no_protocol_option, errc::operation_not_supported}) {
    if (error == reason) return true;
  }
  return false;
}

bool IsShortage(const error_code& error) {
  namespace errc = boost::system::errc;
  return error == errc::too_many_files_open || error == errc::too_many_files_open_in_system ||
         error == errc::no_buffer_space || error == errc::not_enough_memory;
}

class TcpListener : public Listener {
 public:
  TcpListener(EventLoop& loop, tcp::acceptor acceptor, std::string where)
      : loop_(loop), acceptor_(std::move(acceptor)), where_(std::move(where)) {
    error_code ignored;
    port_ = acceptor_.local_endpoint(ignored).port();
  }

  Task<absl::StatusOr<std::unique_ptr<Transport>>> Accept(Cancellation& cancellation) override {
    for (int failed = 0;; ++failed) {
      if (cancellation.requested()) co_return cancellation.reason();
      tcp::socket socket(*static_cast<asio::io_context*>(loop_.native()));
      Completion<error_code> accepted(loop_);
      acceptor_.async_accept(socket, [&accepted](const error_code& result) { accepted.Set(result); });
      const auto registration = cancellation.OnRequest([this](const absl::Status&) {
        // The pending accept ends with operation_aborted, from the queue.
        error_code ignored;
        acceptor_.cancel(ignored);
      });
      error_code error = co_await accepted;
      if (cancellation.requested()) co_return cancellation.reason();
      if (error && ConcernsOneConnection(error) && failed < kMostFailuresInARow) continue;
      if (error) {
        std::string text = absl::StrCat(where_, ": ", error.message());
        if (IsShortage(error)) co_return absl::ResourceExhaustedError(text);
        co_return absl::UnavailableError(text);
      }
      socket.non_blocking(true, error);
      if (error) co_return absl::UnavailableError(absl::StrCat(where_, ": ", error.message()));
      // An answer is one small write; it must not wait for the acknowledgement of the one before it.
      socket.set_option(tcp::no_delay(true), error);
      co_return MakeTcpTransport(loop_, std::move(socket));
    }
  }

  uint16_t port() const override { return port_; }

 private:
  EventLoop& loop_;
  tcp::acceptor acceptor_;
  const std::string where_;
  uint16_t port_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> ListenOnTcp(EventLoop& loop, const TcpListenOptions& options) {
  error_code error;
  const asio::ip::address_v4 address = asio::ip::make_address_v4(options.address, error);
  if (error)
    return absl::InvalidArgumentError(absl::StrCat("'", options.address, "' is not an IPv4 address"));
  const std::string where = absl::StrCat(options.address, ":", options.port);
  const auto unavailable = [&] {
    return absl::UnavailableError(absl::StrCat("can't listen on ", where, ": ", error.message()));
  };

  tcp::acceptor acceptor(*static_cast<asio::io_context*>(loop.native()));
  acceptor.open(tcp::v4(), error);
  if (error) return unavailable();
  // Connections of an earlier process may still be in TIME_WAIT.
  acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  acceptor.bind({address, options.port}, error);
  if (error) return unavailable();
  acceptor.listen(options.backlog, error);
  if (error) return unavailable();
  return std::make_unique<TcpListener>(loop, std::move(acceptor), where);
}

}  // namespace thaw
