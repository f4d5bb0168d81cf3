// Converts declared counts and histograms (cc/base/declare_counts.h, cc/base/histogram.h) to Python.
//
//   py::dict dict = CountsToDict(counts);   // {"eggs": 3, "omelettes": 1}
//
// Everything here requires the GIL, but for the functions that return a map.

#ifndef THAW_PYTHON_BINDINGS_COUNTS_H_
#define THAW_PYTHON_BINDINGS_COUNTS_H_

#include <cstdint>
#include <map>
#include <string>

#include "cc/base/histogram.h"
#include "pybind11/pybind11.h"

namespace thaw::python {

template <typename Counts>
void AddCounts(const Counts& counts, pybind11::dict& dict) {
  counts.Visit([&dict](const char* name, int64_t value, const char*) { dict[name] = value; });
}

template <typename Counts>
pybind11::dict CountsToDict(const Counts& counts) {
  pybind11::dict dict;
  AddCounts(counts, dict);
  return dict;
}

// Returns the counts that are not zero.
template <typename Counts>
std::map<std::string, int64_t> NonzeroCountsToMap(const Counts& counts) {
  std::map<std::string, int64_t> map;
  counts.Visit([&map](const char* name, int64_t count, const char*) {
    if (count != 0) map[name] = count;
  });
  return map;
}

// Returns the counts that a dict holds by their names; others are zero.
template <typename Counts>
Counts CountsFromDict(const pybind11::dict& dict) {
  Counts counts;
  counts.Visit([&dict](const char* name, int64_t& value, const char*) {
    if (dict.contains(name)) value = dict[name].cast<int64_t>();
  });
  return counts;
}

// Returns the figures of the histogram's summary (Histogram::VisitSummary).
inline std::map<std::string, double> HistogramToMap(const Histogram& histogram) {
  std::map<std::string, double> map;
  histogram.VisitSummary([&map](const char* name, auto value) { map[name] = static_cast<double>(value); });
  return map;
}

}  // namespace thaw::python

#endif  // THAW_PYTHON_BINDINGS_COUNTS_H_
