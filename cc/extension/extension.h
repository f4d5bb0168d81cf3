// Wires the extension: local listeners, Lambda's two interfaces, processing and pipelines, and the order in
// which they start and stop.
//
//   EventLoop loop;
//   const ExtensionOptions options{.name = "datadog-agent", .runtime_api = "127.0.0.1:9001"};
//   Extension extension(loop, environment, config, options);
//   Spawn<int>(loop, extension.Run(stop), [&](int status) { … });
//   loop.Run();
//
// The order of the start: listeners, registration, routes, subscription, first /next. The function runs as
// soon as all extensions have registered; connections that come before there are routes wait in the kernel's
// queue. All other work waits until after the first /next: certificates are read when a chain names them,
// the first flush looks up names and keys, and nothing random is drawn before the first event (clones of a
// snapshot would share it).
//
// The stop, after SHUTDOWN, a signal, or the loss of Lambda's interface, is FlushCoordinator::Shutdown
// within the remaining time. Nothing is destroyed: the process ends.
//
// One thread: the loop's.

#ifndef THAW_CC_EXTENSION_EXTENSION_H_
#define THAW_CC_EXTENSION_EXTENSION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cc/agent/dogstatsd_receiver.h"
#include "cc/agent/lifecycle_receiver.h"
#include "cc/agent/telemetry_receiver.h"
#include "cc/agent/trace_receiver.h"
#include "cc/base/cancellation.h"
#include "cc/base/task.h"
#include "cc/config/config.h"
#include "cc/config/environment.h"
#include "cc/extension/enhanced_intake.h"
#include "cc/extension/event_intake.h"
#include "cc/extension/function_life.h"
#include "cc/extension/invocation_bridge.h"
#include "cc/extension/late_random.h"
#include "cc/extension/local_servers.h"
#include "cc/extension/log_intake.h"
#include "cc/extension/metric_intake.h"
#include "cc/extension/own_metrics.h"
#include "cc/extension/pipelines.h"
#include "cc/extension/record_takers.h"
#include "cc/extension/trace_intake.h"
#include "cc/flush/byte_budget.h"
#include "cc/lambda/api/extensions_api.h"
#include "cc/lambda/api/initialization_type.h"
#include "cc/lambda/api/runtime_api.h"
#include "cc/lambda/invocation/function_tags.h"
#include "cc/lambda/invocation/invocation_assembler.h"
#include "cc/lambda/invocation/invocation_observers.h"
#include "cc/lambda/invocation/invocation_store.h"
#include "cc/lambda/invocation/invocation_tracker.h"
#include "cc/lambda/invocation/lifecycle_endpoints.h"
#include "cc/metrics/system_proc_reader.h"
#include "cc/net/client.h"
#include "cc/net/datagrams.h"
#include "cc/net/io/event_loop.h"
#include "cc/net/network.h"
#include "cc/stats/pathway_stats.h"

namespace thaw {

struct ExtensionOptions {
  std::string name;         // the executable's name, by which Lambda knows it
  std::string runtime_api;  // AWS_LAMBDA_RUNTIME_API
  uint16_t trace_port = 8126;
  uint16_t lifecycle_port = 8124;
  uint16_t telemetry_port = 8999;
  // The time limit of a shutdown without a deadline.
  absl::Duration shutdown_time = absl::Seconds(2);
};

class Extension {
 public:
  // All arguments must outlive the extension.
  Extension(EventLoop& loop, const Environment& environment, const Config& config, ExtensionOptions options);
  Extension(const Extension&) = delete;
  Extension& operator=(const Extension&) = delete;
  ~Extension();

  // Runs from registration to the last flush and returns the process's exit status. `stop` ends it by the
  // shutdown plan.
  Task<int> Run(Cancellation& stop);

  // Returns all counts on one line.
  std::string DebugJson() const;

 private:
  // Performs the steps of the start, in this order. Those that return a status can fail.
  Task<absl::Status> Start(Cancellation& stop);
  absl::Status BuildRuntimeApi();
  void BindServers();
  Task<absl::StatusOr<Registration>> Register(Cancellation& stop);
  absl::Status BuildPipelines();
  void BuildInvocations(const FunctionFacts& facts);
  void BuildLogs(const FunctionFacts& facts);
  // Builds the units of metrics. Must precede BuildInvocations(), whose units report to them.
  void BuildMetrics(const FunctionFacts& facts);
  void BuildLife();
  void FillFlushes();
  void HandOverPathways();
  // Adds the samples of the extension's own metrics. `last`: the environment ends.
  void AddOwnMetrics(bool last);
  // Waits until data that has come is processed, so that the flush that follows has it.
  Task<void> WaitForWork(absl::Duration at_most);
  void Serve(const FunctionFacts& facts);
  Task<void> Subscribe(Cancellation& stop);

  // Tells Lambda, which ends the environment in its own time, why the extension ends: as a failure of the
  // initialization until the first event has come. `error_type` is "Extension.Reason".
  Task<void> ReportFailure(std::string error_type, const absl::Status& status);
  Task<void> Shutdown(absl::Duration left);

  EventLoop& loop_;
  const Environment& environment_;
  const Config& config_;
  const ExtensionOptions options_;
  const InitializationTraits traits_;

  const std::shared_ptr<LateRandom> random_ = std::make_shared<LateRandom>();
  const std::shared_ptr<ByteBudget> bytes_;  // charged with all memory that depends on input
  std::vector<std::string> warnings_;        // logged when the start is over
  std::vector<std::string> errors_;          // likewise
  std::unique_ptr<Network> network_;
  std::unique_ptr<Client> runtime_client_;
  std::unique_ptr<RuntimeApi> runtime_api_;
  std::unique_ptr<ExtensionsApi> extensions_;
  std::unique_ptr<Pipelines> pipelines_;
  InvocationStore invocations_;
  std::unique_ptr<InvocationAssembler> assembler_;
  std::unique_ptr<TraceIntake> intake_;
  std::unique_ptr<PathwayStats> pathways_;  // null if Data Streams are off
  std::unique_ptr<InvocationBridge> bridge_;
  InvocationObservers observers_;
  std::unique_ptr<InvocationTracker> tracker_;
  std::unique_ptr<LogIntake> logs_;  // null: logs are switched off
  std::unique_ptr<MetricIntake> metrics_;
  std::unique_ptr<EventIntake> events_;
  SystemProcReader proc_;
  std::unique_ptr<EnhancedIntake> enhanced_;  // null: enhanced metrics are switched off
  std::unique_ptr<OwnMetrics> own_metrics_;   // null: likewise thaw.*
  std::unique_ptr<FunctionLife> life_;
  RecordTakers record_takers_;
  std::unique_ptr<LifecycleEndpoints> endpoints_;
  std::unique_ptr<TelemetryReceiver> telemetry_;
  std::unique_ptr<TraceReceiver> traces_;
  std::unique_ptr<LifecycleReceiver> lifecycle_;
  std::unique_ptr<DogStatsdReceiver> dogstatsd_;
  LocalServers servers_;
  std::unique_ptr<Datagrams> datagrams_;  // null once they are received, and if the port is taken
};

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_EXTENSION_H_
