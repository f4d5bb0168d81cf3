#include "cc/extension/own_metrics.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace thaw {

void OwnMetrics::Add(const OwnCounts& counts, absl::Span<const std::string_view> tags) {
  tags_.assign(tags.begin(), tags.end());
  size_t row = 0;
#define THAW_ADD(name, tag, count, unit, help)            \
  AddCount(kOwnMetrics[row], counts.count, before_[row]); \
  ++row;
  THAW_OWN_METRICS(THAW_ADD)
#undef THAW_ADD
  row = 0;
#define THAW_ADD(name, histogram, help)                           \
  AddTimes(kOwnTimes[row], counts.histogram, times_before_[row]); \
  ++row;
  THAW_OWN_TIMES(THAW_ADD)
#undef THAW_ADD
  for (const Flushable* const pipeline : counts.coordinator.pipelines()) {
    PipelineCounts& before = pipelines_before_[std::string(pipeline->name())];
    const std::string tag = absl::StrCat("pipeline:", pipeline->name());
    tags_.emplace_back(tag);
    row = 0;
#define THAW_ADD(name, tag, count, unit, help)                   \
  AddCount(kPipelineMetrics[row], pipeline->count, before[row]); \
  ++row;
    THAW_PIPELINE_METRICS(THAW_ADD)
#undef THAW_ADD
    tags_.pop_back();
  }
}

void OwnMetrics::AddTimes(const OwnMetricRow& row, const Histogram& now, Histogram& before) {
  if (now.count() == before.count()) return;
  now.VisitSince(before, [&](absl::Duration value, int64_t count) {
    Send(row, absl::ToDoubleMilliseconds(value), static_cast<double>(count));
  });
  before = now;
}

void OwnMetrics::AddCount(const OwnMetricRow& row, int64_t now, int64_t& before) {
  const int64_t more = now - std::exchange(before, now);
  if (more > 0) Send(row, static_cast<double>(more), 1);
}

void OwnMetrics::Send(const OwnMetricRow& row, double value, double weight) {
  ++counts_.samples;
  if (!row.tag.empty()) tags_.push_back(row.tag);
  sink_.Add({.name = row.name,
             .type = MetricType::kDistribution,
             .values = {&value, 1},
             .weight = weight,
             .tags = tags_});
  if (!row.tag.empty()) tags_.pop_back();
}

}  // namespace thaw
