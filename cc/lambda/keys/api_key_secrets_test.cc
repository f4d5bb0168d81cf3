#include "cc/lambda/keys/api_key_secrets.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "boost/json/serialize.hpp"
#include "boost/json/string.hpp"
#include "boost/json/value.hpp"
#include "cc/lambda/keys/api_key_fixture.h"
#include "cc/lambda/keys/json_exchange.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

class ApiKeySecretsTest : public ApiKeyFixture {
 protected:
  static AwsOptions Here() {
    AwsOptions aws;
    aws.region = "eu-west-1";
    aws.function_name = "f";
    aws.access_key_id = "id";
    aws.secret_access_key = "secret";
    aws.session_token = "session";
    return aws;
  }
  explicit ApiKeySecretsTest(AwsOptions aws = Here())
      : credentials_(clock_, client_, aws), secrets_(clock_, client_, credentials_, aws) {}

  absl::StatusOr<std::string> Decrypt() { return Run(secrets_.Decrypt("Y2lwaGVy", cancellation_)); }
  absl::StatusOr<std::string> SecretValue(std::string arn = "arn:aws:secretsmanager:us-east-2:1:secret:dd") {
    return Run(secrets_.SecretValue(std::move(arn), cancellation_));
  }
  absl::StatusOr<std::string> Parameter(std::string arn = "arn:aws:ssm:us-east-2:1:parameter/dd") {
    return Run(secrets_.Parameter(std::move(arn), cancellation_));
  }
  absl::StatusOr<std::string> SecretValueOf(std::string answer) {
    client_.Answer(Says(200, std::move(answer)));
    return SecretValue();
  }
  const std::string& host(size_t i = 0) const { return request(i).destination.host; }

  AwsCredentialsSource credentials_;
  ApiKeySecrets secrets_;
};

TEST_F(ApiKeySecretsTest, KmsDecrypts) {
  client_.Answer(Says(200, R"({"KeyId":"k","Plaintext":"a2V5"})"));
  EXPECT_EQ(Decrypt().value(), "key");
  ASSERT_EQ(client_.sent().size(), 1u);
  EXPECT_EQ(request(0).ToString().substr(0, 41), "POST https://kms.eu-west-1.amazonaws.com/");
  EXPECT_EQ(Header(0, "X-Amz-Target"), "TrentService.Decrypt");
  EXPECT_EQ(Header(0, "Content-Type"), "application/x-amz-json-1.1");
  EXPECT_EQ(Body(0), R"({"CiphertextBlob":"Y2lwaGVy"})");
  EXPECT_EQ(Header(0, "Authorization"),
            "AWS4-HMAC-SHA256 Credential=id/20260101/eu-west-1/kms/aws4_request, "
            "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, "
            "Signature=194c17003ff3155ea2da66316d70964c8ef11b3c1c809f10acd8039dfe66698b");
}

TEST_F(ApiKeySecretsTest, TheEncryptionContextHasItsDocumentedName) {
  client_.Answer(Says(400, R"({"__type":"InvalidCiphertextException"})"));
  client_.Answer(Says(200, R"({"Plaintext":"a2V5"})"));
  EXPECT_EQ(Decrypt().value(), "key");
  ASSERT_EQ(client_.sent().size(), 2u);
  EXPECT_EQ(Body(1), R"({"CiphertextBlob":"Y2lwaGVy","EncryptionContext":{"LambdaFunctionName":"f"}})");
}

TEST_F(ApiKeySecretsTest, ARefusalByKmsSaysWhyBothTimes) {
  client_.Answer(Says(400, R"({"__type":"InvalidCiphertextException"})"));
  client_.Answer(Says(400, R"({"__type":"AccessDeniedException","Message":"not allowed"})"));
  const absl::Status status = Decrypt().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(),
            "POST https://kms.eu-west-1.amazonaws.com/: answered 400 InvalidCiphertextException: ; in the "
            "encryption context of this function: POST https://kms.eu-west-1.amazonaws.com/: answered 400 "
            "AccessDeniedException: not allowed");
}

TEST_F(ApiKeySecretsTest, OnlyARefusalByKmsIsTriedInTheContext) {
  client_.Answer(Says(500, ""));
  EXPECT_EQ(Decrypt().status().code(), absl::StatusCode::kUnavailable);
  client_.Answer(Unreachable());
  EXPECT_EQ(Decrypt().status().code(), absl::StatusCode::kUnavailable);
  for (const char* body : {"{}", R"({"Plaintext":5})", R"({"Plaintext":"*"})"}) {
    client_.Answer(Says(200, body));
    EXPECT_EQ(Decrypt().status().code(), absl::StatusCode::kInternal) << body;
  }
  client_.Answer(Says(200, "no JSON"));
  EXPECT_EQ(Decrypt().status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(client_.sent().size(), 6u);
}

TEST_F(ApiKeySecretsTest, ASecretIsAskedForInTheRegionOfItsArn) {
  EXPECT_EQ(SecretValueOf(R"({"SecretString":"key"})").value(), "key");
  EXPECT_EQ(host(), "secretsmanager.us-east-2.amazonaws.com");
  EXPECT_EQ(Header(0, "X-Amz-Target"), "secretsmanager.GetSecretValue");
  EXPECT_EQ(Body(0), R"({"SecretId":"arn:aws:secretsmanager:us-east-2:1:secret:dd"})");
  EXPECT_TRUE(absl::StrContains(Header(0, "Authorization"), "/us-east-2/secretsmanager/"));
}

TEST_F(ApiKeySecretsTest, ASecretMayBeJson) {
  EXPECT_EQ(SecretValueOf(R"({"SecretString":"{\"apiKey\":\"b\",\"dd_api_key\":\"a\"}"})").value(), "a");
  EXPECT_EQ(SecretValueOf(R"({"SecretString":"{\"dd_api_key\":5,\"apiKey\":\"b\"}"})").value(), "b");
  EXPECT_EQ(SecretValueOf(R"({"SecretString":"0123456789"})").value(), "0123456789") << "a JSON number too";
  const absl::Status status = SecretValueOf(R"({"SecretString":"{\"other\":\"hidden\"}"})").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_FALSE(absl::StrContains(status.message(), "hidden"));
}

TEST_F(ApiKeySecretsTest, AKeyMayBeAJsonStringWithWhiteSpaceAroundIt) {
  for (const std::string text :
       {"key", "\"key\"", " key \r\n", "\"key\"\n", "\t\" key\\n\"", "\"\\\"key\\\"\"", "\xEF\xBB\xBFkey",
        R"({"dd_api_key":"key"})", R"( {"apiKey":" key\n"} )", R"({"apiKey":"\"key\""})",
        R"("{\"dd_api_key\":\"key\"}")", R"({"DD_API_KEY":"key","other":"x"})", R"({"api-key":"key"})",
        R"({"apiKey":"","api_key":"key","apiKeyId":"x"})"}) {
    const std::string quoted = boost::json::serialize(boost::json::string(text));
    EXPECT_EQ(SecretValueOf(absl::StrCat("{\"SecretString\":", quoted, "}")).value(), "key") << text;
    const std::string base64 = absl::Base64Escape(text);
    EXPECT_EQ(SecretValueOf(absl::StrCat("{\"SecretBinary\":\"", base64, "\"}")).value(), "key") << text;
    client_.Answer(Says(200, absl::StrCat("{\"Parameter\":{\"Value\":", quoted, "}}")));
    EXPECT_EQ(Parameter().value(), "key") << text;
    client_.Answer(Says(200, absl::StrCat("{\"Plaintext\":\"", base64, "\"}")));
    EXPECT_EQ(Decrypt().value(), "key") << text;
  }
}

TEST_F(ApiKeySecretsTest, TheOneKeyOfAListOrInQuotationMarksIsTaken) {
  for (const std::string text : {R"(["key"])", R"([" key\n"])", R"(["key","key"])", R"("[\"key\"]")",
                                 R"([{"a":1}])", "'key'", "' key '\n", R"("'key'")", R"({"apiKey":"'key'"})",
                                 R"({"apiKey":"[\"key\"]"})", "key,key", "key, key,", "'key',"}) {
    const std::string quoted = boost::json::serialize(boost::json::string(text));
    client_.Answer(
        Says(200, absl::StrCat("{\"Parameter\":{\"Type\":\"StringList\",\"Value\":", quoted, "}}")));
    const absl::StatusOr<std::string> key = Parameter();
    if (absl::StrContains(text, "{\"a\"")) {
      EXPECT_EQ(key.status().message(), "the secret is a JSON list that does not have exactly one string")
          << text;
    } else {
      EXPECT_EQ(key.value_or(key.status().ToString()), "key") << text;
    }
  }
}

TEST_F(ApiKeySecretsTest, ATextThatIsNoKeyIsSaidAndNotShownNorAskedForAgain) {
  for (const std::string text :
       {"hidden,other", "[\"hidden\",\"other\"]", "[]", "[5]", "{hidden", "\"hidden", "'hidden", "[hidden]",
        "hidden}", "api_key=hidden", "apiKey: hidden", "<hidden>", ",", "`hidden`"}) {
    const std::string quoted = boost::json::serialize(boost::json::string(text));
    const absl::Status status = SecretValueOf(absl::StrCat("{\"SecretString\":", quoted, "}")).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInternal) << text;
    EXPECT_TRUE(absl::StartsWith(status.message(), "the secret is ")) << status;
    EXPECT_FALSE(absl::StrContains(status.message(), "hidden")) << status;
  }
}

// AWS throttles with a status that means a bad request.
TEST_F(ApiKeySecretsTest, ATemporaryRefusalOfAwsIsToldFromADefiniteOne) {
  for (const char* type :
       {"ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded",
        "com.amazonaws.secretsmanager#ThrottlingException", "Throttling:http://aws/", "SlowDown",
        "RequestTimeout", "InternalServiceError", "KMSInternalException", "DependencyTimeoutException",
        "InternalServerError", "TooManyUpdates", "InternalFailure", "ServiceUnavailable"}) {
    client_.Answer(Says(400, absl::StrCat("{\"__type\":\"", type, "\",\"message\":\"Rate exceeded\"}")));
    EXPECT_EQ(SecretValue().status().code(), absl::StatusCode::kUnavailable) << type;
    SendResult named = Says(400, "");
    named.response->headers = {{"x-amzn-ErrorType", type}};
    client_.Answer(named);
    EXPECT_EQ(Decrypt().status().code(), absl::StatusCode::kUnavailable) << type << ", in a header";
  }
  for (const char* body : {R"({"Error":{"Code":"Throttling"}})", R"({"code":"ThrottlingException"})",
                           R"({"Code":"InternalFailure"})"}) {
    client_.Answer(Says(400, body));
    EXPECT_EQ(Parameter().status().code(), absl::StatusCode::kUnavailable) << body;
  }
  client_.Answer(Says(400, R"({"Error":{"Code":"AccessDenied","Message":"not allowed"}})"));
  EXPECT_EQ(Parameter().status().message(),
            "POST https://ssm.us-east-2.amazonaws.com/: answered 400 AccessDenied: not allowed");
  for (const int status : {408, 429, 500, 502, 503, 504}) {
    client_.Answer(Says(status, "<html>"));
    EXPECT_EQ(Parameter().status().code(), absl::StatusCode::kUnavailable) << status;
  }
  for (const char* type : {"AccessDeniedException", "ResourceNotFoundException", "DecryptionFailure",
                           "NotThrottlingException", "ThrottlingExceptionX", ""}) {
    client_.Answer(Says(400, absl::StrCat("{\"__type\":\"", type, "\"}")));
    EXPECT_EQ(SecretValue().status().code(), absl::StatusCode::kFailedPrecondition) << type;
  }
  for (const FakeClient::Sent& sent : client_.sent())
    EXPECT_EQ(sent.options.max_attempts, 1) << "there is no retry within a retry";
}

TEST_F(ApiKeySecretsTest, ASecretMayBeBinary) {
  EXPECT_EQ(SecretValueOf(R"({"SecretBinary":"a2V5"})").value(), "key");
  EXPECT_EQ(SecretValueOf(R"({"SecretBinary":"*"})").status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(SecretValueOf("{}").status().code(), absl::StatusCode::kInternal);
}

TEST_F(ApiKeySecretsTest, AParameterIsDecrypted) {
  client_.Answer(Says(200, R"({"Parameter":{"Value":"key"}})"));
  EXPECT_EQ(Parameter().value(), "key");
  EXPECT_EQ(host(), "ssm.us-east-2.amazonaws.com");
  EXPECT_EQ(Header(0, "X-Amz-Target"), "AmazonSSM.GetParameter");
  EXPECT_EQ(Body(0), R"({"Name":"arn:aws:ssm:us-east-2:1:parameter/dd","WithDecryption":true})");
  for (const char* body : {"{}", R"({"Parameter":"key"})", R"({"Parameter":{"Value":null}})"}) {
    client_.Answer(Says(200, body));
    EXPECT_EQ(Parameter().status().code(), absl::StatusCode::kInternal) << body;
  }
}

TEST_F(ApiKeySecretsTest, ANameOrAnArnWithoutRegionIsOfOwnRegion) {
  for (const char* arn : {"/dd/api_key", "arn:aws:ssm:::parameter/dd"}) {
    client_.clear_sent();
    client_.Answer(Says(200, R"({"Parameter":{"Value":"key"}})"));
    EXPECT_TRUE(Parameter(arn).ok());
    EXPECT_EQ(host(), "ssm.eu-west-1.amazonaws.com");
  }
}

TEST_F(ApiKeySecretsTest, AnInvalidArnSendsNoRequest) {
  for (const char* arn :
       {"arn:aws:ssm", "arn:aws:ssm:attacker.example/:1:parameter/dd", "arn:aws:ssm:a b:1:x"}) {
    EXPECT_EQ(Parameter(arn).status().code(), absl::StatusCode::kInvalidArgument) << arn;
    EXPECT_EQ(SecretValue(arn).status().code(), absl::StatusCode::kInvalidArgument) << arn;
  }
  EXPECT_TRUE(client_.sent().empty());
}

TEST_F(ApiKeySecretsTest, ErrorsQuoteAwsButNotTheRequest) {
  client_.Answer(
      Says(400, R"({"__type":"InvalidSignatureException",)"
                R"("message":"It does not match.\nThe canonical string: x-amz-security-token:session"})"));
  EXPECT_EQ(
      SecretValue().status().message(),
      "POST https://secretsmanager.us-east-2.amazonaws.com/: answered 400 InvalidSignatureException: It does "
      "not match.");
  client_.Answer(Says(403, "<html>session</html>"));
  EXPECT_EQ(SecretValue().status().message(),
            "POST https://secretsmanager.us-east-2.amazonaws.com/: answered 403");
}

TEST_F(ApiKeySecretsTest, AnAnswerThatIsTooLongOrCutIsNone) {
  EXPECT_EQ(SecretValueOf(std::string(kMaxJsonAnswerBytes + 1, ' ')).status().code(),
            absl::StatusCode::kInternal);
  SendResult cut = Says(200, R"({"SecretString":"key"})");
  cut.response->body_whole = false;
  client_.Answer(cut);
  EXPECT_EQ(SecretValue().status().code(), absl::StatusCode::kUnavailable);
  for (const std::string& body :
       {std::string(1000, '['), std::string(R"({"SecretStr)"), std::string("<html>"), std::string()})
    EXPECT_EQ(SecretValueOf(body).status().code(), absl::StatusCode::kUnavailable) << body;
  // The client keeps so much of an answer of any length.
  SendResult long_answer = Says(200, std::string(client_.options().max_response_body_kept_bytes, 'a'));
  long_answer.response->body_whole = false;
  client_.Answer(long_answer);
  EXPECT_EQ(SecretValue().status().code(), absl::StatusCode::kInternal) << "it would be too long each time";
}

TEST_F(ApiKeySecretsTest, ACancellationEndsTheCall) {
  client_.Answer(Hangs());
  const Alarm alarm(clock_, absl::Seconds(5),
                    [this] { cancellation_.Request(absl::DeadlineExceededError("5 s have passed")); });
  const absl::Status status = SecretValue().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(absl::StrContains(status.message(), "secretsmanager.us-east-2"));
}

class OfSnapStart : public ApiKeySecretsTest {
 protected:
  static AwsOptions Container() {
    AwsOptions aws = Here();
    aws.access_key_id = aws.secret_access_key = aws.session_token = "";
    aws.container_credentials_url = "http://127.0.0.1:9001/credentials";
    aws.container_authorization_token = "token";
    return aws;
  }
  OfSnapStart() : ApiKeySecretsTest(Container()) {}
  void CredentialsOf(const std::string& id) {
    client_.Answer(
        Says(200, absl::StrCat("{\"AccessKeyId\":\"", id,
                               "\",\"SecretAccessKey\":\"s\",\"Expiration\":\"2026-01-01T06:00:00Z\"}")));
  }
};

TEST_F(OfSnapStart, CredentialsThatAreRefusedAreAskedForAgain) {
  CredentialsOf("first");
  client_.Answer(Says(400, R"({"__type":"ExpiredTokenException"})"));
  EXPECT_EQ(SecretValue().status().code(), absl::StatusCode::kFailedPrecondition);
  CredentialsOf("second");
  client_.Answer(Says(200, R"({"SecretString":"key"})"));
  EXPECT_EQ(SecretValue().value(), "key");
  EXPECT_TRUE(absl::StrContains(Header(3, "Authorization"), "Credential=second/"));
}

class OfAnotherPartition : public ApiKeySecretsTest {
 protected:
  static AwsOptions China() {
    AwsOptions aws = Here();
    aws.region = "cn-north-1";
    return aws;
  }
  OfAnotherPartition() : ApiKeySecretsTest(China()) {}
};

TEST_F(OfAnotherPartition, TheDomainFollowsTheRegionThatIsAsked) {
  client_.Answer(Says(200, R"({"Plaintext":"a2V5"})"));
  EXPECT_TRUE(Decrypt().ok());
  EXPECT_EQ(host(), "kms.cn-north-1.amazonaws.com.cn");
}

class WithFips : public ApiKeySecretsTest {
 protected:
  static AwsOptions Fips() {
    AwsOptions aws = Here();
    aws.fips = true;
    return aws;
  }
  WithFips() : ApiKeySecretsTest(Fips()) {}
};

TEST_F(WithFips, FipsEndpointsAreAsked) {
  client_.Answer(Says(200, R"({"Plaintext":"a2V5"})"));
  EXPECT_TRUE(Decrypt().ok());
  EXPECT_EQ(host(), "kms-fips.eu-west-1.amazonaws.com");
  EXPECT_TRUE(absl::StrContains(Header(0, "Authorization"), "/eu-west-1/kms/"));
}

class WithoutRegion : public ApiKeySecretsTest {
 protected:
  WithoutRegion() : ApiKeySecretsTest(AwsOptions()) {}
};

TEST_F(WithoutRegion, TheErrorNamesTheVariable) {
  EXPECT_TRUE(absl::StrContains(Decrypt().status().message(), "AWS_REGION is not set"));
  EXPECT_TRUE(absl::StrContains(Parameter("/dd").status().message(), "AWS_REGION is not set"));
}

}  // namespace
}  // namespace thaw
