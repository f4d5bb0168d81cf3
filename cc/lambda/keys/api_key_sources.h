// Makes the API key sources that a configuration names, on top of their clients.
//
//   const ClientOptions options = AwsClientOptions(config.client);   // what `aws_client` is made with
//   std::shared_ptr<ConfiguredApiKey> key =
//       MakeConfiguredApiKey(executor, clock, *aws_client, *intake_client, config);
//
// The sources are used in this order: the literal key, delegated authentication, KMS, Secrets Manager,
// Parameter Store. An operator who sets several means the later ones as fallbacks; the literal key comes
// first because it costs nothing, and a key that the intake refuses gives way to the next source.

#ifndef THAW_CC_LAMBDA_KEYS_API_KEY_SOURCES_H_
#define THAW_CC_LAMBDA_KEYS_API_KEY_SOURCES_H_

#include <functional>
#include <memory>

#include "cc/base/executor.h"
#include "cc/clock/clock.h"
#include "cc/config/config.h"
#include "cc/lambda/keys/configured_api_key.h"
#include "cc/net/client.h"
#include "cc/net/client_options.h"

namespace thaw {

// Returns the options of the client for AWS and for Lambda's endpoint on this machine: those of `of_config`
// without its proxy, which is only for the intake; no idle connections; and answers kept in full.
ClientOptions AwsClientOptions(const ClientOptions& of_config);

// All but `config` must outlive the key and its look-ups. Delegated authentication goes through
// `intake_client`, hence through the proxy if there is one. `random`: see ConfiguredApiKeyOptions.
std::shared_ptr<ConfiguredApiKey> MakeConfiguredApiKey(Executor& executor, Clock& clock, Client& aws_client,
                                                       Client& intake_client, const Config& config,
                                                       std::function<double()> random = nullptr);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_KEYS_API_KEY_SOURCES_H_
