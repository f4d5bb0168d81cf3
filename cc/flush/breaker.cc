#include "cc/flush/breaker.h"

#include <algorithm>

namespace thaw {

Breaker::Decision Breaker::Decide() {
  if (!open_) return Decision::kGo;
  if (!probe_due_ || probing_) return Decision::kSkip;
  probe_due_ = false;
  probing_ = true;
  return Decision::kProbe;
}

void Breaker::OnProgress() {
  strikes_ = 0;
  open_ = false;
  probe_due_ = false;
  probing_ = false;
  probe_alarm_.Cancel();
}

void Breaker::OnStrike() {
  if (!open_) {
    if (++strikes_ < options_.strikes) return;
    open_ = true;
    backoff_ = options_.probe_backoff;
    WaitForProbe();
    return;
  }
  // A flush that began before the breaker opened tells nothing new.
  if (!probing_) return;
  probing_ = false;
  backoff_ = std::min(2 * backoff_, options_.probe_backoff_cap);
  WaitForProbe();
}

void Breaker::OnNothingLearned() {
  if (!probing_) return;
  probing_ = false;
  probe_due_ = true;
}

void Breaker::WaitForProbe() {
  // kRearm: time in which the environment was frozen doesn't count.
  probe_alarm_ = Alarm(clock_, backoff_, [this] { probe_due_ = true; }, LateAlarm::kRearm);
}

}  // namespace thaw
