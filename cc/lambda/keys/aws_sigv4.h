// Signs a request with AWS's Signature Version 4, in its headers.
//
//   HttpRequest request;
//   request.destination.host = "kms.eu-west-1.amazonaws.com";
//   request.headers = {{"Content-Type", "application/x-amz-json-1.1"},
//                      {"X-Amz-Target", "TrentService.Decrypt"}};
//   request.body = std::make_shared<const std::string>(R"({"CiphertextBlob": "AQICAH"})");
//   SignAwsRequest({.service = "kms", .region = "eu-west-1"}, credentials, clock.Now().wall, request);

#ifndef THAW_CC_LAMBDA_KEYS_AWS_SIGV4_H_
#define THAW_CC_LAMBDA_KEYS_AWS_SIGV4_H_

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "cc/net/http_message.h"

namespace thaw {

struct AwsCredentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  // empty for a user's credentials, set for a role's
};

// The service and region that a signature is valid for.
struct AwsScope {
  std::string_view service;  // "secretsmanager"
  std::string_view region;
};

// Adds X-Amz-Date, X-Amz-Security-Token if there is a session token, and Authorization, which signs method,
// target, body, Host and all present headers. Path and query must be percent-encoded already, and the path
// must have nothing that encoding would change.
// path must have nothing that encoding would change.
void SignAwsRequest(const AwsScope& scope, const AwsCredentials& credentials, absl::Time now,
                    HttpRequest& request);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_KEYS_AWS_SIGV4_H_
