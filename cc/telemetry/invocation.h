// One invocation: the events and records that arrived for it, by any channel, and the facts derived from
// them.
//
//   invocation.outcome()      kTimeout
//   invocation.duration()     3 s, from platform.runtimeDone or whichever record tells it
//
// A plain value. Facts are computed from all that arrived, so that the order of arrival doesn't matter.

#ifndef THAW_CC_TELEMETRY_INVOCATION_H_
#define THAW_CC_TELEMETRY_INVOCATION_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "cc/base/declare_enum.h"
#include "cc/telemetry/lambda_event.h"
#include "cc/telemetry/telemetry_records.h"

namespace thaw {

// X(enumerator, name, the outcome)
#define THAW_INVOCATION_OUTCOMES(X)                                   \
  X(kUnknown, unknown, "not ended, or ended without a known outcome") \
  X(kSuccess, success, "the handler succeeded")                       \
  X(kError, error, "the handler failed")                              \
  X(kFailure, failure, "the runtime failed")                          \
  X(kTimeout, timeout, "the invocation took too long")                \
  X(kOutOfMemory, out_of_memory, "killed for lack of memory")
THAW_DECLARE_ENUM(InvocationOutcome, kInvocationOutcomes, THAW_INVOCATION_OUTCOMES)

// Relates an invocation to the start of its environment.
enum class InvocationStart {
  kWarm,       // the environment has served an earlier one
  kCold,       // the first: the caller waited for the initialisation
  kProactive,  // the first, in an environment that had been initialised some time before
};

// A record with the platform's time for it.
template <typename Record>
struct Timed {
  absl::Time time;
  Record record;
};

struct Invocation {
  std::string request_id;

  // -- Arrived ----------------------------------------------------------------------------------------
  std::optional<Timed<InvokeEvent>> invoke;  // at the time when /next returned
  std::optional<Timed<PlatformStart>> start;
  std::optional<Timed<PlatformRuntimeDone>> runtime_done;
  std::optional<Timed<PlatformReport>> report;
  // Time at which this extension was done with the invocation and called /next.
  std::optional<absl::Time> next_called;
  // The outcome concluded from later events, and when it was concluded; only if no record tells it.
  std::optional<Timed<InvocationOutcome>> concluded;
  // Time of SHUTDOWN, if the end was concluded from it.
  std::optional<absl::Time> shut_down;
  InvocationStart started_as = InvocationStart::kWarm;  // decided at its INVOKE

  // -- Derived ----------------------------------------------------------------------------------------
  bool ended() const { return runtime_done.has_value() || report.has_value() || concluded.has_value(); }
  InvocationOutcome outcome() const;
  // Returns whether a record says that the runtime died or ran out of time. Lambda then resets the environment:
  // SHUTDOWN follows at once, and its two seconds run already.
  bool ends_environment() const;
  // Returns for instance "Runtime.ExitError"; empty without an error.
  std::string_view error_type() const;
  // Returns the platform's time of the start, else when /next returned; nullopt before either.
  std::optional<absl::Time> start_time() const;
  // Returns how long the handler ran: from platform.runtimeDone; on managed instances, which lack that
  // record, from the span "responseLatency" of the report or else its duration; or else from the times of
  // start and runtimeDone.
  std::optional<absl::Duration> duration() const;
  // Returns the time from the start until SHUTDOWN ended the invocation, at most until its deadline, since
  // the environment may have been frozen in between. Returns nullopt if it ended otherwise.
  std::optional<absl::Duration> until_shutdown() const;
  // Returns how long /next was held back after the runtime was done; this time is billed.
  std::optional<absl::Duration> post_runtime() const;

  // Returns about how many bytes of memory it holds.
  size_t memory() const;
};

}  // namespace thaw

#endif  // THAW_CC_TELEMETRY_INVOCATION_H_
