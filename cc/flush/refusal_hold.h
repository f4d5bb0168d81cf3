// Spares an endpoint that answers but refuses data for now (408, 429, 5xx).
//
// A flush in which the endpoint accepted nothing and refused something is a strike. After two in a row only
// probes are sent, as to a destination that is out of reach (breaker.h). `Retry-After` is kept across
// flushes: until it has passed, by the clock that advanced most, nothing is sent. Endpoints are treated
// separately, since one path of a host may refuse what another accepts.
//
//   if (hold.Decide() == Breaker::Decision::kSkip) return;   // kProbe: one request only
//   ...
//   refused ? hold.OnRefused(retry_after) : hold.OnAccepted();   // or OnNothingLearned()
//
// One thread.

#ifndef THAW_CC_FLUSH_REFUSAL_HOLD_H_
#define THAW_CC_FLUSH_REFUSAL_HOLD_H_

#include <algorithm>
#include <optional>

#include "absl/time/time.h"
#include "cc/clock/clock.h"
#include "cc/flush/breaker.h"

namespace thaw {

class RefusalHold {
 public:
  // The longest Retry-After that is honoured; a longer one counts as this.
  static constexpr absl::Duration kLongestHold = absl::Minutes(5);

  RefusalHold(Clock& clock, BreakerOptions options) : clock_(clock), breaker_(clock, options) {}

  // Decides what a flush that begins now may do. A kProbe must be ended by one of the three functions below.
  Breaker::Decision Decide() { return waits() ? Breaker::Decision::kSkip : breaker_.Decide(); }
  bool would_skip() const { return waits() || breaker_.would_skip(); }
  // Counts a flush that begins, whether it has something for the endpoint or not.
  void OnFlush() { breaker_.OnFlush(); }

  // Everything that was sent was refused.
  void OnRefused(std::optional<absl::Duration> retry_after) {
    breaker_.OnStrike();
    HoldFor(retry_after);
  }
  // Something was accepted. `retry_after` is that of requests that were refused all the same.
  void OnAccepted(std::optional<absl::Duration> retry_after = std::nullopt) {
    breaker_.OnProgress();
    HoldFor(retry_after);
  }
  void OnNothingLearned() { breaker_.OnNothingLearned(); }

 private:
  void HoldFor(std::optional<absl::Duration> retry_after) {
    refused_at_ = clock_.Now();
    retry_after_ = std::min(retry_after.value_or(absl::ZeroDuration()), kLongestHold);
  }
  bool waits() const {
    return retry_after_ > absl::ZeroDuration() && LargestAdvance(refused_at_, clock_.Now()) < retry_after_;
  }

  Clock& clock_;
  Breaker breaker_;
  ClockReading refused_at_;
  absl::Duration retry_after_;
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_REFUSAL_HOLD_H_
