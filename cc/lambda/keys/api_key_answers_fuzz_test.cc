// Any answers of AWS, Lambda's credentials endpoint and the intake give a key that a header can carry, or an
// error that says what is wrong.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "cc/base/manual_executor.h"
#include "cc/clock/fake_clock.h"
#include "cc/flush/fake_client.h"
#include "cc/lambda/keys/api_key_sources.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

// Looks a key up with every source, all of which get the same answer.
void Try(const thaw::Config& config, int status, const std::string& body) {
  thaw::ManualExecutor executor;
  thaw::FakeClock clock(executor);
  thaw::FakeClient client(executor, clock);
  client.set_otherwise([status, &body](const thaw::FakeClient::Sent&) {
    thaw::SendResult result = thaw::Answered(status);
    result.response->body = body;
    return thaw::FakeClient::Scripted{.result = std::move(result)};
  });
  const std::shared_ptr<thaw::ConfiguredApiKey> key =
      thaw::MakeConfiguredApiKey(executor, clock, client, client, config);
  std::optional<bool> found;
  absl::AnyInvocable<void(bool)> done = [&found](bool got) { found = got; };
  thaw::Spawn<bool>(executor, key->Refresh(), std::move(done));
  do {
    executor.RunAll();
    clock.Advance(clock.UntilNextAlarm().value_or(absl::ZeroDuration()));
  } while (!executor.idle());
  Check(found.has_value());
  const std::string current = key->Current();
  Check(*found == !current.empty() && *found == key->failure().ok());
  Check(std::all_of(current.begin(), current.end(),
                    [](char c) { return absl::ascii_isgraph(static_cast<unsigned char>(c)); }));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  thaw::Config config;
  config.aws.region = "eu-west-1";
  config.aws.container_credentials_url = "http://127.0.0.1:9001/credentials";
  config.aws.container_authorization_token = "token";
  config.api_key_sources = {
      .org_uuid = "org", .kms_ciphertext = "Y2lwaGVy", .secret_arn = "dd", .parameter_arn = input};
  Try(config, 200, input);
  Try(config, 200, absl::StrCat(R"({"AccessKeyId":"a","SecretAccessKey":"s","Expiration":)", input, "}"));

  config.aws.access_key_id = "id";
  config.aws.secret_access_key = "secret";
  config.api_key_sources.secret_arn = absl::StrCat("arn:aws:secretsmanager:", input);
  Try(config, 200, input);
  Try(config, 400, input);
  Try(config, 429, input);
  config.api_key_sources.secret_arn = "dd";
  Try(config, 200, absl::StrCat(R"({"SecretString":)", input, "}"));
  Try(config, 200, absl::StrCat(R"({"SecretBinary":")", absl::Base64Escape(input), "\"}"));
  Try(config, 200, absl::StrCat(R"({"Plaintext":")", absl::Base64Escape(input), "\"}"));
  return 0;
}
