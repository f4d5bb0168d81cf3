#include "cc/metrics/enhanced_metrics.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace thaw {
namespace {

// Invocations beyond this number are forgotten, the oldest first.
constexpr size_t kMostInvocations = 500;

constexpr std::string_view kProvisioned = "provisioned-concurrency";
constexpr std::string_view kSnapStart = "snap-start";

size_t HashOf(std::string_view request_id) { return std::hash<std::string_view>()(request_id); }

// Returns the initialization type as Lambda's variable spells it: records say "SnapStart".
std::string_view SpelledAsVariable(std::string_view type) { return type == "SnapStart" ? kSnapStart : type; }

bool Failed(const Invocation& invocation) {
  if (invocation.runtime_done.has_value())
    return invocation.runtime_done->record.status != TelemetryStatus::kSuccess;
  const InvocationOutcome outcome = invocation.outcome();
  return outcome != InvocationOutcome::kSuccess && outcome != InvocationOutcome::kUnknown;
}

}  // namespace

absl::Time EndOf(const Invocation& invocation) {
  if (invocation.runtime_done.has_value()) return invocation.runtime_done->time;
  if (invocation.report.has_value()) return invocation.report->time;
  return invocation.concluded->time;
}

double EstimatedCost(absl::Duration billed, int64_t memory_megabytes, bool arm, bool provisioned) {
  constexpr double kPerRequest = 2e-7;
  const double per_gigabyte_second =
      provisioned ? (arm ? 7.7778e-6 : 9.7222e-6) : (arm ? 1.33334e-5 : 1.66667e-5);
  const double gigabytes = static_cast<double>(memory_megabytes) / 1024;
  const double cost = kPerRequest + absl::ToDoubleSeconds(billed) * gigabytes * per_gigabyte_second;
  return std::round(cost * 1e12) / 1e12;
}

EnhancedMetrics::EnhancedMetrics(EnhancedMetricsOptions options, MetricSink& sink)
    : options_(std::move(options)),
      sink_(sink),
      type_is_tag_of_function_(!options_.initialization_type.empty()) {
  MakeTags();
}

// -- Invocations -------------------------------------------------------------------------------------------

void EnhancedMetrics::Begin(std::string_view request_id) {
  Progress& progress = ProgressOf(request_id);
  if (!std::exchange(progress.begun, true)) return;
  // A retry under the same request id. Lack of memory is told once for each id.
  progress = {
      .request_id_hash = progress.request_id_hash, .begun = true, .out_of_memory = progress.out_of_memory};
}

EnhancedMetrics::Progress& EnhancedMetrics::ProgressOf(std::string_view request_id) {
  const size_t hash = HashOf(request_id);
  const auto found = std::find_if(progress_.rbegin(), progress_.rend(),
                                  [hash](const Progress& each) { return each.request_id_hash == hash; });
  if (found != progress_.rend()) return *found;
  if (progress_.size() >= kMostInvocations) {
    ++counts_.forgotten;
    progress_.pop_front();
  }
  progress_.push_back({.request_id_hash = hash});
  return progress_.back();
}

void EnhancedMetrics::Take(const Invocation& invocation, bool tracer_failed) {
  // Records may overtake INVOKE, which tells how the environment had started. Only its report shows that INVOKE was
  // lost.
  if (!options_.managed && !invocation.invoke.has_value() && !invocation.report.has_value()) return;
  Progress& progress = ProgressOf(invocation.request_id);
  Count(invocation, progress);
  TakeOutcome(invocation, tracer_failed, progress);
  TakeRuntimeDone(invocation, progress);
  TakeReport(invocation, progress);
}

void EnhancedMetrics::Count(const Invocation& invocation, Progress& progress) {
  if (std::exchange(progress.counted, true)) return;
  progress.start = invocation.started_as;
  // Managed instances are initialised ahead.
  if (options_.managed && !latest_.has_value()) progress.start = InvocationStart::kProactive;
  const bool first = !latest_.has_value();
  latest_ = progress.start;
  Release(/*all=*/!first);
  const absl::Time time =
      invocation.start_time().value_or(invocation.ended() ? EndOf(invocation) : absl::InfinitePast());
  const absl::Time began = invocation.invoke.has_value() ? invocation.invoke->time : time;
  if (first && !started_ && options_.telemetry && !options_.managed) {
    Hold({EnhancedMetric::kInvocations, 1, began, progress.start});
  } else {
    Add(EnhancedMetric::kInvocations, 1, began, progress.start);
  }
}

void EnhancedMetrics::TakeOutcome(const Invocation& invocation, bool tracer_failed, Progress& progress) {
  if (!invocation.ended()) return;
  // A record of the start that has not come by the end is lost.
  Release(/*all=*/true);
  const absl::Time time = EndOf(invocation);
  if ((tracer_failed || Failed(invocation)) && !std::exchange(progress.error, true))
    Add(EnhancedMetric::kErrors, 1, time, progress.start);
  const InvocationOutcome outcome = invocation.outcome();
  if (outcome == InvocationOutcome::kTimeout && !std::exchange(progress.timeout, true))
    Add(EnhancedMetric::kTimeouts, 1, time, progress.start);
  if (outcome == InvocationOutcome::kOutOfMemory) CountOutOfMemory(time, progress);
}

void EnhancedMetrics::OnOutOfMemory(std::string_view request_id, absl::Time time) {
  CountOutOfMemory(time, ProgressOf(request_id));
}

void EnhancedMetrics::CountOutOfMemory(absl::Time time, Progress& progress) {
  if (std::exchange(progress.out_of_memory, true)) return;
  Add(EnhancedMetric::kOutOfMemory, 1, time, progress.counted ? progress.start : latest_or_warm());
}

void EnhancedMetrics::TakeRuntimeDone(const Invocation& invocation, Progress& progress) {
  if (!invocation.runtime_done.has_value() || std::exchange(progress.runtime_done, true)) return;
  const auto& [time, record] = *invocation.runtime_done;
  if (record.duration.has_value())
    Add(EnhancedMetric::kRuntimeDuration, absl::ToDoubleMilliseconds(*record.duration), time, progress.start);
  if (record.produced_bytes.has_value())
    Add(EnhancedMetric::kProducedBytes, static_cast<double>(*record.produced_bytes), time, progress.start);
  TakeSpans(time, record.spans, progress.start);
}

void EnhancedMetrics::TakeReport(const Invocation& invocation, Progress& progress) {
  if (!invocation.report.has_value()) return;
  const auto& [time, record] = *invocation.report;
  const InvocationStart start = progress.start;
  if (record.duration.has_value() && invocation.runtime_done.has_value() &&
      invocation.runtime_done->record.duration.has_value() && !std::exchange(progress.post_runtime, true)) {
    const absl::Duration after = *record.duration - *invocation.runtime_done->record.duration;
    Add(EnhancedMetric::kPostRuntimeDuration, std::max(absl::ToDoubleMilliseconds(after), 0.0), time, start);
  }
  if (std::exchange(progress.reported, true)) return;
  if (record.duration.has_value())
    Add(EnhancedMetric::kDuration, absl::ToDoubleSeconds(*record.duration), time, start);
  if (options_.managed) {
    // There is no record of the runtime's end.
    if (const std::optional<absl::Duration> runtime = invocation.duration();
        runtime.has_value() && !progress.runtime_done) {
      Add(EnhancedMetric::kRuntimeDuration, absl::ToDoubleMilliseconds(*runtime), time, start);
      TakeSpans(time, record.spans, start);
    }
    return;
  }
  TakeBill(*invocation.report, start);
}

void EnhancedMetrics::TakeBill(const Timed<PlatformReport>& report, InvocationStart start) {
  const auto& [time, record] = report;
  if (record.billed_duration.has_value())
    Add(EnhancedMetric::kBilledDuration, absl::ToDoubleSeconds(*record.billed_duration), time, start);
  if (record.max_memory_used_megabytes.has_value())
    Add(EnhancedMetric::kMaxMemoryUsed, static_cast<double>(*record.max_memory_used_megabytes), time, start);
  if (record.memory_size_megabytes.has_value()) {
    Add(EnhancedMetric::kMemorySize, static_cast<double>(*record.memory_size_megabytes), time, start);
    if (record.billed_duration.has_value()) {
      Add(EnhancedMetric::kEstimatedCost,
          EstimatedCost(*record.billed_duration, *record.memory_size_megabytes, options_.arm,
                        options_.initialization_type == kProvisioned),
          time, start);
    }
  }
  if (record.init_duration.has_value()) OnInitDuration(time, *record.init_duration);
}

void EnhancedMetrics::TakeSpans(absl::Time time, const std::vector<TelemetrySpan>& spans,
                                InvocationStart start) {
  bool latency = false;
  bool duration = false;
  for (const TelemetrySpan& span : spans) {
    const double milliseconds = absl::ToDoubleMilliseconds(span.duration);
    if (span.name == "responseLatency" && !std::exchange(latency, true))
      Add(EnhancedMetric::kResponseLatency, milliseconds, time, start);
    if (span.name == "responseDuration" && !std::exchange(duration, true))
      Add(EnhancedMetric::kResponseDuration, milliseconds, time, start);
  }
}

void EnhancedMetrics::TakeFigures(std::string_view request_id, absl::Time time,
                                  absl::Span<const Figure> figures) {
  if (figures.empty()) return;
  const Progress& progress = ProgressOf(request_id);
  const InvocationStart start = progress.counted ? progress.start : latest_or_warm();
  for (const Figure& figure : figures) Add(figure.metric, figure.value, time, start);
}

void EnhancedMetrics::TakeFigures(absl::Time time, absl::Span<const Figure> figures) {
  for (const Figure& figure : figures) Add(figure.metric, figure.value, time, latest_or_warm());
}

// -- The environment ---------------------------------------------------------------------------------------

void EnhancedMetrics::OnEnvironment(bool durable, std::string_view initialization_type) {
  if (options_.initialization_type.empty() && !initialization_type.empty())
    options_.initialization_type = SpelledAsVariable(initialization_type);
  durable_ = durable_ || durable;
  started_ = true;
  MakeTags();
  Release(/*all=*/false);
}

void EnhancedMetrics::OnInitDuration(absl::Time time, absl::Duration duration) {
  if (std::exchange(init_told_, true)) return;
  Hold({EnhancedMetric::kInitDuration, absl::ToDoubleSeconds(duration), time, std::nullopt});
  Release(/*all=*/false);
}

void EnhancedMetrics::OnRestoreDuration(absl::Time time, absl::Duration duration) {
  Hold({EnhancedMetric::kRestoreDuration, absl::ToDoubleSeconds(duration), time, std::nullopt});
  Release(/*all=*/false);
}

void EnhancedMetrics::OnShutdown(absl::Time time) {
  Release(/*all=*/true);
  Add(EnhancedMetric::kShutdowns, 1, time, latest_or_warm());
  if (!latest_.has_value()) Add(EnhancedMetric::kUnusedInit, 1, time, InvocationStart::kWarm);
}

// -- Samples -----------------------------------------------------------------------------------------------

void EnhancedMetrics::Hold(const Held& held) {
  ++counts_.held;
  // Repeated records take no more room.
  std::erase_if(held_, [&held](const Held& other) { return other.metric == held.metric; });
  held_.push_back(held);
}

void EnhancedMetrics::Release(bool all) {
  std::vector<Held> kept;
  for (const Held& held : std::exchange(held_, {})) {
    // `invocations` waits for the record of the start; durations of the start wait for an invocation.
    const bool ready = held.start.has_value() ? started_ : latest_.has_value();
    if (all || ready) {
      Add(held.metric, held.value, held.time, held.start.value_or(latest_or_warm()));
    } else {
      kept.push_back(held);
    }
  }
  held_ = std::move(kept);
}

void EnhancedMetrics::MakeTags() {
  for (const InvocationStart start :
       {InvocationStart::kWarm, InvocationStart::kCold, InvocationStart::kProactive}) {
    Tags& tags = tags_[static_cast<size_t>(start)];
    tags.texts = {absl::StrCat("cold_start:", start == InvocationStart::kCold ? "true" : "false")};
    if (start == InvocationStart::kProactive) tags.texts.emplace_back("proactive_initialization:true");
    if (!type_is_tag_of_function_ && !options_.initialization_type.empty())
      tags.texts.push_back(absl::StrCat("init_type:", options_.initialization_type));
    if (durable_) tags.texts.emplace_back("durable_function:true");
    tags.views.assign(tags.texts.begin(), tags.texts.end());
  }
}

void EnhancedMetrics::Add(EnhancedMetric metric, double value, absl::Time time, InvocationStart start) {
  if (!std::isfinite(value)) return;
  ++counts_.samples;
  sink_.Add({.name = RowOf(metric).name,
             .type = MetricType::kDistribution,
             .values = {&value, 1},
             .time = time,
             .tags = tags_[static_cast<size_t>(start)].views});
}

}  // namespace thaw
