// Makes the span of a cold start or of a restore, once its record, its duration and the trace of the first
// invocation are known, in whichever order they come.
//
//   EnvironmentStartSpan start;
//   start.OnStart(/*is_restore=*/false, time, duration);   // platform.initStart, platform.initReport
//   start.OnInvocationSpan(span);                          // the span that the start's stands beside
//   if (std::optional<OwnedSpan> made = start.Take(random)) Send(*made);
//
// A tracer's load span may come before the first invocation has ended; it gives the start its trace, and
// needs the id of the start's span at once.
//
// One thread. Ids are drawn only when a trace is known, so that clones of a snapshot don't share them.

#ifndef THAW_CC_LAMBDA_INVOCATION_ENVIRONMENT_START_H_
#define THAW_CC_LAMBDA_INVOCATION_ENVIRONMENT_START_H_

#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "cc/lambda/invocation/invocation_span.h"
#include "cc/trace/owned_span.h"

namespace thaw {

class EnvironmentStartSpan {
 public:
  // Takes the start or restore of the environment with all that is known by now; its duration may follow
  // later. The latest of each kind counts, and a restore more than a start.
  void OnStart(bool is_restore, absl::Time start, std::optional<absl::Duration> duration);
  // Takes an invocation's span that has a trace; only the first after a start counts.
  void OnInvocationSpan(const OwnedSpan& span);
  // Takes the trace of a tracer's load span. Returns the id of the start's span, which is the load span's
  // parent; 0 if no start is waiting for its trace.
  uint64_t OnLoadSpan(uint64_t trace_id, const InvocationSpanOptions& options, RandomId& random);

  // Returns the span if all that it needs is known; each start's span is returned once.
  std::optional<OwnedSpan> Take(RandomId& random);

 private:
  // The start whose span is not made yet, and the time of the latest whose span is.
  std::optional<EnvironmentStart> start_;
  bool has_duration_ = false;
  absl::Time made_ = absl::InfinitePast();
  bool is_made_ = false;  // and no later start came
  // The invocation's span beside which the start's stands. May be known before the start.
  std::optional<OwnedSpan> first_span_;
  uint64_t span_id_ = 0;  // given to a tracer already; 0: not yet
};

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_ENVIRONMENT_START_H_
