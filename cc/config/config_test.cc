#include "cc/config/config.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "boost/json/parse.hpp"
#include "boost/json/value.hpp"
#include "cc/config/config_json.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

// Returns the configuration, which must have no warning.
Config Clean(const Environment& environment, std::string_view yaml_text = "") {
  Config config = LoadConfig(environment, yaml_text);
  EXPECT_THAT(config.warnings, IsEmpty()) << config.warnings[0].text;
  EXPECT_TRUE(config.client.Validate().ok()) << config.client.Validate();
  return config;
}

// Returns the only warning, which must come from `source`.
std::string OnlyWarning(const Config& config, std::string_view source) {
  EXPECT_EQ(config.warnings.size(), 1u);
  if (config.warnings.size() != 1) return "";
  EXPECT_EQ(config.warnings[0].source, source);
  EXPECT_THAT(config.warnings[0].text, HasSubstr(std::string(source)));
  EXPECT_TRUE(config.client.Validate().ok()) << config.client.Validate();
  return config.warnings[0].text;
}

// Returns the configuration in which only this variable is set, to a bad value.
Config WithBad(const std::string& name, const std::string& value) {
  Config config = LoadConfig({{name, value}}, "");
  const std::string warning = OnlyWarning(config, name);
  EXPECT_THAT(warning, HasSubstr("the default, ")) << value;
  return config;
}

TEST(ConfigTest, Defaults) {
  const Config config = Clean({});
  EXPECT_EQ(config.environment, EnvironmentKind::kOutsideLambda);
  EXPECT_EQ(config.site, "datadoghq.com");
  EXPECT_EQ(config.api_key, "");
  EXPECT_EQ(config.trace_url, "https://trace.agent.datadoghq.com");
  EXPECT_THAT(config.additional_endpoints, IsEmpty());
  EXPECT_EQ(config.flush_timeout, absl::Seconds(30));
  EXPECT_EQ(config.compression_level, 3);
  EXPECT_EQ(config.client.proxy_url, "");
  EXPECT_THAT(config.client.no_proxy, IsEmpty());
  EXPECT_EQ(config.client.tls_cert_file, "");
  EXPECT_FALSE(config.client.skip_ssl_validation);
  EXPECT_EQ(config.client.max_idle_per_host, 4);
  EXPECT_EQ(config.client.max_connections_per_host, 8);
  EXPECT_EQ(config.client.idle_timeout, absl::Seconds(15));
  EXPECT_EQ(config.client.exchange_timeout, absl::Seconds(30));
}

TEST(ConfigTest, EmptyIsAsGoodAsUnset) {
  std::vector<std::string> names = {"AWS_LAMBDA_INITIALIZATION_TYPE"};
  for (const OptionRow& row : kOptionTable) {
    for (const OptionSource& source : SourcesOf(row))
      if (!source.is_yaml) names.push_back(source.name);
  }
  for (const std::string& name : names) {
    EXPECT_EQ(ToJson(Clean({{name, ""}})), ToJson(Clean({}))) << name;
    if (name == "AWS_LAMBDA_INITIALIZATION_TYPE" || name == "AWS_LAMBDA_FUNCTION_NAME") continue;
    EXPECT_EQ(ToJson(Clean({{name, " \n"}})), ToJson(Clean({}))) << name;
  }
}

TEST(ConfigTest, Site) {
  EXPECT_EQ(Clean({{"DD_SITE", "DatadogHQ.eu"}}).trace_url, "https://trace.agent.datadoghq.eu");
  for (const char* bad : {"https://", "https://datadoghq.eu/path", "datadoghq.eu/", "a b", "-", "\xff"}) {
    const Config config = WithBad("DD_SITE", bad);
    EXPECT_EQ(config.site, "datadoghq.com") << bad;
    EXPECT_EQ(config.trace_url, "https://trace.agent.datadoghq.com") << bad;
  }
  EXPECT_EQ(OnlyWarning(WithBad("DD_SITE", "a b"), "DD_SITE"),
            "DD_SITE is \"a b\": it is not a host name: letters, digits, dots, and hyphens within; the "
            "default, datadoghq.com, is kept");
}

TEST(ConfigTest, ASiteInQuotesOrAsAUrlIsUsedAndSaid) {
  const Config quoted = LoadConfig({{"DD_SITE", "\"datadoghq.eu\""}}, "");
  EXPECT_EQ(quoted.site, "datadoghq.eu");
  EXPECT_EQ(OnlyWarning(quoted, "DD_SITE"), "DD_SITE is in quotes, which are removed");
  const Config url = LoadConfig({{"DD_SITE", "https://datadoghq.eu/"}}, "");
  EXPECT_EQ(url.site, "datadoghq.eu");
  EXPECT_EQ(
      OnlyWarning(url, "DD_SITE"),
      "DD_SITE is \"https://datadoghq.eu/\": it is a URL and not a site; its host, datadoghq.eu, is used");
}

TEST(ConfigTest, AnUnknownSiteIsUsedWithAWarning) {
  const Config config = LoadConfig({{"DD_SITE", "app.datadoghq.com"}}, "");
  EXPECT_EQ(config.site, "app.datadoghq.com");
  EXPECT_EQ(
      OnlyWarning(config, "DD_SITE"),
      "DD_SITE is \"app.datadoghq.com\", which is not one of Datadog's sites (did you mean datadoghq.com?); "
      "it is used unchanged");
  EXPECT_THAT(OnlyWarning(LoadConfig({}, "site: datadog.com\n"), "datadog.yaml: site"),
              HasSubstr("not one of Datadog's sites; it is used"));
}

TEST(ConfigTest, ATagWithoutANameIsNamed) {
  EXPECT_EQ(OnlyWarning(LoadConfig({{"DD_TAGS", "a:b, :c"}}, ""), "DD_TAGS"),
            "DD_TAGS has \":c\", a tag without a name; it is left out");
  Clean({{"DD_TAGS", "key1:val1, key2 : val2"}});
  Clean({{"DD_TAGS", "a:b,c,d"}});
}

TEST(ConfigTest, TextThatCanNotBeAKeyIsNamedAndNotShown) {
  const std::pair<const char*, const char*> cases[] = {
      {"<your-secret-api-key-here>", "angle brackets"},
      {"${secret:datadog-key}", "brackets or a dollar sign"},
      {"[secret0123456789]", "brackets"},
      {"secret0123456789,secret9876543210", "comma"},
      {"https://secret.example/key", "a URL"},
      {"arn:aws:secretsmanager:eu-west-1:1:secret:datadog", "an ARN"},
      {"secret\"0123456789", "a quote"},
      {"\"'secret0123456789'\"", "a quote"},
      {"secret/0123456789=", "not a letter"},
  };
  for (const auto& [text, why] : cases) {
    const Config config = WithBad("DD_API_KEY", text);
    EXPECT_EQ(config.api_key, "") << text;
    EXPECT_THAT(OnlyWarning(config, "DD_API_KEY"), AllOf(HasSubstr(why), Not(HasSubstr("secret0")))) << text;
  }
}

TEST(ConfigTest, OnePairOfQuotesIsRemovedFromKeysNamesAndUrls) {
  for (const char* text : {"\"0123456789abcdef\"", "'0123456789abcdef'", " \" 0123456789abcdef\n\" "}) {
    const Config config = LoadConfig({{"DD_API_KEY", text}}, "");
    EXPECT_EQ(config.api_key, "0123456789abcdef") << text;
    EXPECT_EQ(OnlyWarning(config, "DD_API_KEY"), "DD_API_KEY is in quotes, which are removed");
  }
  const auto quoted = [](const char* name, std::string_view value) {
    Config config = LoadConfig({{name, absl::StrCat("\"", value, "\"")}}, "");
    EXPECT_EQ(OnlyWarning(config, name), absl::StrCat(name, " is in quotes, which are removed"));
    return config;
  };
  EXPECT_EQ(quoted("DD_API_KEY_SECRET_ARN", "arn:secret").api_key_sources.secret_arn, "arn:secret");
  EXPECT_EQ(quoted("DD_API_KEY_SSM_ARN", "arn:ssm").api_key_sources.parameter_arn, "arn:ssm");
  EXPECT_EQ(quoted("DD_KMS_API_KEY", "Y2lwaGVy").api_key_sources.kms_ciphertext, "Y2lwaGVy");
  EXPECT_EQ(quoted("DD_PROXY_HTTPS", "http://proxy:1").client.proxy_url, "http://proxy:1");
  EXPECT_EQ(quoted("DD_APM_DD_URL", "https://mine.example").trace_url, "https://mine.example");
}

TEST(ConfigTest, ApiKey) {
  EXPECT_EQ(Clean({{"DD_API_KEY", " 0123456789abcdef\n"}}).api_key, "0123456789abcdef");
  for (const char* bad : {"0123 456789abcdef", "0123\r\nHost: 456789abcdef"}) {
    const Config config = WithBad("DD_API_KEY", bad);
    EXPECT_EQ(config.api_key, "") << bad;
    EXPECT_THAT(OnlyWarning(config, "DD_API_KEY"), AllOf(HasSubstr("\"****cdef\""), Not(HasSubstr("0123"))));
  }
}

TEST(ConfigTest, ApiKeySources) {
  const ApiKeyOptions none = Clean({}).api_key_sources;
  EXPECT_EQ(none.org_uuid + none.kms_ciphertext + none.secret_arn + none.parameter_arn, "");
  EXPECT_EQ(none.reload_interval, absl::InfiniteDuration());
  const ApiKeyOptions sources = Clean({{"DD_ORG_UUID", "org"},
                                       {"DD_KMS_API_KEY", "Y2lwaGVy\n"},
                                       {"DD_API_KEY_SECRET_ARN", "arn:secret"},
                                       {"DD_API_KEY_SSM_ARN", "arn:ssm"},
                                       {"DD_API_KEY_SECRET_RELOAD_INTERVAL", "60"}})
                                    .api_key_sources;
  EXPECT_EQ(sources.org_uuid, "org");
  EXPECT_EQ(sources.kms_ciphertext, "Y2lwaGVy");
  EXPECT_EQ(sources.secret_arn, "arn:secret");
  EXPECT_EQ(sources.parameter_arn, "arn:ssm");
  EXPECT_EQ(sources.reload_interval, absl::Minutes(1));
  for (const char* name : {"DD_ORG_UUID", "DD_KMS_API_KEY", "DD_API_KEY_SECRET_ARN", "DD_API_KEY_SSM_ARN"}) {
    WithBad(name, "a b");
    WithBad(name, "a\xff");
  }
}

TEST(ConfigTest, AnApiKeyIsReloadedNeverUnlessAnIntervalIsGiven) {
  const auto interval = [](const char* given) {
    return Clean({{"DD_API_KEY_SECRET_RELOAD_INTERVAL", given}}).api_key_sources.reload_interval;
  };
  EXPECT_EQ(interval("0"), absl::InfiniteDuration());
  EXPECT_EQ(interval("1.5"), absl::Milliseconds(1500));
  for (const char* bad : {"-1", "hourly", "86401"}) {
    EXPECT_EQ(WithBad("DD_API_KEY_SECRET_RELOAD_INTERVAL", bad).api_key_sources.reload_interval,
              absl::InfiniteDuration())
        << bad;
  }
}

TEST(ConfigTest, TheRegionIsLambdasOwnBeforeTheDefaultOfSdks) {
  EXPECT_EQ(Clean({}).aws.region, "");
  EXPECT_EQ(Clean({{"AWS_DEFAULT_REGION", "eu-west-1"}}).aws.region, "eu-west-1");
  EXPECT_EQ(Clean({{"AWS_DEFAULT_REGION", "eu-west-1"}, {"AWS_REGION", "eu-west-2"}}).aws.region,
            "eu-west-2");
  EXPECT_EQ(WithBad("AWS_REGION", "eu-west-1.attacker.example/").aws.region, "");
}

TEST(ConfigTest, FipsWhereTheRegionOrTheVariableWantsIt) {
  EXPECT_FALSE(Clean({{"AWS_REGION", "us-east-1"}}).aws.fips);
  EXPECT_TRUE(Clean({{"AWS_REGION", "us-gov-west-1"}}).aws.fips);
  EXPECT_TRUE(Clean({{"AWS_REGION", "us-east-1"}, {"DD_LAMBDA_FIPS_MODE", "true"}}).aws.fips);
  EXPECT_FALSE(Clean({{"AWS_REGION", "us-gov-west-1"}, {"DD_LAMBDA_FIPS_MODE", "false"}}).aws.fips);
  WithBad("DD_LAMBDA_FIPS_MODE", "2");
}

TEST(ConfigTest, CredentialsOfTheRole) {
  const AwsOptions aws = Clean({{"AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"},
                                {"AWS_SECRET_ACCESS_KEY", "secretpart/+="},
                                {"AWS_SESSION_TOKEN", "sessionpart"},
                                {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9001/credentials"},
                                {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "containerpart"},
                                {"AWS_LAMBDA_FUNCTION_NAME", "f"}})
                             .aws;
  EXPECT_EQ(aws.access_key_id, "AKIDEXAMPLE");
  EXPECT_EQ(aws.secret_access_key, "secretpart/+=");
  EXPECT_EQ(aws.session_token, "sessionpart");
  EXPECT_EQ(aws.container_credentials_url, "http://127.0.0.1:9001/credentials");
  EXPECT_EQ(aws.container_authorization_token, "containerpart");
  EXPECT_EQ(aws.function_name, "f");
  WithBad("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://elsewhere.example/");
}

TEST(ConfigTest, CredentialsAreShownNowhere) {
  for (const char* name : {"DD_KMS_API_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
                           "AWS_SESSION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN"}) {
    EXPECT_THAT(ToJson(Clean({{name, "some-s3cr3t"}})),
                AllOf(Not(HasSubstr("s3cr3t")), HasSubstr("\"****\"")));
    EXPECT_THAT(WithBad(name, "two s3cr3t").warnings[0].text, Not(HasSubstr("s3cr3t")));
  }
}

TEST(ConfigTest, TraceUrl) {
  const Config config = Clean({{"DD_APM_DD_URL", " http://localhost:8080/prefix// "}});
  EXPECT_EQ(config.trace_url, "http://localhost:8080/prefix");
  EXPECT_EQ(config.site, "datadoghq.com");
  for (const char* bad : {"intake.example", "ftp://intake.example", "https://", "https://a?b=c",
                          "https://a#b", "https://user:secret@a", "https://a:99999"}) {
    const Config kept = WithBad("DD_APM_DD_URL", bad);
    EXPECT_EQ(kept.trace_url, "https://trace.agent.datadoghq.com") << bad;
    EXPECT_THAT(OnlyWarning(kept, "DD_APM_DD_URL"), Not(HasSubstr("secret")));
  }
}

TEST(ConfigTest, AdditionalEndpoints) {
  const Config config =
      Clean({{"DD_APM_ADDITIONAL_ENDPOINTS",
              R"({"https://trace.agent.datadoghq.eu/": ["k1", "k2"], "http://b:8126": ["k3"],
                  "https://trace.agent.datadoghq.eu": ["k4"]})"}});
  ASSERT_EQ(config.additional_endpoints.size(), 2u);
  EXPECT_EQ(config.additional_endpoints[0].url, "https://trace.agent.datadoghq.eu");
  EXPECT_THAT(config.additional_endpoints[0].keys, ElementsAre("k1", "k2", "k4"));
  EXPECT_EQ(config.additional_endpoints[1].url, "http://b:8126");
  EXPECT_THAT(config.additional_endpoints[1].keys, ElementsAre("k3"));
  for (const char* bad : {"garbage-with-secret", "{\"https://a\": \"secret\"}", "[\"secret\"]",
                          "{\"https://a\": [\"secret\"", "{\"https://a\": [5]}"}) {
    const Config kept = WithBad("DD_APM_ADDITIONAL_ENDPOINTS", bad);
    EXPECT_THAT(kept.additional_endpoints, IsEmpty()) << bad;
    EXPECT_THAT(kept.warnings[0].text, Not(HasSubstr("secret")));
  }
}

TEST(ConfigTest, AdditionalEndpointsThatCantBeUsedDontTakeOthersAlong) {
  const Config config =
      LoadConfig({{"DD_APM_ADDITIONAL_ENDPOINTS",
                   R"({"ftp://user:secret@a": ["k1"], "https://b": [], "https://c": ["k 2", "k3", ""],
            "0123456789secret0123": ["https://d"]})"}},
                 "");
  ASSERT_EQ(config.additional_endpoints.size(), 1u);
  EXPECT_EQ(config.additional_endpoints[0].url, "https://c");
  EXPECT_THAT(config.additional_endpoints[0].keys, ElementsAre("k3"));
  std::vector<std::string> texts;
  for (const ConfigWarning& warning : config.warnings) {
    EXPECT_EQ(warning.source, "DD_APM_ADDITIONAL_ENDPOINTS");
    texts.push_back(warning.text);
  }
  EXPECT_THAT(texts,
              ElementsAre("DD_APM_ADDITIONAL_ENDPOINTS has \"ftp://****@a\": its scheme is neither https nor "
                          "http; nothing is sent there",
                          "DD_APM_ADDITIONAL_ENDPOINTS has \"https://b\": there is no key for it; nothing is "
                          "sent there",
                          "DD_APM_ADDITIONAL_ENDPOINTS has \"https://c\": a key has a space or another "
                          "character that no key has; it is left out",
                          "DD_APM_ADDITIONAL_ENDPOINTS has \"https://c\": a key is empty; it is left out",
                          "DD_APM_ADDITIONAL_ENDPOINTS has \"****0123\": it has no scheme; it must begin "
                          "with https:// or http://; nothing is sent there"));
}

TEST(ConfigTest, LogsAreOnUnlessTheSwitchesThatAreSetAreOff) {
  const auto on = [](Environment::Variables variables, std::string_view yaml = "") {
    return Clean(Environment(std::move(variables)), yaml).logs.enabled();
  };
  EXPECT_TRUE(on({}));
  EXPECT_TRUE(on({{"DD_LOGS_ENABLED", "true"}}));
  EXPECT_FALSE(on({{"DD_LOGS_ENABLED", "false"}}));
  EXPECT_FALSE(on({{"DD_SERVERLESS_LOGS_ENABLED", "false"}}));
  EXPECT_TRUE(on({{"DD_SERVERLESS_LOGS_ENABLED", "true"}, {"DD_LOGS_ENABLED", "false"}}));
  EXPECT_TRUE(on({{"DD_SERVERLESS_LOGS_ENABLED", "false"}, {"DD_LOGS_ENABLED", "true"}}));
  EXPECT_FALSE(on({{"DD_SERVERLESS_LOGS_ENABLED", "false"}, {"DD_LOGS_ENABLED", "false"}}));
  EXPECT_FALSE(on({}, "serverless_logs_enabled: false"));
  EXPECT_TRUE(LoadConfig({{"DD_LOGS_ENABLED", "perhaps"}}, "").logs.enabled());
}

TEST(ConfigTest, WhereLogsGo) {
  EXPECT_EQ(Clean({{"DD_SITE", "datadoghq.eu"}}).logs_url, "https://http-intake.logs.datadoghq.eu");
  EXPECT_EQ(Clean({{"DD_LOGS_CONFIG_LOGS_DD_URL", "logs.example:8443"}}).logs_url,
            "https://logs.example:8443");
  EXPECT_EQ(Clean({{"DD_LOGS_CONFIG_LOGS_DD_URL", "http://logs.example/"}}).logs_url, "http://logs.example");
  const Config config = Clean({{"DD_LOGS_CONFIG_ADDITIONAL_ENDPOINTS",
                                R"([{"api_key": "k1", "Host": "a", "Port": 443, "is_reliable": true},
                                    {"api_key": "k2", "Host": "b", "Port": "8443"}])"}});
  ASSERT_EQ(config.logs_additional_endpoints.size(), 2u);
  EXPECT_EQ(config.logs_additional_endpoints[0].url, "https://a:443");
  EXPECT_THAT(config.logs_additional_endpoints[1].keys, ElementsAre("k2"));
  for (const char* bad : {"secret", "{}", R"(["secret"])", R"([{"api_key": "secret", "Host": "a"}])"}) {
    const Config kept = WithBad("DD_LOGS_CONFIG_ADDITIONAL_ENDPOINTS", bad);
    EXPECT_THAT(kept.logs_additional_endpoints, IsEmpty()) << bad;
    EXPECT_THAT(kept.warnings[0].text, Not(HasSubstr("secret")));
  }
}

TEST(ConfigTest, AWorkerWithoutAUrlIsNotUsed) {
  EXPECT_TRUE(Clean({{"DD_OBSERVABILITY_PIPELINES_WORKER_LOGS_ENABLED", "true"},
                     {"DD_OBSERVABILITY_PIPELINES_WORKER_LOGS_URL", "http://worker:8282"}})
                  .logs.worker);
  const Config config = LoadConfig({{"DD_OBSERVABILITY_PIPELINES_WORKER_LOGS_ENABLED", "true"}}, "");
  EXPECT_FALSE(config.logs.worker);
  EXPECT_EQ(OnlyWarning(config, "DD_OBSERVABILITY_PIPELINES_WORKER_LOGS_ENABLED"),
            "DD_OBSERVABILITY_PIPELINES_WORKER_LOGS_ENABLED is \"true\" but "
            "DD_OBSERVABILITY_PIPELINES_WORKER_LOGS_URL has no usable URL; logs are sent to the intake");
}

TEST(ConfigTest, ThePlaceOfMetrics) {
  EXPECT_EQ(Clean({{"DD_SITE", "datadoghq.eu"}}).metrics_url, "https://api.datadoghq.eu");
  EXPECT_EQ(Clean({{"DD_URL", "http://one.example/"}}).metrics_url, "http://one.example");
  EXPECT_EQ(Clean({{"DD_URL", "http://one.example/"}}).events_url, "http://one.example");
  EXPECT_EQ(Clean({}).events_url, "");
  EXPECT_EQ(Clean({{"DD_URL", "http://one.example"}, {"DD_DD_URL", "http://two.example/base/"}}).metrics_url,
            "http://two.example/base");
  const Config config =
      Clean({{"DD_ADDITIONAL_ENDPOINTS", R"({"https://app.datadoghq.eu/": ["one", "two"]})"}});
  ASSERT_EQ(config.metrics_additional_endpoints.size(), 1u);
  EXPECT_EQ(config.metrics_additional_endpoints[0].url, "https://app.datadoghq.eu");
  EXPECT_THAT(config.metrics_additional_endpoints[0].keys, ElementsAre("one", "two"));
  EXPECT_EQ(Clean({{"DD_METRICS_CONFIG_COMPRESSION_LEVEL", "7"}}).metrics_compression_level, 7);
  EXPECT_EQ(Clean({{"DD_COMPRESSION_LEVEL", "8"}}).metrics_compression_level, 8);
}

TEST(ConfigTest, ABadUrlOfMetricsFallsBackToTheSite) {
  for (const char* bad : {"ftp://x", "https://user:secret@x", "https://x?y", ":"})
    EXPECT_EQ(WithBad("DD_DD_URL", bad).metrics_url, "https://api.datadoghq.com") << bad;
}

TEST(ConfigTest, CompressionOfLogs) {
  EXPECT_EQ(Clean({{"DD_LOGS_CONFIG_COMPRESSION_LEVEL", "7"}}).logs_compression_level, 7);
  EXPECT_EQ(Clean({{"DD_COMPRESSION_LEVEL", "8"}}).logs_compression_level, 8);
  EXPECT_EQ(Clean({{"DD_APM_CONFIG_COMPRESSION_LEVEL", "9"}}).logs_compression_level, 3);
  EXPECT_EQ(Clean({{"DD_LOGS_CONFIG_USE_COMPRESSION", "false"}}).logs_compression_level, 0);
}

TEST(ConfigTest, DogStatsdHasItsPortBufferAndNamespace) {
  EXPECT_EQ(Clean({}).statsd.port, 8125);
  EXPECT_EQ(Clean({{"DD_DOGSTATSD_PORT", "9125"}}).statsd.port, 9125);
  EXPECT_EQ(Clean({{"DD_DOGSTATSD_SO_RCVBUF", "65536"}}).statsd.receive_buffer_bytes, 65536);
  EXPECT_EQ(Clean({}, "dogstatsd_so_rcvbuf: 0").statsd.receive_buffer_bytes, 0);
  EXPECT_EQ(Clean({{"DD_STATSD_METRIC_NAMESPACE", "shop."}}).statsd.metric_namespace, "shop");
  EXPECT_EQ(LoadConfig({{"DD_STATSD_METRIC_NAMESPACE", "7"}}, "").statsd.metric_namespace, "");
}

TEST(ConfigTest, FlushTimeout) {
  const Config config = Clean({{"DD_FLUSH_TIMEOUT", "5"}});
  EXPECT_EQ(config.flush_timeout, absl::Seconds(5));
  EXPECT_EQ(config.client.exchange_timeout, absl::Seconds(5));
  for (const char* bad : {"garbage", "-1", "0", "1e999", "99999999999999999999", "nan", "inf", "5s"}) {
    EXPECT_EQ(WithBad("DD_FLUSH_TIMEOUT", bad).flush_timeout, absl::Seconds(30)) << bad;
  }
  EXPECT_THAT(OnlyWarning(WithBad("DD_FLUSH_TIMEOUT", "-1"), "DD_FLUSH_TIMEOUT"),
              AllOf(HasSubstr("\"-1\""), HasSubstr("the default, 30 s, is kept")));
}

TEST(ConfigTest, FlushStrategy) {
  EXPECT_EQ(Clean({}).flush_strategy, FlushStrategy{});
  EXPECT_EQ(Clean({{"DD_SERVERLESS_FLUSH_STRATEGY", " end , 20000 "}}).flush_strategy,
            (FlushStrategy{FlushStrategy::Kind::kEndPeriodically, absl::Seconds(20)}));
  for (const char* bad : {"often", "end,soon", "Periodically,1000"}) {
    EXPECT_EQ(WithBad("DD_SERVERLESS_FLUSH_STRATEGY", bad).flush_strategy, FlushStrategy{}) << bad;
  }
}

TEST(ConfigTest, AZeroFlushIntervalIsAWarningThatNamesTheVariable) {
  EXPECT_EQ(
      OnlyWarning(WithBad("DD_SERVERLESS_FLUSH_STRATEGY", "periodically,0"), "DD_SERVERLESS_FLUSH_STRATEGY"),
      "DD_SERVERLESS_FLUSH_STRATEGY is \"periodically,0\": 0 milliseconds are no interval; it must be "
      "at least 1; the default, default, is kept");
}

TEST(ConfigTest, ManagedInstancesFlushContinuously) {
  const auto strategy = [](std::string_view given) {
    return ToString(LoadConfig({{"AWS_LAMBDA_INITIALIZATION_TYPE", "lambda-managed-instances"},
                                {"DD_SERVERLESS_FLUSH_STRATEGY", std::string(given)}},
                               "")
                        .flush_strategy);
  };
  EXPECT_EQ(strategy(""), "continuously,30000");
  EXPECT_EQ(strategy("continuously,5000"), "continuously,5000");
  EXPECT_EQ(strategy("end"), "continuously,30000");
  EXPECT_EQ(OnlyWarning(LoadConfig({{"AWS_LAMBDA_INITIALIZATION_TYPE", "lambda-managed-instances"}},
                                   "serverless_flush_strategy: end"),
                        "datadog.yaml: serverless_flush_strategy"),
            "datadog.yaml: serverless_flush_strategy is \"end\": managed instances flush continuously; "
            "continuously,30000 is used");
}

TEST(ConfigTest, TheOutboxIsAnEighthOfTheFunctionsMemoryWithinBounds) {
  const auto mebibytes = [](const char* memory) {
    return Clean({{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory}}).outbox_bytes >> 20;
  };
  EXPECT_EQ(Clean({}).outbox_bytes >> 20, 32u);
  EXPECT_EQ(mebibytes("16"), 4u);
  EXPECT_EQ(mebibytes("128"), 16u);
  EXPECT_EQ(mebibytes("10240"), 64u);
  for (const char* bad : {"0", "-1", "128 MB", "99999999999"}) {
    EXPECT_EQ(WithBad("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", bad).outbox_bytes >> 20, 32u) << bad;
  }
}

TEST(ConfigTest, CompressionLevel) {
  EXPECT_EQ(Clean({{"DD_COMPRESSION_LEVEL", "1"}}).compression_level, 1);
  EXPECT_EQ(Clean({{"DD_APM_CONFIG_COMPRESSION_LEVEL", "22"}}).compression_level, 22);
  EXPECT_EQ(
      Clean({{"DD_APM_CONFIG_COMPRESSION_LEVEL", "7"}, {"DD_COMPRESSION_LEVEL", "8"}}).compression_level, 7);
  for (const char* name : {"DD_COMPRESSION_LEVEL", "DD_APM_CONFIG_COMPRESSION_LEVEL"}) {
    for (const char* bad : {"garbage", "-1", "0", "23", "3.5", "99999999999999999999"}) {
      EXPECT_EQ(WithBad(name, bad).compression_level, 3) << bad;
    }
  }
}

TEST(ConfigTest, ABadValueLetsTheNextOneCount) {
  const Config config =
      LoadConfig({{"DD_APM_CONFIG_COMPRESSION_LEVEL", "high"}, {"DD_COMPRESSION_LEVEL", "8"}}, "");
  EXPECT_EQ(config.compression_level, 8);
  EXPECT_EQ(OnlyWarning(config, "DD_APM_CONFIG_COMPRESSION_LEVEL"),
            "DD_APM_CONFIG_COMPRESSION_LEVEL is \"high\": it is not a whole number from 1 to 22; \"8\" of "
            "DD_COMPRESSION_LEVEL is used");
  EXPECT_EQ(LoadConfig({{"DD_FLUSH_TIMEOUT", "x"}}, "flush_timeout: 7").flush_timeout, absl::Seconds(7));
}

TEST(ConfigTest, Proxy) {
  EXPECT_EQ(Clean({{"HTTPS_PROXY", "proxy:3128"}}).client.proxy_url, "http://proxy:3128");
  EXPECT_EQ(Clean({{"HTTPS_PROXY", "http://b"}, {"DD_PROXY_HTTPS", "https://a"}}).client.proxy_url,
            "https://a");
  EXPECT_EQ(Clean({{"HTTPS_PROXY", "http://b"}}, "proxy: {https: http://c}").client.proxy_url, "http://c");
  for (const char* name : {"DD_PROXY_HTTPS", "HTTPS_PROXY"}) {
    for (const char* bad : {"socks5://user:secret@proxy", "http://user:sec/ret/secret@proxy", "http://",
                            "http://proxy:-1", "http://user:secret%zz@proxy"}) {
      const Config config = WithBad(name, bad);
      EXPECT_EQ(config.client.proxy_url, "") << bad;
      EXPECT_THAT(config.warnings[0].text, Not(HasSubstr("secret")));
    }
  }
}

TEST(ConfigTest, NoProxy) {
  EXPECT_THAT(Clean({{"DD_PROXY_NO_PROXY", "a, .b"}, {"NO_PROXY", "c *.d,10.0.0.0/8"}}).client.no_proxy,
              ElementsAre("a", ".b", "c", "*.d", "10.0.0.0/8"));
  EXPECT_THAT(Clean({{"NO_PROXY", "c"}}, "proxy: {no_proxy: [x, y]}").client.no_proxy,
              ElementsAre("x", "y", "c"));
  EXPECT_THAT(Clean({{"DD_PROXY_NO_PROXY", "a"}}, "proxy: {no_proxy: [x, y]}").client.no_proxy,
              ElementsAre("a"));
  for (const char* name : {"DD_PROXY_NO_PROXY", "NO_PROXY"}) {
    EXPECT_THAT(WithBad(name, "a,\xff").client.no_proxy, IsEmpty());
    const Config config = LoadConfig({{name, "http://localhost,127.0.0.0/33,localhost/"}}, "");
    EXPECT_EQ(OnlyWarning(config, name),
              absl::StrCat("entry \"127.0.0.0/33\" of ", name,
                           " matches no host: it is not a range of addresses such as 10.0.0.0/8"));
  }
}

TEST(ConfigTest, Tls) {
  EXPECT_EQ(Clean({{"DD_TLS_CERT_FILE", "/opt/ca.pem"}}).client.tls_cert_file, "/opt/ca.pem");
  EXPECT_EQ(WithBad("DD_TLS_CERT_FILE", "/opt/\xff.pem").client.tls_cert_file, "");
  EXPECT_FALSE(Clean({{"DD_SKIP_SSL_VALIDATION", "no"}}).client.skip_ssl_validation);
  EXPECT_FALSE(WithBad("DD_SKIP_SSL_VALIDATION", "-1").client.skip_ssl_validation);
  const Config skips = LoadConfig({{"DD_SKIP_SSL_VALIDATION", "T"}}, "");
  EXPECT_TRUE(skips.client.skip_ssl_validation);
  EXPECT_THAT(OnlyWarning(skips, "DD_SKIP_SSL_VALIDATION"), HasSubstr("any certificate is accepted"));
  EXPECT_THAT(OnlyWarning(LoadConfig({}, "skip_ssl_validation: yes"), "datadog.yaml: skip_ssl_validation"),
              HasSubstr("any certificate is accepted"));
}

TEST(ConfigTest, MaxIdlePerHost) {
  EXPECT_EQ(Clean({{"DD_MAX_IDLE_PER_HOST", "0"}}).client.max_idle_per_host, 0);
  EXPECT_EQ(Clean({{"DD_MAX_IDLE_PER_HOST", "16"}}).client.max_idle_per_host, 16);
  const Config unlimited = Clean({{"DD_MAX_IDLE_PER_HOST", "Unlimited"}});
  EXPECT_EQ(unlimited.client.max_idle_per_host, ClientOptions::kUnlimited);
  EXPECT_THAT(ToJson(unlimited), HasSubstr("\"max_idle_per_host\": \"unlimited\""));
  for (const char* bad : {"garbage", "-1", "1.5", "1073741825", "99999999999999999999"}) {
    EXPECT_EQ(WithBad("DD_MAX_IDLE_PER_HOST", bad).client.max_idle_per_host, 4) << bad;
  }
}

TEST(ConfigTest, ShareWithinFlush) {
  EXPECT_FALSE(Clean({{"DD_SHARE_WITHIN_FLUSH", "off"}}).client.share_within_flush);
  EXPECT_TRUE(Clean({{"DD_SHARE_WITHIN_FLUSH", "on"}}).client.share_within_flush);
  EXPECT_TRUE(WithBad("DD_SHARE_WITHIN_FLUSH", "never").client.share_within_flush);
}

TEST(ConfigTest, IdleTimeout) {
  EXPECT_EQ(Clean({{"DD_IDLE_TIMEOUT", "2.5"}}).client.idle_timeout, absl::Milliseconds(2500));
  for (const char* bad : {"garbage", "-0.5", "0", "1e999"}) {
    EXPECT_EQ(WithBad("DD_IDLE_TIMEOUT", bad).client.idle_timeout, absl::Seconds(15)) << bad;
  }
}

TEST(ConfigTest, MaxConnectionsPerHost) {
  EXPECT_EQ(Clean({{"DD_MAX_CONNECTIONS_PER_HOST", "1"}}).client.max_connections_per_host, 1);
  for (const char* bad : {"garbage", "-1", "0", "1e3", "99999999999999999999"}) {
    EXPECT_EQ(WithBad("DD_MAX_CONNECTIONS_PER_HOST", bad).client.max_connections_per_host, 8) << bad;
  }
}

TEST(ConfigTest, DefaultsFollowWhereTheProcessRuns) {
  for (const char* type : {"on-demand", "snap-start", "provisioned-concurrency"}) {
    const Config config = Clean({{"AWS_LAMBDA_INITIALIZATION_TYPE", type}});
    EXPECT_EQ(config.client.max_idle_per_host, 0) << type;
    EXPECT_EQ(config.client.max_connections_per_host, 6) << type;
  }
  const Config managed = Clean({{"AWS_LAMBDA_INITIALIZATION_TYPE", "lambda-managed-instances"}});
  EXPECT_EQ(managed.client.max_idle_per_host, 4);
  EXPECT_EQ(managed.client.max_connections_per_host, 8);
  const Config other = Clean({{"AWS_LAMBDA_FUNCTION_NAME", "f"}});
  EXPECT_EQ(other.environment, EnvironmentKind::kOtherLambda);
  EXPECT_EQ(other.client.max_idle_per_host, 0);
  EXPECT_EQ(
      Clean({{"AWS_LAMBDA_FUNCTION_NAME", "f"}, {"DD_MAX_IDLE_PER_HOST", "3"}}).client.max_idle_per_host, 3);
  const Config unknown = LoadConfig({{"AWS_LAMBDA_INITIALIZATION_TYPE", "new"}}, "");
  EXPECT_EQ(unknown.client.max_idle_per_host, 0);
  EXPECT_THAT(OnlyWarning(unknown, "AWS_LAMBDA_INITIALIZATION_TYPE"), HasSubstr("\"new\""));
}

constexpr std::string_view kWholeYaml = R"(
site: datadoghq.eu
api_key: yamlkey0123
org_uuid: yamlorg
kms_api_key: eWFtbA==
api_key_secret_arn: arn:yamlsecret
api_key_ssm_arn: arn:yamlparameter
api_key_secret_reload_interval: 8
apm_config:
  apm_dd_url: https://intake.example
  additional_endpoints:
    https://second.example:
      - secondkey
  compression_level: 5
flush_timeout: 6
serverless_flush_strategy: end,1500
compression_level: 7
proxy:
  https: http://proxy:3128
  no_proxy: [internal.example, 10.0.0.0/8]
tls_cert_file: /opt/ca.pem
skip_ssl_validation: false
max_idle_per_host: 9
share_within_flush: false
idle_timeout: 1.5
max_connections_per_host: 10
)";

TEST(ConfigTest, EveryYamlKey) {
  const Config config = Clean({}, kWholeYaml);
  EXPECT_EQ(config.site, "datadoghq.eu");
  EXPECT_EQ(config.api_key, "yamlkey0123");
  EXPECT_EQ(config.api_key_sources.org_uuid, "yamlorg");
  EXPECT_EQ(config.api_key_sources.kms_ciphertext, "eWFtbA==");
  EXPECT_EQ(config.api_key_sources.secret_arn, "arn:yamlsecret");
  EXPECT_EQ(config.api_key_sources.parameter_arn, "arn:yamlparameter");
  EXPECT_EQ(config.api_key_sources.reload_interval, absl::Seconds(8));
  EXPECT_EQ(config.trace_url, "https://intake.example");
  ASSERT_EQ(config.additional_endpoints.size(), 1u);
  EXPECT_EQ(config.additional_endpoints[0].url, "https://second.example");
  EXPECT_THAT(config.additional_endpoints[0].keys, ElementsAre("secondkey"));
  EXPECT_EQ(config.compression_level, 5);
  EXPECT_EQ(config.flush_timeout, absl::Seconds(6));
  EXPECT_EQ(ToString(config.flush_strategy), "end,1500");
  EXPECT_EQ(config.client.proxy_url, "http://proxy:3128");
  EXPECT_THAT(config.client.no_proxy, ElementsAre("internal.example", "10.0.0.0/8"));
  EXPECT_EQ(config.client.tls_cert_file, "/opt/ca.pem");
  EXPECT_FALSE(config.client.skip_ssl_validation);
  EXPECT_EQ(config.client.max_idle_per_host, 9);
  EXPECT_FALSE(config.client.share_within_flush);
  EXPECT_EQ(config.client.idle_timeout, absl::Milliseconds(1500));
  EXPECT_EQ(config.client.max_connections_per_host, 10);
  EXPECT_EQ(Clean({}, "compression_level: 7").compression_level, 7);
}

TEST(ConfigTest, EnvironmentWinsOverEveryYamlKey) {
  const Environment environment = {
      {"DD_SITE", "us3.datadoghq.com"},        {"DD_API_KEY", "environmentkey"},
      {"DD_APM_DD_URL", "http://localhost:1"}, {"DD_APM_ADDITIONAL_ENDPOINTS", "{\"https://e\": [\"ekey\"]}"},
      {"DD_COMPRESSION_LEVEL", "11"},          {"DD_FLUSH_TIMEOUT", "12"},
      {"DD_SERVERLESS_FLUSH_STRATEGY", "end"}, {"DD_PROXY_HTTPS", "http://localhost:2"},
      {"DD_PROXY_NO_PROXY", "localhost"},      {"DD_TLS_CERT_FILE", "/etc/ca.pem"},
      {"DD_SKIP_SSL_VALIDATION", "false"},     {"DD_MAX_IDLE_PER_HOST", "13"},
      {"DD_SHARE_WITHIN_FLUSH", "true"},       {"DD_IDLE_TIMEOUT", "14"},
      {"DD_MAX_CONNECTIONS_PER_HOST", "15"},   {"DD_ORG_UUID", "org"},
      {"DD_KMS_API_KEY", "Y2lwaGVy"},          {"DD_API_KEY_SECRET_ARN", "arn:secret"},
      {"DD_API_KEY_SSM_ARN", "arn:parameter"}, {"DD_API_KEY_SECRET_RELOAD_INTERVAL", "16"}};
  EXPECT_EQ(ToJson(Clean(environment, kWholeYaml)), ToJson(Clean(environment)));
  EXPECT_EQ(Clean(environment, kWholeYaml).api_key, "environmentkey");
  EXPECT_FALSE(Clean(environment, "skip_ssl_validation: true").client.skip_ssl_validation);
}

TEST(ConfigTest, DataStreamsComeFromVariablesAndYaml) {
  const DataStreamsConfig of_variables = Clean({{"DD_DATA_STREAMS_ENABLED", "true"},
                                                {"DATADOG_DSM_EXCHANGE_NAME", "orders-bus"},
                                                {"DD_DSM_KAFKA_GROUP", "shoppers"}})
                                             .data_streams;
  EXPECT_TRUE(of_variables.enabled);
  EXPECT_EQ(of_variables.exchange, "orders-bus");
  EXPECT_EQ(of_variables.kafka_group, "shoppers");
  const DataStreamsConfig of_yaml =
      Clean({}, "data_streams_enabled: true\ndsm_exchange_name: bus\ndsm_kafka_group: group\n").data_streams;
  EXPECT_TRUE(of_yaml.enabled);
  EXPECT_EQ(of_yaml.exchange, "bus");
  EXPECT_EQ(of_yaml.kafka_group, "group");
}

TEST(ConfigTest, TraceOptionsComeFromVariablesAndYaml) {
  const TraceConfig traces =
      Clean({{"DD_LAMBDA_EXTENSION_COMPUTE_STATS", "true"},
             {"DD_SERVERLESS_ERROR_SAMPLER_ENABLED", "true"},
             {"DD_TRACE_EXPERIMENTAL_FEATURES_ENABLED", "true"},
             {"DD_TRACE_STATS_ADDITIONAL_TAGS", "tenant,region"},
             {"DD_TRACE_STATS_ADDITIONAL_TAGS_CARDINALITY_LIMIT", "7"},
             {"DD_APM_FILTER_TAGS_REQUIRE", "env:prod"},
             {"DD_APM_FILTER_TAGS_REGEX_REJECT", "resource:^GET /health"},
             {"DD_TRACE_PROPAGATION_STYLE", "b3"},
             {"DD_TRACE_PROPAGATION_STYLE_EXTRACT", "xray"},
             {"DD_CAPTURE_LAMBDA_PAYLOAD_MAX_DEPTH", "3"}},
            "apm_config:\n  replace_tags: [{name: '*', pattern: a, repl: b}]\n"
            "  obfuscation: {http: {remove_query_string: true}}\n"
            "trace_propagation_style: [datadog, tracecontext]\nservice_mapping: 'a:b'\n")
          .traces;
  EXPECT_TRUE(traces.compute_stats);
  EXPECT_TRUE(traces.error_sampler);
  EXPECT_TRUE(traces.experimental_features);
  EXPECT_FALSE(
      Clean({{"DD_TRACE_EXPERIMENTAL_FEATURES_ENABLED", "DD_TAGS,all"}}).traces.experimental_features);
  EXPECT_EQ(traces.stats_additional_tags, "tenant,region");
  EXPECT_EQ(traces.stats_additional_tags_limit, 7);
  EXPECT_EQ(traces.filter_require, "env:prod");
  EXPECT_EQ(traces.filter_regex_reject, "resource:^GET /health");
  EXPECT_EQ(traces.propagation_styles, "xray") << "what is said of extraction counts";
  EXPECT_EQ(traces.replace_rules, R"([{"name":"*","pattern":"a","repl":"b"}])");
  EXPECT_TRUE(traces.remove_query_string);
  EXPECT_FALSE(traces.remove_paths_with_digits);
  EXPECT_EQ(traces.service_mapping, "a:b");
  EXPECT_EQ(traces.capture_payload_max_depth, 3);
}

TEST(ConfigTest, UnifiedTagsAndLogLevel) {
  const Config config =
      Clean({{"DD_SERVICE", "checkout"}, {"DD_TAGS", "team:web,tier:1"}, {"DD_LOG_LEVEL", "Debug"}},
            "env: prod\nversion: 7\ntags: [team:other]\n");
  EXPECT_EQ(config.service, "checkout");
  EXPECT_EQ(config.env, "prod");
  EXPECT_EQ(config.version, "7");
  EXPECT_EQ(config.tags, "team:web,tier:1");
  EXPECT_EQ(config.log_level, LogLevel::kDebug);
  EXPECT_EQ(WithBad("DD_LOG_LEVEL", "loud").log_level, LogLevel::kWarn);
  EXPECT_EQ(WithBad("DD_CAPTURE_LAMBDA_PAYLOAD_MAX_DEPTH", "0").traces.capture_payload_max_depth, 10);
}

TEST(ConfigTest, BrokenYamlIsOneWarningAndNothingOfItCounts) {
  const Config config = LoadConfig({{"DD_FLUSH_TIMEOUT", "5"}}, "site: datadoghq.eu\napi_key: [secret\n");
  EXPECT_EQ(config.site, "datadoghq.com");
  EXPECT_EQ(config.flush_timeout, absl::Seconds(5));
  EXPECT_THAT(OnlyWarning(config, "datadog.yaml"),
              AllOf(HasSubstr("line 3, column 1: "), Not(HasSubstr("secret"))));
}

TEST(ConfigTest, BadYamlValuesNameTheirKey) {
  const Config config = LoadConfig({}, "flush_timeout: soon\nsite: [a]\n");
  ASSERT_EQ(config.warnings.size(), 2u);
  EXPECT_EQ(config.warnings[0].source, "datadog.yaml: site");
  EXPECT_THAT(config.warnings[0].text, HasSubstr("line 2, column 7"));
  EXPECT_EQ(config.warnings[1].source, "datadog.yaml: flush_timeout");
  EXPECT_THAT(config.warnings[1].text, HasSubstr("datadog.yaml: flush_timeout is \"soon\": "));
}

TEST(ConfigTest, JsonIsTheEffectiveConfigurationWithSecretsMasked) {
  const Config config =
      LoadConfig({{"AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"},
                  {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"},
                  {"DD_SERVERLESS_FLUSH_STRATEGY", "end, 500"},
                  {"DD_API_KEY", "0123456789abcdef"},
                  {"DD_KMS_API_KEY", "Y2lwaGVy"},
                  {"DD_API_KEY_SECRET_ARN", "arn:secret"},
                  {"DD_API_KEY_SECRET_RELOAD_INTERVAL", "90"},
                  {"AWS_REGION", "eu-west-1"},
                  {"AWS_SECRET_ACCESS_KEY", "secretpart"},
                  {"DD_APM_ADDITIONAL_ENDPOINTS", "{\"https://b\": [\"short\", \"longer-k\"]}"},
                  {"DD_LOGS_CONFIG_ADDITIONAL_ENDPOINTS",
                   R"([{"api_key": "short", "Host": "c", "Port": 443, "is_reliable": true}])"},
                  {"DD_PROXY_HTTPS", "http://user:pass@word@proxy:3128"},
                  {"DD_IDLE_TIMEOUT", "bad"},
                  {"NO_PROXY", "localhost"}},
                 "");
  EXPECT_EQ(config.client.proxy_url, "http://user:pass@word@proxy:3128");
  EXPECT_EQ(ToJson(config), R"({
  "environment": "on-demand",
  "site": "datadoghq.com",
  "api_key": "****cdef",
  "api_key_sources": {
    "org_uuid": "",
    "kms_api_key": "****",
    "api_key_secret_arn": "arn:secret",
    "api_key_ssm_arn": "",
    "reload_interval": 90
  },
  "aws": {
    "region": "eu-west-1",
    "function_name": "",
    "access_key_id": "",
    "secret_access_key": "****",
    "session_token": "",
    "container_credentials_url": "",
    "container_authorization_token": "",
    "fips": false
  },
  "trace_url": "https://trace.agent.datadoghq.com",
  "additional_endpoints": {
    "https://b": [
      "****",
      "****er-k"
    ]
  },
  "logs_url": "https://http-intake.logs.datadoghq.com",
  "logs_additional_endpoints": {
    "https://c:443": [
      "****"
    ]
  },
  "logs_worker_url": "",
  "logs_compression_level": 3,
  "logs": {
    "logs_worker": false,
    "logs_use_compression": true,
    "logs_enabled": true,
    "serverless_logs_enabled": true,
    "logs_processing_rules": "",
    "durable_log_buffer": 5
  },
  "metrics_url": "https://api.datadoghq.com",
  "metrics_additional_endpoints": {},
  "metrics_compression_level": 3,
  "metrics": {
    "histogram_aggregates": "max median avg count",
    "histogram_percentiles": "0.95",
    "histogram_copy_to_distribution": false,
    "histogram_copy_prefix": "",
    "exclude_tags": ""
  },
  "statsd": {
    "metric_namespace": "",
    "dogstatsd_port": 8125,
    "dogstatsd_so_rcvbuf": 1048576
  },
  "own_metrics": {
    "enhanced_metrics": true,
    "proc_enhanced_metrics": true,
    "thaw_metrics": true
  },
  "data_streams": {
    "data_streams_enabled": false,
    "dsm_exchange_name": "",
    "dsm_kafka_group": ""
  },
  "flush_timeout": 30,
  "flush_strategy": "end,500",
  "compression_level": 3,
  "outbox_bytes": 16777216,
  "client": {
    "max_idle_per_host": 0,
    "share_within_flush": true,
    "idle_timeout": 15,
    "max_connections_per_host": 6,
    "exchange_timeout": 30,
    "proxy_url": "http://****@proxy:3128",
    "no_proxy": [
      "localhost"
    ],
    "tls_cert_file": "",
    "skip_ssl_validation": false
  },
  "log_level": "warn",
  "env": "",
  "service": "",
  "version": "",
  "tags": "",
  "traces": {
    "compute_stats": false,
    "error_sampler": false,
    "experimental_features": false,
    "stats_additional_tags": "",
    "stats_additional_tags_limit": 100,
    "aws_service_representation": true,
    "service_mapping": "",
    "replace_rules": "",
    "filter_require": "",
    "filter_reject": "",
    "filter_regex_require": "",
    "filter_regex_reject": "",
    "remove_query_string": false,
    "remove_paths_with_digits": false,
    "propagation_styles": "datadog,tracecontext",
    "propagation_extract_first": false,
    "propagation_http_baggage": false,
    "baggage_tag_keys": "user.id,session.id,account.id",
    "capture_payload": false,
    "capture_payload_max_depth": 10
  },
  "origins": {
    "additional_endpoints": "DD_APM_ADDITIONAL_ENDPOINTS",
    "api_key": "DD_API_KEY",
    "api_key_sources.api_key_secret_arn": "DD_API_KEY_SECRET_ARN",
    "api_key_sources.kms_api_key": "DD_KMS_API_KEY",
    "api_key_sources.reload_interval": "DD_API_KEY_SECRET_RELOAD_INTERVAL",
    "aws.region": "AWS_REGION",
    "aws.secret_access_key": "AWS_SECRET_ACCESS_KEY",
    "client.no_proxy_of_any_program": "NO_PROXY",
    "client.proxy_url": "DD_PROXY_HTTPS",
    "flush_strategy": "DD_SERVERLESS_FLUSH_STRATEGY",
    "logs_additional_endpoints": "DD_LOGS_CONFIG_ADDITIONAL_ENDPOINTS",
    "outbox_bytes": "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"
  },
  "warnings": [
    "DD_IDLE_TIMEOUT is \"bad\": it is not a number of seconds above 0 and up to 86400; the default, 15 s, is kept"
  ]
})");
}

TEST(ConfigTest, OriginsNameTheSourceThatCounts) {
  const auto origins = LoadConfig({{"DD_COMPRESSION_LEVEL", "high"},
                                   {"DATADOG_COMPRESSION_LEVEL", "7"},
                                   {"DATADOG_SITE", "datadoghq.eu"},
                                   {"DD_SITE", ""},
                                   {"DD_IDLE_TIMEOUT", "bad"}},
                                  "env: prod\ncompression_level: 3\nproxy:\n  https: http://proxy:3128\n")
                           .origins;
  EXPECT_THAT(origins,
              UnorderedElementsAre(Pair("compression_level", "DATADOG_COMPRESSION_LEVEL"),
                                   Pair("logs_compression_level", "DATADOG_COMPRESSION_LEVEL"),
                                   Pair("metrics_compression_level", "DATADOG_COMPRESSION_LEVEL"),
                                   Pair("site", "DATADOG_SITE"), Pair("env", "datadog.yaml, line 1: env"),
                                   Pair("client.proxy_url", "datadog.yaml, line 4: proxy.https")));
  EXPECT_THAT(LoadConfig({{"AWS_LAMBDA_INITIALIZATION_TYPE", "lambda-managed-instances"}}, "").origins,
              UnorderedElementsAre(Pair("flush_strategy", "AWS_LAMBDA_INITIALIZATION_TYPE")));
}

TEST(ConfigTest, TheShortPrefixWinsOverTheLongOne) {
  EXPECT_EQ(Clean({{"DATADOG_API_KEY", "longprefixkey"}}).api_key, "longprefixkey");
  EXPECT_EQ(Clean({{"DATADOG_API_KEY", "longprefixkey"}, {"DD_API_KEY", "shortprefixkey"}}).api_key,
            "shortprefixkey");
  EXPECT_EQ(Clean({{"DATADOG_SITE", "datadoghq.eu"}}, "site: us3.datadoghq.com").site, "datadoghq.eu");
  EXPECT_THAT(WithBad("DATADOG_FLUSH_TIMEOUT", "soon").warnings[0].text,
              HasSubstr("DATADOG_FLUSH_TIMEOUT is \"soon\": "));
}

TEST(ConfigTest, DefaultsAreNamed) {
  const auto on_demand = [](Option option) { return DefaultOf(option, EnvironmentKind::kOnDemand); };
  EXPECT_EQ(on_demand(Option::site), "datadoghq.com");
  EXPECT_EQ(on_demand(Option::api_key), "none");
  EXPECT_EQ(on_demand(Option::reload_interval), "never");
  EXPECT_EQ(on_demand(Option::idle_timeout), "15 s");
  EXPECT_EQ(on_demand(Option::max_idle_per_host), "0");
  EXPECT_EQ(DefaultOf(Option::max_idle_per_host, EnvironmentKind::kOutsideLambda), "4");
  EXPECT_EQ(on_demand(Option::no_proxy_of_any_program), "none");
}

// Puts a secret into each place, valid and invalid: none is shown.
TEST(ConfigTest, SecretsAreNeverShown) {
  constexpr std::string_view kSecret = "s3cr3t";
  const std::string secret = absl::StrCat("aaaaaaaa", kSecret, "bbbbbbbb");
  for (const char* around : {"$", "$ $", "\n$\xff$", "\"$"}) {
    const std::string value = absl::StrCat(around[0] == '$' ? "" : around, secret, " ", secret);
    for (const char* form : {"$", "http://user:$@proxy", "https://user:$/x@proxy:port", "socks://$@a", "$@b",
                             "{\"https://a\": [\"$\"]}", "{\"https://a\": [\"$\"", "{\"$\": [\"https://a\"]}",
                             "{\"https://$@a\": [\"k\"]}"}) {
      std::string text(form);
      text.replace(text.find('$'), 1, value);
      for (const char* name : {"DD_API_KEY", "DD_APM_ADDITIONAL_ENDPOINTS"}) {
        const Config config = LoadConfig({{name, text}}, absl::StrCat("api_key: '", text, "'\n"));
        EXPECT_FALSE(absl::StrContains(ToJson(config), kSecret)) << name << " " << text;
        for (const ConfigWarning& warning : config.warnings) {
          EXPECT_FALSE(absl::StrContains(warning.text, kSecret)) << warning.text;
        }
      }
      if (!absl::StrContains(form, "@")) continue;
      for (const char* name : {"DD_PROXY_HTTPS", "HTTPS_PROXY", "DD_APM_DD_URL", "NO_PROXY"}) {
        EXPECT_FALSE(absl::StrContains(ToJson(LoadConfig({{name, text}}, "")), kSecret)) << name << text;
      }
    }
  }
}

}  // namespace
}  // namespace thaw
