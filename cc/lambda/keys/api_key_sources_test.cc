#include "cc/lambda/keys/api_key_sources.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cc/lambda/keys/api_key_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;

class ApiKeySourcesTest : public ApiKeyFixture {
 protected:
  void Make(Environment::Variables variables) {
    variables.insert({{"AWS_REGION", "eu-west-1"},
                      {"AWS_ACCESS_KEY_ID", "id"},
                      {"AWS_SECRET_ACCESS_KEY", "hidden-secret"},
                      {"AWS_SESSION_TOKEN", "hidden-session"},
                      {"DD_SITE", "datadoghq.eu"}});
    const Config config = LoadConfig(Environment(std::move(variables)), "");
    EXPECT_TRUE(config.warnings.empty());
    key_ = MakeConfiguredApiKey(executor_, clock_, client_, intake_client_, config);
  }
  void MakeAll() {
    Make({{"DD_API_KEY", "literal"},
          {"DD_ORG_UUID", "org"},
          {"DD_KMS_API_KEY", "Y2lwaGVy"},
          {"DD_API_KEY_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:1:secret:dd"},
          {"DD_API_KEY_SSM_ARN", "arn:aws:ssm:us-east-2:1:parameter/dd"}});
  }
  std::vector<std::string> HostsAsked() const {
    std::vector<std::string> hosts;
    for (const FakeClient* client : {&intake_client_, &client_}) {
      for (const FakeClient::Sent& sent : client->sent()) hosts.push_back(sent.request.destination.host);
    }
    return hosts;
  }

  FakeClient intake_client_{executor_, clock_};
  std::shared_ptr<ConfiguredApiKey> key_;
};

TEST_F(ApiKeySourcesTest, EachIsAskedInItsOrderWhenTheOnesBeforeItFail) {
  MakeAll();
  EXPECT_EQ(key_->Current(), "literal");
  const auto denied = [](const FakeClient::Sent&) {
    return FakeClient::Scripted{.result = Says(400, R"({"__type":"AccessDeniedException"})")};
  };
  client_.set_otherwise(denied);
  intake_client_.set_otherwise(denied);
  EXPECT_FALSE(Run(key_->Refresh()));
  EXPECT_THAT(HostsAsked(),
              ElementsAre("api.datadoghq.eu", "kms.eu-west-1.amazonaws.com",
                          "secretsmanager.us-east-1.amazonaws.com", "ssm.us-east-2.amazonaws.com"));
  EXPECT_EQ(key_->counts().sources_failed, 4);
  for (const char* named : {"the intake refused it", "delegated authentication: ", "KMS: ",
                            "Secrets Manager: ", "Parameter Store: ", "AccessDeniedException"}) {
    EXPECT_TRUE(absl::StrContains(key_->failure().message(), named)) << named;
  }
  EXPECT_FALSE(absl::StrContains(key_->failure().message(), "hidden"));
}

TEST_F(ApiKeySourcesTest, EachGivesItsKey) {
  const std::pair<Environment::Variables, std::string> cases[] = {
      {{{"DD_ORG_UUID", "org"}}, R"({"data":{"attributes":{"api_key":"key"}}})"},
      {{{"DD_KMS_API_KEY", "Y2lwaGVy"}}, R"({"Plaintext":"a2V5Cg=="})"},
      {{{"DD_API_KEY_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:1:secret:dd"}},
       R"({"SecretString":"key\n"})"},
      {{{"DD_API_KEY_SSM_ARN", "/dd"}}, R"({"Parameter":{"Value":"key"}})"}};
  for (const auto& [variables, body] : cases) {
    const auto answers = [&body = body](const FakeClient::Sent&) {
      return FakeClient::Scripted{.result = Says(200, body)};
    };
    client_.set_otherwise(answers);
    intake_client_.set_otherwise(answers);
    Make(variables);
    EXPECT_TRUE(Run(key_->Refresh())) << key_->failure();
    EXPECT_EQ(key_->Current(), "key");
  }
}

// KMS throttles a thousand environments that start at once.
TEST_F(ApiKeySourcesTest, EachIsAskedAgainWhenItFailsForNow) {
  const std::pair<Environment::Variables, std::string> cases[] = {
      {{{"DD_ORG_UUID", "org"}}, R"({"data":{"attributes":{"api_key":"key"}}})"},
      {{{"DD_KMS_API_KEY", "Y2lwaGVy"}}, R"({"Plaintext":"a2V5"})"},
      {{{"DD_API_KEY_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:1:secret:dd"}},
       R"({"SecretString":"key"})"},
      {{{"DD_API_KEY_SSM_ARN", "/dd"}}, R"({"Parameter":{"Value":"key"}})"}};
  const SendResult failures[] = {Says(400, R"({"__type":"ThrottlingException"})"), Says(429, ""),
                                 Says(503, ""), Unreachable(), Ambiguous()};
  for (const auto& [variables, body] : cases) {
    for (const SendResult& failure : failures) {
      Make(variables);
      FakeClient& client = variables.contains("DD_ORG_UUID") ? intake_client_ : client_;
      client.clear_sent();
      client.Answer(failure);
      client.Answer(failure);
      client.Answer(Says(200, body));
      EXPECT_TRUE(Run(key_->Refresh())) << key_->failure();
      EXPECT_EQ(key_->Current(), "key");
      EXPECT_EQ(client.sent().size(), 3u);
      EXPECT_EQ(key_->counts().source_retries, 2);
    }
  }
}

TEST_F(ApiKeySourcesTest, TheCredentialsOfARestoredEnvironmentAreAskedForAgainToo) {
  Make({{"AWS_ACCESS_KEY_ID", ""},
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9001/credentials"},
        {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "token"},
        {"DD_API_KEY_SSM_ARN", "/dd"}});
  client_.Answer(Says(429, ""));
  client_.Answer(Says(500, ""));
  client_.Answer(
      Says(200, R"({"AccessKeyId":"a","SecretAccessKey":"s","Expiration":"2027-01-01T00:00:00Z"})"));
  client_.Answer(Says(400, R"({"__type":"ThrottlingException"})"));
  client_.Answer(Says(200, R"({"Parameter":{"Value":"key"}})"));
  EXPECT_TRUE(Run(key_->Refresh())) << key_->failure();
  EXPECT_EQ(client_.sent().size(), 5u) << "credentials are not asked for again with each try";
}

// The peers' client waits for AWS without a limit.
TEST_F(ApiKeySourcesTest, EverySourceHasATimeLimit) {
  MakeAll();
  client_.set_otherwise([](const FakeClient::Sent&) { return Hangs(); });
  intake_client_.set_otherwise([](const FakeClient::Sent&) { return Hangs(); });
  const absl::Duration began = clock_.Now().monotonic;
  EXPECT_FALSE(Run(key_->Refresh()));
  EXPECT_EQ(clock_.Now().monotonic - began, 4 * absl::Seconds(5));
  EXPECT_EQ(key_->counts().sources_failed, 4);
}

TEST_F(ApiKeySourcesTest, OneTimeLimitIsForAllThatASourceAsks) {
  Make({{"DD_KMS_API_KEY", "Y2lwaGVy"}, {"AWS_LAMBDA_FUNCTION_NAME", "f"}});
  for (const int answered : {1500, 1500, 1500}) {
    client_.Answer({.result = Says(400, "{}"), .after = absl::Milliseconds(answered)});
  }
  client_.Answer({.result = Says(200, R"({"Plaintext":"a2V5"})"), .after = absl::Milliseconds(1500)});
  const absl::Duration began = clock_.Now().monotonic;
  EXPECT_FALSE(Run(key_->Refresh()));
  EXPECT_EQ(clock_.Now().monotonic - began, absl::Seconds(5));
  EXPECT_EQ(client_.sent().size(), 4u);
}

TEST_F(ApiKeySourcesTest, ASecretThatWasRotatedIsFoundWhenTheOldKeyIsRefused) {
  Make({{"DD_API_KEY_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:1:secret:dd"}});
  client_.Answer(Says(200, R"({"SecretString":"old"})"));
  client_.Answer(Says(200, R"({"SecretString":"new"})"));
  EXPECT_TRUE(Run(key_->Refresh()));
  EXPECT_TRUE(Run(key_->Refresh()));
  EXPECT_EQ(key_->Current(), "new");
}

TEST_F(ApiKeySourcesTest, ARestoredEnvironmentAsksForItsOwnCredentials) {
  Environment::Variables variables = {
      {"AWS_ACCESS_KEY_ID", ""},
      {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9001/credentials"},
      {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "token"},
      {"DD_API_KEY_SSM_ARN", "/dd"}};
  Make(std::move(variables));
  client_.set_otherwise([](const FakeClient::Sent& sent) {
    return FakeClient::Scripted{
        .result =
            Says(200, sent.request.method == "GET"
                          ? R"({"AccessKeyId":"a","SecretAccessKey":"s","Expiration":"2027-01-01T00:00:00Z"})"
                          : R"({"Parameter":{"Value":"key"}})")};
  });
  EXPECT_TRUE(Run(key_->Refresh()));
  EXPECT_EQ(client_.sent().size(), 2u);
  key_->Forget();
  EXPECT_EQ(key_->Current(), "");
  EXPECT_TRUE(Run(key_->Refresh()));
  EXPECT_EQ(client_.sent().size(), 4u) << "credentials too";
}

TEST_F(ApiKeySourcesTest, TheReloadIntervalIsTheConfigurations) {
  Make({{"DD_API_KEY_SSM_ARN", "/dd"}, {"DD_API_KEY_SECRET_RELOAD_INTERVAL", "60"}});
  client_.Answer(Says(200, R"({"Parameter":{"Value":"old"}})"));
  client_.Answer(Says(200, R"({"Parameter":{"Value":"new"}})"));
  EXPECT_TRUE(Run(key_->Refresh()));
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(key_->Current(), "old");
  while (key_->Current() == "old") {
    if (!executor_.Step()) clock_.Advance(absl::Milliseconds(1));
  }
  EXPECT_EQ(key_->Current(), "new");
  EXPECT_EQ(key_->counts().reloads, 1);
}

TEST(AwsClientOptionsTest, GoesPastTheProxyOfTheIntake) {
  ClientOptions of_config;
  of_config.proxy_url = "http://proxy:3128";
  of_config.no_proxy = {"localhost"};
  of_config.max_idle_per_host = 4;
  of_config.tls_cert_file = "/opt/ca.pem";
  const ClientOptions options = AwsClientOptions(of_config);
  EXPECT_TRUE(options.Validate().ok());
  EXPECT_EQ(options.proxy_url, "");
  EXPECT_TRUE(options.no_proxy.empty());
  EXPECT_EQ(options.max_idle_per_host, 0);
  EXPECT_EQ(options.tls_cert_file, "/opt/ca.pem");
  EXPECT_GE(options.max_response_body_kept_bytes, size_t{64} << 10) << "the largest secret there is";
}

}  // namespace
}  // namespace thaw
