// Reads an API key kept in AWS: encrypted by KMS, in Secrets Manager, or in Systems Manager's Parameter
// Store.
//
//   ApiKeySecrets secrets(clock, client, credentials, config.aws);
//   absl::StatusOr<std::string> key = co_await secrets.SecretValue("arn:aws:secretsmanager:…", cancellation);
//
// One thread: the executor's.

#ifndef THAW_CC_LAMBDA_KEYS_API_KEY_SECRETS_H_
#define THAW_CC_LAMBDA_KEYS_API_KEY_SECRETS_H_

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "cc/base/cancellation.h"
#include "cc/base/task.h"
#include "cc/clock/clock.h"
#include "cc/config/aws_options.h"
#include "cc/lambda/keys/aws_credentials.h"
#include "cc/net/client.h"

namespace thaw {

// Each look-up returns the key in the stored text, or an error that shows nothing of it: InvalidArgument (the
// region is unknown, or an ARN is malformed), those of AwsCredentialsSource::Get() and SendForJson(), or
// Internal (an answer without the stored text, or a text that is no key). All arguments of the constructor
// must outlive the calls.
//
// The text may be the key, with white space or quotation marks around it; a JSON string; a list, in JSON or
// with commas, whose only item it is, or whose items are all the same; or a JSON object, as Secrets Manager's
// console makes it: the key is its member dd_api_key, else apiKey, else one whose name differs from these in
// its case, its '_' or '-', or a prefix "datadog".
class ApiKeySecrets {
 public:
  ApiKeySecrets(const Clock& clock, Client& client, AwsCredentialsSource& credentials, AwsOptions aws)
      : clock_(clock), client_(client), credentials_(credentials), aws_(std::move(aws)) {}
  ApiKeySecrets(const ApiKeySecrets&) = delete;
  ApiKeySecrets& operator=(const ApiKeySecrets&) = delete;

  // Decrypts a KMS ciphertext in base64: without an encryption context and, if KMS refuses that, in the
  // context of this function, which Lambda's console encrypts with.
  Task<absl::StatusOr<std::string>> Decrypt(std::string ciphertext, Cancellation& cancellation);

  // Looks up a secret, by ARN or name.
  Task<absl::StatusOr<std::string>> SecretValue(std::string arn, Cancellation& cancellation);

  // Looks up a parameter, by ARN or name.
  Task<absl::StatusOr<std::string>> Parameter(std::string arn, Cancellation& cancellation);

 private:
  struct Call {
    std::string_view service;    // "kms"
    std::string_view operation;  // "TrentService.Decrypt"
    std::string region;
    boost::json::object arguments;
  };

  // Returns the region that an ARN names; this function's own for a plain name, or an ARN without a region.
  absl::StatusOr<std::string> RegionOf(std::string_view arn) const;
  absl::StatusOr<std::string> OwnRegion() const;
  Task<absl::StatusOr<boost::json::value>> Ask(Call call, Cancellation& cancellation);

  const Clock& clock_;
  Client& client_;
  AwsCredentialsSource& credentials_;
  const AwsOptions aws_;
};

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_KEYS_API_KEY_SECRETS_H_
