#include "cc/metrics/histogram_values.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace thaw {

void HistogramValues::Add(double value, double weight, bool may_grow) {
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = count_ == 0 ? value : std::max(max_, value);
  count_ += weight;
  constexpr double kMost = std::numeric_limits<double>::max();
  sum_ = std::clamp(sum_ + value * weight, -kMost, kMost);
  const bool keep = exact_.size() < kMostExact && (may_grow || exact_.size() < exact_.capacity());
  if (sketch_ == nullptr && keep) {
    exact_.push_back({.value = value, .weight = weight});
    return;
  }
  if (sketch_ == nullptr) {
    sketch_ = std::make_unique<AgentSketch>();
    for (const Weighted& each : exact_) sketch_->Insert(each.value, each.weight);
    exact_ = {};
  }
  sketch_->Insert(value, weight, may_grow);
}

double HistogramValues::Aggregate(HistogramAggregate aggregate) const {
  switch (aggregate) {
    case HistogramAggregate::kMax:
      return max_;
    case HistogramAggregate::kMin:
      return min_;
    case HistogramAggregate::kMedian:
      return Percentile(50);
    case HistogramAggregate::kAverage:
      return std::clamp(sum_ / count_, min_, max_);
    case HistogramAggregate::kSum:
      return sum_;
    case HistogramAggregate::kCount:
      return count_;
  }
  return 0;
}

double HistogramValues::Percentile(int percent) const {
  if (sketch_ != nullptr) return sketch_->Quantile(percent / 100.0);
  std::vector<Weighted> sorted = exact_;
  std::sort(sorted.begin(), sorted.end(),
            [](const Weighted& a, const Weighted& b) { return a.value < b.value; });
  const double rank = std::max(0.0, std::floor((percent * count_ - 1) / 100));
  double below = 0;
  for (const Weighted& each : sorted) {
    below += each.weight;
    if (below > rank) return each.value;
  }
  return max_;
}

size_t HistogramValues::memory() const {
  return exact_.capacity() * sizeof(Weighted) +
         (sketch_ == nullptr ? 0 : sizeof(AgentSketch) + sketch_->memory());
}

}  // namespace thaw
