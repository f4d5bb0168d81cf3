#include "cc/net/dial_backoff.h"

#include <algorithm>

#include "cc/net/backoff.h"

namespace thaw {

void DialBackoff::OnFailure(const Destination& destination) {
  Failed& failed = failed_[destination];
  const absl::Duration now = clock_.Now().monotonic;
  // A dial that began in the previous round adds no information.
  if (failed.rounds > 0 && now < failed.until) return;
  failed.until = now + Backoff(base_, cap_, ++failed.rounds, random_());
}

absl::Duration DialBackoff::UntilNextDial(const Destination& destination) const {
  const auto found = failed_.find(destination);
  if (found == failed_.end()) return absl::ZeroDuration();
  return std::max(found->second.until - clock_.Now().monotonic, absl::ZeroDuration());
}

}  // namespace thaw
