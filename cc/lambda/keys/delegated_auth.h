// Delegated authentication: Datadog hands out an API key to a role that an organization trusts. The role
// proves its identity with a signed request to AWS that names its sender; Datadog sends that request in its
// place.
//
//   DelegatedAuth auth(clock, client, credentials, {.region = "eu-west-1", .org_uuid = org});
//   absl::StatusOr<std::string> key = co_await auth.IntakeKey(cancellation);
//
// One thread: the executor's.

#ifndef THAW_CC_LAMBDA_KEYS_DELEGATED_AUTH_H_
#define THAW_CC_LAMBDA_KEYS_DELEGATED_AUTH_H_

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/base/task.h"
#include "cc/clock/clock.h"
#include "cc/lambda/keys/aws_credentials.h"
#include "cc/lambda/keys/aws_sigv4.h"
#include "cc/net/client.h"

namespace thaw {

struct DelegatedAuthOptions {
  std::string region;    // the STS endpoint's
  std::string site;      // "datadoghq.com"
  std::string org_uuid;  // the organization
};

// Returns BODY|HEADERS|POST|URL of a signed GetCallerIdentity request, all but the method in base64. The
// proof is valid for the minutes that AWS accepts a signature, and only for this organization, whose id is
// signed.
std::string DelegatedProof(const AwsCredentials& credentials, std::string_view region,
                           std::string_view org_uuid, absl::Time now);

class DelegatedAuth {
 public:
  // `clock`, `client` and `credentials` must outlive the calls. `client` should be configured as for the
  // intake.
  DelegatedAuth(const Clock& clock, Client& client, AwsCredentialsSource& credentials,
                DelegatedAuthOptions options)
      : clock_(clock), client_(client), credentials_(credentials), options_(std::move(options)) {}
  DelegatedAuth(const DelegatedAuth&) = delete;
  DelegatedAuth& operator=(const DelegatedAuth&) = delete;

  // Returns the key. Errors: InvalidArgument without a region; those of AwsCredentialsSource::Get() and
  // SendForJson(); Internal for an answer without a key.
  Task<absl::StatusOr<std::string>> IntakeKey(Cancellation& cancellation);

 private:
  const Clock& clock_;
  Client& client_;
  AwsCredentialsSource& credentials_;
  const DelegatedAuthOptions options_;
};

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_KEYS_DELEGATED_AUTH_H_
