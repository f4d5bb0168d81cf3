// Tracks the invocations and decides when each has ended: pairs the events of /next with the telemetry
// records, which come by two channels in any order.
//
//   InvocationTracker tracker(clock, {.telemetry = true}, observer);
//   tracker.OnInvoke(event);                    // /next returned
//   tracker.OnTelemetry(std::move(record));     // any record; those of no invocation are ignored
//   if (tracker.HasEnded(event.request_id)) ... // flush, then:
//   tracker.OnNext(event.request_id);           // /next is called again
//   tracker.OnShutdown(shutdown);
//   tracker.ConcludeAll();                      // the last invocation is over, too
//
// Everything is kept by request id; nothing is "the current" invocation, since managed instances run many at
// once. An invocation has ended when platform.runtimeDone says so, with metrics or without, or
// platform.report.
//
// Where such a record is missing, the end is concluded: Lambda sends another INVOKE, or SHUTDOWN, only when
// every party has called /next, so that the invocation before has ended by then. Without telemetry the next
// event concludes it at once. With telemetry the record, which mostly is on its way, may come until the
// INVOKE after next; if it comes later still, it replaces the conclusion.
//
// Lambda retries a failed asynchronous invocation under the same request id, often in the same environment: a
// second INVOKE or record of one kind begins another invocation, and a record goes to the oldest of its id
// that lacks one of its kind. A repeated record (delivery is retried too) is counted and ignored, also for a
// while after its invocation was forgotten.
//
// The store is bounded. Reported invocations are kept for a few further invocations, for late records. When
// the store is full all the same, the oldest ended one is forgotten first, then the oldest.
//
// One thread. The observer is called inside the call that causes it and must not call the tracker's On…().

#ifndef THAW_CC_LAMBDA_INVOCATION_INVOCATION_TRACKER_H_
#define THAW_CC_LAMBDA_INVOCATION_INVOCATION_TRACKER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "cc/base/declare_counts.h"
#include "cc/clock/clock.h"
#include "cc/telemetry/invocation.h"
#include "cc/telemetry/lambda_event.h"
#include "cc/telemetry/telemetry_records.h"

namespace thaw {

// The records of how the environment became ready, the latest of each type. It may be initialised twice, the
// second time within an invocation if the first took too long.
struct Initialization {
  std::optional<Timed<PlatformInitStart>> start;
  std::optional<Timed<PlatformInitRuntimeDone>> runtime_done;
  std::optional<Timed<PlatformInitReport>> report;
};
struct Restore {
  std::optional<Timed<PlatformRestoreStart>> start;
  std::optional<Timed<PlatformRestoreRuntimeDone>> runtime_done;
  std::optional<Timed<PlatformRestoreReport>> report;
};

class InvocationObserver {
 public:
  virtual ~InvocationObserver() = default;
  // Called for the first news of an invocation, by any channel.
  virtual void InvocationStarted(const Invocation& invocation) { static_cast<void>(invocation); }
  // Called once for each. A later record may still add facts: see InvocationReported, and outcome().
  virtual void InvocationEnded(const Invocation& invocation) { static_cast<void>(invocation); }
  // Called once for each, after InvocationEnded: platform.report came, with memory and billed duration.
  virtual void InvocationReported(const Invocation& invocation) { static_cast<void>(invocation); }
  // Called whenever a part of it comes.
  virtual void InitializationChanged(const Initialization& initialization) {
    static_cast<void>(initialization);
  }
  virtual void RestoreChanged(const Restore& restore) { static_cast<void>(restore); }
};

// X(name, what it counts)
#define THAW_INVOCATION_COUNTS(X)                                                         \
  X(started, "invocations heard of")                                                      \
  X(ended, "invocations that ended")                                                      \
  X(concluded, "of those, ones whose end was concluded from later events")                \
  X(reported, "invocations whose report came")                                            \
  X(retried, "invocations under a request id that an earlier one had")                    \
  X(duplicate_records, "records that had come before")                                    \
  X(late_records, "records of invocations that were forgotten")                           \
  X(forgotten_ended, "ended invocations forgotten before their report, for want of room") \
  X(forgotten_open, "invocations forgotten before their end, for want of room")

struct InvocationCounts {
  THAW_DECLARE_COUNTS(THAW_INVOCATION_COUNTS)
};

struct InvocationTrackerOptions {
  // Telemetry records come (TelemetrySupport::kSubscribed).
  bool telemetry = true;
  // Bounds of the store.
  size_t max_invocations = 500;
  size_t max_bytes = 512 * 1024;
  // The number of reported invocations kept for late records.
  size_t max_reported = 16;
  // The first invocation is proactive, not cold, if the environment had been ready for longer than this.
  absl::Duration proactive_after = absl::Seconds(10);
  // The environment has been ready since its restore (InitializationTraits).
  bool restored_from_snapshot = false;
};

class InvocationTracker {
 public:
  // The environment counts as ready from now on. `clock` and `observer` must outlive the tracker.
  InvocationTracker(Clock& clock, InvocationTrackerOptions options, InvocationObserver& observer);
  InvocationTracker(const InvocationTracker&) = delete;
  InvocationTracker& operator=(const InvocationTracker&) = delete;

  // /next returned an invocation.
  void OnInvoke(InvokeEvent event);
  // A record came. Logs and records about extensions are ignored.
  void OnTelemetry(TelemetryRecord&& record);
  // This extension is done with the invocation and calls /next.
  void OnNext(std::string_view request_id);
  // /next returned SHUTDOWN.
  void OnShutdown(const ShutdownEvent& event);
  // Concludes all that has not ended, by the reason of the shutdown: no further record comes.
  void ConcludeAll();
  // Sets the answer to the subscription: without telemetry, ends are concluded from /next alone.
  void set_telemetry(bool telemetry) { options_.telemetry = telemetry; }

  // Returns the latest of its request id; null if there is none. Valid until the next call of an On…().
  const Invocation* Find(std::string_view request_id) const;
  // Returns whether every invocation of this request id has ended. Forgotten ones have.
  bool HasEnded(std::string_view request_id) const;
  // Visits all, the oldest first.
  void ForEach(absl::FunctionRef<void(const Invocation&)> visit) const;
  const Initialization& initialization() const { return initialization_; }
  const Restore& restore() const { return restore_; }

  size_t size() const { return invocations_.size(); }
  size_t open() const { return open_; }
  size_t bytes() const { return bytes_; }
  const InvocationCounts& counts() const { return counts_; }

 private:
  // Orders invocations by age: the lowest is the oldest.
  using Sequence = uint64_t;
  struct Entry {
    Invocation invocation;
    Sequence sequence = 0;
    size_t bytes = 0;   // its part of bytes_
    int overtaken = 0;  // number of later INVOKEs
    // What the observer was told so far.
    bool started = false;
    bool ended = false;
    bool reported = false;
  };
  // Facts kept about a forgotten invocation.
  struct Forgotten {
    size_t request_id_hash = 0;
    absl::Time last_record;
  };

  template <typename Record>
  void TakeRecord(absl::Time time, Record&& record, std::optional<Timed<Record>> Invocation::* slot);
  Entry& Add(std::string_view request_id);
  void Updated(Entry& entry);
  void Conclude(Entry& entry, InvocationOutcome outcome);
  void Forget(std::map<Sequence, Entry>::iterator position);
  void KeepBounds();
  // Returns whether a record belongs to a forgotten invocation: its time is not after that one's last record.
  bool IsLate(std::string_view request_id, absl::Time time) const;
  InvocationStart StartedAs(const ClockReading& now) const;

  Clock& clock_;
  InvocationTrackerOptions options_;
  InvocationObserver& observer_;
  const ClockReading ready_;

  std::map<Sequence, Entry> invocations_;
  absl::flat_hash_map<std::string, absl::InlinedVector<Sequence, 1>> by_request_id_;  // never iterated
  std::deque<Sequence> reported_;  // in the order of their reports; some may be forgotten already
  std::deque<Forgotten> forgotten_;
  Sequence next_sequence_ = 1;
  size_t bytes_ = 0;
  size_t open_ = 0;
  bool invoked_before_ = false;
  InvocationOutcome shutdown_outcome_ = InvocationOutcome::kUnknown;
  std::optional<absl::Time> shut_down_;
  Initialization initialization_;
  Restore restore_;
  InvocationCounts counts_;
};

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_INVOCATION_TRACKER_H_
