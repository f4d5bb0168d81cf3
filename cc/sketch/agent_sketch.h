// A histogram whose quantiles are right to within 1/128 of the value, in the form that Datadog's intake merges
// distributions by.
//
//   AgentSketch times;
//   times.Insert(12.5);
//   times.Insert(-3, /*weight=*/10);   // stands for ten values
//   times.Encode(writer);
//
// A value is counted by its key: the whole number next to ln |value| / ln gamma, plus a bias, with the value's
// sign. At most 4096 keys are kept apart, the highest ones; lower values are counted in the lowest of these. What
// is kept does not depend on the order of insertions and merges. An insertion takes a logarithm, a binary search
// and an increment; a new key moves the bins above it.
//
// Differs from DDSketch, whose keys reach down to the least normal number and whose wire format is another one.
//
// Source: the constants that the Agent and the intake share, as published with the Agent.

#ifndef THAW_CC_SKETCH_AGENT_SKETCH_H_
#define THAW_CC_SKETCH_AGENT_SKETCH_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cc/base/protobuf_writer.h"

namespace thaw {

class AgentSketch {
 public:
  static constexpr double kGamma = 1.015625;
  static constexpr int32_t kBias = 1338;
  static constexpr int32_t kMaxKey = 32767;
  static constexpr size_t kMaxBins = 4096;
  // The most values of a bin on the wire; a key with more has several bins.
  static constexpr uint32_t kMaxBinCount = 65535;

  struct Bin {
    int32_t key;
    // At most 2^32 - 1 values are counted for a key.
    uint32_t count;

    friend bool operator==(const Bin&, const Bin&) = default;
  };

  static int32_t KeyOf(double value);
  // Returns the value that stands for all values of the key; infinity for the highest.
  static double ValueOf(int32_t key);

  // Counts a finite value `weight` times, rounded so that the rounding errors of many values cancel out. Unless it
  // may grow, memory() stays as it is, and a value without a bin is counted in the next bin there is.
  void Insert(double value, double weight = 1, bool may_grow = true);
  // Adds all values that were inserted into `other`.
  void Merge(const AgentSketch& other);

  int64_t count() const { return count_; }
  // Figures of all values; 0 in an empty sketch.
  double min() const { return min_; }
  double max() const { return max_; }
  double sum() const { return sum_; }
  double average() const { return average_; }
  // Returns the value below which the part `q`, 0 to 1, of all values is.
  double Quantile(double q) const;
  // By key.
  const std::vector<Bin>& bins() const { return bins_; }

  // Appends the fields of a protobuf Dogsketch, except for its time.
  void Encode(ProtobufWriter& out) const;

  // Returns the bytes on the heap.
  size_t memory() const { return bins_.capacity() * sizeof(Bin); }

 private:
  void InsertTimes(double value, uint32_t times, bool may_grow);
  // Returns how many of `times` the key has room for, and counts them.
  uint32_t Count(int32_t key, uint32_t times, bool may_grow);
  // Joins the lowest bins until there are no more than allowed.
  void Trim();

  std::vector<Bin> bins_;  // by key
  int64_t count_ = 0;
  double min_ = 0;
  double max_ = 0;
  double sum_ = 0;
  double average_ = 0;
  double rest_ = 0;  // of weights, between -0.5 and 0.5
};

}  // namespace thaw

#endif  // THAW_CC_SKETCH_AGENT_SKETCH_H_
