// Where everything that tracers send comes together: processed as the configuration says, and handed to the
// pipelines. Spans that the extension makes of invocations go the same way.
//
//   TraceIntake intake(processor_options, clock, lifecycle_options, random, pipelines);
//   TraceReceiver receiver(options, intake);
//   LifecycleReceiver calls(intake.lifecycle());
//
// One thread: the executor's.

#ifndef THAW_CC_EXTENSION_TRACE_INTAKE_H_
#define THAW_CC_EXTENSION_TRACE_INTAKE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "cc/agent/trace_receiver.h"
#include "cc/base/declare_counts.h"
#include "cc/clock/clock.h"
#include "cc/extension/pipelines.h"
#include "cc/lambda/invocation/lifecycle_endpoints.h"
#include "cc/stats/concentrator.h"
#include "cc/trace/trace_processor.h"

namespace thaw {

// X(name, what it counts)
#define THAW_TRACE_INTAKE_COUNTS(X)                                             \
  X(payloads, "requests with traces that were handed over")                     \
  X(empty, "requests of which no span was left")                                \
  X(spans_left_out, "spans that could not be read, whose neighbours were kept") \
  X(own_traces, "traces made here of invocations")                              \
  X(own_traces_lost, "of those, the ones for which there was no room")

struct TraceIntakeCounts {
  THAW_DECLARE_COUNTS(THAW_TRACE_INTAKE_COUNTS)
};

class TraceIntake : public TraceSink, private LifecycleSink {
 public:
  // `clock` and `pipelines` must outlive it. `stats`: of what is counted here, if anything is.
  TraceIntake(TraceProcessorOptions processing, LifecycleOptions lifecycle,
              std::optional<ConcentratorOptions> stats, Clock& clock, RandomId random, Pipelines& pipelines);

  // TraceSink:
  absl::Status TakeTraces(std::string_view body, TraceFormat format, const TracerHeaders& headers) override;
  absl::Status TakeStats(std::string_view body, const TracerHeaders& headers) override;
  absl::Status TakeProxied(ProxiedRequest request) override;

  // Hands over the stats that were counted here. What there is no room for stays for the next time.
  void HandOverStats(FlushScope scope);

  // As platform.initStart names it: the function's runtime becomes a tag.
  void SetRuntimeVersion(std::string_view version);

  InvocationLifecycle& lifecycle() { return lifecycle_; }
  const InvocationLifecycle& lifecycle() const { return lifecycle_; }
  // Null if nothing is counted here.
  const Concentrator* concentrator() const { return concentrator_.get(); }
  const TraceIntakeCounts& counts() const { return counts_; }

 private:
  // LifecycleSink:
  void TakeTrace(std::string body, bool client_computed_stats) override;
  void InvocationFinished(const FinishedInvocation&) override {}

  absl::Status Process(std::string_view body, TraceFormat format, const TracerHeaders& headers);

  Pipelines& pipelines_;
  InvocationLifecycle lifecycle_;
  TraceProcessor processor_;
  std::unique_ptr<Concentrator> concentrator_;
  TraceIntakeCounts counts_;
};

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_TRACE_INTAKE_H_
