// Tracks one endpoint across flushes: whether it refuses, and what its refusals have cost.
//
//   EndpointState state(clock, outage, endpoint);
//   Breaker::Decision hold = state.refusals().Decide();           // may this flush send there?
//   ...
//   state.CountRefusals(group, active);
//   state.Conclude(group, known);                                 // when the flush's part has ended
//   state.TellOutOfReach(report);
//
// Conclusions about the whole destination are passed on to the OutageBudget. One thread.

#ifndef THAW_CC_FLUSH_ENDPOINT_STATE_H_
#define THAW_CC_FLUSH_ENDPOINT_STATE_H_

#include "absl/time/time.h"
#include "cc/clock/clock.h"
#include "cc/flush/destination_group.h"
#include "cc/flush/endpoint.h"
#include "cc/flush/flush_report.h"
#include "cc/flush/outage_budget.h"
#include "cc/flush/reach.h"
#include "cc/flush/refusal_hold.h"

namespace thaw {

class EndpointState {
 public:
  // The arguments must outlive the state.
  EndpointState(Clock& clock, OutageBudget& outage, const Endpoint& endpoint);

  RefusalHold& refusals() { return refusals_; }
  const RefusalHold& refusals() const { return refusals_; }

  // Counts the time that refusals have cost a flush against the outage budget, or gives back a part of it
  // after a flush without refusals. `active` is how long the flush's part for this endpoint ran.
  void CountRefusals(const DestinationGroup& group, absl::Duration active);
  // Records a group's results for later flushes and for the log. `known`: the group tells anything about the
  // destination (DestinationGroup::IsKnown).
  void Conclude(const DestinationGroup& group, bool known);
  // Adds a line to the report if the destination is out of reach, and one if the endpoint refuses everything.
  void TellOutOfReach(FlushReport& report) const;

 private:
  Clock& clock_;
  OutageBudget& outage_;
  const Endpoint& endpoint_;
  RefusalHold refusals_;
  Reach accepts_;        // lost while the endpoint refuses everything
  absl::Duration owed_;  // time that its refusals have cost and that was not given back yet
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_ENDPOINT_STATE_H_
