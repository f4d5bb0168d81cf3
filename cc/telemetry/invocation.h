// One invocation: what came of it so far, by any channel and in any order, and what follows from it.
//
//   invocation.outcome()      kTimeout
//   invocation.duration()     3 s, of platform.runtimeDone, or of what else tells it
//
// A plain value; what follows is computed from what came, so that the order in which it came doesn't matter.

#ifndef THAW_CC_TELEMETRY_INVOCATION_H_
#define THAW_CC_TELEMETRY_INVOCATION_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "cc/telemetry/lambda_event.h"
#include "cc/telemetry/telemetry_records.h"

namespace thaw {

enum class InvocationOutcome {
  kUnknown,      // it has not ended, or nobody said how
  kSuccess,      //
  kError,        // the handler failed
  kFailure,      // the runtime did
  kTimeout,      //
  kOutOfMemory,  // killed for it
};
std::string_view ToString(InvocationOutcome outcome);

// Whether an invocation is the one that the environment was started for.
enum class InvocationStart {
  kWarm,       // an earlier one was served by this environment
  kCold,       // the first: the caller waited for the initialisation
  kProactive,  // the first, of an environment that had been initialised some time before
};

// A record, and the time that the platform gave it.
template <typename Record>
struct Timed {
  absl::Time time;
  Record record;
};

struct Invocation {
  std::string request_id;

  // -- What came --------------------------------------------------------------------------------------
  std::optional<Timed<InvokeEvent>> invoke;  // at the time when /next returned
  std::optional<Timed<PlatformStart>> start;
  std::optional<Timed<PlatformRuntimeDone>> runtime_done;
  std::optional<Timed<PlatformReport>> report;
  // When this extension had done with it and called /next.
  std::optional<absl::Time> next_called;
  // When it was concluded from later events that it must have ended, and how it then ended. Only where no
  // record says so.
  std::optional<Timed<InvocationOutcome>> concluded;
  // When SHUTDOWN came, from which it was concluded. Nothing if it was from anything else.
  std::optional<absl::Time> shut_down;
  InvocationStart started_as = InvocationStart::kWarm;  // decided at its INVOKE

  // -- What follows -----------------------------------------------------------------------------------
  bool ended() const { return runtime_done.has_value() || report.has_value() || concluded.has_value(); }
  InvocationOutcome outcome() const;
  // "Runtime.ExitError"; empty if there is none.
  std::string_view error_type() const;
  // By the platform's clock where it said so, or when /next returned; nothing before either.
  std::optional<absl::Time> start_time() const;
  // Of the handler: by platform.runtimeDone; on managed instances, which have none, by the span
  // "responseLatency" of the report or else by its duration; or else by the times of start and runtimeDone.
  std::optional<absl::Duration> duration() const;
  // From its start until SHUTDOWN ended it, and no longer than until its deadline, since the environment may
  // have been frozen in between. Nothing if it ended otherwise.
  std::optional<absl::Duration> until_shutdown() const;
  // How long /next was held back after the runtime was done, which is billed.
  std::optional<absl::Duration> post_runtime() const;

  // Bytes of memory held, about.
  size_t memory() const;
};

}  // namespace thaw

#endif  // THAW_CC_TELEMETRY_INVOCATION_H_
