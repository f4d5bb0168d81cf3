// Limits what an outage of the intake costs the function, over all pipelines and destinations.
//
// A flush in which nothing moves for a while ends. Two such flushes open the breaker of the destination
// (breaker.h); so does using up the budget of an outage. The time for which nothing had moved when a flush
// ended counts against that budget, once however many flushes wait side by side:
//   * against the destination, until it answers;
//   * against the sandbox, until anything answers: a failure that cuts off everything is one outage, though
//     destinations are tried one after the other.
// A destination is thus treated apart from the others (one that is dead for good costs nothing more while
// others work), and one that is slow but moves is never cut off. Once its breaker is open, a flush that
// probes spends `probe_budget`, more only while something moves; other flushes spend nothing. Destinations
// that were lost in the same outage probe side by side.
//
// A refusal for now (408, 429, 5xx) is not an answer that refills the budget. The time that refusals cost
// counts against a separate budget of the same size: when it is used up, no flush waits after a refusal any
// more. Flushes without a refusal give it back little by little (refusal_hold.h describes how an endpoint
// that refuses is spared).
//
// The budget also tracks which destinations are out of reach, for the log (reach.h).
//
//   OutageBudget::Pass pass = co_await outage.Enter(destination, cancellation);
//   switch (pass.kind) {
//     case Breaker::Decision::kSkip: ...                       // nothing to be ended
//     case Breaker::Decision::kProbe: ... outage.OnProbeAnswered(pass);
//     case Breaker::Decision::kGo: ...
//   }
//   outage.Leave(pass, OutageBudget::End::kProgress);
//
// One thread: the executor's.

#ifndef THAW_CC_FLUSH_OUTAGE_BUDGET_H_
#define THAW_CC_FLUSH_OUTAGE_BUDGET_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/base/completion.h"
#include "cc/base/executor.h"
#include "cc/base/task.h"
#include "cc/clock/clock.h"
#include "cc/flush/breaker.h"
#include "cc/flush/outage_counts.h"
#include "cc/flush/reach.h"
#include "cc/flush/stall_watch.h"
#include "cc/net/destination.h"

namespace thaw {

// The comment of each field is its docstring in Python, too (python/bindings/option_texts.py).
struct OutageOptions {
  // Ends a flush in which nothing moves for this long. A longer time tolerates a slower intake, and an outage
  // costs the function more. InfiniteDuration ends no flush for that, and turns breakers and budget off.
  absl::Duration no_progress_limit = absl::Milliseconds(1500);
  // The time that an outage may cost before its breakers are open.
  absl::Duration total = absl::Seconds(4);
  // The time that a flush may spend on checking whether a destination is back. A longer time reaches one that
  // answers slowly, and each check costs the function more. With the flush's other work the default makes 300
  // ms, which an invocation can afford.
  absl::Duration probe_budget = absl::Milliseconds(250);
  BreakerOptions breaker;  // when flushes stop trying a destination
};

class OutageBudget {
 public:
  // A flush's permission to send to one destination.
  struct Pass {
    Destination destination;
    Breaker::Decision kind = Breaker::Decision::kSkip;
    uint64_t number = 0;
  };
  // How a pass ended.
  enum class End {
    kProgress,        // answered, and nothing stalled
    kFailed,          // there was no answer, or it stalled
    kNothingLearned,  // nothing was tried, or the caller gave up too early to tell
  };

  OutageBudget(Executor& executor, Clock& clock, OutageOptions options)
      : executor_(executor), clock_(clock), options_(options) {}
  OutageBudget(const OutageBudget&) = delete;
  OutageBudget& operator=(const OutageBudget&) = delete;

  // Returns false if nothing is counted or limited here.
  bool limits() const { return options_.no_progress_limit != absl::InfiniteDuration(); }

  // Decides what a flush that begins now may do at `destination`. Waits for the result of another flush's
  // probe, if one is under way. Each Pass other than kSkip must be ended with Leave.
  Task<Pass> Enter(Destination destination, Cancellation& cancellation);
  void Leave(const Pass& pass, End end);

  // The probe was answered: the breaker closes, and the flush may send the rest.
  void OnProbeAnswered(const Pass& pass);
  // A flush begins, of any pipeline that shares this budget.
  void OnFlush();

  // `destination` answered a request other than by refusing it for now.
  void OnAnswer(const Destination& destination);
  // A flush ended without an answer, when nothing had moved for the last `idle`.
  void OnIdle(const Destination& destination, absl::Duration idle);
  // Refusals have cost a flush `time`.
  void OnRefusals(absl::Duration time);
  // A flush was not refused anything, where earlier ones had been.
  void OnNoRefusal(absl::Duration given_back);
  // The time for which flushes may still wait after refusals.
  absl::Duration left_for_refusals() const;

  // These three are for the log: a flush got no answer from the destination; a flush got one; a flush got
  // answers that refuse everything. `accepts` is lost while its endpoint refuses everything. An outage that
  // changes from one kind to the other is one outage.
  void OnOutOfReach(const Destination& destination, std::string_view why, Reach& accepts);
  void OnInReach(const Destination& destination);
  void OnRefused(const Destination& destination, std::string_view why, Reach& accepts);
  // Returns null if the destination is in reach, as far as is known.
  const Reach* Lost(const Destination& destination) const;

  // Limits for a flush that may send, and for one that probes.
  StallWatch::Limits flush_limits() const { return {.idle_limit = options_.no_progress_limit}; }
  StallWatch::Limits probe_limits() const;

  // Returns whether Enter would return kSkip at once.
  bool would_skip(const Destination& destination) const;
  bool breaker_open(const Destination& destination) const;
  // The number of destinations whose breaker is open.
  int open_breakers() const;
  // The time for which nothing may move before an outage has used up its budget.
  absl::Duration left(const Destination& destination) const;
  const OutageCounts& counts() const { return counts_; }
  OutageCounts& mutable_counts() { return counts_; }
  // Returns "https://host is out of reach since ..." for each destination that is.
  std::vector<std::string> OutOfReach() const;
  const OutageOptions& options() const { return options_; }

 private:
  // Time that counts once, however many flushes report it.
  struct Spent {
    absl::Duration total;
    absl::Duration until = -absl::InfiniteDuration();  // on the monotonic clock
    void Add(absl::Duration idle, absl::Duration now);
  };
  struct State {
    State(Breaker breaker, Reach reach) : breaker(std::move(breaker)), reach(std::move(reach)) {}
    Breaker breaker;
    Reach reach;
    int64_t opened_at = -1;  // the number of answers when the breaker opened
    Spent spent;
    uint64_t struck_at = 0;                  // the last pass given before the last strike
    std::vector<Completion<bool>*> waiting;  // for the result of a probe
  };

  State& StateOf(const Destination& destination);
  const State* Find(const Destination& destination) const;
  void EndWaits(State& state);
  // Makes it probe together with the other destinations lost since the last answer.
  void Align(State& state);

  Executor& executor_;
  Clock& clock_;
  const OutageOptions options_;
  std::map<Destination, State> states_;
  Spent spent_;
  Spent refusals_;
  int64_t answers_ = 0;
  uint64_t passes_ = 0;
  OutageCounts counts_;
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_OUTAGE_BUDGET_H_
