#include "cc/net/dial/stack_dialer.h"

#include <arpa/inet.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cc/base/status_macros.h"
#include "cc/net/destination.h"
#include "cc/net/dial/address_racing.h"
#include "cc/net/dial/name_cache.h"
#include "cc/net/dial/no_proxy.h"
#include "cc/net/dial/proxy_connect.h"
#include "cc/net/exchange_failure.h"
#include "cc/net/http_protocol.h"

namespace thaw {
namespace {

std::optional<IpAddress> LiteralAddress(std::string host) {
  if (host.ends_with('.')) host.pop_back();
  unsigned char bytes[16];
  if (inet_pton(AF_INET, host.c_str(), bytes) == 1) return IpAddress{IpAddress::Family::kV4, host};
  if (inet_pton(AF_INET6, host.c_str(), bytes) == 1) return IpAddress{IpAddress::Family::kV6, host};
  return std::nullopt;
}

class StackDialer : public Dialer {
 public:
  StackDialer(Executor& executor, Clock& clock, Network& network, std::unique_ptr<TlsConnector> tls,
              const ClientOptions& options, std::optional<Url> proxy, ConnectionCounts& counts)
      : executor_(executor),
        clock_(clock),
        network_(network),
        tls_(std::move(tls)),
        proxy_(std::move(proxy)),
        no_proxy_(options.no_proxy),
        http_protocols_(options.http_protocols),
        max_head_bytes_(options.max_response_head_bytes),
        connect_options_{.tcp_nodelay = options.tcp_nodelay},
        names_(executor, clock, network, counts) {}

  Task<DialResult> Dial(Destination destination, Cancellation& cancellation) override {
    const ClockReading began = clock_.Now();
    DialResult result;
    result.failure = co_await Build(destination, result, cancellation);
    if (result.failure.has_value()) result.transport.reset();
    result.took = clock_.Now().monotonic - began.monotonic;
    co_return result;
  }

  void Forget() override {
    names_.Forget();
    tls_->Forget();
  }

 private:
  // Builds result.transport layer by layer. Returns the failure of the layer that failed.
  Task<std::optional<ExchangeFailure>> Build(const Destination& destination, DialResult& result,
                                             Cancellation& cancellation) {
    const bool through_proxy = proxy_.has_value() && !BypassesProxy(destination, no_proxy_);
    const Destination& hop = through_proxy ? proxy_->destination : destination;
    std::optional<ExchangeFailure> failure = co_await Reach(hop, result, cancellation);
    if (failure.has_value()) co_return failure;
    if (through_proxy) {
      if (hop.is_tls()) {
        // ConnectThroughProxy() and absolute forms are HTTP/1.1.
        failure = co_await Secure(hop, "", OnlyHttp11(), result, cancellation);
        if (failure.has_value()) {
          // The phase is the proxy's; the fault tells what went wrong in it.
          failure->phase = Phase::kProxy;
          co_return failure;
        }
        result.times.resumed = false;  // describes TLS to the destination only
      }
      if (!destination.is_tls()) {
        result.absolute_form = true;
        if (!proxy_->userinfo.empty()) {
          result.proxy_authorization = BasicCredentials(proxy_->userinfo);
        }
        co_return std::nullopt;
      }
      const std::string proxy_name = ToString(hop);
      failure = co_await ConnectThroughProxy(*result.transport, destination, proxy_->userinfo, proxy_name,
                                             max_head_bytes_, cancellation);
      if (failure.has_value()) co_return failure;
    }
    if (destination.is_tls()) {
      const std::string proxy_authority = through_proxy ? Authority(hop) : "";
      const absl::Duration began = clock_.Now().monotonic;
      failure = co_await Secure(destination, proxy_authority, http_protocols_, result, cancellation);
      if (!failure.has_value()) result.times.tls = clock_.Now().monotonic - began;
    }
    co_return failure;
  }

  // Opens a TCP connection to `hop`.
  Task<std::optional<ExchangeFailure>> Reach(const Destination& hop, DialResult& result,
                                             Cancellation& cancellation) {
    const std::string where = ToString(hop);
    absl::Duration began = clock_.Now().monotonic;
    std::vector<IpAddress> addresses;
    MoreAddresses more;
    if (std::optional<IpAddress> literal = LiteralAddress(hop.host)) {
      addresses.push_back(*std::move(literal));
    } else {
      absl::StatusOr<ResolvedName> name = co_await names_.Lookup(hop.host, cancellation);
      if (!name.ok()) {
        const Fault fault = absl::IsNotFound(name.status()) ? Fault::kNotFound : Fault::kRefused;
        co_return MakeFailure(Phase::kResolve, fault, where, name.status(), cancellation);
      }
      addresses = std::move(name->addresses);
      const absl::Duration found = clock_.Now().monotonic;
      result.times.name_lookup = found - std::exchange(began, found);
      if (!name->complete) {
        more = [this, host = hop.host](Cancellation& given_up) {
          return AddressesOfBothFamilies(host, given_up);
        };
      }
    }
    if (cancellation.requested()) {
      co_return MakeCancelledFailure(Phase::kConnect, where, cancellation.reason());
    }
    Task<RaceResult> racing = RaceAddresses(executor_, clock_, network_, std::move(addresses), hop.port,
                                            connect_options_, cancellation, std::move(more));
    RaceResult race = co_await std::move(racing);
    if (race.transport == nullptr) {
      ExchangeFailure failure =
          MakeFailure(Phase::kConnect, Fault::kRefused, where, race.outcomes.back().status, cancellation);
      failure.addresses = std::move(race.outcomes);
      co_return failure;
    }
    result.transport = std::move(race.transport);
    result.times.connect = clock_.Now().monotonic - began;
    co_return std::nullopt;
  }

  // Returns the addresses of both families, or none if they can't be found.
  Task<std::vector<IpAddress>> AddressesOfBothFamilies(std::string host, Cancellation& cancellation) {
    absl::StatusOr<ResolvedName> name = co_await names_.LookupBothFamilies(std::move(host), cancellation);
    if (!name.ok()) co_return std::vector<IpAddress>();
    co_return std::move(name->addresses);
  }

  // Adds TLS to the stream and agrees on one of `protocols`.
  Task<std::optional<ExchangeFailure>> Secure(const Destination& peer, std::string proxy,
                                              std::vector<std::string> protocols, DialResult& result,
                                              Cancellation& cancellation) {
    TlsTarget target{.destination = peer,
                     .server_name = peer.host,
                     .proxy = std::move(proxy),
                     .protocols = std::move(protocols)};
    TlsResult secured =
        co_await tls_->Handshake(std::move(result.transport), std::move(target), cancellation);
    if (secured.failure.has_value()) co_return std::move(secured.failure);
    result.transport = std::move(secured.transport);
    result.protocol = std::move(secured.protocol);
    result.times.resumed = secured.resumed;
    co_return std::nullopt;
  }

  Executor& executor_;
  Clock& clock_;
  Network& network_;
  const std::unique_ptr<TlsConnector> tls_;
  const std::optional<Url> proxy_;
  const std::vector<std::string> no_proxy_;
  const std::vector<std::string> http_protocols_;
  const size_t max_head_bytes_;
  const Network::ConnectOptions connect_options_;
  NameCache names_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Dialer>> MakeStackDialer(Executor& executor, Clock& clock, Network& network,
                                                        std::unique_ptr<TlsConnector> tls,
                                                        const ClientOptions& options,
                                                        ConnectionCounts& counts) {
  std::optional<Url> proxy;
  if (!options.proxy_url.empty()) {
    THAW_ASSIGN_OR_RETURN(proxy, ParseUrl(options.proxy_url));
  }
  return std::make_unique<StackDialer>(executor, clock, network, std::move(tls), options, std::move(proxy),
                                       counts);
}

}  // namespace thaw
