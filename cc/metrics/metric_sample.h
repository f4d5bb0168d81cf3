// One report of a metric, as a DogStatsD client or the extension itself makes it, before aggregation.
//
//   const double milliseconds[] = {12.5};
//   sink.Add({.name = "checkout.time", .type = MetricType::kDistribution, .values = milliseconds});
//
// A sample refers to text and numbers of its maker, which must outlive the call that takes the sample.

#ifndef THAW_CC_METRICS_METRIC_SAMPLE_H_
#define THAW_CC_METRICS_METRIC_SAMPLE_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "cc/metrics/tag_sets.h"

namespace thaw {

enum class MetricType : uint8_t {
  kCount,         // "c": values are added up
  kGauge,         // "g": the newest value counts
  kDistribution,  // "d": a sketch that the intake merges over all sandboxes
  kHistogram,     // "h" and "ms": aggregates and percentiles computed in this sandbox
  kSet,           // "s": the number of different texts
};

struct MetricSample {
  std::string_view name;
  MetricType type = MetricType::kCount;
  // One or more finite values; empty for a set.
  absl::Span<const double> values;
  // The text that a set counts.
  std::string_view member;
  // How many reports this one stands for: 1 divided by the client's sample rate. A count is multiplied by it, a
  // value of a distribution or histogram is counted that many times, and gauges and sets ignore it.
  double weight = 1;
  // When the value was measured, where the client says so (counts and gauges only). Such a value is sent as it is
  // and never aggregated with others.
  std::optional<absl::Time> time;
  // When it was received, which selects the bucket of a value without a time; nullopt: now. Many samples come
  // together, and reading the clocks for each is dear.
  std::optional<absl::Time> received;
  // "key:value" or bare words, normalised, in any order, possibly with repeats.
  absl::Span<const std::string_view> tags;
  // The same tags as a set, where the maker has one; null: the aggregator makes it of `tags`.
  const TagSet* tag_set = nullptr;
};

}  // namespace thaw

#endif  // THAW_CC_METRICS_METRIC_SAMPLE_H_
