// The credentials of the function's role: from its environment or, if the environment was restored from a
// snapshot and has none, from Lambda's own endpoint.
//
//   AwsCredentialsSource credentials(clock, client, config.aws);
//   absl::StatusOr<AwsCredentials> mine = co_await credentials.Get(cancellation);
//
// One thread: the executor's.

#ifndef THAW_CC_LAMBDA_KEYS_AWS_CREDENTIALS_H_
#define THAW_CC_LAMBDA_KEYS_AWS_CREDENTIALS_H_

#include <boost/json/value.hpp>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/base/task.h"
#include "cc/clock/clock.h"
#include "cc/config/aws_options.h"
#include "cc/lambda/keys/aws_sigv4.h"
#include "cc/net/client.h"

namespace thaw {

class AwsCredentialsSource {
 public:
  // Credentials that expire sooner than this are asked for again.
  static constexpr absl::Duration kLeastLeft = absl::Minutes(5);

  // `clock` and `client` must outlive the calls. The client must not use a proxy: the endpoint is on this
  // machine.
  AwsCredentialsSource(const Clock& clock, Client& client, AwsOptions aws)
      : clock_(clock), client_(client), aws_(std::move(aws)) {}
  AwsCredentialsSource(const AwsCredentialsSource&) = delete;
  AwsCredentialsSource& operator=(const AwsCredentialsSource&) = delete;

  // Returns FailedPrecondition, with the missing variables, if there are none; else errors of SendForJson().
  Task<absl::StatusOr<AwsCredentials>> Get(Cancellation& cancellation);

  // Forgets the endpoint's credentials, which proved useless: the next call asks again.
  void Forget() { given_.reset(); }

 private:
  struct Given {
    AwsCredentials credentials;
    ClockReading at;
    absl::Time expiration;  // by AWS's clock
  };

  static absl::StatusOr<AwsCredentials> Parse(const boost::json::value& answer,
                                              std::optional<absl::Time>& expiration);
  bool IsFresh(const Given& given) const;

  const Clock& clock_;
  Client& client_;
  const AwsOptions aws_;
  std::optional<Given> given_;  // from the endpoint
};

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_KEYS_AWS_CREDENTIALS_H_
