// Decides whether a request is sent again after a failed try, when, and on which connection. Pure: the
// verdict follows from the failure, the rules, the record of earlier tries and `random`.
//
//   RetryState state;
//   RetryVerdict verdict = DecideRetry(rules, failure, random, state);   // after each failed try
//   if (!verdict.again) return;                                          // the result stands
//   WaitAndTryAgain(verdict.delay, verdict.fresh);   // `fresh`: on a connection that was never used
//
// A request is sent again, by class of its failure (ClassOf(), exchange_failure.h):
//   kUnsent          at once, without being counted, as often as rules.free_unsent; then with a delay
//   kIncomplete      at once, once, on a fresh connection
//   kStale           the same
//   kUnreachable     when the destination may be dialled again; at once, once, if a freeze broke the dial
//   kAmbiguous       with a delay, if rules.retry_ambiguous, rules.ambiguous_resends times at most
//   kRefusedForNow   after Retry-After or a delay, unless all delays together exceed rules.most_delay
//   kMisconfigured, kRefusedForGood, kCancelled   never
// All but the first three also need an attempt that is left, or one that rules.wait_for_listener or
// rules.lost_resends grants.

#ifndef THAW_CC_NET_RETRY_POLICY_H_
#define THAW_CC_NET_RETRY_POLICY_H_

#include <limits>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "cc/net/client_options.h"
#include "cc/net/exchange_failure.h"

namespace thaw {

// Limits on the tries of one request, from ClientOptions and SendOptions, which explain the fields.
struct RetryRules {
  ResendRule resend_rule = ResendRule::kFailureClass;
  int max_attempts = 3;
  absl::Duration backoff_base = absl::Milliseconds(100);
  absl::Duration backoff_cap = absl::Seconds(2);
  bool retry_ambiguous = true;
  int ambiguous_resends = std::numeric_limits<int>::max();
  absl::Duration most_delay = absl::InfiniteDuration();
  bool wait_for_listener = false;
  int lost_resends = 0;
  bool jitter = true;
  // Each connection that is open when the request comes can fail it once before a byte is sent, and one more
  // is fresh.
  int free_unsent = 1;
};

// The record of the tries of one request; DecideRetry() keeps it, but for `delayed`.
struct RetryState {
  int attempts = 0;    // tries that count against max_attempts
  int unsent = 0;      // tries on a reused connection that ended before a byte was sent; they do not count
  int ambiguous = 0;   // failures of class kAmbiguous
  int lost = 0;        // resends that rules.lost_resends granted
  bool stale = false;  // a failure of class kStale was resent
  bool incomplete = false;    // a failure of class kIncomplete was resent
  bool crossed_dial = false;  // a dial that a freeze broke was begun again at once
  // The peer may have acted on a try: the next one is a possible duplicate.
  bool may_have_been_accepted = false;
  absl::Duration delayed;  // the time spent waiting between tries; the caller adds to it
};

struct RetryVerdict {
  bool again = false;  // the request is sent again; else its result stands
  bool fresh = false;  // on a connection that has carried no request
  // The wait lasts until the client may dial the destination again, whatever `delay` says: requests to one
  // destination share that time.
  bool when_dialled_again = false;
  absl::Duration delay;
};

// Counts the failed try in `state` and returns what follows it. `random` gives the jitter, in [0, 1); it is
// called only for a delay.
RetryVerdict DecideRetry(const RetryRules& rules, const ExchangeFailure& failure,
                         absl::FunctionRef<double()> random, RetryState& state);

}  // namespace thaw

#endif  // THAW_CC_NET_RETRY_POLICY_H_
