#include "cc/extension/function_settings.h"

#include <string>
#include <utility>
#include <vector>

#include "cc/base/fake_byte_account.h"
#include "cc/base/manual_executor.h"
#include "cc/base/version.h"
#include "cc/clock/fake_clock.h"
#include "cc/config/config.h"
#include "cc/config/environment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

Environment Variables() {
  return {{"AWS_REGION", "eu-west-1"},
          {"AWS_LAMBDA_FUNCTION_NAME", "orders"},
          {"AWS_LAMBDA_FUNCTION_VERSION", "7"},
          {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"},
          {"AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"},
          {"AWS_EXECUTION_ENV", "AWS_Lambda_python3.13"},
          {"DD_API_KEY", "0123456789abcdef"},
          {"DD_ENV", "prod"},
          {"DD_SERVICE", "shop"},
          {"DD_TAGS", "team:orders"}};
}

TEST(FunctionSettings, HistogramsAreAsConfigured) {
  const Config config = LoadConfig({{"DD_HISTOGRAM_AGGREGATES", "sum mean"},
                                    {"DD_HISTOGRAM_PERCENTILES", "0.5"},
                                    {"DD_HISTOGRAM_COPY_TO_DISTRIBUTION", "true"},
                                    {"DD_HISTOGRAM_COPY_TO_DISTRIBUTION_PREFIX", "dist."}},
                                   "");
  std::vector<std::string> warnings;
  const HistogramOptions options = HistogramOptionsFrom(config, warnings);
  EXPECT_THAT(options.aggregates, ElementsAre(HistogramAggregate::kSum));
  EXPECT_THAT(options.percentiles, ElementsAre(50));
  EXPECT_TRUE(options.copy_to_distribution);
  EXPECT_EQ(options.distribution_prefix, "dist.");
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("\"mean\"")));
}

TEST(FunctionSettings, FactsAreTheEnvironmentsThenTheRegistrations) {
  const Config config = LoadConfig(Variables(), "");
  const Registration registration{.function_name = "other", .function_version = "8", .account_id = "123"};
  const FunctionFacts facts = FunctionFactsFrom(Variables(), config, registration);
  EXPECT_EQ(facts.region, "eu-west-1");
  EXPECT_EQ(facts.name, "orders");
  EXPECT_EQ(facts.version, "7");
  EXPECT_EQ(facts.account_id, "123");
  EXPECT_EQ(facts.runtime, "python3.13");
  EXPECT_EQ(facts.env, "prod");
  EXPECT_EQ(facts.extension_version, kVersion);

  const FunctionFacts bare = FunctionFactsFrom({}, LoadConfig({}, ""), registration);
  EXPECT_EQ(bare.name, "other");
  EXPECT_EQ(bare.version, "8");
  EXPECT_EQ(bare.region, "us-east-1");
}

TEST(FunctionSettings, ProcessingHasTheFunctionsTags) {
  const Config config = LoadConfig(Variables(), "");
  std::vector<std::string> warnings;
  const TraceProcessorOptions options = TraceProcessorOptionsFrom(
      config, FunctionFactsFrom(Variables(), config, {}), "127.0.0.1:9001", warnings);
  EXPECT_EQ(options.function_tags.at("functionname"), "orders");
  EXPECT_EQ(options.function_tags.at("team"), "orders");
  EXPECT_EQ(options.service, "shop");
  EXPECT_EQ(options.runtime_api, "127.0.0.1:9001");
  EXPECT_FALSE(options.compute_stats_on_extension);
  EXPECT_THAT(warnings, IsEmpty());
}

TEST(FunctionSettings, StatsAreToldApartByFourAdditionalTagsAtMost) {
  const auto options = [](Environment::Variables variables) {
    variables.emplace("DD_LAMBDA_EXTENSION_COMPUTE_STATS", "true");
    variables.emplace("DD_TRACE_STATS_ADDITIONAL_TAGS", "tenant, region,b,tenant,,a,zone");
    return *ConcentratorOptionsFrom(LoadConfig(Environment(std::move(variables)), ""));
  };
  EXPECT_THAT(options({}).additional_tags, IsEmpty()) << "without the features that are experimental";
  const auto with = [&options](const char* limit) {
    return options({{"DD_TRACE_EXPERIMENTAL_FEATURES_ENABLED", "true"},
                    {"DD_TRACE_STATS_ADDITIONAL_TAGS_CARDINALITY_LIMIT", limit}});
  };
  EXPECT_THAT(with("5").additional_tags, testing::ElementsAre("a", "b", "region", "tenant"));
  EXPECT_EQ(with("5").max_additional_values, 5);
  EXPECT_EQ(with("0").max_additional_values, 100);
  EXPECT_EQ(with("7000").max_additional_values, 6999);
}

TEST(FunctionSettings, DataStreamsAreOffUnlessAskedForAndNamedByTheService) {
  ManualExecutor executor;
  FakeClock clock(executor);
  FakeByteAccount account(size_t{1} << 20);
  const auto of = [&](Environment variables) {
    return PathwayStatsFrom(LoadConfig(variables, ""), {.name = "Orders"}, clock, account);
  };
  EXPECT_EQ(of({}), nullptr);
  EXPECT_EQ(of({{"DD_DATA_STREAMS_ENABLED", "true"}})->service(), "Orders");
  const auto named = of({{"DD_DATA_STREAMS_ENABLED", "true"}, {"DD_SERVICE", "Shop"}, {"DD_ENV", "prod"}});
  EXPECT_EQ(named->service(), "Shop");
  EXPECT_EQ(named->env(), "prod");
  std::vector<std::string> warnings;
  const LifecycleOptions options = LifecycleOptionsFrom(
      LoadConfig({{"DD_DSM_EXCHANGE_NAME", "bus"}, {"DD_DSM_KAFKA_GROUP", "group"}}, ""), {}, warnings);
  EXPECT_EQ(options.data_streams.exchange, "bus");
  EXPECT_EQ(options.data_streams.kafka_group, "group");
}

TEST(FunctionSettings, AStyleThatIsNotKnownIsAWarningAndTheOthersCount) {
  const Environment variables = {{"DD_TRACE_PROPAGATION_STYLE", "datadog,carrier-pigeon"}};
  const Config config = LoadConfig(variables, "");
  std::vector<std::string> warnings;
  const LifecycleOptions options =
      LifecycleOptionsFrom(config, FunctionFactsFrom(variables, config, {}), warnings);
  EXPECT_THAT(options.propagation.styles, ElementsAre(PropagationStyle::kDatadog));
  EXPECT_THAT(options.propagation.baggage_tag_keys, ElementsAre("user.id", "session.id", "account.id"));
  ASSERT_EQ(warnings.size(), 1);
  EXPECT_THAT(warnings[0], HasSubstr("carrier-pigeon"));
}

TEST(FunctionSettings, TheStoreOfInvocationsIsAnEighthOfTheBudgetAtMost) {
  FakeByteAccount small(8 << 20), large(1 << 30);
  EXPECT_EQ(InvocationStoreOptionsFrom(small).max_bytes, 1 << 20);
  EXPECT_EQ(InvocationStoreOptionsFrom(large).max_bytes, InvocationStoreOptions().max_bytes);
  EXPECT_EQ(InvocationStoreOptionsFrom(large).account, &large);
}

TEST(FunctionSettings, SpansHaveTheFunctionsNameAndService) {
  const Config config = LoadConfig(Variables(), "");
  const AssemblerOptions options =
      AssemblerOptionsFrom(config, FunctionFactsFrom(Variables(), config, {}), /*concurrent=*/true);
  EXPECT_EQ(options.span.function_name, "orders");
  EXPECT_EQ(options.span.service, "shop");
  EXPECT_EQ(options.span.runtime, "python3.13");
  EXPECT_TRUE(options.concurrent);
}

TEST(FunctionSettings, ServicesAreMappedPairByPair) {
  std::vector<std::string> warnings;
  EXPECT_THAT(ParseServiceMapping("a:b, c : d ,same:same,:x,y:,lonely,e:f:g", warnings),
              ElementsAre(Pair("a", "b"), Pair("c", "d"), Pair("e", "f:g")));
  EXPECT_EQ(warnings.size(), 4);
  EXPECT_THAT(warnings[3], HasSubstr("\"lonely\""));
}

TEST(FunctionSettings, DogStatsdHasTheConfiguredNamespacePortAndBuffer) {
  Config config;
  EXPECT_EQ(DogStatsdOptionsFrom(config).name_prefix, "");
  config.statsd = {.metric_namespace = "shop", .port = 9125, .receive_buffer_bytes = 7};
  EXPECT_EQ(DogStatsdOptionsFrom(config).name_prefix, "shop.");
  FakeByteAccount account(1 << 20);
  const UdpOptions socket = DogStatsdSocketFrom(config, account);
  EXPECT_EQ(socket.address, "127.0.0.1");
  EXPECT_EQ(socket.port, 9125);
  EXPECT_EQ(socket.receive_buffer_bytes, 7);
  EXPECT_EQ(socket.max_datagram_bytes, 65507u) << "the longest that UDP carries";
  EXPECT_EQ(socket.account, &account);
}

}  // namespace
}  // namespace thaw
