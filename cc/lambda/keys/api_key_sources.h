// The API key sources that a configuration names, over their clients.
//
//   std::unique_ptr<Client> aws_client = … MakeClient(…, AwsClientOptions(config.client), …);
//   std::shared_ptr<ConfiguredApiKey> key =
//       MakeConfiguredApiKey(executor, clock, *aws_client, *intake_client, config);
//
// The order in which they count: the literal key, delegated authentication, KMS, Secrets Manager, Parameter
// Store. Of several an operator sets one on purpose and the others as what to fall back on; the literal one
// comes first because it costs nothing, and what the intake refuses gives way to the next.

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

// For a client that asks AWS and Lambda's endpoint on this machine: as `of_config`, but without its proxy,
// which is for what goes to the intake; nothing is kept idle, and a secret is kept whole.
ClientOptions AwsClientOptions(const ClientOptions& of_config);

// All but `config` must outlive the key and its look-ups. `intake_client` goes where delegated authentication
// asks, so through the proxy if there is one. `random`: see ConfiguredApiKeyOptions.
std::shared_ptr<ConfiguredApiKey> MakeConfiguredApiKey(Executor& executor, Clock& clock, Client& aws_client,
                                                       Client& intake_client, const Config& config,
                                                       std::function<double()> random = nullptr);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_KEYS_API_KEY_SOURCES_H_
