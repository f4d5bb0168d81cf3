// Bounds what an outage of the intake costs.
//
// A flush that ends without progress is a strike; so many in a row open the breaker. While it is open a
// flush does nothing, except now and then one that probes with a small budget. The wait between probes is
// counted in active time (a frozen environment does not come nearer to its next probe), and doubles.
//
//   switch (breaker.Decide()) { case kGo: ...; case kProbe: ...; case kSkip: ... }
//   breaker.OnProgress() or breaker.OnStrike()
//
// One thread.

#ifndef THAW_CC_FLUSH_BREAKER_H_
#define THAW_CC_FLUSH_BREAKER_H_

#include "absl/time/time.h"
#include "cc/clock/clock.h"

namespace thaw {

struct BreakerOptions {
  int strikes = 2;
  absl::Duration probe_backoff = absl::Seconds(1);
  absl::Duration probe_backoff_cap = absl::Seconds(60);
};

class Breaker {
 public:
  enum class Decision { kGo, kProbe, kSkip };

  Breaker(Clock& clock, BreakerOptions options) : clock_(clock), options_(options) {}

  // What a flush that begins now may do. kProbe is given once; whoever gets it must end it with
  // OnProgress, OnStrike or OnNothingLearned.
  Decision Decide();

  // The intake was reached: closes the breaker, forgets strikes.
  void OnProgress();
  // A flush, or the probe, made no progress.
  void OnStrike();
  // The probe could not be made: the next flush may.
  void OnNothingLearned();

  bool open() const { return open_; }
  int strikes() const { return strikes_; }

 private:
  void WaitForProbe();

  Clock& clock_;
  const BreakerOptions options_;
  int strikes_ = 0;
  bool open_ = false;
  bool probe_due_ = false;
  bool probing_ = false;
  absl::Duration backoff_;
  Alarm probe_alarm_;
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_BREAKER_H_
