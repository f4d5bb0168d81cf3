// One request to Lambda's Runtime API: what the Extensions API and the Telemetry API have in common.
//
//   THAW_ASSIGN_OR_RETURN(const Destination destination, ParseRuntimeApiAddress("127.0.0.1:9001"));
//   std::unique_ptr<Client> client = … MakeClient(…, RuntimeApiClientOptions(), …);
//   RuntimeApi api(executor, clock, *client, destination);
//   absl::StatusOr<HttpResponse> answer = co_await api.Send({.method = "PUT", …}, cancellation);
//
// The client is one of its own, and nobody calls its Resume(): /next is open while the environment is frozen,
// and being frozen is no fault of it.
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
#include "cc/base/executor.h"
#include "cc/base/task.h"
#include "cc/clock/clock.h"
#include "cc/net/client.h"
#include "cc/net/client_options.h"
#include "cc/net/destination.h"
#include "cc/net/http_message.h"

namespace thaw {

// AWS_LAMBDA_RUNTIME_API: "host:port". InvalidArgument names it and what is wrong.
absl::StatusOr<Destination> ParseRuntimeApiAddress(std::string_view text);

// One connection that is kept, no proxy, no deadline of the client's own (each call has one, /next has none),
// and nothing is sent again but what no byte was sent of: the first may still be outstanding, and a second
// /next beside it is refused.
ClientOptions RuntimeApiClientOptions();

class RuntimeApi {
 public:
  struct Call {
    std::string method = "GET";
    std::string target;
    HttpHeaders headers;
    std::string body;                          // JSON; empty: none
    absl::Duration budget = absl::Seconds(1);  // for all of it
    bool wait_for_listener = false;            // try again, within the budget, while nobody listens there
    int ask_again = 0;                         // so often after connections that end without an answer
  };

  // All must outlive the calls.
  RuntimeApi(Executor& executor, Clock& clock, Client& client, Destination destination)
      : executor_(executor), clock_(clock), client_(client), destination_(std::move(destination)) {}

  // An answer of 2xx. Otherwise, with the call and the answer in its text:
  //   Cancelled or another reason   of the cancellation
  //   FailedPrecondition            refused (3xx, 4xx): with errorType and errorMessage
  //   Unavailable                   5xx, which says that the container can't go on; or no whole answer
  Task<absl::StatusOr<HttpResponse>> Send(Call call, Cancellation& cancellation);

  // "GET http://127.0.0.1:9001/…", as errors begin.
  std::string Name(const Call& call) const;

 private:
  Executor& executor_;
  Clock& clock_;
  Client& client_;
  const Destination destination_;
};

// As much of an answer as an error should show, on one line.
std::string Excerpt(std::string_view body);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_API_RUNTIME_API_H_
