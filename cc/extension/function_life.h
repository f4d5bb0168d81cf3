// The life of an environment that is frozen between invocations: asks Lambda for events and does what each
// calls for, until the last.
//
//   FunctionLife life(executor, clock, extensions, tracker, coordinator, {.telemetry = true});
//   life.set_on_resume([&] { server.Resume(); });
//   life.set_on_quiesce([&] { server.Quiesce(); });
//   absl::Status ended = co_await life.Run(cancellation);   // then the shutdown plan
//
// While an invocation runs, the extension holds /next back only as long as the flush strategy wants it to: to
// the function's end and through the flush that follows. It never does so up to the deadline: an extension
// that is not in /next then is killed with the function and never sees the SHUTDOWN.
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

namespace thaw {

// X(name, what it counts)
#define THAW_FUNCTION_LIFE_COUNTS(X)                                                   \
  X(invocations, "invocations taken")                                                  \
  X(ends_awaited, "invocations whose end was waited for")                              \
  X(ends_not_seen, "of those, the ones given up because the deadline was near")        \
  X(ends_never_told, "of those, the ones given up because no record has ever come")    \
  X(ends_unknown, "invocations whose end can't be known, flushed beside the function") \
  X(cut_short, "invocations in which the extension was told to stop")

struct FunctionLifeCounts {
  THAW_DECLARE_COUNTS(THAW_FUNCTION_LIFE_COUNTS)
};

class FunctionLife {
 public:
  struct Options {
    // Records of telemetry come, so that an invocation's end becomes known.
    bool telemetry = true;
    // What must be left of an invocation for the last flush in it when its end has not been seen.
    absl::Duration reserve = absl::Milliseconds(300);
    // How long an end is waited for while not one record has ever come: the first ones are of the
    // environment's start and are delivered within a tenth of a second. Ends are unknown until a record
    // comes. With the flush that follows, no invocation is held up for more than a second.
    absl::Duration silence = absl::Milliseconds(800);
  };

  // All must outlive the life.
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

  // Called when /next has returned, before anything else.
  void set_on_resume(absl::AnyInvocable<void()> on_resume) { on_resume_ = std::move(on_resume); }
  // Called before /next is asked for again.
  void set_on_quiesce(absl::AnyInvocable<void()> on_quiesce) { on_quiesce_ = std::move(on_quiesce); }
  // Called with each invocation, before its flush.
  void set_on_invoke(absl::AnyInvocable<void(const InvokeEvent&)> on_invoke) {
    on_invoke_ = std::move(on_invoke);
  }
  void set_telemetry(bool telemetry) { options_.telemetry = telemetry; }

  // From the first /next to SHUTDOWN, whose event is OK's value; or why there was none. When `cancellation`
  // is requested it ends at once, whatever an invocation waits for: the shutdown plan takes in and sends the
  // rest.
  Task<absl::StatusOr<ShutdownEvent>> Run(Cancellation& cancellation);

  // An invocation may have ended: to be called when a record has come.
  void OnRecords();

  const FunctionLifeCounts& counts() const { return counts_; }

 private:
  // Ends early, with an invocation that is still open, when `cancellation` is requested.
  Task<void> Serve(InvokeEvent event, Cancellation& cancellation);
  Task<void> Flush(FlushReason reason, Cancellation& cancellation);
  void LookForEnd();
  // False: it was given up.
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

  // The invocation that runs, or ran last; and who waits for its end.
  std::string request_id_;
  Completion<bool>* ended_ = nullptr;
  bool heard_ = false;   // a record has come, ever
  bool silent_ = false;  // none has, and none is waited for any more
  FunctionLifeCounts counts_;
};

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_FUNCTION_LIFE_H_
