// Processes everything that tracers send, as the configuration says, and hands it to the pipelines. Spans
// that the extension makes of invocations take the same path.
//
//   TraceIntake intake(std::move(processing), stats, executor, clock, assembler, pipelines);
//   TraceReceiver receiver(options, intake);
//   intake.TakeOwnTraces();   // after each call of the assembler
//
// One thread: the executor's.

#ifndef THAW_CC_EXTENSION_TRACE_INTAKE_H_
#define THAW_CC_EXTENSION_TRACE_INTAKE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cc/agent/trace_receiver.h"
#include "cc/base/byte_account.h"
#include "cc/base/cancellation.h"
#include "cc/base/completion.h"
#include "cc/base/declare_counts.h"
#include "cc/base/executor.h"
#include "cc/base/line.h"
#include "cc/base/task.h"
#include "cc/clock/clock.h"
#include "cc/extension/pipelines.h"
#include "cc/lambda/invocation/invocation_assembler.h"
#include "cc/stats/concentrator.h"
#include "cc/trace/process/trace_processor.h"

namespace thaw {

// X(name, what it counts)
#define THAW_TRACE_INTAKE_COUNTS(X)                                                          \
  X(payloads, "requests with traces that were handed over")                                  \
  X(empty, "requests of which no span was left")                                             \
  X(in_parts, "of those, the ones that came to several parts")                               \
  X(spans_left_out, "spans that could not be read, whose neighbours were kept")              \
  X(spans_without_ids, "spans with no trace id or no span id, likewise")                     \
  X(values_left_out, "tags, links and events that could not be read, whose spans were kept") \
  X(metrics_not_finite, "metrics of spans that were NaN or infinite, likewise")              \
  X(stats_left_out, "groups of client stats that could not be read, likewise")               \
  X(own_traces, "traces made here of invocations")                                           \
  X(own_traces_lost, "of those, the ones for which there was no room")

struct TraceIntakeCounts {
  THAW_DECLARE_COUNTS(THAW_TRACE_INTAKE_COUNTS)
};

class TraceIntake : public TraceSink {
 public:
  // `clock`, `assembler` and `pipelines` must outlive the intake. `stats`: set if stats are computed here.
  TraceIntake(TraceProcessorOptions processing, std::optional<ConcentratorOptions> stats, Executor& executor,
              Clock& clock, InvocationAssembler& assembler, Pipelines& pipelines);

  // TraceSink:
  std::optional<absl::Status> TakeTracesAtOnce(const TraceRequest& request) override;
  // Processes large requests one after the other. A result comes in parts, each of which is compressed at
  // once; they are handed over together, or not at all.
  Task<absl::Status> TakeTraces(TraceRequest request, Cancellation& cancellation) override;
  std::optional<absl::Status> TakeStatsAtOnce(const TraceRequest& request) override;
  Task<absl::Status> TakeStats(TraceRequest request, Cancellation& cancellation) override;
  absl::Status TakeProxied(ProxiedRequest request) override;

  // Processes the traces that the assembler has queued.
  void TakeOwnTraces();

  // Waits until the current work is done, for at most `at_most`.
  Task<void> WaitForWork(absl::Duration at_most);

  // Hands over the stats computed here. Payloads without room stay for the next time.
  void HandOverStats(FlushScope scope);

  // Takes the runtime's version from platform.initStart: the function's runtime becomes a tag.
  void SetRuntimeVersion(std::string_view version);

  // Returns null if no stats are computed here.
  const Concentrator* concentrator() const { return concentrator_.get(); }
  const TraceIntakeCounts& counts() const { return counts_; }

 private:
  TraceLimits LimitsOf(const TraceRequest& request, ByteAccount& account) const;
  Task<absl::Status> ProcessInTurns(const TraceRequest& request, Cancellation& cancellation);
  Task<absl::Status> ProcessStatsInTurns(const TraceRequest& request, Cancellation& cancellation);
  // Encodes a part: adds its requests to `requests` and their memory to `charge`; `workspace` is charged with
  // the memory that encoding needs.
  absl::Status Encode(TracePayload part, ByteCharge& charge, ByteCharge& workspace,
                      std::vector<EncodedRequest>& requests);
  absl::Status HandOver(TracePayload payload);
  // Charges the budget with the memory that reading a stats request needs.
  absl::Status ChargeStatsWork(const TraceRequest& request, ByteCharge& charge);
  absl::Status AddStats(StatsPayload payload, ByteCharge& charge);
  // Cuts a large payload into parts, encodes one after the other, and hands all of them over, or none.
  Task<absl::Status> EncodeStatsInTurns(StatsPayload payload, ByteCharge& charge, Cancellation& cancellation);
  void CountStats(const StatsPayload& payload);
  void TakeOwnTrace(OwnTrace trace);
  // Counts a request that is done.
  void Count(const TraceCounts& counts, const std::string& first_problem);
  void WorkEnded();

  Executor& executor_;
  Clock& clock_;
  Pipelines& pipelines_;
  InvocationAssembler& assembler_;
  TraceProcessor processor_;
  std::unique_ptr<Concentrator> concentrator_;
  Line line_;
  std::vector<Completion<bool>*> waiting_for_work_;
  TraceIntakeCounts counts_;
};

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_TRACE_INTAKE_H_
