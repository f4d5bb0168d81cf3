// A small random generator whose sequence is the same in every process and build, so that a seed replays a
// run. Not for secrets. (SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
// 2014.)

#ifndef THAW_CC_BASE_SEEDED_RANDOM_H_
#define THAW_CC_BASE_SEEDED_RANDOM_H_

#include <cstdint>

namespace thaw {

class SeededRandom {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  // Returns a number that is uniform over [0, 1).
  double Fraction() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
  // Returns a number that is uniform over [0, bound); bound > 0. The remainder's bias is below 2^-40 for
  // small bounds.
  uint64_t Below(uint64_t bound) { return Next() % bound; }
  bool Chance(double probability) { return Fraction() < probability; }

 private:
  uint64_t state_;
};

}  // namespace thaw

#endif  // THAW_CC_BASE_SEEDED_RANDOM_H_
