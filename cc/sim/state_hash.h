// Hashes of simulated states, so that an exploration recognizes one that it has seen.
//
//   uint64_t hash = Mixed(seed, uint64_t{7});
//   hash = Mixed(Mixed(hash, absl::Seconds(1)), std::string_view("bytes"));
//
// The same in every process and build, unlike absl::Hash. Two states have the same hash by chance with a
// probability of about n^2 / 2^65 among n states: 3e-6 among ten million.

#ifndef THAW_CC_SIM_STATE_HASH_H_
#define THAW_CC_SIM_STATE_HASH_H_

#include <cstdint>
#include <string_view>

#include "absl/time/time.h"

namespace thaw {

// Returns the hash of `hash` followed by a value. (The finalizer of SplitMix64.)
inline uint64_t Mixed(uint64_t hash, uint64_t value) {
  uint64_t z = (hash ^ (value * 0x9e3779b97f4a7c15u)) + 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}
inline uint64_t Mixed(uint64_t hash, absl::Duration value) {
  return Mixed(hash, static_cast<uint64_t>(absl::ToInt64Nanoseconds(value)));
}
inline uint64_t Mixed(uint64_t hash, std::string_view bytes) {
  uint64_t sum = 0xcbf29ce484222325u;  // FNV-1a
  for (const char byte : bytes) sum = (sum ^ static_cast<uint8_t>(byte)) * 0x100000001b3u;
  return Mixed(hash, sum);
}

}  // namespace thaw

#endif  // THAW_CC_SIM_STATE_HASH_H_
