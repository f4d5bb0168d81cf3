#include "cc/extension/extension.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "absl/log/log.h"
#include "absl/strings/str_cat.h"
#include "boost/json/object.hpp"
#include "boost/json/parse.hpp"
#include "boost/json/serialize.hpp"
#include "cc/base/counts_json.h"
#include "cc/base/status_macros.h"
#include "cc/base/version.h"
#include "cc/extension/function_settings.h"
#include "cc/extension/log_output.h"
#include "cc/flush/pathway_flusher.h"
#include "cc/lambda/api/sandbox_address.h"
#include "cc/lambda/api/telemetry_subscription.h"
#include "cc/net/client_factory.h"
#include "cc/net/io/tcp_network.h"
#include "cc/stats/peer_tags.h"
#include "cc/stats/stats_tags.h"

namespace thaw {
namespace {

// Emulators may deliver to this machine without naming it in the hosts file.
std::string TelemetryAddress() { return AddressInHosts(ReadHosts(), kSandboxHost).value_or("127.0.0.1"); }

// Logs each warning once: clients that share an option have the same complaint.
void LogOnce(const std::vector<std::string>& warnings) {
  for (auto warning = warnings.begin(); warning != warnings.end(); ++warning) {
    if (std::find(warnings.begin(), warning, *warning) == warning) LOG(WARNING) << *warning;
  }
}

}  // namespace

Extension::Extension(EventLoop& loop, const Environment& environment, const Config& config,
                     ExtensionOptions options)
    : loop_(loop),
      environment_(environment),
      config_(config),
      options_(std::move(options)),
      traits_(InitializationTraitsOf(config.environment)),
      bytes_(std::make_shared<ByteBudget>(config.outbox_bytes)),
      network_(MakeTcpNetwork(loop)),
      invocations_(InvocationStoreOptionsFrom(*bytes_)),
      servers_(loop, {.max_incoming_bytes = config.outbox_bytes, .account = bytes_.get()}) {
  bytes_->set_reclaim([this] { return servers_.GiveWay(); });
}

Extension::~Extension() { bytes_->set_reclaim(nullptr); }

// -- Start -----------------------------------------------------------------------------------------------

Task<int> Extension::Run(Cancellation& stop) {
  const absl::Status started = co_await Start(stop);
  if (!started.ok() && stop.requested()) co_return 0;
  if (!started.ok()) {
    LOG(ERROR) << "the extension can't start: " << started.message();
    co_await ReportFailure("Extension.StartFailed", started);
    co_return 1;
  }
  const absl::StatusOr<ShutdownEvent> ended = co_await life_->Run(stop);
  if (ended.ok()) {
    co_await Shutdown(ended->deadline - loop_.Now().wall);
    co_return 0;
  }
  const bool stopped = stop.requested();
  if (!stopped)
    LOG(ERROR) << "no events can be received from Lambda, the extension shuts down: "
               << ended.status().message();
  co_await Shutdown(options_.shutdown_time);
  if (stopped) co_return 0;
  co_await ReportFailure("Extension.NextFailed", ended.status());
  co_return 1;
}

Task<absl::Status> Extension::Start(Cancellation& stop) {
  THAW_CO_RETURN_IF_ERROR(BuildRuntimeApi());
  BindServers();
  Task<absl::StatusOr<Registration>> registering = Register(stop);
  THAW_CO_ASSIGN_OR_RETURN(const Registration registration, co_await std::move(registering));
  const FunctionFacts facts = FunctionFactsFrom(environment_, config_, registration);
  THAW_CO_RETURN_IF_ERROR(BuildPipelines());
  BuildInvocations(facts);
  BuildLife();
  FillFlushes();
  Serve(facts);
  co_await Subscribe(stop);
  LogOnce(warnings_);
  for (const std::string& error : errors_) LOG(ERROR) << error;
  if (!traits_.freezes) pipelines_->coordinator().RunContinuously();
  co_return absl::OkStatus();
}

absl::Status Extension::BuildRuntimeApi() {
  THAW_ASSIGN_OR_RETURN(const Destination address, ParseRuntimeApiAddress(options_.runtime_api));
  THAW_ASSIGN_OR_RETURN(runtime_client_, MakeClient(
                                             loop_, loop_, *network_, RuntimeApiClientOptions(),
                                             [random = random_] { return random->Fraction(); }, &warnings_));
  runtime_api_ = std::make_unique<RuntimeApi>(*runtime_client_, address);
  extensions_ = std::make_unique<ExtensionsApi>(*runtime_api_, loop_);
  return absl::OkStatus();
}

void Extension::BindServers() {
  servers_.Bind("telemetry", "telemetry", {.address = TelemetryAddress(), .port = options_.telemetry_port});
  servers_.Bind("traces", "traces", {.address = "127.0.0.1", .port = options_.trace_port});
  servers_.Bind("lifecycle", "calls of tracers", {.address = "127.0.0.1", .port = options_.lifecycle_port});
  datagrams_ = servers_.BindDatagrams("metrics by DogStatsD", DogStatsdSocketFrom(config_, *bytes_));
}

Task<absl::StatusOr<Registration>> Extension::Register(Cancellation& stop) {
  std::vector<ExtensionEvent> events = {ExtensionEvent::kShutdown};
  if (traits_.invoke_events) events.insert(events.begin(), ExtensionEvent::kInvoke);
  return extensions_->Register(options_.name, std::move(events), stop);
}

absl::Status Extension::BuildPipelines() {
  THAW_ASSIGN_OR_RETURN(pipelines_, Pipelines::Make(loop_, loop_, *network_, config_,
                                                    [random = random_] { return random->Fraction(); },
                                                    warnings_, {.bytes = bytes_}));
  return absl::OkStatus();
}

void Extension::BuildInvocations(const FunctionFacts& facts) {
  assembler_ = std::make_unique<InvocationAssembler>(
      AssemblerOptionsFrom(config_, facts, traits_.concurrent_invocations), invocations_, loop_,
      [random = random_] { return random->Id(); });
  intake_ = std::make_unique<TraceIntake>(
      TraceProcessorOptionsFrom(config_, facts, options_.runtime_api, warnings_),
      ConcentratorOptionsFrom(config_), loop_, loop_, *assembler_, *pipelines_);
  pathways_ = PathwayStatsFrom(config_, facts, loop_, *bytes_);
  bridge_ =
      std::make_unique<InvocationBridge>(loop_, traits_.invoke_events, *assembler_, *intake_, *pipelines_);
  BuildMetrics(facts);
  BuildLogs(facts);
  // Spans are made, and what tracers told is dropped, within the bridge.
  if (enhanced_ != nullptr) observers_.Add(*enhanced_);
  observers_.Add(*bridge_);
  tracker_ = std::make_unique<InvocationTracker>(
      loop_, InvocationTrackerOptions{.restored_from_snapshot = traits_.restored_from_snapshot}, invocations_,
      observers_);
  record_takers_.Add("invocations", [this](const TelemetryRecord& record) { tracker_->OnTelemetry(record); });
}

void Extension::BuildMetrics(const FunctionFacts& facts) {
  metrics_ = std::make_unique<MetricIntake>(
      MetricIntakeOptions{.facts = facts,
                          .histograms = HistogramOptionsFrom(config_, warnings_),
                          .excluded_tags = config_.metrics.exclude_tags,
                          .freezes = traits_.freezes},
      loop_, loop_, *pipelines_);
  record_takers_.Add("metrics", [this](const TelemetryRecord& record) { metrics_->Take(record); });
  events_ = std::make_unique<EventIntake>(facts, loop_, *pipelines_);
  const OwnMetricsConfig& config = config_.own_metrics;
  if (config.thaw) own_metrics_ = std::make_unique<OwnMetrics>(metrics_->own());
  if (!config.enhanced) return;
  enhanced_ = std::make_unique<EnhancedIntake>(
      EnhancedIntakeOptions{.metrics = EnhancedMetricsOptionsFrom(facts, traits_.concurrent_invocations),
                            .proc = config.proc},
      loop_, proc_, metrics_->own(),
      [this](std::string_view request_id) { return tracker_->TracerSaysFailed(request_id); });
}

void Extension::BuildLogs(const FunctionFacts& facts) {
  if (!config_.logs.enabled()) return;
  logs_ = std::make_unique<LogIntake>(
      LogIntakeOptions{
          .processing = LogProcessorOptionsFrom(config_, traits_.concurrent_invocations, *bytes_, errors_),
          .facts = facts},
      *pipelines_);
  if (enhanced_ != nullptr) {
    logs_->set_on_out_of_memory(
        [this](std::string_view request_id, absl::Time time) { enhanced_->OnOutOfMemory(request_id, time); });
  }
  assembler_->set_on_invocation_span([this](const SpanView& span) { logs_->OnInvocationSpan(span); });
  record_takers_.Add("logs", [this](const TelemetryRecord& record) { logs_->Take(record); });
}

void Extension::BuildLife() {
  life_ = std::make_unique<FunctionLife>(loop_, loop_, *extensions_, *tracker_, pipelines_->coordinator(),
                                         FunctionLife::Options());
  life_->set_on_quiesce([this] {
    servers_.Quiesce();
    if (enhanced_ != nullptr) enhanced_->OnQuiesce();
  });
  life_->set_on_resume([this] { servers_.Resume(); });
  life_->set_on_invoke([this](const InvokeEvent& event) {
    if (enhanced_ != nullptr) enhanced_->OnInvoke(event.request_id, tracker_->Find(event.request_id));
    bridge_->OnInvoke(event.request_id, tracker_->Find(event.request_id));
    intake_->TakeOwnTraces();
  });
}

void Extension::FillFlushes() {
  FlushCoordinator& coordinator = pipelines_->coordinator();
  coordinator.AddSource([this](bool last) {
    if (last) {
      tracker_->ConcludeAll();
      assembler_->FinishAll();
    } else {
      assembler_->FinishIdentified();
    }
    intake_->TakeOwnTraces();
    // Data left in an environment that is never thawed again is lost.
    if (logs_ != nullptr) logs_->HandOver(last);
    AddOwnMetrics(last);
    HandOverPathways();
    intake_->HandOverStats(last || traits_.freezes ? FlushScope::kAll : FlushScope::kSettled);
  });
  coordinator.AddLongSource([this](bool last) { return metrics_->HandOver(last); });
  coordinator.AddLeftover([this] {
    const int64_t lines = logs_ != nullptr ? logs_->not_handed_over() : 0;
    return lines > 0 ? absl::StrCat("logs: ", lines, " lines") : "";
  });
  coordinator.AddLeftover([this] {
    const size_t metrics = metrics_->not_handed_over();
    return metrics > 0 ? absl::StrCat("metrics: ", metrics, " metrics") : "";
  });
  coordinator.set_before_flush([this](absl::Duration at_most) { return WaitForWork(at_most); });
  coordinator.set_on_flushed([this](FlushReason, const FlushReport&) { VLOG(1) << DebugJson(); });
}

void Extension::AddOwnMetrics(bool last) {
  if (last && enhanced_ != nullptr) enhanced_->OnShutdown();
  if (own_metrics_ == nullptr) return;
  static constexpr LogIntakeCounts kNoLogs;
  static constexpr LogProcessorCounts kNoLines;
  static constexpr PathwayCounts kNoPathways;
  const auto tags = enhanced_ != nullptr ? enhanced_->metrics().tags() : absl::Span<const std::string_view>();
  own_metrics_->Add({.coordinator = pipelines_->coordinator(),
                     .client = pipelines_->client_counts(),
                     .traces = intake_->counts(),
                     .logs = logs_ != nullptr ? logs_->counts() : kNoLogs,
                     .log_lines = logs_ != nullptr ? logs_->processor_counts() : kNoLines,
                     .metrics = metrics_->counts(),
                     .aggregated = metrics_->aggregator_counts(),
                     .datagrams = dogstatsd_->counts(),
                     .lines = dogstatsd_->line_counts(),
                     .events = events_->counts(),
                     .receiver = traces_->counts(),
                     .telemetry = telemetry_->counts(),
                     .pathways = pathways_ != nullptr ? pathways_->counts() : kNoPathways},
                    tags);
}

void Extension::HandOverPathways() {
  if (pathways_ == nullptr) return;
  PathwayFlusher& flusher = *pipelines_->Find<PathwayFlusher>();
  pathways_->HandOver([&flusher](PathwayPayload payload) { return flusher.Add(std::move(payload)).status(); })
      .IgnoreError();  // the refusal is counted already
}

Task<void> Extension::WaitForWork(absl::Duration at_most) {
  const absl::Duration began = loop_.Now().monotonic;
  // A function's last metrics were sent before its end, and are in the kernel by now.
  Task<void> datagrams = dogstatsd_->WaitForWork(at_most);
  co_await std::move(datagrams);
  Task<void> records = telemetry_->WaitForWork();
  co_await std::move(records);
  const absl::Duration left = at_most - (loop_.Now().monotonic - began);
  Task<void> traces = intake_->WaitForWork(std::max(left, absl::ZeroDuration()));
  co_await std::move(traces);
}

void Extension::Serve(const FunctionFacts& facts) {
  telemetry_ = std::make_unique<TelemetryReceiver>(
      loop_, loop_, [this](const TelemetryRecord& record) { record_takers_.Give(record); },
      [this] {
        intake_->TakeOwnTraces();
        life_->OnRecords();
      },
      bytes_.get());
  traces_ = std::make_unique<TraceReceiver>(
      TraceReceiverOptions{.version = std::string(kVersion),
                           .peer_tags = {std::begin(kPeerTags), std::end(kPeerTags)},
                           .span_kinds = {std::begin(kStatsSpanKinds), std::end(kStatsSpanKinds)},
                           .additional_tags = absl::StrCat("_dd.origin:lambda;functionname:", facts.name),
                           .env = facts.env,
                           .debug_json = [this] { return DebugJson(); }},
      *intake_);
  endpoints_ = std::make_unique<LifecycleEndpoints>(LifecycleOptionsFrom(config_, facts, warnings_),
                                                    *assembler_, pathways_.get());
  lifecycle_ = std::make_unique<LifecycleReceiver>(loop_, *endpoints_, bytes_.get(), [this] {
    intake_->TakeOwnTraces();
    life_->OnTracerCall();
  });
  dogstatsd_ = std::make_unique<DogStatsdReceiver>(
      loop_, loop_, DogStatsdOptionsFrom(config_), *metrics_,
      [this](const StatsdEvent& event) { events_->Add(event); },
      [this](const ServiceCheck& check) { events_->Add(check); });
  dogstatsd_->Serve(std::move(datagrams_));
  servers_.Serve("telemetry", telemetry_->Routes());
  servers_.Serve("traces", traces_->Routes());
  servers_.Serve("lifecycle", lifecycle_->Routes());
}

Task<void> Extension::Subscribe(Cancellation& stop) {
  TelemetrySubscription subscription{.schema_version = std::string(traits_.telemetry_schema),
                                     .function_logs = logs_ != nullptr,
                                     .extension_logs = logs_ != nullptr,
                                     .port = options_.telemetry_port};
  const absl::StatusOr<TelemetrySupport> support =
      co_await SubscribeToTelemetry(*runtime_api_, extensions_->identifier(), std::move(subscription), stop);
  const bool telemetry = support.ok() && *support == TelemetrySupport::kSubscribed;
  if (!support.ok()) LOG(ERROR) << "the Telemetry API can't be used: " << support.status().message();
  VLOG(1) << "telemetry records go to: " << record_takers_.Names();
  tracker_->set_telemetry(telemetry);
  if (enhanced_ != nullptr) enhanced_->set_telemetry(telemetry);
  life_->set_telemetry(telemetry);
}

Task<void> Extension::ReportFailure(std::string error_type, const absl::Status& status) {
  // Without an identifier there is no way to report.
  if (extensions_ == nullptr || extensions_->identifier().empty()) co_return;
  Cancellation never;
  const ExtensionsApiCounts& events = extensions_->counts();
  const bool began = events.invoke_events + events.shutdown_events > 0;
  std::string message(status.message());
  Task<absl::Status> reporting =
      began ? extensions_->ExitError(std::move(error_type), std::move(message), never)
            : extensions_->InitError(std::move(error_type), std::move(message), never);
  const absl::Status reported = co_await std::move(reporting);
  if (!reported.ok()) LOG(ERROR) << reported.message();
}

// -- Stop ------------------------------------------------------------------------------------------------

Task<void> Extension::Shutdown(absl::Duration left) {
  // SHUTDOWN may have finished invocations: if no time is left for a flush, their spans count as lost.
  intake_->TakeOwnTraces();
  co_await pipelines_->coordinator().Shutdown(std::clamp(left, absl::ZeroDuration(), options_.shutdown_time));
}

// -- Counts ----------------------------------------------------------------------------------------------

std::string Extension::DebugJson() const {
  boost::json::object all;
  all["version"] = kVersion;
  all["flush"] = boost::json::parse(pipelines_->coordinator().ToJson());
  all["traces"] = CountsToJson(intake_->counts());
  all["receiver"] = CountsToJson(traces_->counts());
  all["life"] = CountsToJson(life_->counts());
  all["invocations"] = CountsToJson(tracker_->counts());
  boost::json::object lifecycle = CountsToJson(endpoints_->counts());
  AddCounts(assembler_->counts(), lifecycle);
  all["lifecycle"] = std::move(lifecycle);
  if (const Concentrator* const stats = intake_->concentrator())
    all["concentrator"] = CountsToJson(stats->counts());
  if (pathways_ != nullptr) all["data_streams"] = CountsToJson(pathways_->counts());
  if (logs_ != nullptr) {
    boost::json::object logs = CountsToJson(logs_->processor_counts());
    AddCounts(logs_->counts(), logs);
    all["logs"] = std::move(logs);
  }
  boost::json::object metrics = CountsToJson(metrics_->counts());
  if (enhanced_ != nullptr) {
    boost::json::object enhanced = CountsToJson(enhanced_->metrics().counts());
    AddCounts(enhanced_->figure_counts(), enhanced);
    metrics["enhanced"] = std::move(enhanced);
  }
  if (own_metrics_ != nullptr) metrics["thaw"] = CountsToJson(own_metrics_->counts());
  AddCounts(metrics_->aggregator_counts(), metrics);
  all["metrics"] = std::move(metrics);
  boost::json::object dogstatsd = CountsToJson(dogstatsd_->counts());
  AddCounts(dogstatsd_->line_counts(), dogstatsd);
  dogstatsd["handed_over"] = CountsToJson(events_->counts());
  all["dogstatsd"] = std::move(dogstatsd);
  all["telemetry"] = CountsToJson(telemetry_->counts());
  all["events"] = CountsToJson(extensions_->counts());
  all["log"] = CountsToJson(LogOutputCounts());
  boost::json::object servers;
  for (const LocalServer& each : servers_.all())
    if (each.server != nullptr) servers[each.name] = CountsToJson(each.server->counts());
  all["servers"] = std::move(servers);
  return boost::json::serialize(all);
}

}  // namespace thaw
