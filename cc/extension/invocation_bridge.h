// Passes what Lambda reports about invocations and the environment to the units that process traces.
//
//   InvocationBridge bridge(clock, invoke_events, assembler, intake, pipelines);
//   InvocationTracker tracker(clock, options, store, bridge);
//   bridge.OnInvoke(event.request_id, tracker.Find(event.request_id));   // after tracker.OnInvoke(event)
//
// One thread.

#ifndef THAW_CC_EXTENSION_INVOCATION_BRIDGE_H_
#define THAW_CC_EXTENSION_INVOCATION_BRIDGE_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "cc/clock/clock.h"
#include "cc/extension/pipelines.h"
#include "cc/extension/trace_intake.h"
#include "cc/lambda/invocation/invocation_assembler.h"
#include "cc/lambda/invocation/invocation_tracker.h"
#include "cc/telemetry/invocation.h"

namespace thaw {

class InvocationBridge : public InvocationObserver {
 public:
  // All arguments must outlive the bridge. `invoke_events`: /next returns invocations; otherwise an
  // invocation begins with the first news of it.
  InvocationBridge(const Clock& clock, bool invoke_events, InvocationAssembler& assembler,
                   TraceIntake& intake, Pipelines& pipelines)
      : clock_(clock),
        invoke_events_(invoke_events),
        assembler_(assembler),
        intake_(intake),
        pipelines_(pipelines) {}

  // /next returned the invocation. `invocation`: what is known of it; may be null.
  void OnInvoke(std::string_view request_id, const Invocation* invocation);

  // InvocationObserver:
  void InvocationStarted(const Invocation& invocation) override;
  void InvocationEnded(const Invocation& invocation) override;
  void InvocationReported(const Invocation& invocation) override;
  void InitializationChanged(const Initialization& initialization) override;
  void RestoreChanged(const Restore& restore) override;

 private:
  const Clock& clock_;
  const bool invoke_events_;
  InvocationAssembler& assembler_;
  TraceIntake& intake_;
  Pipelines& pipelines_;
  std::string runtime_version_;         // from platform.initStart
  std::optional<absl::Time> restored_;  // when the last restore began
};

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_INVOCATION_BRIDGE_H_
