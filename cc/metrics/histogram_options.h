// The aggregates that are made of a histogram (types "h" and "ms") at a flush, as the Agent's options name them.
//
//   HistogramOptions options = ParseHistogramOptions("max median avg count", "0.95", warnings);
//
// One thread.

#ifndef THAW_CC_METRICS_HISTOGRAM_OPTIONS_H_
#define THAW_CC_METRICS_HISTOGRAM_OPTIONS_H_

#include <string>
#include <string_view>
#include <vector>

namespace thaw {

enum class HistogramAggregate { kMax, kMin, kMedian, kAverage, kSum, kCount };

struct HistogramOptions {
  std::vector<HistogramAggregate> aggregates = {HistogramAggregate::kMax, HistogramAggregate::kMedian,
                                                HistogramAggregate::kAverage, HistogramAggregate::kCount};
  std::vector<int> percentiles = {95};  // 1 to 100
  // Each value is counted in a distribution of the same name, too, after this prefix.
  bool copy_to_distribution = false;
  std::string distribution_prefix;
};

// Returns what follows a metric's name: ".max".
std::string_view SuffixOf(HistogramAggregate aggregate);

// Parses DD_HISTOGRAM_AGGREGATES, "max min median avg sum count", and DD_HISTOGRAM_PERCENTILES, "0.95 0.99"; blanks
// or commas separate the words. Leaves out words that can't be used, with a line of `warnings` for each.
HistogramOptions ParseHistogramOptions(std::string_view aggregates, std::string_view percentiles,
                                       std::vector<std::string>& warnings);

}  // namespace thaw

#endif  // THAW_CC_METRICS_HISTOGRAM_OPTIONS_H_
