#include "cc/lambda/keys/aws_sigv4.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"

namespace thaw {
namespace {

const AwsCredentials& Example() {
  static const auto* const kExample =
      new AwsCredentials{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};
  return *kExample;
}

HttpRequest To(std::string_view host, std::string method, std::string target = "/",
               HttpHeaders headers = {}) {
  HttpRequest request;
  request.destination = {Destination::Scheme::kHttps, std::string(host), 443};
  request.method = std::move(method);
  request.target = std::move(target);
  request.headers = std::move(headers);
  return request;
}

std::string Authorization(const HttpRequest& request) {
  return std::string(FindHeader(request.headers, "Authorization").value_or(""));
}
std::string Signature(const HttpRequest& request) {
  const std::pair<std::string, std::string> parts = absl::StrSplit(Authorization(request), "Signature=");
  return parts.second;
}

// The examples are AWS's published ones: 2015-08-30T12:36:00Z at example.amazonaws.com.
std::string SignatureOfExample(HttpRequest request) {
  SignAwsRequest({"service", "us-east-1"}, Example(), absl::FromUnixSeconds(1440938160), request);
  EXPECT_EQ(FindHeader(request.headers, "X-Amz-Date"), "20150830T123600Z");
  return Signature(request);
}

TEST(AwsSigV4Test, SecretsManager) {
  AwsCredentials credentials = Example();
  credentials.session_token = "AQoDYXdzEJr...<remainder of session token>";
  HttpRequest request =
      To("secretsmanager.us-east-1.amazonaws.com", "POST", "/",
         {{"content-type", "application/x-amz-json-1.1"}, {"x-amz-target", "secretsmanager.GetSecretValue"}});
  request.body = std::make_shared<const std::string>(
      R"({"SecretId":"arn:aws:secretsmanager:region:account-id:secret:secret-name"})");
  SignAwsRequest({"secretsmanager", "us-east-1"}, credentials, absl::FromUnixSeconds(1717060211), request);
  EXPECT_EQ(FindHeader(request.headers, "X-Amz-Date"), "20240530T091011Z");
  EXPECT_EQ(FindHeader(request.headers, "X-Amz-Security-Token"), credentials.session_token);
  EXPECT_EQ(Authorization(request),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20240530/us-east-1/secretsmanager/aws4_request, "
            "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, "
            "Signature=63d50106f9c0ab1f02c1f81d6c720b01bce369d45f63a8f6280ffe7945405b81");
}

TEST(AwsSigV4Test, PlainRequests) {
  EXPECT_EQ(SignatureOfExample(To("example.amazonaws.com", "GET")),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
  EXPECT_EQ(SignatureOfExample(To("example.amazonaws.com", "POST")),
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
}

TEST(AwsSigV4Test, QueryParametersInAnyOrder) {
  EXPECT_EQ(SignatureOfExample(To("example.amazonaws.com", "GET", "/?Param2=value2&Param1=value1")),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
  EXPECT_EQ(SignatureOfExample(To("example.amazonaws.com", "GET", "/?Param1=b&Param1&Param1=a")),
            "706219279d90ccd9c4b196f35f6fb4a036483d1043ba5ef14bda1828ba813249");
}

TEST(AwsSigV4Test, WhiteSpaceInHeaderValuesIsFolded) {
  EXPECT_EQ(SignatureOfExample(To("example.amazonaws.com", "GET", "/",
                                  {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}})),
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736");
}

TEST(AwsSigV4Test, ListUsers) {
  HttpRequest request = To("iam.amazonaws.com", "GET", "/?Action=ListUsers&Version=2010-05-08",
                           {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}});
  SignAwsRequest({"iam", "us-east-1"}, Example(), absl::FromUnixSeconds(1440938160), request);
  EXPECT_EQ(Signature(request), "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

TEST(AwsSigV4Test, WithoutASessionTokenNoHeaderSpeaksOfOne) {
  HttpRequest request = To("example.amazonaws.com", "GET");
  SignAwsRequest({"service", "us-east-1"}, Example(), absl::FromUnixSeconds(0), request);
  EXPECT_FALSE(FindHeader(request.headers, "X-Amz-Security-Token").has_value());
}

TEST(AwsSigV4Test, EachPartChangesTheSignature) {
  const HttpRequest plain = To("example.amazonaws.com", "GET");
  HttpRequest with_body = plain;
  with_body.body = std::make_shared<const std::string>("x");
  HttpRequest with_port = plain;
  with_port.destination.port = 8443;
  EXPECT_NE(SignatureOfExample(with_body), SignatureOfExample(plain));
  EXPECT_NE(SignatureOfExample(with_port), SignatureOfExample(plain));
  EXPECT_NE(SignatureOfExample(To("example.amazonaws.com", "GET", "/a")), SignatureOfExample(plain));
}

}  // namespace
}  // namespace thaw
