#include "cc/extension/trace_intake.h"

#include <utility>

#include "absl/log/log.h"
#include "cc/base/status_macros.h"
#include "cc/lambda/invocation/function_tags.h"
#include "cc/stats/stats_payload.h"

namespace thaw {

TraceIntake::TraceIntake(TraceProcessorOptions processing, LifecycleOptions lifecycle,
                         std::optional<ConcentratorOptions> stats, Clock& clock, RandomId random,
                         Pipelines& pipelines)
    : pipelines_(pipelines),
      lifecycle_(std::move(lifecycle), clock, std::move(random), *this),
      processor_(std::move(processing), clock, &lifecycle_) {
  if (stats.has_value()) concentrator_ = std::make_unique<Concentrator>(*std::move(stats), clock);
}

absl::Status TraceIntake::TakeTraces(std::string_view body, TraceFormat format,
                                     const TracerHeaders& headers) {
  absl::Status status = Process(body, format, headers);
  // A placeholder among the spans may have been all that an invocation's own span waited for.
  lifecycle_.SendReady();
  return status;
}

absl::Status TraceIntake::Process(std::string_view body, TraceFormat format, const TracerHeaders& headers) {
  THAW_ASSIGN_OR_RETURN(TracePayload payload, processor_.Process(body, format, headers, concentrator_.get()));
  counts_.spans_left_out += payload.counts().spans_left_out;
  if (!payload.first_problem().empty()) VLOG(1) << "traces: " << payload.first_problem();
  if (payload.empty()) {
    ++counts_.empty;
    return absl::OkStatus();
  }
  const absl::Status added = pipelines_.traces().Add(std::move(payload)).status();
  if (added.ok()) {
    ++counts_.payloads;
  } else {
    // The tracer will send it again.
    processor_.ForgetLast();
  }
  return added;
}

absl::Status TraceIntake::TakeStats(std::string_view body, const TracerHeaders&) {
  THAW_ASSIGN_OR_RETURN(StatsPayload payload, StatsPayload::FromMsgpack(body));
  if (payload.empty()) return absl::OkStatus();
  return pipelines_.stats().Add(std::move(payload)).status();
}

void TraceIntake::HandOverStats(FlushScope scope) {
  if (concentrator_ == nullptr) return;
  concentrator_
      ->Flush(scope,
              [this](StatsPayload payload) { return pipelines_.stats().Add(std::move(payload)).status(); })
      .IgnoreError();  // counted where it was turned away
}

absl::Status TraceIntake::TakeProxied(ProxiedRequest request) {
  return pipelines_.AddProxied(std::move(request));
}

void TraceIntake::SetRuntimeVersion(std::string_view version) {
  if (std::string runtime = RuntimeName(version); !runtime.empty()) {
    processor_.SetFunctionTag("runtime", runtime);
    lifecycle_.set_runtime(std::move(runtime));
  }
  if (IsDurable(version)) processor_.SetFunctionTag("durable_function", "true");
}

void TraceIntake::TakeTrace(std::string body, bool client_computed_stats) {
  ++counts_.own_traces;
  TracerHeaders headers;
  headers.client_computed_stats = client_computed_stats;
  const absl::Status status = Process(body, TraceFormat::kV04, headers);
  if (status.ok()) return;
  ++counts_.own_traces_lost;
  LOG_FIRST_N(WARNING, 1) << "the span of an invocation is lost: " << status.message()
                          << "; further ones are only counted";
}

}  // namespace thaw
