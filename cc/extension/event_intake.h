// Takes the events and service checks of DogStatsD clients, adds the function's tags, and hands each to the pipeline
// of its kind.
//
//   EventIntake events(facts, clock, pipelines);
//   events.Add(event);   // a StatsdEvent, or a ServiceCheck
//
// One thread: the executor's.

#ifndef THAW_CC_EXTENSION_EVENT_INTAKE_H_
#define THAW_CC_EXTENSION_EVENT_INTAKE_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "cc/base/declare_counts.h"
#include "cc/clock/clock.h"
#include "cc/extension/pipelines.h"
#include "cc/lambda/invocation/function_tags.h"
#include "cc/metrics/statsd_event.h"
#include "cc/metrics/statsd_item.h"

namespace thaw {

// X(name, what it counts)
#define THAW_EVENT_INTAKE_COUNTS(X)                         \
  X(events, "events that were handed over")                 \
  X(service_checks, "service checks that were handed over") \
  X(turned_away, "events and checks for which there was no room")

struct EventIntakeCounts {
  THAW_DECLARE_COUNTS(THAW_EVENT_INTAKE_COUNTS)
};

class EventIntake {
 public:
  // `clock` and `pipelines` must outlive the intake.
  EventIntake(const FunctionFacts& facts, Clock& clock, Pipelines& pipelines);
  EventIntake(const EventIntake&) = delete;
  EventIntake& operator=(const EventIntake&) = delete;

  // Events and checks that could not be delivered may fill a part of the memory; further ones are turned away, since
  // adding them would evict data of other kinds.
  void Add(const StatsdEvent& event);
  void Add(const ServiceCheck& check);

  const EventIntakeCounts& counts() const { return counts_; }

 private:
  // Makes an item of at least `bytes` and hands it over. Returns whether the flusher took it; where there is no room
  // for it, it isn't made.
  template <typename Flusher, typename MakeItem>
  bool HandOver(Flusher& flusher, size_t bytes, MakeItem make_item);
  // Returns whether there is room for `bytes` beside those that are kept of the kind.
  absl::Status RoomFor(size_t kept, size_t bytes) const;
  // Counts an item that is turned away, and says so the first time.
  void TurnAway(const absl::Status& why);

  Clock& clock_;
  Pipelines& pipelines_;
  const std::string function_tags_;  // as EncodeStatsdTags returns them
  EventIntakeCounts counts_;
};

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_EVENT_INTAKE_H_
