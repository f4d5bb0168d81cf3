// Decides when a destination to which dials fail may be dialled again. All requests to it wait for the same
// moment; then one of them dials, and the others wait for its result.
//
//   DialBackoff backoff(clock, options.backoff_base, options.backoff_cap, random);
//   backoff.OnFailure(destination);
//   const absl::Duration wait = backoff.UntilNextDial(destination);
//
// One thread.

#ifndef THAW_CC_NET_DIAL_BACKOFF_H_
#define THAW_CC_NET_DIAL_BACKOFF_H_

#include <map>

#include "absl/time/time.h"
#include "cc/clock/clock.h"
#include "cc/net/destination.h"
#include "cc/net/random.h"

namespace thaw {

class DialBackoff {
 public:
  // `clock` and `random` must outlive the object. `base`, `cap`: see Backoff().
  DialBackoff(const Clock& clock, absl::Duration base, absl::Duration cap, RandomFraction& random)
      : clock_(clock), base_(base), cap_(cap), random_(random) {}

  // Counts a failed dial, unless the dial began before the wait that the one before it caused.
  void OnFailure(const Destination& destination);
  void OnSuccess(const Destination& destination) { failed_.erase(destination); }

  // Returns the time until the next dial to `destination` may begin; zero if it may begin now.
  absl::Duration UntilNextDial(const Destination& destination) const;

  // Forgets all failures.
  void Clear() { failed_.clear(); }

 private:
  struct Failed {
    int rounds = 0;        // failures in a row, each followed by a wait
    absl::Duration until;  // on the monotonic clock
  };

  const Clock& clock_;
  const absl::Duration base_;
  const absl::Duration cap_;
  RandomFraction& random_;
  std::map<Destination, Failed> failed_;
};

}  // namespace thaw

#endif  // THAW_CC_NET_DIAL_BACKOFF_H_
