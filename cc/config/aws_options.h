// The process's region, function and credentials in AWS, as Lambda's own variables give them.

#ifndef THAW_CC_CONFIG_AWS_OPTIONS_H_
#define THAW_CC_CONFIG_AWS_OPTIONS_H_

#include <string>

namespace thaw {

struct AwsOptions {
  std::string region;         // "eu-west-1"; empty: unknown
  std::string function_name;  // empty: unknown
  // The credentials of the function's role. After a restore from a snapshot they are empty, and the
  // container_credentials_url returns them.
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;
  std::string container_credentials_url;
  std::string container_authorization_token;
  // Uses only endpoints whose cryptography is validated under FIPS 140.
  bool fips = false;
};

}  // namespace thaw

#endif  // THAW_CC_CONFIG_AWS_OPTIONS_H_
