// Converts declared counts and histograms (declare_counts.h, histogram.h) to JSON.
//
//   boost::json::object object = CountsToJson(kitchen.counts());   // {"eggs": 3, "omelettes": 1}

#ifndef THAW_CC_BASE_COUNTS_JSON_H_
#define THAW_CC_BASE_COUNTS_JSON_H_

#include <boost/json/object.hpp>
#include <cstdint>
#include <string_view>

#include "cc/base/histogram.h"

namespace thaw {

// Adds a member for each count to `object`.
template <typename Counts>
void AddCounts(const Counts& counts, boost::json::object& object) {
  counts.Visit([&object](std::string_view name, int64_t value, std::string_view) { object[name] = value; });
}

template <typename Counts>
boost::json::object CountsToJson(const Counts& counts) {
  boost::json::object object;
  AddCounts(counts, object);
  return object;
}

// Returns the members for the counts that are not zero.
template <typename Counts>
boost::json::object NonzeroCountsToJson(const Counts& counts) {
  boost::json::object object;
  counts.Visit([&object](std::string_view name, int64_t value, std::string_view) {
    if (value != 0) object[name] = value;
  });
  return object;
}

// Returns {count, sum, p50, p95, p99, max}, times in seconds.
inline boost::json::object HistogramToJson(const Histogram& histogram) {
  const auto seconds = [](absl::Duration duration) { return absl::ToDoubleSeconds(duration); };
  return {{"count", histogram.count()},
          {"sum", seconds(histogram.sum())},
          {"p50", seconds(histogram.Quantile(0.5))},
          {"p95", seconds(histogram.Quantile(0.95))},
          {"p99", seconds(histogram.Quantile(0.99))},
          {"max", seconds(histogram.max())}};
}

// Adds a member for each histogram to `object`.
template <typename Times>
void AddHistograms(const Times& times, boost::json::object& object) {
  times.VisitHistograms([&object](std::string_view name, const Histogram& histogram, std::string_view) {
    object[name] = HistogramToJson(histogram);
  });
}

}  // namespace thaw

#endif  // THAW_CC_BASE_COUNTS_JSON_H_
