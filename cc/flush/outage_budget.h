// Bounds what an outage of the intake costs the function, over all pipelines and destinations.
//
// A flush in which nothing moves for a while ends. Two such open the breaker of the destination (breaker.h);
// so does using up what an outage may cost in all. The time for which nothing had moved when a flush ended
// counts against that, once however many flushes wait side by side:
//   * against the destination, until it answers;
//   * against the sandbox, until anything answers: what cuts off everything is one outage, though
//   destinations
//     are tried one after the other.
// A destination is thus told from the others (one that is dead for good costs nothing more while others
// work), and one that is slow but moves is never cut off. Once its breaker is open, a flush that probes
// spends `probe_budget`, more only while something moves, and any other nothing. Destinations that are lost
// in the same outage probe side by side.
//
// A refusal for now (408, 429, 5xx) is no answer that refills the budget. What refusals cost is counted for
// itself, against as much: when it is used up, no flush waits after a refusal any more, and it is given back
// little by little by flushes without one (refusal_hold.h has what an endpoint that refuses is spared).
//
// It also knows what the log is told of destinations (reach.h).
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

struct OutageOptions {
  // A flush in which nothing moves for this long ends. InfiniteDuration: there is no breaker and no budget.
  absl::Duration no_progress_limit = absl::Milliseconds(1500);
  // What an outage may cost before its breakers are open.
  absl::Duration total = absl::Seconds(4);
  // What a flush may spend to find out whether a destination is back.
  // With what a flush takes besides it is 300 ms that an invocation may pay.
  absl::Duration probe_budget = absl::Milliseconds(250);
  BreakerOptions breaker;
};

class OutageBudget {
 public:
  // A flush's leave to send to one destination.
  struct Pass {
    Destination destination;
    Breaker::Decision kind = Breaker::Decision::kSkip;
    uint64_t number = 0;
  };
  // How it went.
  enum class End {
    kProgress,        // answered, and nothing stalled
    kFailed,          // nothing was answered, or it stalled
    kNothingLearned,  // nothing was tried, or the caller gave up before anything could be known
  };

  OutageBudget(Executor& executor, Clock& clock, OutageOptions options)
      : executor_(executor), clock_(clock), options_(options) {}
  OutageBudget(const OutageBudget&) = delete;
  OutageBudget& operator=(const OutageBudget&) = delete;

  // False: nothing here counts or limits.
  bool limits() const { return options_.no_progress_limit != absl::InfiniteDuration(); }

  // What a flush that begins now may do at `destination`. While another one probes there, its finding is
  // waited for. Each Pass other than kSkip must be ended with Leave.
  Task<Pass> Enter(Destination destination, Cancellation& cancellation);
  void Leave(const Pass& pass, End end);

  // The probe was answered: the breaker closes, and the flush may send the rest.
  void OnProbeAnswered(const Pass& pass);
  // A flush begins, of all pipelines that share this.
  void OnFlush();

  // `destination` answered a request, and not by refusing it for now.
  void OnAnswer(const Destination& destination);
  // A flush ended without an answer, when nothing had moved for the last `idle`.
  void OnIdle(const Destination& destination, absl::Duration idle);
  // A flush that was refused something has cost `time` because of that.
  void OnRefusals(absl::Duration time);
  // A flush was refused nothing where others had been.
  void OnNoRefusal(absl::Duration given_back);
  // For how long flushes may still wait after refusals.
  absl::Duration left_for_refusals() const;

  // For the log: a flush got no answer from it, and one did.
  void OnOutOfReach(const Destination& destination, std::string_view why);
  void OnInReach(const Destination& destination);
  // Nothing: it is in reach, as far as is known.
  const Reach* Lost(const Destination& destination) const;

  // For a flush that goes, and for one that probes.
  StallWatch::Limits flush_limits() const { return {.idle_limit = options_.no_progress_limit}; }
  StallWatch::Limits probe_limits() const;

  // Enter would give kSkip at once.
  bool would_skip(const Destination& destination) const;
  bool breaker_open(const Destination& destination) const;
  // How many destinations have their breaker open.
  int open_breakers() const;
  // For how long nothing may move before an outage has cost all it may.
  absl::Duration left(const Destination& destination) const;
  const OutageCounts& counts() const { return counts_; }
  OutageCounts& mutable_counts() { return counts_; }
  // "https://host is out of reach since ...": each that is.
  std::vector<std::string> OutOfReach() const;
  const OutageOptions& options() const { return options_; }

 private:
  // Time that counts once, however many report it.
  struct Spent {
    absl::Duration total;
    absl::Duration until = -absl::InfiniteDuration();  // on the monotonic clock
    void Add(absl::Duration idle, absl::Duration now);
  };
  struct State {
    State(Breaker breaker, Reach reach) : breaker(std::move(breaker)), reach(std::move(reach)) {}
    Breaker breaker;
    Reach reach;
    int64_t opened_at = -1;  // how many answers there had been when it opened
    Spent spent;
    uint64_t struck_at = 0;                  // the last pass that was given when the last strike fell
    std::vector<Completion<bool>*> waiting;  // for a probe's finding
  };

  State& StateOf(const Destination& destination);
  const State* Find(const Destination& destination) const;
  void EndWaits(State& state);
  // Has it probe with the others that are lost since the last answer of anything.
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
