// Invariants of every history, each with a named check.
//
//   Scene scene;
//   for (const InvariantCheck& check : kInvariantChecks) {
//     if (check.when == CheckedWhen::kAtEnd) Report(check.invariant, check.Check(scene));
//   }
//
// A check reads a Scene, which the history fills with what was seen from outside: payloads at the intake,
// connections at the network, reports of the flusher. The bounds are those of `rules`, which are normally the
// client's own options; a client that is held to other rules than its own shows that a check can fail.

#ifndef THAW_CC_SIM_INVARIANTS_H_
#define THAW_CC_SIM_INVARIANTS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cc/base/declare_enum.h"
#include "cc/flush/drop_reason.h"
#include "cc/net/client_options.h"

namespace thaw {

// X(enumerator, name, what must hold)
#define THAW_INVARIANTS(X)                                                                                   \
  X(kNothingLost, "loss",                                                                                    \
    "a payload is at the intake after SHUTDOWN, or dropped for a reason that allows it")                     \
  X(kDuplicatesFlagged, "flags", "a payload that was accepted twice is flagged possible_duplicate")          \
  X(kHonest, "honesty", "a payload that is reported delivered was accepted")                                 \
  X(kBooksBalance, "books", "handed over = delivered + dropped + kept, and each payload ends once")          \
  X(kNoReuseAcrossEpochs, "epochs", "no connection from before a resume is used, unless the rules allow it") \
  X(kNotReusedWhenOld, "age", "no connection that was idle for longer than idle_timeout is used")            \
  X(kSlots, "slots", "connections and dials are at most max_connections_per_host")                           \
  X(kIdleLimit, "idle", "idle connections are at most max_idle_per_host")                                    \
  X(kQuiet, "quiet", "no exchange and no dial is open once a flush has ended")                               \
  X(kWaitsEnd, "waits", "a flush ends by its deadline, frozen time aside")                                   \
  X(kFewTries, "tries", "a payload is sent to the intake a bounded number of times")

THAW_DECLARE_ENUM_WITH_TEXTS(Invariant, kAllInvariants, THAW_INVARIANTS)
// Returns what must hold.
std::string_view TextOf(Invariant invariant);

struct InvariantRules {
  ClientOptions client;
  absl::Duration flush_deadline;
  bool may_drop_ambiguous = false;  // of pipelines that must not send twice
  bool may_drop_refused = true;     // what the intake refused for good
  bool told = true;                 // the client is told of resumes
  int most_acceptances = 0;         // of one payload
};

// The state of a history as seen from outside.
struct Scene {
  struct Payload {
    bool ended = false;
    bool delivered = false;
    bool flagged = false;
    std::optional<DropReason> dropped;
    int accepted = 0;
  };
  // The use of a connection for one request.
  struct Use {
    bool first = false;           // its first request
    bool busy_at_resume = false;  // a request was open on it at a resume
    int since_resume = 0;         // requests since the last resume, this one included
    bool from_before = false;     // it was opened before the last resume
    // The time since the last answer. If the request begins at the very moment of a resume, that freeze does
    // not count, nor do freezes right before it, since the connection may have been handed out before them.
    absl::Duration idle_for;
  };

  InvariantRules rules;
  std::map<uint64_t, Payload> payloads;
  absl::Status ledger;      // the flusher's own account
  int64_t ended_twice = 0;  // payloads that ended more than once, or were never handed over
  int64_t handed_over = 0;  // by the history
  int64_t delivered = 0;    // by the flusher's count
  int64_t dropped = 0;
  int64_t kept = 0;
  Use use;              // the last one
  int connections = 0;  // open, or being dialled
  int idle = 0;
  int idle_after_resume = 0;  // idle connections that the last resume has left
  int open_exchanges = 0;
  absl::Duration flush_took;  // the last flush, without frozen time
};

enum class CheckedWhen {
  kAfterStep,
  kAtResume,   // the client was told
  kAtRequest,  // a request begins on a connection
  kAfterFlush,
  kAtEnd,  // after SHUTDOWN
};

struct InvariantCheck {
  Invariant invariant;
  CheckedWhen when;
  // Returns what is wrong, or an empty text.
  std::string (*Check)(const Scene& scene);
};
extern const InvariantCheck kInvariantChecks[13];

}  // namespace thaw

#endif  // THAW_CC_SIM_INVARIANTS_H_
