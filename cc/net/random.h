// Randomness as an argument: jitter and shuffles draw from it, so that a seed replays a run.

#ifndef THAW_CC_NET_RANDOM_H_
#define THAW_CC_NET_RANDOM_H_

#include <cstdint>

#include "absl/functional/any_invocable.h"

namespace thaw {

// Returns a number that is uniform over [0, 1).
using RandomFraction = absl::AnyInvocable<double()>;

}  // namespace thaw

#endif  // THAW_CC_NET_RANDOM_H_
