#include "cc/extension/extension.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "absl/log/log.h"
#include "absl/strings/str_cat.h"
#include "boost/json/object.hpp"
#include "boost/json/parse.hpp"
#include "boost/json/serialize.hpp"
#include "cc/base/counts_json.h"
#include "cc/base/seeded_random.h"
#include "cc/base/status_macros.h"
#include "cc/base/version.h"
#include "cc/extension/function_settings.h"
#include "cc/extension/log_output.h"
#include "cc/lambda/api/sandbox_address.h"
#include "cc/lambda/api/telemetry_subscription.h"
#include "cc/net/client_factory.h"
#include "cc/net/io/system_random.h"
#include "cc/net/io/tcp_listener.h"
#include "cc/net/io/tcp_network.h"
#include "cc/stats/peer_tags.h"
#include "cc/stats/stats_tags.h"

namespace thaw {
namespace {

// A generator that is seeded at its first use: clones of a snapshot must not share a seed.
class LateRandom {
 public:
  double Fraction() { return Generator().Fraction(); }
  uint64_t Id() { return Generator().Next(); }

 private:
  SeededRandom& Generator() {
    if (!generator_.has_value()) generator_.emplace(DrawSeed());
    return *generator_;
  }
  std::optional<SeededRandom> generator_;
};

// Emulators may deliver to this machine without naming it in the hosts file.
std::string TelemetryAddress() { return AddressInHosts(ReadHosts(), kSandboxHost).value_or("127.0.0.1"); }

// Logs each warning once: clients that share an option have the same complaint.
void Say(const std::vector<std::string>& warnings) {
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
      network_(MakeTcpNetwork(loop)) {}

Extension::~Extension() = default;

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
  const bool told = stop.requested();
  if (!told)
    LOG(ERROR) << "no events can be received from Lambda, the extension shuts down: "
               << ended.status().message();
  co_await Shutdown(options_.shutdown_time);
  if (told) co_return 0;
  co_await ReportFailure("Extension.NextFailed", ended.status());
  co_return 1;
}

Task<absl::Status> Extension::Start(Cancellation& stop) {
  THAW_CO_ASSIGN_OR_RETURN(const Destination runtime_api, ParseRuntimeApiAddress(options_.runtime_api));
  const auto random = std::make_shared<LateRandom>();
  std::vector<std::string> warnings;
  THAW_CO_ASSIGN_OR_RETURN(runtime_client_, MakeClient(
                                                loop_, loop_, *network_, RuntimeApiClientOptions(),
                                                [random] { return random->Fraction(); }, &warnings));
  runtime_api_ = std::make_unique<RuntimeApi>(*runtime_client_, runtime_api);
  extensions_ = std::make_unique<ExtensionsApi>(*runtime_api_, loop_);
  tracker_ = std::make_unique<InvocationTracker>(
      loop_, InvocationTrackerOptions{.restored_from_snapshot = traits_.restored_from_snapshot}, *this);

  // Lambda may deliver as soon as it is asked to, and the function runs as soon as all extensions have
  // registered: connections that come before there are routes wait in the kernel's queue.
  telemetry_ = std::make_unique<TelemetryReceiver>(
      loop_, [this](TelemetryRecord&& record) { OnRecord(std::move(record)); },
      [this] {
        if (life_ != nullptr) life_->OnRecords();
      },
      bytes_.get());
  servers_.push_back(
      Serve(Listen(TelemetryAddress(), options_.telemetry_port, "telemetry"), telemetry_->Routes()));
  std::unique_ptr<Listener> trace_listener = Listen("127.0.0.1", options_.trace_port, "traces");
  std::unique_ptr<Listener> call_listener = Listen("127.0.0.1", options_.lifecycle_port, "calls of tracers");

  std::vector<ExtensionEvent> events = {ExtensionEvent::kShutdown};
  if (traits_.invoke_events) events.insert(events.begin(), ExtensionEvent::kInvoke);
  THAW_CO_ASSIGN_OR_RETURN(const Registration registration,
                           co_await extensions_->Register(options_.name, events, stop));

  THAW_CO_ASSIGN_OR_RETURN(
      pipelines_, Pipelines::Make(loop_, loop_, *network_, config_, [random] { return random->Fraction(); },
                                  warnings, {.bytes = bytes_}));
  const FunctionFacts facts = FactsOf(environment_, config_, registration);
  TraceProcessorOptions processing = ProcessingOf(config_, facts, options_.runtime_api, warnings);
  LifecycleOptions lifecycle = LifecycleOf(config_, facts, traits_.concurrent_invocations, warnings);
  std::optional<ConcentratorOptions> stats;
  if (config_.traces.compute_stats)
    stats = {.env = config_.env, .version = config_.version, .service = config_.service};
  intake_ = std::make_unique<TraceIntake>(
      std::move(processing), std::move(lifecycle), std::move(stats), loop_, loop_,
      [random] { return random->Id(); }, *pipelines_);
  FlushCoordinator& coordinator = pipelines_->coordinator();
  coordinator.AddSource([this](bool last) {
    if (last) {
      tracker_->ConcludeAll();
      intake_->lifecycle().FinishAll();
    } else {
      intake_->lifecycle().FinishIdentified();
    }
    // Data left in an environment that is never thawed again is lost.
    intake_->HandOverStats(last || traits_.freezes ? FlushScope::kAll : FlushScope::kSettled);
  });
  coordinator.set_before_flush([this](absl::Duration at_most) { return intake_->WaitForWork(at_most); });
  coordinator.set_on_flushed([this](FlushReason, const FlushReport&) { VLOG(1) << DebugJson(); });
  life_ = std::make_unique<FunctionLife>(loop_, loop_, *extensions_, *tracker_, coordinator,
                                         FunctionLife::Options());
  life_->set_on_quiesce([this] {
    for (const auto& server : servers_)
      if (server != nullptr) server->Quiesce();
  });
  life_->set_on_resume([this] {
    for (const auto& server : servers_)
      if (server != nullptr) server->Resume();
  });
  life_->set_on_invoke([this](const InvokeEvent& event) {
    const Invocation* const invocation = tracker_->Find(event.request_id);
    const InvocationStart start = invocation == nullptr ? InvocationStart::kWarm : invocation->started_as;
    intake_->lifecycle().OnInvoke(event.request_id,
                                  {.cold_start = start == InvocationStart::kCold,
                                   .proactive_initialization = start == InvocationStart::kProactive});
  });

  traces_ = std::make_unique<TraceReceiver>(
      TraceReceiverOptions{.version = std::string(kVersion),
                           .peer_tags = {std::begin(kPeerTags), std::end(kPeerTags)},
                           .span_kinds = {std::begin(kStatsSpanKinds), std::end(kStatsSpanKinds)},
                           .additional_tags = absl::StrCat("_dd.origin:lambda;functionname:", facts.name),
                           .debug_json = [this] { return DebugJson(); }},
      *intake_);
  lifecycle_ = std::make_unique<LifecycleReceiver>(intake_->lifecycle(), bytes_.get());
  servers_.push_back(Serve(std::move(trace_listener), traces_->Routes()));
  servers_.push_back(Serve(std::move(call_listener), lifecycle_->Routes()));

  co_await Subscribe(stop);
  Say(warnings);
  if (!traits_.freezes) coordinator.RunContinuously();
  co_return absl::OkStatus();
}

Task<void> Extension::Subscribe(Cancellation& stop) {
  TelemetrySubscription subscription{.schema_version = std::string(traits_.telemetry_schema),
                                     .port = options_.telemetry_port};
  const absl::StatusOr<TelemetrySupport> support =
      co_await SubscribeToTelemetry(*runtime_api_, extensions_->identifier(), std::move(subscription), stop);
  const bool telemetry = support.ok() && *support == TelemetrySupport::kSubscribed;
  if (!support.ok()) LOG(ERROR) << "the Telemetry API can't be used: " << support.status().message();
  tracker_->set_telemetry(telemetry);
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

std::unique_ptr<Listener> Extension::Listen(std::string address, uint16_t port, std::string_view what) {
  absl::StatusOr<std::unique_ptr<Listener>> listener =
      ListenOnTcp(loop_, {.address = std::move(address), .port = port});
  if (listener.ok()) return *std::move(listener);
  LOG(ERROR) << "no " << what << ": " << listener.status().message();
  return nullptr;
}

std::unique_ptr<HttpServer> Extension::Serve(std::unique_ptr<Listener> listener,
                                             std::vector<HttpRoute> routes) {
  if (listener == nullptr) return nullptr;
  const HttpServerOptions limits{.max_incoming_bytes = config_.outbox_bytes, .account = bytes_.get()};
  auto server = std::make_unique<HttpServer>(loop_, loop_, limits, std::move(routes));
  server->Serve(std::move(listener));
  return server;
}

// -- Stop ------------------------------------------------------------------------------------------------

Task<void> Extension::Shutdown(absl::Duration left) {
  co_await pipelines_->coordinator().Shutdown(std::clamp(left, absl::ZeroDuration(), options_.shutdown_time));
}

// -- Events of Lambda ------------------------------------------------------------------------------------

void Extension::OnRecord(TelemetryRecord&& record) { tracker_->OnTelemetry(std::move(record)); }

void Extension::InvocationStarted(const Invocation& invocation) {
  // Other environments learn of the invocation from INVOKE.
  if (!traits_.invoke_events) intake_->lifecycle().OnInvoke(invocation.request_id, {});
}

void Extension::InvocationEnded(const Invocation& invocation) {
  if (intake_ == nullptr) return;
  const InvocationOutcome outcome = invocation.outcome();
  PlatformEnd end;
  end.start = invocation.start_time().value_or(loop_.Now().wall);
  end.duration = invocation.duration();
  end.until_shutdown = invocation.until_shutdown();
  end.failed = outcome != InvocationOutcome::kSuccess && outcome != InvocationOutcome::kUnknown;
  end.timed_out = outcome == InvocationOutcome::kTimeout;
  end.out_of_memory = outcome == InvocationOutcome::kOutOfMemory;
  end.error_type = std::string(invocation.error_type());
  intake_->lifecycle().OnEnd(invocation.request_id, std::move(end));
}

void Extension::InvocationReported(const Invocation& invocation) {
  if (intake_ != nullptr) intake_->lifecycle().OnReport(invocation.request_id);
}

void Extension::InitializationChanged(const Initialization& initialization) {
  if (intake_ == nullptr || !initialization.start.has_value()) return;
  // Lambda gives the variable that names the runtime only to the function.
  const std::string& version = initialization.start->record.runtime_version;
  if (version != std::exchange(runtime_version_, version)) intake_->SetRuntimeVersion(version);
  std::optional<absl::Duration> duration;
  if (initialization.report.has_value()) duration = initialization.report->record.duration;
  intake_->lifecycle().OnEnvironmentStart(/*is_restore=*/false, initialization.start->time, duration);
}

void Extension::RestoreChanged(const Restore& restore) {
  if (intake_ == nullptr || !restore.start.has_value()) return;
  if (restored_ != restore.start->time) {
    restored_ = restore.start->time;
    pipelines_->Forget();
  }
  std::optional<absl::Duration> duration;
  if (restore.report.has_value()) duration = restore.report->record.duration;
  intake_->lifecycle().OnEnvironmentStart(/*is_restore=*/true, restore.start->time, duration);
}

// -- Counters --------------------------------------------------------------------------------------------

std::string Extension::DebugJson() const {
  boost::json::object all;
  all["version"] = kVersion;
  all["flush"] = boost::json::parse(pipelines_->coordinator().ToJson());
  all["traces"] = CountsToJson(intake_->counts());
  all["receiver"] = CountsToJson(traces_->counts());
  all["life"] = CountsToJson(life_->counts());
  all["invocations"] = CountsToJson(tracker_->counts());
  all["lifecycle"] = CountsToJson(intake_->lifecycle().counts());
  if (const Concentrator* const stats = intake_->concentrator())
    all["concentrator"] = CountsToJson(stats->counts());
  all["telemetry"] = CountsToJson(telemetry_->counts());
  all["events"] = CountsToJson(extensions_->counts());
  all["log"] = CountsToJson(LogOutputCounts());
  boost::json::object servers;
  const char* const names[] = {"telemetry", "traces", "lifecycle"};
  for (size_t i = 0; i < servers_.size(); ++i)
    if (servers_[i] != nullptr) servers[names[i]] = CountsToJson(servers_[i]->counts());
  all["servers"] = std::move(servers);
  return boost::json::serialize(all);
}

}  // namespace thaw
