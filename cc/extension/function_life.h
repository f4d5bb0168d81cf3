// Runs the life of an environment that is frozen between invocations: asks Lambda for events and handles
// each, until the last.
//
//   FunctionLife life(executor, clock, extensions, tracker, coordinator, {.telemetry = true});
//   life.set_on_resume([&] { server.Resume(); });
//   life.set_on_quiesce([&] { server.Quiesce(); });
//   absl::StatusOr<ShutdownEvent> ended = co_await life.Run(cancellation);   // then the shutdown plan
//
// While an invocation runs, the extension holds /next back only as long as the flush strategy demands: until
// the function's end and the flush that follows. It never does so up to the deadline: an extension that is
// not in /next then is killed with the function and never sees the SHUTDOWN.
//
// A runtime that died or ran out of time ends the environment: Lambda sends SHUTDOWN, and kills the extension two
// seconds after the runtime's end if it is not in /next by then. No flush holds /next back from there on, neither one
// that is running nor one at the end: the shutdown plan sends the rest, within what is left of the two seconds.
//
// The end is told by platform.runtimeDone. If that record does not come, the invocation is held back until a
// short time after the tracer's call at the end of the handler, or until shortly before the deadline. After
// two of those in a row no further invocation is held back until such a record comes again: the data of an
// invocation is sent with the next one, or with the last flush.
//
// One thread: the executor's.

#ifndef THAW_CC_EXTENSION_FUNCTION_LIFE_H_
#define THAW_CC_EXTENSION_FUNCTION_LIFE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/base/completion.h"
#include "cc/base/declare_counts.h"
#include "cc/base/executor.h"
#include "cc/base/task.h"
#include "cc/clock/clock.h"
#include "cc/flush/flush_coordinator.h"
#include "cc/lambda/api/extensions_api.h"
#include "cc/lambda/invocation/invocation_tracker.h"
#include "cc/telemetry/invocation.h"

namespace thaw {

// X(name, what it counts)
#define THAW_FUNCTION_LIFE_COUNTS(X)                                                                      \
  X(invocations, "invocations taken")                                                                     \
  X(ends_awaited, "invocations whose end was waited for")                                                 \
  X(ends_not_seen, "of those, the ones of which no record told in time")                                  \
  X(ends_never_told, "of those, the ones given up because no record has ever come")                       \
  X(ends_told_by_tracers, "likewise, after the tracer's call at the handler's end")                       \
  X(ends_unknown, "invocations whose end can't be known, flushed beside the function")                    \
  X(resets, "invocations after which Lambda ends the environment, because its runtime died or timed out") \
  X(cut_short, "invocations in which the extension was told to stop")

struct FunctionLifeCounts {
  THAW_DECLARE_COUNTS(THAW_FUNCTION_LIFE_COUNTS)
};

class FunctionLife {
 public:
  struct Options {
    // Telemetry records come, so that an invocation's end becomes known.
    bool telemetry = true;
    // The part of an invocation's time that is kept for its last flush if its end has not been seen.
    absl::Duration reserve = absl::Milliseconds(300);
    // Longest wait for an end while no record has ever come: the first records are about the
    // environment's start and are delivered within a tenth of a second. Ends are unknown until a record
    // comes. With the flush that follows, no invocation is held up for more than a second.
    absl::Duration silence = absl::Milliseconds(800);
    // Longest wait for the record of an end after the tracer's call at the end of the handler. Records are
    // delivered within a tenth of a second; data of a function that goes on after its handler for longer is
    // sent with the next invocation.
    absl::Duration after_handler = absl::Milliseconds(500);
    // Number of invocations in a row whose end was not seen, after which ends are not waited for until one is
    // told again.
    int unseen_ends = 2;
  };

  // All arguments must outlive the life.
  FunctionLife(Executor& executor, Clock& clock, ExtensionsApi& extensions, InvocationTracker& tracker,
               FlushCoordinator& coordinator, Options options)
      : executor_(executor),
        clock_(clock),
        extensions_(extensions),
        tracker_(tracker),
        coordinator_(coordinator),
        options_(options) {}
  FunctionLife(const FunctionLife&) = delete;
  FunctionLife& operator=(const FunctionLife&) = delete;

  // Sets a function to be called when /next has returned, before anything else.
  void set_on_resume(absl::AnyInvocable<void()> on_resume) { on_resume_ = std::move(on_resume); }
  // Sets a function to be called before /next is called again.
  void set_on_quiesce(absl::AnyInvocable<void()> on_quiesce) { on_quiesce_ = std::move(on_quiesce); }
  // Sets a function to be called with each invocation, before its flush.
  void set_on_invoke(absl::AnyInvocable<void(const InvokeEvent&)> on_invoke) {
    on_invoke_ = std::move(on_invoke);
  }
  void set_telemetry(bool telemetry) { options_.telemetry = telemetry; }

  // Runs until SHUTDOWN and returns its event; another status says why /next failed. When `cancellation` is
  // requested, returns at once, whatever an invocation waits for: the shutdown plan takes in and sends the
  // rest.
  Task<absl::StatusOr<ShutdownEvent>> Run(Cancellation& cancellation);

  // Must be called when a record has come: an invocation may have ended.
  void OnRecords();
  // Must be called when a tracer has called: the handler may be over.
  void OnTracerCall();

  const FunctionLifeCounts& counts() const { return counts_; }

 private:
  bool WaitsForEnds() const {
    return options_.telemetry && unseen_ends_ < (record_came_ ? options_.unseen_ends : 1);
  }
  // The cause that ended a wait for an invocation's end.
  enum class Woken {
    kByEnd,
    kByNewLimit,  // a record or a call came, which changes the limit of the wait
    kByTime,
    kByCancellation,
  };
  // Returns early, with the invocation still open, when `cancellation` is requested.
  Task<void> Serve(InvokeEvent event, Cancellation& cancellation);
  // Flushes, and waits for it until `cancellation` is requested or the environment is reset.
  Task<void> Flush(FlushReason reason, Cancellation& cancellation);
  // Returns whether Lambda ends the environment after the running invocation.
  bool IsReset() const;
  void LookForEnd();
  // Returns false if the end was not seen in time.
  Task<bool> WaitForEnd(absl::Time deadline, Cancellation& cancellation);

  Executor& executor_;
  Clock& clock_;
  ExtensionsApi& extensions_;
  InvocationTracker& tracker_;
  FlushCoordinator& coordinator_;
  Options options_;
  absl::AnyInvocable<void()> on_resume_;
  absl::AnyInvocable<void()> on_quiesce_;
  absl::AnyInvocable<void(const InvokeEvent&)> on_invoke_;

  // The running or last invocation, and the completion of the wait for its end.
  std::string request_id_;
  Completion<Woken>* woken_ = nullptr;
  // The completion of the wait for a flush: true when it has ended.
  Completion<bool>* flushed_ = nullptr;
  bool handler_over_ = false;    // by the tracer's account
  bool record_came_ = false;     // at any time since the start
  int64_t runtime_records_ = 0;  // records of a runtime's end so far
  int unseen_ends_ = 0;          // in a row, since the last record of a runtime's end
  FunctionLifeCounts counts_;
};

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_FUNCTION_LIFE_H_
