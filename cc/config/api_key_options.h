// Sources of the primary endpoint's API key besides DD_API_KEY. An empty text turns a source off.

#ifndef THAW_CC_CONFIG_API_KEY_OPTIONS_H_
#define THAW_CC_CONFIG_API_KEY_OPTIONS_H_

#include <string>

#include "absl/time/time.h"

namespace thaw {

struct ApiKeyOptions {
  std::string org_uuid;        // organization that trusts this function's role (delegated authentication)
  std::string kms_ciphertext;  // the key encrypted by KMS, in base64
  std::string secret_arn;      // a secret in Secrets Manager
  std::string parameter_arn;   // a parameter in the Parameter Store of Systems Manager
  // A key older than this is looked up again when it is used.
  absl::Duration reload_interval = absl::InfiniteDuration();
};

}  // namespace thaw

#endif  // THAW_CC_CONFIG_API_KEY_OPTIONS_H_
