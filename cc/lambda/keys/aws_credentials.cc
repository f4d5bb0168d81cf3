#include "cc/lambda/keys/aws_credentials.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cc/base/json_members.h"
#include "cc/base/status_macros.h"
#include "cc/lambda/keys/json_exchange.h"

namespace thaw {
namespace {

// Credentials go into headers.
bool IsPrintable(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isgraph(static_cast<unsigned char>(c)); });
}

}  // namespace

absl::StatusOr<AwsCredentials> AwsCredentialsSource::Parse(const boost::json::value& answer,
                                                           std::optional<absl::Time>& expiration) {
  int64_t ignored = 0;
  const JsonMembers members(answer.if_object(), ignored);
  AwsCredentials credentials;
  std::string expires;
  members.Read("AccessKeyId", credentials.access_key_id);
  members.Read("SecretAccessKey", credentials.secret_access_key);
  members.Read("Token", credentials.session_token);
  members.Read("Expiration", expires);
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) {
    return absl::InternalError("the credentials endpoint answered without AccessKeyId or SecretAccessKey");
  }
  if (!IsPrintable(credentials.access_key_id) || !IsPrintable(credentials.session_token)) {
    return absl::InternalError("the credentials endpoint returned a value that is not allowed in a header");
  }
  absl::Time time;
  std::string error;
  if (absl::ParseTime(absl::RFC3339_full, expires, &time, &error)) expiration = time;
  return credentials;
}

bool AwsCredentialsSource::IsFresh(const Given& given) const {
  const ClockReading now = clock_.Now();
  // Checks the wall clock and also the time that has passed, in case the wall clock was set back.
  return now.wall + kLeastLeft < given.expiration &&
         LargestAdvance(given.at, now) + kLeastLeft < given.expiration - given.at.wall;
}

Task<absl::StatusOr<AwsCredentials>> AwsCredentialsSource::Get(Cancellation& cancellation) {
  if (!aws_.access_key_id.empty() && !aws_.secret_access_key.empty()) {
    co_return AwsCredentials{aws_.access_key_id, aws_.secret_access_key, aws_.session_token};
  }
  if (aws_.container_credentials_url.empty() || aws_.container_authorization_token.empty()) {
    co_return absl::FailedPreconditionError(
        "there are no credentials: neither AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY nor "
        "AWS_CONTAINER_CREDENTIALS_FULL_URI with AWS_CONTAINER_AUTHORIZATION_TOKEN is set");
  }
  if (given_.has_value() && IsFresh(*given_)) co_return given_->credentials;
  given_.reset();
  THAW_CO_ASSIGN_OR_RETURN(Url url, ParseUrl(aws_.container_credentials_url));
  HttpRequest request;
  request.destination = std::move(url.destination);
  request.method = "GET";
  request.target = std::move(url.target);
  request.headers = {{"Authorization", aws_.container_authorization_token}};
  const ClockReading at = clock_.Now();
  THAW_CO_ASSIGN_OR_RETURN(const boost::json::value answer,
                           co_await SendForJson(client_, std::move(request), cancellation));
  std::optional<absl::Time> expiration;
  THAW_CO_ASSIGN_OR_RETURN(AwsCredentials credentials, Parse(answer, expiration));
  // A caller that cancelled may have called Forget().
  if (expiration.has_value() && !cancellation.requested()) given_ = {credentials, at, *expiration};
  co_return credentials;
}

}  // namespace thaw
