// The values of one histogram in one bucket of time.
//
//   HistogramValues values;
//   values.Add(12.5);
//   values.Percentile(95);
//
// Up to some hundred values are kept as they are, so that percentiles are exact; more are kept as a sketch, whose
// percentiles are right to within 1/128. Everything else is always exact. One thread.

#ifndef THAW_CC_METRICS_HISTOGRAM_VALUES_H_
#define THAW_CC_METRICS_HISTOGRAM_VALUES_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "cc/metrics/histogram_options.h"
#include "cc/sketch/agent_sketch.h"

namespace thaw {

class HistogramValues {
 public:
  // Counts a finite value `weight` times. Unless it may grow, no more memory is taken, and percentiles may become
  // less exact.
  void Add(double value, double weight = 1, bool may_grow = true);

  double count() const { return count_; }
  // Returns an aggregate of all values, of which there is at least one.
  double Aggregate(HistogramAggregate aggregate) const;
  // Returns the value at rank (percent * count - 1) / 100, as the Agent does.
  double Percentile(int percent) const;

  // Returns the bytes on the heap.
  size_t memory() const;

 private:
  static constexpr size_t kMostExact = 256;

  struct Weighted {
    double value;
    double weight;
  };

  std::vector<Weighted> exact_;
  std::unique_ptr<AgentSketch> sketch_;  // null while all values are in `exact_`
  double count_ = 0;
  double sum_ = 0;
  double min_ = 0;
  double max_ = 0;
};

}  // namespace thaw

#endif  // THAW_CC_METRICS_HISTOGRAM_VALUES_H_
