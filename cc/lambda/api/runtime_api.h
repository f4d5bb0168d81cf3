// Sends one request to Lambda's Runtime API; the Extensions API and the Telemetry API use it.
//
//   THAW_CO_ASSIGN_OR_RETURN(const Destination destination, ParseRuntimeApiAddress("127.0.0.1:9001"));
//   RuntimeApi api(client, destination);   // the client has RuntimeApiClientOptions()
//   RuntimeApi::Call call{.method = "PUT", .target = "/2022-07-01/telemetry", .body = subscription};
//   absl::StatusOr<HttpResponse> answer = co_await api.Send(std::move(call), cancellation);
//
// Give it a client of its own, and never call that client's Resume(): /next stays open while the environment
// is frozen, and the freeze does its connection no harm.
//
// One thread: the executor's.

#ifndef THAW_CC_LAMBDA_API_RUNTIME_API_H_
#define THAW_CC_LAMBDA_API_RUNTIME_API_H_

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/base/task.h"
#include "cc/net/client.h"
#include "cc/net/client_options.h"
#include "cc/net/destination.h"
#include "cc/net/http_message.h"

namespace thaw {

// Parses AWS_LAMBDA_RUNTIME_API, "host:port". InvalidArgument names the text and what is wrong with it.
absl::StatusOr<Destination> ParseRuntimeApiAddress(std::string_view text);

// Keeps one connection, uses no proxy and no deadline of the client's own (each call has one, /next has
// none), and resends only requests of which no byte was sent: the first may still be outstanding, and Lambda
// refuses a second /next beside it. A Call may ask for more; the client makes its retries too, after 5 ms,
// doubled up to 100 ms (retry_policy.h).
ClientOptions RuntimeApiClientOptions();

class RuntimeApi {
 public:
  struct Call {
    std::string method = "GET";
    std::string target;
    HttpHeaders headers;
    std::string body;                          // JSON; empty: none
    absl::Duration budget = absl::Seconds(1);  // for the whole call
    bool wait_for_listener = false;            // retried, within the budget, while nobody listens there
    int ask_again = 0;                         // retries after connections that end without an answer
    // Time limit for the rest of the answer's body once its head has come. A body that takes longer counts
    // as cut; the answer is then its head. Without a limit /next would wait for the rest forever.
    absl::Duration body_timeout = absl::Seconds(1);
  };

  // `client` must outlive the calls.
  RuntimeApi(Client& client, Destination destination)
      : client_(client), destination_(std::move(destination)) {}

  // Returns an answer of 2xx. An error's text has the call and the answer:
  //   Cancelled or another reason   the cancellation's
  //   FailedPrecondition            refused (3xx, 4xx): with errorType and errorMessage
  //   Unavailable                   5xx, which says that the container can't go on; or no complete answer
  Task<absl::StatusOr<HttpResponse>> Send(Call call, Cancellation& cancellation);

  // Returns "GET http://127.0.0.1:9001/…", the beginning of errors.
  std::string Name(const Call& call) const;

 private:
  Client& client_;
  const Destination destination_;
};

// Returns the part of an answer that an error should show, on one line.
std::string Excerpt(std::string_view body);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_API_RUNTIME_API_H_
