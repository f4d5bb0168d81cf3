#include "cc/lambda/keys/delegated_auth.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "cc/lambda/keys/api_key_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

using ::testing::ElementsAre;

std::string Decoded(const std::string& base64) {
  std::string decoded;
  EXPECT_TRUE(absl::Base64Unescape(base64, &decoded)) << base64;
  return decoded;
}

// Returns names and values of the proof's headers, in its order.
std::vector<std::string> HeadersOf(const std::string& proof) {
  const std::vector<std::string> parts = absl::StrSplit(proof, '|');
  const boost::json::value value = boost::json::parse(Decoded(parts.at(1)));
  std::vector<std::string> headers;
  for (const auto& [name, values] : value.as_object()) {
    EXPECT_EQ(values.as_array().size(), 1u);
    headers.push_back(std::string(name) + ": " + std::string(values.as_array().at(0).as_string()));
  }
  return headers;
}

TEST(DelegatedProofTest, IsASignedRequestThatIsNeverSent) {
  const std::string proof =
      DelegatedProof({"id", "secret", "session"}, "eu-west-1", "org-1", absl::FromUnixSeconds(1767225600));
  const std::vector<std::string> parts = absl::StrSplit(proof, '|');
  ASSERT_EQ(parts.size(), 4u);
  EXPECT_EQ(Decoded(parts[0]), "Action=GetCallerIdentity&Version=2011-06-15");
  EXPECT_EQ(parts[2], "POST");
  EXPECT_EQ(Decoded(parts[3]), "https://sts.eu-west-1.amazonaws.com");
  EXPECT_THAT(
      HeadersOf(proof),
      ElementsAre("Authorization: AWS4-HMAC-SHA256 Credential=id/20260101/eu-west-1/sts/aws4_request, "
                  "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-ddog-org-id, "
                  "Signature=214fe66c20660a5a0dcf77391a09ed946aced003a960563207669fc7e9537d79",
                  "Content-Type: application/x-www-form-urlencoded; charset=utf-8",
                  "Host: sts.eu-west-1.amazonaws.com", "X-Amz-Date: 20260101T000000Z",
                  "X-Amz-Security-Token: session", "X-Ddog-Org-Id: org-1"));
}

TEST(DelegatedProofTest, WithoutASessionTokenNoHeaderSpeaksOfOne) {
  for (const std::string& header :
       HeadersOf(DelegatedProof({"id", "secret", ""}, "eu-west-1", "org-1", absl::FromUnixSeconds(0)))) {
    EXPECT_FALSE(absl::StrContains(header, "oken")) << header;
  }
}

class DelegatedAuthTest : public ApiKeyFixture {
 protected:
  static AwsOptions Role() {
    AwsOptions aws;
    aws.access_key_id = "id";
    aws.secret_access_key = "secret";
    return aws;
  }
  absl::StatusOr<std::string> IntakeKey() { return Run(auth_.IntakeKey(cancellation_)); }

  AwsCredentialsSource credentials_{clock_, client_, Role()};
  DelegatedAuth auth_{clock_, client_, credentials_, {"eu-west-1", "datadoghq.eu", "org-1"}};
};

TEST_F(DelegatedAuthTest, TheProofIsExchangedForAKey) {
  client_.Answer(Says(200, R"({"data":{"attributes":{"api_key":"key"}}})"));
  EXPECT_EQ(IntakeKey().value(), "key");
  EXPECT_EQ(request(0).method, "POST");
  EXPECT_EQ(ToString(request(0).destination), "https://api.datadoghq.eu");
  EXPECT_EQ(request(0).target, "/api/v2/intake-key");
  EXPECT_EQ(Header(0, "Content-Type"), "application/json");
  EXPECT_EQ(Body(0), "");
  EXPECT_EQ(Header(0, "Authorization"),
            "Delegated " + DelegatedProof({"id", "secret", ""}, "eu-west-1", "org-1", clock_.Now().wall));
}

TEST_F(DelegatedAuthTest, AnswersWithoutAKey) {
  for (const char* body : {"{}", "[]", R"({"data":[]})", R"({"data":{"attributes":{"api_key":""}}})"}) {
    client_.Answer(Says(200, body));
    EXPECT_EQ(IntakeKey().status().code(), absl::StatusCode::kInternal) << body;
  }
  client_.Answer(Says(200, "no JSON"));
  EXPECT_EQ(IntakeKey().status().code(), absl::StatusCode::kUnavailable);
  client_.Answer(Says(403, R"({"errors":["forbidden"]})"));
  EXPECT_EQ(IntakeKey().status().message(), "POST https://api.datadoghq.eu/api/v2/intake-key: answered 403");
}

TEST_F(DelegatedAuthTest, WithoutRegionOrCredentialsNoRequestIsSent) {
  DelegatedAuth nowhere(clock_, client_, credentials_, {"", "datadoghq.eu", "org-1"});
  EXPECT_EQ(Run(nowhere.IntakeKey(cancellation_)).status().code(), absl::StatusCode::kInvalidArgument);
  AwsCredentialsSource none(clock_, client_, AwsOptions());
  DelegatedAuth nobody(clock_, client_, none, {"eu-west-1", "datadoghq.eu", "org-1"});
  EXPECT_EQ(Run(nobody.IntakeKey(cancellation_)).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(client_.sent().empty());
}

}  // namespace
}  // namespace thaw
