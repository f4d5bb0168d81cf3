// Sends requests over pooled, shared or fresh connections and retries them by failure class.
//
//   SendOptions send{.budget = absl::Seconds(2)};
//   SendResult result = co_await client.Send(request, send, cancellation);
//
// Layers, each in its own file and with its own counts:
//   Pool             decides which request gets which connection (pool.h)
//   HttpConnection   runs exchanges on one connection (http_connection.h)
//   Dialer           resolves, connects, negotiates with a proxy and TLS (dialer.h)
//   Send             makes attempts and waits between them by DecideRetry() (pooled_client.h)
// Send alone resends a request, by the verdicts of DecideRetry() (retry_policy.h); the layers below it report
// each failure once. A caller that sends again what Send has given up starts another Send, with
// SendOptions::possible_duplicate if the peer may have the request: the flusher in a later flush, or after it
// has halved a payload or renewed the key (cc/flush/pipeline_flusher.h). A caller with a retry loop of its
// own, such as the look-up of a key (cc/lambda/keys/configured_api_key.h), sets SendOptions::max_attempts to
// 1.
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
#include "cc/net/client_counts.h"
#include "cc/net/client_options.h"
#include "cc/net/exchange_failure.h"
#include "cc/net/exchange_times.h"
#include "cc/net/http_message.h"

namespace thaw {

struct SendOptions {
  // Limits the time for everything: attempts, delays, waits for a connection. Active time (see LateAlarm).
  absl::Duration budget = absl::InfiniteDuration();
  // Resends a request that a fresh connection may have delivered. Traces and logs allow this; stats and
  // metrics, which must not be counted twice, do not.
  bool retry_ambiguous = true;
  // The request was sent before, in an earlier flush, and may have been accepted then.
  bool possible_duplicate = false;
  // Replaces the client's max_attempts. Set it to 1 if the caller decides about retries itself.
  std::optional<int> max_attempts;
  // With retry_ambiguous: the maximum number of such resends.
  int ambiguous_resends = std::numeric_limits<int>::max();
  // Limits the sum of all waits after answers that refuse the request for now (408, 429, 5xx). A wait that
  // would exceed the limit is not begun; the refusal is then final for this call.
  absl::Duration most_delay = absl::InfiniteDuration();
  // Goes on within the budget, beyond max_attempts, while the peer can't be reached: it is expected to listen
  // soon.
  bool wait_for_listener = false;
  // The maximum number of resends, beyond max_attempts, after a connection that ended or was reset without an
  // answer. The peer may then have acted on the request more than once.
  int lost_resends = 0;
  // Draws each delay between tries from zero to its most (ClientOptions::backoff_base). Off, the delay is the
  // most: for a peer on this machine, which no other client shares.
  bool jitter = true;
};

// The outcome of one request.
struct SendResult {
  std::optional<HttpResponse> response;  // the last complete answer, with any status
  bool accepted = false;                 // a complete 2xx head came
  // The request was sent again, in this call or an earlier one, after the peer may have accepted it.
  bool possible_duplicate = false;
  // The request was not acknowledged but may have been accepted; a resend must be marked possible_duplicate.
  bool may_have_been_accepted = false;
  int attempts = 0;                       // tries that count against max_attempts
  int unsent_laps = 0;                    // uncounted tries: a reused connection died unused
  absl::Duration delayed;                 // spent waiting between tries
  absl::Duration elapsed;                 // from the call to the result, on the monotonic clock
  std::optional<ExchangeTimes> times;     // of the last try that was answered, with any status
  std::vector<ExchangeFailure> failures;  // each failed try, in order
  // The class of the last failure; unset if the request was accepted.
  std::optional<RetryClass> last_class;
};

// A connection pool and everything that it needs.
class Client {
 public:
  virtual ~Client() = default;

  // Sends one request and retries it within its budget. The result tells what happened; there is no other
  // error. Ends early, with class kCancelled, when `cancellation` is requested.
  virtual Task<SendResult> Send(HttpRequest request, SendOptions options, Cancellation& cancellation) = 0;

  // Tells the client that the environment was frozen and runs again (/next has returned, or SIGCONT came).
  // Acts on every connection and open exchange before anything else is sent: idle connections are treated by
  // OnResume; open exchanges are marked as crossed and get resume_grace.
  virtual void Resume() = 0;

  // Tells the client that the environment may freeze now. Counts the exchanges that are still open
  // (open_at_next), marks them as crossed and returns their number. Closes nothing.
  virtual int Quiesce() = 0;

  // Forgets resolved names and TLS sessions, which the clones of a snapshot (SnapStart) must not share; call
  // it after a restore. The next dial asks for the name again and makes a full handshake. Open connections
  // stay; Resume() treats those.
  virtual void Forget() = 0;

  // Closes idle connections; open exchanges end with kCancelled.
  virtual void Close() = 0;

  // The number of requests that have not ended and of connections that are being opened for them.
  virtual int open_exchanges() const = 0;
  // Returns true if no task of the client is left in the executor. After Close(), this means that the client
  // may be destroyed.
  virtual bool settled() const = 0;
  virtual int open_connections() const = 0;
  virtual int idle_connections() const = 0;
  // Returns the counts so far, which go on changing; a copy is a snapshot.
  virtual const ClientCounts& counts() const = 0;
  virtual const ClientOptions& options() const = 0;
};

}  // namespace thaw

#endif  // THAW_CC_NET_CLIENT_H_
