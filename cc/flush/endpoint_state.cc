#include "cc/flush/endpoint_state.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace thaw {
namespace {

// The time that a flush without refusals gives back of what refusals have cost.
constexpr absl::Duration kGivenBack = absl::Milliseconds(10);

}  // namespace

EndpointState::EndpointState(Clock& clock, OutageBudget& outage, const Endpoint& endpoint)
    : clock_(clock),
      outage_(outage),
      endpoint_(endpoint),
      refusals_(clock, outage.options().breaker),
      accepts_(endpoint.ToString(), "refuses all data", outage.mutable_counts()) {}

void EndpointState::CountRefusals(const DestinationGroup& group, absl::Duration active) {
  if (group.refused) {
    const absl::Duration cost = group.accepted ? group.delayed : active;
    outage_.OnRefusals(cost);
    owed_ += cost;
  } else if (group.accepted && owed_ > absl::ZeroDuration()) {
    const absl::Duration given_back = std::min(kGivenBack, owed_);
    outage_.OnNoRefusal(given_back);
    owed_ -= given_back;
  }
}

void EndpointState::Conclude(const DestinationGroup& group, bool known) {
  const Destination& destination = endpoint_.destination;
  if (group.accepted) {
    refusals_.OnAccepted(group.retry_after);
    accepts_.Found(clock_.Now());
  } else if (group.refused || group.denied) {
    // A stall says that the destination can't be reached, too.
    if (group.answered && !group.stalled) {
      outage_.OnRefused(destination, group.why, accepts_);
    } else {
      accepts_.Lost(group.why, clock_.Now());
    }
  }
  if (group.refused && !group.accepted) {
    ++outage_.mutable_counts().refused_flushes;
    refusals_.OnRefused(group.retry_after);
  }
  if (group.answered && !group.stalled) {
    outage_.OnInReach(destination);
  } else if (known && (!group.answered || outage_.breaker_open(destination))) {
    outage_.OnOutOfReach(destination, group.why, accepts_);
  }
}

void EndpointState::TellOutOfReach(FlushReport& report) const {
  std::vector<std::string>& told = report.out_of_reach;
  const auto tell = [&told](const Reach& reach) {
    std::string line = reach.ToString();
    if (std::find(told.begin(), told.end(), line) == told.end()) told.push_back(std::move(line));
  };
  if (const Reach* const lost = outage_.Lost(endpoint_.destination)) tell(*lost);
  if (accepts_.lost()) tell(accepts_);
}

}  // namespace thaw
