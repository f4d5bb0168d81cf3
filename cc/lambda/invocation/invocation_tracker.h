// Tracks the invocations and decides when each has ended: pairs the events of /next with the telemetry
// records, which come by two channels in any order.
//
//   InvocationTracker tracker(clock, {.telemetry = true}, store, observer);
//   tracker.OnInvoke(event);                    // /next returned
//   tracker.OnTelemetry(record);                // any record; those of no invocation are ignored
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
// The tracker is the platform's side of an InvocationStore, whose bounds hold. Reported invocations are kept
// for a few further invocations, for late records.
//
// One thread. The observer is called inside the call that causes it and must not call the tracker's On…().

#ifndef THAW_CC_LAMBDA_INVOCATION_INVOCATION_TRACKER_H_
#define THAW_CC_LAMBDA_INVOCATION_INVOCATION_TRACKER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "cc/base/declare_counts.h"
#include "cc/clock/clock.h"
#include "cc/lambda/invocation/invocation_store.h"
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
  // Called after each event and record of the invocation, and when its end is concluded: after InvocationStarted and
  // before the two below.
  virtual void InvocationUpdated(const Invocation& invocation) { static_cast<void>(invocation); }
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
  X(started, "invocations of which an event or a record came")                            \
  X(ended, "invocations that ended")                                                      \
  X(concluded, "of those, ones whose end was concluded from later events")                \
  X(reported, "invocations whose report came")                                            \
  X(runtime_records, "records of a runtime's end, platform.runtimeDone")                  \
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
  // The first invocation is proactive, not cold, if the environment had been ready for longer than this.
  absl::Duration proactive_after = absl::Seconds(10);
  // The environment has been ready since its restore (InitializationTraits).
  bool restored_from_snapshot = false;
};

class InvocationTracker : private InvocationStore::View {
 public:
  // The environment counts as ready from now on. `clock`, `store` and `observer` must outlive the tracker.
  InvocationTracker(Clock& clock, InvocationTrackerOptions options, InvocationStore& store,
                    InvocationObserver& observer);
  InvocationTracker(const InvocationTracker&) = delete;
  InvocationTracker& operator=(const InvocationTracker&) = delete;

  // /next returned an invocation.
  void OnInvoke(InvokeEvent event);
  // A record came. Logs and records about extensions are ignored.
  void OnTelemetry(const TelemetryRecord& record);
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
  // Returns whether the tracer has said that the handler of the latest invocation of this request id is over:
  // by its call at the end, or by the span that it sends in place of `aws.lambda`. The runtime may go on.
  bool HandlerIsOver(std::string_view request_id) const;
  // Returns whether the tracer's call at the end of the handler says that the latest invocation of this request id
  // failed.
  bool TracerSaysFailed(std::string_view request_id) const;
  // Visits all, the oldest first.
  void ForEach(absl::FunctionRef<void(const Invocation&)> visit) const;
  const Initialization& initialization() const { return initialization_; }
  const Restore& restore() const { return restore_; }

  // Returns the number of invocations of which the platform told, and how many of them have not ended.
  size_t size() const { return size_; }
  size_t open() const { return open_; }
  const InvocationCounts& counts() const { return counts_; }

 private:
  using Entry = InvocationStore::Entry;
  using Sequence = InvocationStore::Sequence;
  // Facts kept about a forgotten invocation.
  struct Forgotten {
    size_t request_id_hash = 0;
    absl::Time last_record;
  };

  // InvocationStore::View:
  void BeforeEviction(Entry& entry) override;

  // Take a record of an invocation, or of the environment.
  void Take(absl::Time time, const PlatformStart& record);
  void Take(absl::Time time, const PlatformRuntimeDone& record);
  void Take(absl::Time time, const PlatformReport& record);
  void Take(absl::Time time, const PlatformInitStart& record);
  void Take(absl::Time time, const PlatformInitRuntimeDone& record);
  void Take(absl::Time time, const PlatformInitReport& record);
  void Take(absl::Time time, const PlatformRestoreStart& record);
  void Take(absl::Time time, const PlatformRestoreRuntimeDone& record);
  void Take(absl::Time time, const PlatformRestoreReport& record);
  // Ignores every other record.
  template <typename Record>
  void Take(absl::Time, const Record&) {}

  template <typename Record>
  void TakeOf(std::optional<Timed<Record>> Invocation::* slot, absl::Time time, const Record& record);
  // Begins the platform's side of an entry that a tracer's call opened, or of a new one.
  Entry& Begin(std::string_view request_id);
  void Updated(Entry& entry);
  void Conclude(Entry& entry, InvocationOutcome outcome);
  // Ends the platform's side of the entry, whose late records are recognised from then on.
  void Forget(Entry& entry);
  void ForgetReported();
  // Returns whether a record belongs to a forgotten invocation: its time is not after that one's last record.
  bool IsLate(std::string_view request_id, absl::Time time) const;
  InvocationStart StartedAs(const ClockReading& now) const;

  Clock& clock_;
  InvocationTrackerOptions options_;
  InvocationStore& store_;
  InvocationObserver& observer_;
  const ClockReading ready_;

  std::deque<Sequence> reported_;  // in the order of their reports; some may be forgotten already
  std::deque<Forgotten> forgotten_;
  size_t size_ = 0;
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
