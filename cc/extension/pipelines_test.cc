#include "cc/extension/pipelines.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "boost/json/object.hpp"
#include "boost/json/parse.hpp"
#include "cc/agent/proxied_request.h"
#include "cc/base/cancellation.h"
#include "cc/base/executor.h"
#include "cc/base/task.h"
#include "cc/extension/pipelines_fixture.h"
#include "cc/flush/flush_coordinator.h"
#include "cc/flush/pathway_flusher.h"
#include "cc/net/network.h"
#include "cc/net/testing/memory_transport.h"
#include "cc/net/transport.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PipelinesTest : public PipelinesFixture {
 protected:
  static std::vector<std::string> UrlsOf(const PipelineFlusher& flusher) {
    std::vector<std::string> urls;
    for (const Endpoint& endpoint : flusher.endpoints()) urls.push_back(endpoint.ToString());
    return urls;
  }
  boost::json::object Books() { return boost::json::parse(pipelines_->coordinator().ToJson()).as_object(); }
  absl::Status AddTo(const ProxyRoute& route, size_t bytes = 10) { return AddTo(route.host_prefix, bytes); }
  absl::Status AddTo(std::string_view host_prefix, size_t bytes = 10) {
    ProxiedRequest proxied;
    proxied.host_prefix = host_prefix;
    proxied.request.target = "/api/v2/any";
    proxied.request.body = std::make_shared<const std::string>(bytes, '.');
    return pipelines_->AddProxied(std::move(proxied));
  }
};

TEST_F(PipelinesTest, EachGoesToItsIntakeOfTheSite) {
  Make({{"DD_SITE", "datadoghq.eu"}});
  EXPECT_THAT(UrlsOf(pipelines_->traces().pipeline()),
              ElementsAre("https://trace.agent.datadoghq.eu/api/v0.2/traces"));
  EXPECT_THAT(UrlsOf(pipelines_->stats().pipeline()),
              ElementsAre("https://trace.agent.datadoghq.eu/api/v0.2/stats"));
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(PipelinesTest, AdditionalEndpointsGetTracesAndStatsWithEachOfTheirKeys) {
  Make({{"DD_APM_ADDITIONAL_ENDPOINTS", R"({"https://other.example": ["one", "two"]})"}});
  for (const PipelineFlusher* flusher : {&pipelines_->traces().pipeline(), &pipelines_->stats().pipeline()})
    EXPECT_EQ(flusher->endpoints().size(), 3);
  EXPECT_THAT(UrlsOf(pipelines_->traces().pipeline())[2], HasSubstr("https://other.example/"));
}

TEST_F(PipelinesTest, DataStreamsGoWhereTracesGo) {
  Make({{"DD_APM_DD_URL", "https://mine.example/base/"},
        {"DD_APM_ADDITIONAL_ENDPOINTS", R"({"https://other.example": ["one", "two"]})"}});
  const ProxyRoute& data_streams = ProxyRoutes()[0];
  EXPECT_THAT(UrlsOf(pipelines_->proxied(data_streams)),
              ElementsAre("https://mine.example/base", "https://other.example", "https://other.example"));
  EXPECT_THAT(UrlsOf(pipelines_->proxied(ProxyRoutes()[1])),
              ElementsAre("https://intake.profile.datadoghq.com"));
}

TEST_F(PipelinesTest, DataStreamsOfTheExtensionAreOffUnlessAskedForAndGoWhereTracesGo) {
  Make();
  EXPECT_EQ(pipelines_->Find<PathwayFlusher>(), nullptr);
  Make({{"DD_DATA_STREAMS_ENABLED", "true"}, {"DD_APM_DD_URL", "https://mine.example/base/"}});
  EXPECT_THAT(UrlsOf(pipelines_->Find<PathwayFlusher>()->pipeline()),
              ElementsAre("https://mine.example/base/api/v0.1/pipeline_stats"));
}

TEST_F(PipelinesTest, EveryIntakeOfProxiedRequestsHasBooksOfItsOwn) {
  Make();
  for (const ProxyRoute& route : ProxyRoutes()) {
    if (route.is_general()) continue;
    EXPECT_TRUE(AddTo(route).ok()) << route.path;
  }
  const boost::json::object books = Books();
  const boost::json::object& pipelines = books.at("pipelines").as_object();
  int64_t kept = 0;
  int64_t requests = 0;
  for (const ProxyRoute& route : ProxyRoutes()) {
    if (route.is_general()) continue;
    ++requests;
    const std::string name = "proxied." + std::string(route.host_prefix);
    ASSERT_TRUE(pipelines.contains(name)) << name;
  }
  for (const auto& [name, pipeline] : pipelines) kept += pipeline.at("kept").as_int64();
  EXPECT_EQ(kept, requests);
}

TEST_F(PipelinesTest, HostsThatTracersNameAreBounded) {
  Make({{"DD_SITE", "datadoghq.eu"}});
  for (int i = 0; i < Pipelines::kMaxNamedHosts; ++i) EXPECT_TRUE(AddTo(absl::StrCat("named-", i)).ok()) << i;
  EXPECT_TRUE(absl::IsInvalidArgument(AddTo("one-more")));
  // Those that are known go on, as do the intakes of the routes.
  EXPECT_TRUE(AddTo("named-3").ok());
  EXPECT_TRUE(AddTo("intake.profile").ok());
  const boost::json::object books = Books();
  const boost::json::object& pipelines = books.at("pipelines").as_object();
  EXPECT_EQ(pipelines.at("proxied.named-3").at("kept").as_int64(), 2);
  EXPECT_FALSE(pipelines.contains("proxied.one-more"));
}

// Resolves every name. Each connection carries one request, which is answered with 202.
class AcceptingNetwork : public Network {
 public:
  explicit AcceptingNetwork(Executor& executor) : executor_(executor) {}

  Task<absl::StatusOr<ResolvedName>> Lookup(std::string, LookupPatience, Cancellation&) override {
    ++lookups;
    co_return ResolvedName{{{IpAddress::Family::kV4, "10.0.0.1"}}, absl::Minutes(1)};
  }
  Task<absl::StatusOr<std::unique_ptr<Transport>>> Connect(IpAddress, uint16_t, ConnectOptions,
                                                           Cancellation&) override {
    auto [near, far] = MemoryTransport::Pair(executor_);
    auto peer = std::make_unique<Peer>();
    peer->transport = std::move(far);
    peer->transport->StartRead(absl::MakeSpan(peer->request), [end = peer->transport.get()](IoResult) {
      static_cast<void>(
          end->TryWrite("HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"));
    });
    peers_.push_back(std::move(peer));
    co_return std::unique_ptr<Transport>(std::move(near));
  }

  int lookups = 0;

 private:
  struct Peer {
    std::unique_ptr<Transport> transport;
    char request[16 * 1024];
  };

  Executor& executor_;
  std::vector<std::unique_ptr<Peer>> peers_;
};

TEST_F(PipelinesTest, ForgettingReachesTheNamesOfTheIntake) {
  Make({{"DD_APM_DD_URL", "http://mine.example"}});
  AcceptingNetwork network(executor_);
  pipelines_ = *Pipelines::Make(executor_, clock_, network, config_, [] { return 0.5; }, warnings_);
  const auto flush = [this] {
    EXPECT_TRUE(AddTo(ProxyRoutes()[0]).ok());
    bool flushed = false;
    Spawn<FlushReport>(executor_, pipelines_->coordinator().Flush(FlushReason::kEnd),
                       [&flushed](FlushReport) { flushed = true; });
    while (!flushed)
      if (!executor_.Step()) clock_.Advance(clock_.UntilNextAlarm().value_or(absl::Milliseconds(10)));
  };
  flush();
  flush();
  EXPECT_EQ(network.lookups, 1);
  pipelines_->Forget();
  flush();
  EXPECT_EQ(network.lookups, 2);
  pipelines_.reset();  // before its network
}

TEST_F(PipelinesTest, AllShareOneBudgetOfBytes) {
  Make({{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"}});
  const ProxyRoute& profiles = ProxyRoutes()[1];
  const ProxyRoute& telemetry = ProxyRoutes().back();
  int64_t taken = 0;
  while (AddTo(profiles, size_t{1} << 20).ok()) ++taken;
  EXPECT_GE(taken, 4) << "an eighth of the memory, or 4 MiB";
  EXPECT_LE(taken, 16);
  EXPECT_EQ(AddTo(telemetry, size_t{1} << 20).code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace thaw
