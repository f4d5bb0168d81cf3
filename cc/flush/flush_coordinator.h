// Flushes all pipelines side by side, at the right times and within one deadline, and keeps counts and times.
//
// Under Lambda, for each event:
//
//   coordinator.Resume();                                      // /next has returned
//   switch (coordinator.BeginInvocation(deadline)) {
//     case FlushDecision::kAtEnd:
//       ...                                                    // until the function has ended, then
//       coordinator.OnFunctionEnd();
//       co_await coordinator.Flush(FlushReason::kEnd);
//       break;
//     case FlushDecision::kBlocking:
//       co_await coordinator.Flush(FlushReason::kBlocking);
//       break;
//     case FlushDecision::kInBackground:                       // it has begun
//     case FlushDecision::kNone:
//       break;
//   }
//   coordinator.Quiesce();                                     // and /next is asked again
//
// At the end: `co_await coordinator.Shutdown(time_left)`. On managed instances, which are never frozen,
// RunContinuously() replaces everything but the shutdown.
//
// A flush's deadline is the smaller of the flush timeout and, unless it is in the background, the rest of the
// invocation less a margin; pipelines end it earlier when an outage has used up its budget (outage_budget.h).
// A flush that holds the invocation up waits for those that still run, so that no exchange is open when the
// environment freezes. Flushes in the background may have open exchanges then; they are counted.
//
// One thread: the executor's. The coordinator must outlive its flushes; pipelines and clients must outlive
// it.

#ifndef THAW_CC_FLUSH_FLUSH_COORDINATOR_H_
#define THAW_CC_FLUSH_FLUSH_COORDINATOR_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/base/completion.h"
#include "cc/base/declare_counts.h"
#include "cc/base/declare_enum.h"
#include "cc/base/executor.h"
#include "cc/base/histogram.h"
#include "cc/base/task.h"
#include "cc/clock/clock.h"
#include "cc/flush/flush_report.h"
#include "cc/flush/flush_schedule.h"
#include "cc/flush/flushable.h"
#include "cc/flush/outage_budget.h"
#include "cc/flush/outage_counts.h"
#include "cc/flush/shared_resources.h"
#include "cc/net/client.h"

namespace thaw {

// The reasons for a flush. X(enumerator, name, when)
#define THAW_FLUSH_REASONS(X)                                                               \
  X(kEnd, end, "flushes at the end of an invocation")                                       \
  X(kBlocking, blocking, "flushes at the start of one, before the next event is asked for") \
  X(kBackground, background, "flushes beside the function or the wait for the next event")  \
  X(kRace, race, "flushes because there was none for long")                                 \
  X(kShutdown, shutdown, "last flushes")

THAW_DECLARE_ENUM(FlushReason, kAllFlushReasons, THAW_FLUSH_REASONS)

// X(name, what it counts)
#define THAW_COORDINATOR_COUNTS(X)                                                              \
  THAW_FLUSH_REASONS(X)                                                                         \
  X(stalled, "flushes that ended because nothing moved")                                        \
  X(skipped, "flushes in which a destination was out of reach")                                 \
  X(no_time, "flushes that were not begun because the deadline was too near")                   \
  X(overlapped, "flushes that began while another was running")                                 \
  X(begun_at_next, "flushes that began while the next event was waited for")                    \
  X(quiesces, "times that the environment was given up to a freeze")                            \
  X(open_at_next, "exchanges that were open at such a time")                                    \
  X(quiesce_broken, "of those, exchanges that no background flush explains")                    \
  X(resumes, "returns from a freeze")                                                           \
  X(implausible_deadlines, "invocations whose deadline is implausible, so that it was ignored") \
  X(lost_at_shutdown, "payloads that were kept when the process ended")

struct CoordinatorCounts {
  THAW_DECLARE_COUNTS(THAW_COORDINATOR_COUNTS)
  THAW_DECLARE_COUNTS_BY(FlushReason, THAW_FLUSH_REASONS)
};

// X(name, what it measures)
#define THAW_COORDINATOR_HISTOGRAMS(X)    \
  X(flush_time, "time that a flush took") \
  X(added_time,                           \
    "time from the function's end until the environment is given up to a freeze, where that end is known")

struct CoordinatorTimes {
  THAW_DECLARE_HISTOGRAMS(THAW_COORDINATOR_HISTOGRAMS)
};

struct CoordinatorOptions {
  absl::Duration flush_timeout = absl::Seconds(30);
  // Time that must be left of an invocation when its flush ends: for the way back to /next on a small share
  // of a CPU. A longer margin makes flushes end earlier; a shorter one risks the function's timeout.
  absl::Duration invocation_margin = absl::Milliseconds(100);
  // How long a shutdown waits for the end of an invocation that is still open.
  absl::Duration take_in = absl::Milliseconds(300);
  // Time that must be left of the shutdown when its flush ends.
  absl::Duration shutdown_margin = absl::Milliseconds(150);
};

class FlushCoordinator {
 public:
  // `limits` must be those that the pipelines share; both members are needed.
  FlushCoordinator(Executor& executor, Clock& clock, FlushSchedule schedule, SharedResources limits,
                   CoordinatorOptions options);
  FlushCoordinator(const FlushCoordinator&) = delete;
  FlushCoordinator& operator=(const FlushCoordinator&) = delete;

  // -- Before the first event ----------------------------------------------------------------------------
  void AddPipeline(Flushable& pipeline) { pipelines_.push_back(&pipeline); }
  // Adds a client that resumes and quiesces must reach. `name`, such as "intake", is for ToJson.
  void AddClient(std::string name, Client& client) { clients_.push_back({std::move(name), &client}); }
  // Adds a function that hands over gathered data. It is called when a flush begins, before any pipeline is
  // asked. `last`: nothing may be held back.
  void AddSource(absl::AnyInvocable<void(bool last)> hand_over) { sources_.push_back(std::move(hand_over)); }
  // Adds a task that hands over data so many that it takes turns with other work. These run after the functions above,
  // one after another, and the pipelines are asked when they have ended.
  void AddLongSource(absl::AnyInvocable<Task<void>(bool last)> hand_over) {
    long_sources_.push_back(std::move(hand_over));
  }
  // Adds a function that says what has come since its source handed over last, such as "2 lines of logs"; empty:
  // nothing. A shutdown flushes again while there is any, and what is left after that is lost.
  void AddLeftover(absl::AnyInvocable<std::string() const> leftover) {
    leftovers_.push_back(std::move(leftover));
  }
  // Sets a task that finishes data being processed. A flush that is not in the background waits for it when
  // it begins, for a part of its time.
  void set_before_flush(absl::AnyInvocable<Task<void>(absl::Duration at_most)> before_flush) {
    before_flush_ = std::move(before_flush);
  }
  // Sets a function that is called when a flush has ended.
  void set_on_flushed(absl::AnyInvocable<void(FlushReason, const FlushReport&)> on_flushed) {
    on_flushed_ = std::move(on_flushed);
  }

  // -- For each event ------------------------------------------------------------------------------------
  // The environment runs again after a freeze, or may have been frozen. Call this before anything else.
  void Resume();
  // An invocation has begun; it ends at `deadline` at the latest. Begins the flush if it is to run in the
  // background.
  FlushDecision BeginInvocation(absl::Time deadline);
  // The function has ended. The time from here to Quiesce is what the extension adds.
  void OnFunctionEnd();
  // Sends all waiting data. kEnd and kBlocking also wait for flushes that are already running.
  Task<FlushReport> Flush(FlushReason reason);
  // The next event is about to be requested. Returns the number of open exchanges with the intake.
  int Quiesce();

  // Begins a background flush every interval of the strategy, unless one is running, until Shutdown.
  void RunContinuously();

  // Ends everything within `left`: waits briefly for what an open invocation still hands over, if there is
  // one; then sends everything, ignoring breakers.
  Task<FlushReport> Shutdown(absl::Duration left);

  int running() const { return running_; }
  const FlushSchedule& schedule() const { return schedule_; }
  const CoordinatorCounts& counts() const { return counts_; }
  // How long flushes took, and how long they kept invocations open after the function had ended.
  const Histogram& flush_time() const { return times_.flush_time; }
  const Histogram& added_time() const { return times_.added_time; }
  const std::vector<Flushable*>& pipelines() const { return pipelines_; }
  const OutageCounts& outage_counts() const { return shared_.outage->counts(); }
  // The number of payloads that all pipelines keep.
  int64_t kept_payloads() const;
  // The number of requests to additional endpoints that all pipelines keep.
  int64_t kept_for_additional() const;

  // Returns one line that says, by kind, what the pipelines have not delivered or have dropped, what came too late for
  // them, and what was out of reach in the last flush; empty if nothing is lost.
  std::string Losses(const FlushReport& last) const;

  // Returns all of it on one line: counts, times in seconds, pipelines, outages, clients.
  std::string ToJson() const;

 private:
  struct NamedClient {
    std::string name;
    Client* client;
  };

  // Returns whether flushes for this reason run in the background, without a caller that waits.
  bool InBackground(FlushReason reason) const;
  // Returns the active time until the flush must have ended.
  absl::Duration DeadlineOf(FlushReason reason) const;
  Task<FlushReport> FlushAll(FlushReason reason, absl::Duration deadline);
  // Returns whether there are data that a further flush could send, and that no flush has tried to send.
  bool HasMore() const;
  // Waits until no flush is running.
  Task<void> WaitForRunning(absl::Duration at_most);
  void SetRaceAlarm();
  void OnRaceAlarm();
  void BeginInBackground(FlushReason reason);

  Executor& executor_;
  Clock& clock_;
  FlushSchedule schedule_;
  const SharedResources shared_;
  const CoordinatorOptions options_;
  std::vector<Flushable*> pipelines_;
  std::vector<NamedClient> clients_;
  std::vector<absl::AnyInvocable<void(bool)>> sources_;
  std::vector<absl::AnyInvocable<Task<void>(bool)>> long_sources_;
  absl::AnyInvocable<Task<void>(absl::Duration)> before_flush_;
  absl::AnyInvocable<void(FlushReason, const FlushReport&)> on_flushed_;

  // State of the open invocation, or of the last one.
  FlushDecision decision_ = FlushDecision::kNone;
  absl::Duration invocation_ends_ = absl::InfiniteDuration();  // on the monotonic clock
  bool function_runs_ = false;
  std::optional<absl::Duration> function_ended_;  // on the monotonic clock, until Quiesce
  bool at_next_ = false;                          // between Quiesce and Resume
  bool uses_race_alarm_ = false;
  bool continuous_ = false;

  int running_ = 0;
  int running_in_background_ = 0;
  std::vector<Completion<bool>*> waiting_;         // wait for running_ to be 0
  Completion<bool>* function_end_wait_ = nullptr;  // waits for the function's end
  Alarm race_alarm_;

  CoordinatorCounts counts_;
  CoordinatorTimes times_;
  std::vector<absl::AnyInvocable<std::string() const>> leftovers_;
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_FLUSH_COORDINATOR_H_
