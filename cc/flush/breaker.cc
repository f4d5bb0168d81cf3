#include "cc/flush/breaker.h"

#include <algorithm>

namespace thaw {

Breaker::Decision Breaker::Decide() {
  if (!open_) return Decision::kGo;
  if (would_skip()) return Decision::kSkip;
  probe_due_ = false;
  probing_ = true;
  return Decision::kProbe;
}

void Breaker::Close() {
  open_ = false;
  probe_due_ = false;
  probing_ = false;
  probe_alarm_.Cancel();
}

void Breaker::OnProgress() {
  Close();
  half_open_ = false;
  strikes_ = 0;
}

void Breaker::OnProbeAnswered() {
  Close();
  half_open_ = true;
  strikes_ = options_.strikes - 1;
}

void Breaker::OnStrike() {
  if (!open_) {
    if (++strikes_ < options_.strikes) return;
    open_ = true;
    backoff_ = half_open_ ? std::min(2 * backoff_, options_.probe_backoff_cap) : options_.probe_backoff;
    WaitForProbe();
    return;
  }
  // A flush that began before the breaker opened adds no information.
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

void Breaker::Open() {
  if (open_) return;
  open_ = true;
  probe_due_ = true;
  // The first failed probe doubles this, which gives probe_backoff.
  backoff_ = options_.probe_backoff / 2;
}

void Breaker::WaitLike(const Breaker& other) {
  if (!open_ || probing_ || other.backoff_ <= backoff_) return;
  backoff_ = other.backoff_;
  WaitForProbe();
  // The other breaker's wait is over and no new one has begun.
  if (other.probing_ || other.probe_due_) return;
  since_ = other.since_;
  flushes_ = other.flushes_;
  probe_alarm_ = Alarm(clock_, other.probe_alarm_.left(), [this] { probe_due_ = true; }, LateAlarm::kRearm);
}

bool Breaker::due() const {
  if (probe_due_) return true;
  const double doublings = absl::FDivDuration(backoff_, options_.probe_backoff);
  return static_cast<double>(flushes_) >= kFlushes * doublings ||
         LargestAdvance(since_, clock_.Now()) >= kWallFactor * backoff_;
}

void Breaker::WaitForProbe() {
  probe_due_ = false;
  since_ = clock_.Now();
  flushes_ = 0;
  // kRearm: frozen time does not count here.
  probe_alarm_ = Alarm(clock_, backoff_, [this] { probe_due_ = true; }, LateAlarm::kRearm);
}

}  // namespace thaw
