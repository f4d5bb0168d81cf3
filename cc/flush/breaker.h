// Says whether sending to one destination is worth trying.
//
// A flush that got nowhere is a strike; so many in a row open the breaker. While it is open nothing is sent,
// except now and then by one flush that probes. A probe is due when the wait has passed in active time, or
// kWallFactor times as much by the clock that advanced most, or so many flushes have begun, whichever comes
// first: neither a function that is invoked rarely nor one whose invocations are short waits for long. All
// three double with each probe that fails. A probe that was answered leaves the breaker half open: the next
// strike opens it again, with the wait still doubled.
//
//   switch (breaker.Decide()) { case kGo: ...; case kProbe: ...; case kSkip: ... }
//   breaker.OnProgress() or breaker.OnStrike()
//
// One thread.

#ifndef THAW_CC_FLUSH_BREAKER_H_
#define THAW_CC_FLUSH_BREAKER_H_

#include <cstdint>

#include "absl/time/time.h"
#include "cc/clock/clock.h"

namespace thaw {

struct BreakerOptions {
  int strikes = 2;
  // Of active time; the other two measures follow from it.
  absl::Duration probe_backoff = absl::Seconds(1);
  absl::Duration probe_backoff_cap = absl::Seconds(60);
};

class Breaker {
 public:
  enum class Decision { kGo, kProbe, kSkip };

  static constexpr int kWallFactor = 60;
  // Until the first probe.
  static constexpr int64_t kFlushes = 8;

  Breaker(Clock& clock, BreakerOptions options) : clock_(clock), options_(options) {}

  // What a flush that begins now may do. kProbe is given once; whoever gets it must end it with
  // OnProbeAnswered, OnStrike or OnNothingLearned.
  Decision Decide();
  // What Decide would say.
  bool would_skip() const { return open_ && (probing_ || !due()); }
  // A flush begins, of whatever.
  void OnFlush() {
    if (open_) ++flushes_;
  }

  // A flush got through: closes the breaker, forgets strikes.
  void OnProgress();
  // A flush, or the probe, got nowhere.
  void OnStrike();
  // The probe was answered.
  void OnProbeAnswered();
  // The probe could not be made: the next flush may.
  void OnNothingLearned();
  // Opens it, whatever the strikes; the next flush may probe at once.
  void Open();
  // `other` is open because of the same outage and waits longer: this one waits as long, so that both probe
  // side by side.
  void WaitLike(const Breaker& other);

  bool open() const { return open_; }
  bool probing() const { return probing_; }
  int strikes() const { return strikes_; }
  // How long it waits, in active time.
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
  ClockReading since_;   // of the wait
  int64_t flushes_ = 0;  // in it
  Alarm probe_alarm_;
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_BREAKER_H_
