// Draws a seed from the system, and checks that the TLS library can draw keys.
//
//   SeededRandom random(DrawSeed());
//
// Sandboxes may refuse getrandom(2) and may lack /dev. Neither ends the process.
//
// Any thread.

#ifndef THAW_CC_NET_IO_SYSTEM_RANDOM_H_
#define THAW_CC_NET_IO_SYSTEM_RANDOM_H_

#include <cstdint>

#include "absl/status/status.h"

namespace thaw {

// Returns a seed from getrandom(2), or else from /dev/urandom, or else from the process's address, id and
// time, which differ between processes but are not secret.
uint64_t DrawSeed();

// Returns Unavailable, with both reasons, if keys can be drawn neither by getrandom(2) nor from /dev/urandom.
// Call it before using the TLS library, which ends the process in that case.
absl::Status CheckSystemRandom();

}  // namespace thaw

#endif  // THAW_CC_NET_IO_SYSTEM_RANDOM_H_
