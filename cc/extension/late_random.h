// Draws random numbers from a generator that is seeded at its first use: clones of a snapshot must not share
// a seed.
//
//   LateRandom random;
//   const double fraction = random.Fraction();
//
// One thread.

#ifndef THAW_CC_EXTENSION_LATE_RANDOM_H_
#define THAW_CC_EXTENSION_LATE_RANDOM_H_

#include <cstdint>
#include <optional>

#include "cc/base/seeded_random.h"
#include "cc/net/io/system_random.h"

namespace thaw {

class LateRandom {
 public:
  double Fraction() { return Generator().Fraction(); }
  uint64_t Id() { return Generator().Next(); }

 private:
  SeededRandom& Generator() {
    if (!generator_.has_value()) generator_.emplace(DrawSeed());
    return *generator_;
  }
  std::optional<SeededRandom> generator_;
};

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_LATE_RANDOM_H_
