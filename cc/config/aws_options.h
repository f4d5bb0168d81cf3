// Where in AWS the process runs and as whom: what Lambda's own variables say.

#ifndef THAW_CC_CONFIG_AWS_OPTIONS_H_
#define THAW_CC_CONFIG_AWS_OPTIONS_H_

#include <string>

namespace thaw {

struct AwsOptions {
  std::string region;         // "eu-west-1"; empty: not known
  std::string function_name;  // empty: not known
  // Of the function's role. Where it is restored from a snapshot they are empty, and the URL gives them.
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;
  std::string container_credentials_url;
  std::string container_authorization_token;
  // Only endpoints whose cryptography is validated under FIPS 140 are asked.
  bool fips = false;
};

}  // namespace thaw

#endif  // THAW_CC_CONFIG_AWS_OPTIONS_H_
