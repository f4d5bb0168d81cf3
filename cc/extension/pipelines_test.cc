#include "cc/extension/pipelines.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "boost/json/object.hpp"
#include "boost/json/parse.hpp"
#include "cc/agent/proxied_request.h"
#include "cc/extension/pipelines_fixture.h"
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
  absl::Status AddTo(const ProxyRoute& route, size_t bytes = 10) {
    ProxiedRequest proxied;
    proxied.route = &route;
    proxied.request.target = route.intake_path;
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

TEST_F(PipelinesTest, EveryIntakeOfProxiedRequestsHasBooksOfItsOwn) {
  Make();
  for (const ProxyRoute& route : ProxyRoutes()) EXPECT_TRUE(AddTo(route).ok()) << route.path;
  const boost::json::object books = Books();
  const boost::json::object& pipelines = books.at("pipelines").as_object();
  int64_t kept = 0;
  for (const ProxyRoute& route : ProxyRoutes()) {
    const std::string name = "proxied." + std::string(route.host_prefix);
    ASSERT_TRUE(pipelines.contains(name)) << name;
  }
  for (const auto& [name, pipeline] : pipelines) kept += pipeline.at("kept").as_int64();
  EXPECT_EQ(kept, static_cast<int64_t>(ProxyRoutes().size()));
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
