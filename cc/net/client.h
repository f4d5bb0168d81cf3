// The client: sends requests, over pooled, shared or fresh connections, and retries by class.
//
//   THAW_ASSIGN_OR_RETURN(std::unique_ptr<Client> client, MakeClient(...));      // client_factory.h
//   SendOptions send{.budget = absl::Seconds(2)};
//   SendResult result = co_await client->Send(request, send, cancellation);
//
// Layers, each in its own file and each counted by itself:
//   Pool             who gets which connection (pool.h)
//   Http1Connection  one exchange at a time on one connection (http1_connection.h)
//   Dialer           resolve, connect, proxy, TLS (dialer.h)
//   Send             attempts and delays by ClassOf() (pooled_client.h)
// A retry inside a retry does not exist.
//
// One thread: the executor's.

#ifndef THAW_CC_NET_CLIENT_H_
#define THAW_CC_NET_CLIENT_H_

#include <limits>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/base/task.h"
#include "cc/net/client_options.h"
#include "cc/net/counters.h"
#include "cc/net/exchange_failure.h"
#include "cc/net/http_message.h"

namespace thaw {

struct SendOptions {
  // Time for everything: attempts, delays, waits for a connection. Active time (see LateAlarm).
  absl::Duration budget = absl::InfiniteDuration();
  // Resend what a fresh connection may have delivered. Traces and logs: yes; stats and metrics: no.
  bool retry_ambiguous = true;
  // This request was sent before (in an earlier flush) and may have been accepted then.
  bool possible_duplicate = false;
  // In place of the client's. 1 where the caller itself decides what is tried again.
  std::optional<int> max_attempts;
  // With retry_ambiguous: how often at most.
  int ambiguous_resends = std::numeric_limits<int>::max();
  // A wait after a refusal for now that would take the waits of this call past this is not begun.
  absl::Duration most_delay = absl::InfiniteDuration();
};

// What became of one request.
struct SendResult {
  std::optional<HttpResponse> response;  // the last complete answer, whatever its status
  bool accepted = false;                 // a complete 2xx head came
  // The request was sent again, now or before, after the peer may have taken it.
  bool possible_duplicate = false;
  // Not accepted, and the peer may have taken it all the same: sending it again needs the mark.
  bool may_have_been_accepted = false;
  int attempts = 0;                       // counted tries
  int unsent_laps = 0;                    // free ones: a reused connection died before a byte was given to it
  absl::Duration delayed;                 // in backoff
  std::vector<ExchangeFailure> failures;  // each failed try, in order
  // Of the last failure; nothing if accepted.
  std::optional<RetryClass> last_class;
};

// One connection pool and everything it needs.
class Client {
 public:
  virtual ~Client() = default;

  // Sends one request, retrying within its budget. Never fails as such: the result says what happened.
  // Ends early, with class kCancelled, when `cancellation` is requested.
  virtual Task<SendResult> Send(HttpRequest request, SendOptions options, Cancellation& cancellation) = 0;

  // The environment was frozen and goes on (a return from /next, a SIGCONT). Reaches every connection
  // and open exchange before anything else is sent: idle connections by OnResume; open exchanges are
  // marked crossed and get resume_grace.
  virtual void Resume() = 0;

  // The environment is about to be given up to a freeze: counts exchanges still open (open_at_next), marks
  // them crossed and returns their number. Closes nothing.
  virtual int Quiesce() = 0;

  // Closes idle connections; open exchanges end with kCancelled.
  virtual void Close() = 0;

  // Requests that have not ended, and connections being opened for them.
  virtual int open_exchanges() const = 0;
  // No task of the client is left in the executor: after Close(), the sign that it may be destroyed.
  virtual bool settled() const = 0;
  virtual int open_connections() const = 0;
  virtual int idle_connections() const = 0;
  virtual Counters counters() const = 0;
  virtual const ClientOptions& options() const = 0;
};

}  // namespace thaw

#endif  // THAW_CC_NET_CLIENT_H_
