#include "cc/lambda/keys/aws_credentials.h"

#include <string>

#include "cc/lambda/keys/api_key_fixture.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

class AwsCredentialsTest : public ApiKeyFixture {
 protected:
  static AwsOptions Container() {
    AwsOptions aws;
    aws.container_credentials_url = "http://127.0.0.1:9001/2021-04-23/credentials";
    aws.container_authorization_token = "containertoken";
    return aws;
  }
  static std::string Gives(std::string_view id, std::string_view expiration) {
    return "{\"AccessKeyId\":\"" + std::string(id) +
           "\",\"SecretAccessKey\":\"s\",\"Token\":\"t\",\"Expiration\":\"" + std::string(expiration) + "\"}";
  }
  absl::StatusOr<AwsCredentials> Get() { return Run(source_.Get(cancellation_)); }
  // Gets credentials that are valid for an hour.
  void GetOnce() {
    client_.Answer(Says(200, Gives("first", "2026-01-01T01:00:00Z")));
    ASSERT_EQ(Get()->access_key_id, "first");
    client_.clear_sent();
    client_.set_otherwise([](const FakeClient::Sent&) {
      return FakeClient::Scripted{.result = Says(200, Gives("second", "2027-01-01T00:00:00Z"))};
    });
  }

  AwsCredentialsSource source_{clock_, client_, Container()};
};

TEST_F(AwsCredentialsTest, TheEnvironmentsComeFirst) {
  AwsOptions aws = Container();
  aws.access_key_id = "id";
  aws.secret_access_key = "secret";
  aws.session_token = "session";
  AwsCredentialsSource source(clock_, client_, aws);
  const absl::StatusOr<AwsCredentials> credentials = Run(source.Get(cancellation_));
  ASSERT_TRUE(credentials.ok());
  EXPECT_EQ(credentials->access_key_id, "id");
  EXPECT_EQ(credentials->secret_access_key, "secret");
  EXPECT_EQ(credentials->session_token, "session");
  EXPECT_TRUE(client_.sent().empty());
}

TEST_F(AwsCredentialsTest, WithoutThemTheEndpointIsAsked) {
  client_.Answer(Says(200, R"({"AccessKeyId":"id","SecretAccessKey":"secret","Token":"session"})"));
  const absl::StatusOr<AwsCredentials> credentials = Get();
  ASSERT_TRUE(credentials.ok()) << credentials.status();
  EXPECT_EQ(credentials->access_key_id, "id");
  EXPECT_EQ(credentials->secret_access_key, "secret");
  EXPECT_EQ(credentials->session_token, "session");
  EXPECT_EQ(request(0).method, "GET");
  EXPECT_EQ(ToString(request(0).destination), "http://127.0.0.1:9001");
  EXPECT_EQ(request(0).target, "/2021-04-23/credentials");
  EXPECT_EQ(Header(0, "Authorization"), "containertoken");
}

TEST_F(AwsCredentialsTest, WithoutEitherTheErrorNamesTheVariables) {
  AwsOptions half;
  half.access_key_id = "id";
  AwsCredentialsSource source(clock_, client_, half);
  const absl::Status status = Run(source.Get(cancellation_)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("AWS_SECRET_ACCESS_KEY"), std::string_view::npos);
}

TEST_F(AwsCredentialsTest, TheyAreKeptUntilShortlyBeforeTheyExpire) {
  GetOnce();
  clock_.Advance(absl::Minutes(54));
  EXPECT_EQ(Get()->access_key_id, "first");
  EXPECT_TRUE(client_.sent().empty());
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(Get()->access_key_id, "second");
}

TEST_F(AwsCredentialsTest, AFreezeCountsByTheClockThatSawIt) {
  GetOnce();
  clock_.Advance({.wall = absl::Minutes(56)});
  EXPECT_EQ(Get()->access_key_id, "second");
}

TEST_F(AwsCredentialsTest, AClockThatIsSetBackDoesNotMakeThemLastLonger) {
  GetOnce();
  clock_.Advance({.wall = -absl::Hours(1), .boot = absl::Minutes(56)});
  EXPECT_EQ(Get()->access_key_id, "second");
}

TEST_F(AwsCredentialsTest, WithoutATimeTheyAreAskedForEachTime) {
  for (const char* expiration : {"", "soon"}) {
    client_.clear_sent();
    client_.Answer(Says(200, Gives("first", expiration)));
    client_.Answer(Says(200, Gives("second", expiration)));
    EXPECT_EQ(Get()->access_key_id, "first");
    EXPECT_EQ(Get()->access_key_id, "second");
    EXPECT_EQ(client_.sent().size(), 2u);
  }
}

TEST_F(AwsCredentialsTest, ForgottenCredentialsAreRequestedAgain) {
  GetOnce();
  source_.Forget();
  EXPECT_EQ(Get()->access_key_id, "second");
}

TEST_F(AwsCredentialsTest, ACancelledRequestIsNotKept) {
  client_.Answer(Says(200, Gives("first", "2026-01-01T01:00:00Z")));
  client_.Answer(Says(200, Gives("second", "2026-01-01T01:00:00Z")));
  Spawn<absl::StatusOr<AwsCredentials>>(executor_, source_.Get(cancellation_));
  executor_.Step();
  clock_.Advance(absl::ZeroDuration());
  executor_.Step();  // the answer has arrived and waits for its turn
  cancellation_.Request(absl::CancelledError("restored"));
  executor_.RunAll();
  Cancellation later;
  EXPECT_EQ(Run(source_.Get(later))->access_key_id, "second");
}

TEST_F(AwsCredentialsTest, AnswersThatAreNoCredentials) {
  for (const char* body : {"[]", "{}", R"({"AccessKeyId":"id"})", R"({"AccessKeyId":1,"SecretAccessKey":2})",
                           R"({"AccessKeyId":"id","SecretAccessKey":"verysecret","Token":"a\r\nHost: b"})"}) {
    client_.Answer(Says(200, body));
    const absl::Status status = Get().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInternal) << body;
    EXPECT_EQ(status.message().find("verysecret"), std::string_view::npos);
  }
  client_.Answer(Says(200, ""));
  EXPECT_EQ(Get().status().code(), absl::StatusCode::kUnavailable);
  client_.Answer(Says(403, R"({"code":"Denied","message":"no such token"})"));
  const absl::Status refused = Get().status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(refused.message(),
            "GET http://127.0.0.1:9001/2021-04-23/credentials: answered 403 Denied: no such token");
}

}  // namespace
}  // namespace thaw
