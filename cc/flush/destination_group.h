// Gathers what one flush learns of one endpoint from the requests that it sends there.
//
//   DestinationGroup group(&flush_cancellation, endpoint);
//   bool answered = group.OnResult(result);             // for each result of the client
//   group.cancellation.Request(reason);                 // ends this endpoint's part of the flush
//
// EndpointState (endpoint_state.h) draws the conclusions when the flush has ended. One thread.

#ifndef THAW_CC_FLUSH_DESTINATION_GROUP_H_
#define THAW_CC_FLUSH_DESTINATION_GROUP_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/net/client.h"

namespace thaw {

struct DestinationGroup {
  DestinationGroup(Cancellation* flush, size_t endpoint) : cancellation(flush), endpoint(endpoint) {}

  // Notes one result. Returns whether the destination answered other than by refusing the request for now.
  bool OnResult(const SendResult& result);
  // Returns whether the group, even without an answer, tells anything about the destination. `cut_short`: the
  // flush was ended before its deadline, by its caller.
  bool IsKnown(bool cut_short) const { return stalled || (tried && !cut_short); }

  Cancellation cancellation;
  const size_t endpoint;
  bool tried = false;     // a request was given to a connection, or to the attempt to get one
  bool answered = false;  // with any status
  bool accepted = false;  // a request was accepted
  bool refused = false;   // a request was refused for now
  bool denied = false;    // permission was missing
  bool stalled = false;   // the group was ended because it made no progress for too long
  int key_look_ups = 0;   // lookups that are waited for
  std::optional<absl::Duration> retry_after;  // the longest, of requests that stayed refused
  absl::Duration delayed;                     // after refusals, the longest of a request
  // Limits the waits of a request after refusals.
  absl::Duration most_delay = absl::InfiniteDuration();
  std::string why;  // the last failure
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_DESTINATION_GROUP_H_
