#include "cc/metrics/histogram_options.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace thaw {
namespace {

constexpr HistogramAggregate kAggregates[] = {HistogramAggregate::kMax,    HistogramAggregate::kMin,
                                              HistogramAggregate::kMedian, HistogramAggregate::kAverage,
                                              HistogramAggregate::kSum,    HistogramAggregate::kCount};

template <typename T>
void AddOnce(T value, std::vector<T>& values) {
  if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
}

std::vector<std::string_view> Words(std::string_view text) {
  return absl::StrSplit(text, absl::ByAnyChar(" ,\t\n[]\"'"), absl::SkipEmpty());
}

}  // namespace

std::string_view SuffixOf(HistogramAggregate aggregate) {
  switch (aggregate) {
    case HistogramAggregate::kMax:
      return ".max";
    case HistogramAggregate::kMin:
      return ".min";
    case HistogramAggregate::kMedian:
      return ".median";
    case HistogramAggregate::kAverage:
      return ".avg";
    case HistogramAggregate::kSum:
      return ".sum";
    case HistogramAggregate::kCount:
      return ".count";
  }
  return "";
}

HistogramOptions ParseHistogramOptions(std::string_view aggregates, std::string_view percentiles,
                                       std::vector<std::string>& warnings) {
  HistogramOptions options;
  options.aggregates.clear();
  for (const std::string_view word : Words(aggregates)) {
    const auto* known =
        std::find_if(std::begin(kAggregates), std::end(kAggregates),
                     [word](HistogramAggregate each) { return SuffixOf(each).substr(1) == word; });
    if (known == std::end(kAggregates)) {
      warnings.push_back(
          absl::StrCat("DD_HISTOGRAM_AGGREGATES has \"", word,
                       "\", which is not one of max, min, median, avg, sum, count; it is left out"));
    } else {
      AddOnce(*known, options.aggregates);
    }
  }
  options.percentiles.clear();
  for (const std::string_view word : Words(percentiles)) {
    double part = 0;
    if (!absl::SimpleAtod(word, &part) || !(part >= 0.005 && part <= 1)) {
      warnings.push_back(absl::StrCat("DD_HISTOGRAM_PERCENTILES has \"", word,
                                      "\", which is not a number from 0.01 to 1; it is left out"));
    } else {
      AddOnce(static_cast<int>(std::lround(part * 100)), options.percentiles);
    }
  }
  return options;
}

}  // namespace thaw
