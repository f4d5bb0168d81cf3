// Compiles the examples in the headers of this room. Each is the body of a function, whose parameters and whatever
// stands above it declare the names that the example uses. tools/header_examples.py explains it.

#include <gtest/gtest.h>

#include <algorithm>

#include "absl/status/status.h"
#include "cc/base/manual_executor.h"
#include "cc/base/seeded_random.h"
#include "cc/base/status_macros.h"
#include "cc/base/task.h"
#include "cc/net/client.h"
#include "cc/net/client_factory.h"
#include "cc/net/datagrams.h"
#include "cc/net/dial/address_racing.h"
#include "cc/net/dial/name_cache.h"
#include "cc/net/dial_backoff.h"
#include "cc/net/http1_connection.h"
#include "cc/net/http1_parser.h"
#include "cc/net/http_answer.h"
#include "cc/net/http_connection.h"
#include "cc/net/http_connection_factory.h"
#include "cc/net/http_token.h"
#include "cc/net/io/datagram_gathering.h"
#include "cc/net/io/dns_sockets.h"
#include "cc/net/io/event_loop.h"
#include "cc/net/io/name_race.h"
#include "cc/net/io/resolv_conf.h"
#include "cc/net/io/signal_watch.h"
#include "cc/net/io/system_random.h"
#include "cc/net/io/tcp_listener.h"
#include "cc/net/io/udp_datagrams.h"
#include "cc/net/listener.h"
#include "cc/net/network.h"
#include "cc/net/pool.h"
#include "cc/net/pool_connections.h"
#include "cc/net/pool_fixture.h"
#include "cc/net/retry_policy.h"
#include "cc/net/testing/http_test_server.h"
#include "cc/net/testing/memory_datagrams.h"
#include "cc/net/testing/memory_listener.h"
#include "cc/net/testing/memory_transport.h"
#include "cc/net/testing/refused_calls.h"
#include "cc/net/testing/test_certificates.h"
#include "cc/net/testing/tls_test_server.h"
#include "cc/net/tls/boring_tls_connector.h"
#include "cc/net/tls/session_store.h"
#include "cc/net/tls/trusted_roots.h"
#include "cc/net/tls_connector.h"
#include "cc/net/transport.h"

namespace thaw {
namespace {

Task<void> ClientExample(Client& client, const HttpRequest& request, Cancellation& cancellation) {
#include "cc/net/client.h.example"
}

absl::Status ClientFactoryExample(EventLoop& loop, std::unique_ptr<Network> network,
                                  const ClientOptions& options, RandomFraction& random,
                                  std::vector<std::string>& warnings) {
#include "cc/net/client_factory.h.example"
  return absl::OkStatus();
}

void Parse(std::string_view datagram);

Task<void> DatagramsExample(Datagrams& datagrams, Cancellation& stop, int64_t& lost) {
#include "cc/net/datagrams.h.example"
}

Task<absl::Status> DialAddressRacingExample(Executor& executor, Clock& clock, Network& network,
                                            std::vector<IpAddress> addresses, Cancellation& cancellation) {
#include "cc/net/dial/address_racing.h.example"
  co_return absl::OkStatus();
}

void DialBackoffExample(const Clock& clock, const ClientOptions& options, RandomFraction& random,
                        const Destination& destination) {
#include "cc/net/dial_backoff.h.example"
}

Task<void> DialNameCacheExample(Executor& executor, Clock& clock, Network& network, ConnectionCounts& counts,
                                Cancellation& cancellation) {
#include "cc/net/dial/name_cache.h.example"
}

void Http1ConnectionExample(Executor& executor, Clock& clock, std::unique_ptr<Transport> transport,
                            const ClientOptions& options, ExchangeCounts& counts, const HttpRequest& request,
                            RequestForm form, HttpConnection::OnIdleClosed on_idle_closed) {
#include "cc/net/http1_connection.h.example"
}

void Http1ParserExample(const Http1Parser::Limits& limits, std::string_view bytes) {
#include "cc/net/http1_parser.h.example"
}

ExchangeFailure HttpAnswerExample(const HttpRequest& request, const HttpResponse& response,
                                  const Clock& clock) {
#include "cc/net/http_answer.h.example"
  return {};
}

void HttpConnectionExample(std::shared_ptr<HttpConnection> connection, const HttpRequest& request,
                           const absl::Status& error) {
#include "cc/net/http_connection.h.example"
}

void HttpConnectionFactoryExample(Executor& executor, Clock& clock, DialResult dialled,
                                  const ClientOptions& options, ExchangeCounts& counts) {
#include "cc/net/http_connection_factory.h.example"
}

void HttpTokenExample(std::string_view name) {
#include "cc/net/http_token.h.example"
}

void IoDatagramGatheringExample(Clock& clock, int64_t received) {
#include "cc/net/io/datagram_gathering.h.example"
}

void IoDnsSocketsExample(ares_channel channel, ares_options& options, int mask) {
#include "cc/net/io/dns_sockets.h.example"
}

Task<void> Serve();

void IoEventLoopExample() {
#include "cc/net/io/event_loop.h.example"
}

Task<void> IoNameRaceExample(Executor& executor, Clock& clock, NameServers& servers,
                             std::vector<size_t> order, Cancellation& cancellation) {
#include "cc/net/io/name_race.h.example"
}

void IoResolvConfExample() {
#include "cc/net/io/resolv_conf.h.example"
}

void IoSignalWatchExample(EventLoop& loop, Cancellation& shutdown) {
#include "cc/net/io/signal_watch.h.example"
}

void IoSystemRandomExample() {
#include "cc/net/io/system_random.h.example"
}

absl::Status IoTcpListenerExample(EventLoop& loop) {
#include "cc/net/io/tcp_listener.h.example"
  return absl::OkStatus();
}

absl::Status IoUdpDatagramsExample(EventLoop& loop) {
#include "cc/net/io/udp_datagrams.h.example"
  return absl::OkStatus();
}

Task<void> ListenerExample(Listener& listener, Cancellation& stop) {
#include "cc/net/listener.h.example"
}

using ConnectionPool = Pool<Destination, HttpConnection, ExchangeFailure>;

Task<void> NetworkExample(Network& network, Cancellation& cancellation) {
#include "cc/net/network.h.example"
}

void PoolConnectionsExample(uint64_t dial, int64_t epoch, std::shared_ptr<HttpConnection> connection) {
#include "cc/net/pool_connections.h.example"
}

struct PoolFixtureExample : PoolFixture {
  void Example() {
#include "cc/net/pool_fixture.h.example"
  }
};

void PoolExample(Clock& clock, const ClientOptions& options, ConnectionCounts& counts,
                 ConnectionPool::StartDial start_dial, ConnectionPool::CancelDial cancel_dial,
                 const Destination& destination, ConnectionPool::Lease lease) {
#include "cc/net/pool.h.example"
}

void WaitAndTryAgain(absl::Duration delay, bool fresh);

void RetryPolicyExample(const RetryRules& rules, const ExchangeFailure& failure, RandomFraction& random) {
#include "cc/net/retry_policy.h.example"
}

void TestingHttpTestServerExample() {
#include "cc/net/testing/http_test_server.h.example"
}

// Serves connections, as cc/agent/http_server.h does, or reads datagrams.
struct Server {
  void Serve(std::unique_ptr<Listener> listener);
  void Serve(std::unique_ptr<Datagrams> datagrams);
};

void TestingMemoryDatagramsExample(Server& server, Executor& executor) {
#include "cc/net/testing/memory_datagrams.h.example"
}

void TestingMemoryListenerExample(Server& server, Executor& executor) {
#include "cc/net/testing/memory_listener.h.example"
}

void TestingMemoryTransportExample() {
#include "cc/net/testing/memory_transport.h.example"
}

void TestingRefusedCallsExample() {
#include "cc/net/testing/refused_calls.h.example"
}

std::string WriteFile(const std::string& content);

void TestingTestCertificatesExample(ClientOptions& options) {
#include "cc/net/testing/test_certificates.h.example"
}

void TestingTlsTestServerExample(TestAuthority& authority, ManualExecutor& executor,
                                 std::unique_ptr<Transport> server_end) {
#include "cc/net/testing/tls_test_server.h.example"
}

absl::Status TlsBoringTlsConnectorExample(Executor& executor, Clock& clock, const ClientOptions& options,
                                          ConnectionCounts& counts) {
#include "cc/net/tls/boring_tls_connector.h.example"
  return absl::OkStatus();
}

void TlsSessionStoreExample(SessionStore& store, const SessionKey& key, SessionStore::Session session,
                            absl::Time now, absl::Time trusted_until) {
#include "cc/net/tls/session_store.h.example"
}

void TlsTrustedRootsExample(absl::Span<x509_st* const> chain, std::vector<std::string>& warnings) {
#include "cc/net/tls/trusted_roots.h.example"
}

Task<void> TlsConnectorExample(TlsConnector& tls, const Destination& destination,
                               std::unique_ptr<Transport> tcp, Cancellation& cancellation) {
#include "cc/net/tls_connector.h.example"
}

Task<void> TransportExample(Transport& transport, std::string& buffer) {
#include "cc/net/transport.h.example"
}

}  // namespace
}  // namespace thaw
