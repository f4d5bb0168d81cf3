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

// Returns the figures of the histogram's summary (Histogram::VisitSummary).
inline boost::json::object HistogramToJson(const Histogram& histogram) {
  boost::json::object object;
  histogram.VisitSummary([&object](std::string_view name, auto value) { object[name] = value; });
  return object;
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
