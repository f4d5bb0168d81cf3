#include "cc/lambda/keys/api_key_sources.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/lambda/keys/api_key_secrets.h"
#include "cc/lambda/keys/aws_credentials.h"
#include "cc/lambda/keys/delegated_auth.h"
#include "cc/lambda/keys/json_exchange.h"

namespace thaw {
namespace {

// Shared by the sources, which own it.
struct Aws {
  Aws(Clock& clock, Client& aws_client, Client& intake_client, const Config& config)
      : credentials(clock, aws_client, config.aws),
        secrets(clock, aws_client, credentials, config.aws),
        delegated(
            clock, intake_client, credentials,
            {.region = config.aws.region, .site = config.site, .org_uuid = config.api_key_sources.org_uuid}) {
  }
  AwsCredentialsSource credentials;
  ApiKeySecrets secrets;
  DelegatedAuth delegated;
};

}  // namespace

ClientOptions AwsClientOptions(const ClientOptions& of_config) {
  ClientOptions options = of_config;
  options.proxy_url.clear();
  options.no_proxy.clear();
  options.max_idle_per_host = 0;
  // One byte more shows that an answer is too long.
  options.max_response_body_kept_bytes = kMaxJsonAnswerBytes + 1;
  return options;
}

std::shared_ptr<ConfiguredApiKey> MakeConfiguredApiKey(Executor& executor, Clock& clock, Client& aws_client,
                                                       Client& intake_client, const Config& config,
                                                       std::function<double()> random) {
  const auto aws = std::make_shared<Aws>(clock, aws_client, intake_client, config);
  const ApiKeyOptions& given = config.api_key_sources;
  std::vector<ConfiguredApiKey::Source> sources;
  if (!given.org_uuid.empty()) {
    sources.push_back({"delegated authentication",
                       [aws](Cancellation& cancellation) { return aws->delegated.IntakeKey(cancellation); }});
  }
  if (!given.kms_ciphertext.empty()) {
    sources.push_back({"KMS", [aws, ciphertext = given.kms_ciphertext](Cancellation& cancellation) {
                         return aws->secrets.Decrypt(ciphertext, cancellation);
                       }});
  }
  if (!given.secret_arn.empty()) {
    sources.push_back({"Secrets Manager", [aws, arn = given.secret_arn](Cancellation& cancellation) {
                         return aws->secrets.SecretValue(arn, cancellation);
                       }});
  }
  if (!given.parameter_arn.empty()) {
    sources.push_back({"Parameter Store", [aws, arn = given.parameter_arn](Cancellation& cancellation) {
                         return aws->secrets.Parameter(arn, cancellation);
                       }});
  }
  ConfiguredApiKeyOptions options;
  options.reload_interval = given.reload_interval;
  options.on_forget = [aws] { aws->credentials.Forget(); };
  options.random = std::move(random);
  return std::make_shared<ConfiguredApiKey>(executor, clock, config.api_key, std::move(sources),
                                            std::move(options));
}

}  // namespace thaw
