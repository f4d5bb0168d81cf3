#include "cc/net/io/tcp_network.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cc/base/completion.h"
#include "cc/net/io/name_lookup.h"
#include "cc/net/io/tcp_transport_internal.h"

namespace thaw {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

class TcpNetwork : public Network {
 public:
  TcpNetwork(EventLoop& loop, DnsOptions dns) : loop_(loop), names_(MakeNameLookup(loop, std::move(dns))) {}

  Task<absl::StatusOr<ResolvedName>> Lookup(std::string host, LookupPatience patience,
                                            Cancellation& cancellation) override {
    return names_->Lookup(std::move(host), patience, cancellation);
  }

  Task<absl::StatusOr<std::unique_ptr<Transport>>> Connect(IpAddress address, uint16_t port,
                                                           ConnectOptions options,
                                                           Cancellation& cancellation) override {
    const std::string where = address.family == IpAddress::Family::kV6
                                  ? absl::StrCat("[", address.text, "]:", port)
                                  : absl::StrCat(address.text, ":", port);
    error_code error;
    const asio::ip::address parsed = asio::ip::make_address(address.text, error);
    if (error)
      co_return absl::InvalidArgumentError(absl::StrCat("'", address.text, "' is not an IP address"));
    const asio::ip::tcp::endpoint endpoint(parsed, port);

    asio::ip::tcp::socket socket(*static_cast<asio::io_context*>(loop_.native()));
    socket.open(endpoint.protocol(), error);
    if (error) co_return absl::UnavailableError(absl::StrCat(where, ": ", error.message()));
    socket.non_blocking(true, error);
    socket.set_option(asio::ip::tcp::no_delay(options.tcp_nodelay), error);

    Completion<error_code> connected(loop_);
    bool ended = false;
    socket.async_connect(endpoint, [&](const error_code& result) {
      ended = true;
      connected.Set(result);
    });
    const auto registration = cancellation.OnRequest([&](const absl::Status&) {
      // The pending connect ends with operation_aborted, from the queue.
      error_code ignored;
      if (!ended) socket.close(ignored);
    });
    error = co_await connected;
    if (cancellation.requested()) co_return cancellation.reason();
    if (error) co_return absl::UnavailableError(absl::StrCat(where, ": ", error.message()));
    co_return MakeTcpTransport(loop_, std::move(socket));
  }

 private:
  EventLoop& loop_;
  const std::unique_ptr<NameLookup> names_;
};

}  // namespace

std::unique_ptr<Network> MakeTcpNetwork(EventLoop& loop, DnsOptions dns) {
  return std::make_unique<TcpNetwork>(loop, std::move(dns));
}

}  // namespace thaw
