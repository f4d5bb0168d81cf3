// The system's randomness: a seed for whatever needs no secret, and whether TLS can have its own.
//
//   SeededRandom random(DrawSeed());
//
// Sandboxes may refuse getrandom(2), and may lack /dev. Neither ends the process.
//
// Any thread.

#ifndef THAW_CC_NET_IO_SYSTEM_RANDOM_H_
#define THAW_CC_NET_IO_SYSTEM_RANDOM_H_

#include <cstdint>

#include "absl/status/status.h"

namespace thaw {

// From getrandom(2), or else from /dev/urandom, or else of the process's own address, number and time, which
// tells processes apart and is no secret.
uint64_t DrawSeed();

// Unavailable: keys can't be drawn here, neither by getrandom(2) nor from /dev/urandom; the text has both
// reasons. To be asked before the TLS library is, which ends the process.
absl::Status CheckSystemRandom();

}  // namespace thaw

#endif  // THAW_CC_NET_IO_SYSTEM_RANDOM_H_
