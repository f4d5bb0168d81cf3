// Decides whether sending to one destination is worth trying.
//
// A flush that made no progress is a strike; `strikes` of them in a row open the breaker. While it is open
// nothing is sent, except by a flush that probes. A probe is due when its wait has passed in active time, or
// kWallFactor times as much by the clock that advanced most, or kFlushes flushes have begun, whichever comes
// first: neither a function that is invoked rarely nor one whose invocations are short waits long. All three
// double with each probe that fails. A probe that was answered leaves the breaker half open: the next strike
// opens it again, with the wait still doubled.
//
//   if (breaker.Decide() == Breaker::Decision::kSkip) return;   // kProbe: one request only
//   ...
//   answered ? breaker.OnProgress() : breaker.OnStrike();
//
// One thread.

#ifndef THAW_CC_FLUSH_BREAKER_H_
#define THAW_CC_FLUSH_BREAKER_H_

#include <cstdint>

#include "absl/time/time.h"
#include "cc/clock/clock.h"

namespace thaw {

// The comment of each field is its docstring in Python, too (python/bindings/option_texts.py).
struct BreakerOptions {
  // Opens the breaker after this many flushes in a row without progress. A larger number tolerates longer
  // interruptions, but each of these flushes waits until no_progress_limit ends it.
  int strikes = 2;
  // The active time, without freezes, until the first probe of an open breaker, doubled by each probe that
  // fails; the limits in wall time and in flushes grow with it. A longer time makes an outage cheaper and
  // notices its end later.
  absl::Duration probe_backoff = absl::Seconds(1);
  // Limits the active time between two probes, however many have failed. It also limits how long data waits
  // after the end of a long outage.
  absl::Duration probe_backoff_cap = absl::Seconds(60);
};

class Breaker {
 public:
  enum class Decision { kGo, kProbe, kSkip };

  static constexpr int kWallFactor = 60;
  // The number of flushes until the first probe.
  static constexpr int64_t kFlushes = 8;

  Breaker(Clock& clock, BreakerOptions options) : clock_(clock), options_(options) {}

  // Decides what a flush that begins now may do. kProbe is returned once; its caller must end it with
  // OnProbeAnswered, OnStrike or OnNothingLearned.
  Decision Decide();
  // Returns whether Decide would return kSkip.
  bool would_skip() const { return open_ && (probing_ || !due()); }
  // Counts a flush that begins, whether it sends to this destination or not.
  void OnFlush() {
    if (open_) ++flushes_;
  }

  // A flush got through: closes the breaker and forgets strikes.
  void OnProgress();
  // A flush or a probe made no progress.
  void OnStrike();
  // The probe was answered.
  void OnProbeAnswered();
  // The probe could not be made; the next flush may make it.
  void OnNothingLearned();
  // Opens the breaker, whatever the strikes; the next flush may probe at once.
  void Open();
  // Waits as long as `other`, which is open because of the same outage and waits longer, so that both probe
  // side by side.
  void WaitLike(const Breaker& other);

  bool open() const { return open_; }
  bool probing() const { return probing_; }
  int strikes() const { return strikes_; }
  // The current wait until a probe, in active time.
  absl::Duration wait() const { return backoff_; }

 private:
  void Close();
  void WaitForProbe();
  bool due() const;

  Clock& clock_;
  const BreakerOptions options_;
  int strikes_ = 0;
  bool open_ = false;
  bool half_open_ = false;
  bool probe_due_ = false;
  bool probing_ = false;
  absl::Duration backoff_;
  ClockReading since_;   // when the wait began
  int64_t flushes_ = 0;  // begun since then
  Alarm probe_alarm_;
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_BREAKER_H_
