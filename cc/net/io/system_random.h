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

// Seeds the generator from which the TLS library draws this thread's keys anew from the system. Returns
// Unavailable, and seeds nothing, if that can't be done.
//
// The library seeds it once. It notices that the process was forked, not that its machine was cloned: clones of
// a snapshot go on with one state, and draw the same keys unless the processor is one of Intel's, whose random
// numbers the library mixes in. A machine manager reseeds the kernel's generator for each clone.
absl::Status SeedKeysAnew();

}  // namespace thaw

#endif  // THAW_CC_NET_IO_SYSTEM_RANDOM_H_
