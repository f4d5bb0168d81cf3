// Compiles the examples in the headers of this room. Each is the body of a function, whose parameters and whatever
// stands above it declare the names that the example uses. tools/header_examples.py explains it.

#include <gtest/gtest.h>

#include "absl/status/status.h"
#include "cc/base/status_macros.h"
#include "cc/base/task.h"
#include "cc/flush/breaker.h"
#include "cc/flush/byte_budget.h"
#include "cc/flush/compress.h"
#include "cc/flush/configured_options.h"
#include "cc/flush/destination_group.h"
#include "cc/flush/endpoint_state.h"
#include "cc/flush/event_flusher.h"
#include "cc/flush/fake_client.h"
#include "cc/flush/flush_coordinator.h"
#include "cc/flush/flush_schedule.h"
#include "cc/flush/flusher_options.h"
#include "cc/flush/held_payload.h"
#include "cc/flush/item_sender.h"
#include "cc/flush/key_look_ups.h"
#include "cc/flush/opened_payloads.h"
#include "cc/flush/outage_budget.h"
#include "cc/flush/outbox.h"
#include "cc/flush/pathway_flusher.h"
#include "cc/flush/payload_flusher.h"
#include "cc/flush/payload_flusher_fixture.h"
#include "cc/flush/payload_ledger.h"
#include "cc/flush/peers_in_turn.h"
#include "cc/flush/peers_options.h"
#include "cc/flush/peers_rules.h"
#include "cc/flush/pipeline_flusher.h"
#include "cc/flush/pipeline_list.h"
#include "cc/flush/pipeline_spec.h"
#include "cc/flush/pipeline_table.h"
#include "cc/flush/reach.h"
#include "cc/flush/refusal_hold.h"
#include "cc/flush/scarce_memory.h"
#include "cc/flush/send_verdict.h"
#include "cc/flush/shared_resources.h"
#include "cc/flush/stall_watch.h"
#include "cc/flush/stats_flusher.h"
#include "cc/flush/trace_flusher.h"
#include "cc/stats/stats_payload.h"
#include "cc/trace/trace_payload.h"

namespace thaw {
namespace {

void BreakerExample(Breaker& breaker, bool answered) {
#include "cc/flush/breaker.h.example"
}

void ByteBudgetExample(const Config& config, void (*on_evicted)(const Outbox::Item& item)) {
#include "cc/flush/byte_budget.h.example"
}

void CompressExample(std::string_view data, ByteAccount* account) {
#include "cc/flush/compress.h.example"
}

void ConfiguredOptionsExample(Executor& executor, Clock& clock, Client& client, const Config& config,
                              const std::vector<Endpoint>& endpoints) {
#include "cc/flush/configured_options.h.example"
}

void DestinationGroupExample(const absl::Status& reason, Cancellation& flush_cancellation, size_t endpoint,
                             const SendResult& result) {
#include "cc/flush/destination_group.h.example"
}

void EndpointStateExample(Clock& clock, OutageBudget& outage, const Endpoint& endpoint,
                          const DestinationGroup& group, absl::Duration active, bool known,
                          FlushReport& report) {
#include "cc/flush/endpoint_state.h.example"
}

Task<void> EventFlusherExample(Executor& executor, Clock& clock, Client& client,
                               const FlusherOptions& options, Endpoint endpoint, const StatsdEvent& event,
                               std::string_view function_tags, absl::Time now, Cancellation& cancellation) {
#include "cc/flush/event_flusher.h.example"
}

void FakeClientExample(Executor& executor, Clock& clock) {
#include "cc/flush/fake_client.h.example"
}

Task<void> FlushCoordinatorExample(FlushCoordinator& coordinator, absl::Time deadline) {
#include "cc/flush/flush_coordinator.h.example"
}

void FlushScheduleExample(const Config& config, Clock& clock, bool background_flush_runs) {
#include "cc/flush/flush_schedule.h.example"
}

absl::Status FlusherOptionsExample() {
#include "cc/flush/flusher_options.h.example"
  return absl::OkStatus();
}

void HeldPayloadExample(absl::Span<const HeldPayload<TracePayload>> held,
                        size_t (*entries_of)(const TracePayload&),
                        void (*encode)(absl::Span<const HeldPayload<TracePayload>> batch,
                                       std::vector<PayloadId> ids)) {
#include "cc/flush/held_payload.h.example"
}

Task<void> ItemSenderExample(const ItemSender::Context& context, Outbox& outbox, FlushRun& run,
                             DestinationGroup& group) {
#include "cc/flush/item_sender.h.example"
}

Task<void> KeyLookUpsExample(Executor& executor, size_t endpoint, std::shared_ptr<ApiKeySource> source,
                             Cancellation& cancellation) {
#include "cc/flush/key_look_ups.h.example"
}

absl::Status OpenedPayloadsExample(PipelineFlusher& flusher, PayloadId id, size_t bytes,
                                   EncodedRequest request) {
#include "cc/flush/opened_payloads.h.example"
  return absl::OkStatus();
}

Task<void> OutageBudgetExample(OutageBudget& outage, const Destination& destination,
                               Cancellation& cancellation) {
#include "cc/flush/outage_budget.h.example"
}

void OutboxExample(Outbox::Item item, bool delivered) {
#include "cc/flush/outbox.h.example"
}

Task<void> PayloadFlusherExample(Executor& executor, Clock& clock, Client& client,
                                 const FlusherOptions& options, Endpoint endpoint, TracePayload payload,
                                 Cancellation& cancellation) {
#include "cc/flush/payload_flusher.h.example"
}

const TracePayload payload = [] { return TracePayload(); }();

#include "cc/flush/payload_flusher_fixture.h.example"

void PayloadLedgerExample(PayloadId id, const Outbox::Item& item, FlushReport& report) {
#include "cc/flush/payload_ledger.h.example"
}

Task<void> PeersInTurnExample(ItemSender& sender, FlushRun& run, DestinationGroup& group, Outbox& outbox) {
#include "cc/flush/peers_in_turn.h.example"
}

void PeersOptionsExample(Executor& executor, Clock& clock, Client& client, const FlusherOptions& options,
                         Endpoint endpoint) {
#include "cc/flush/peers_options.h.example"
}

void PeersRulesExample(const FlusherOptions& options, const PeersOptions& peers, const SendResult& result,
                       const SendTried& tried) {
#include "cc/flush/peers_rules.h.example"
}

Task<void> PipelineFlusherExample(Executor& executor, Clock& clock, Client& client,
                                  const FlusherOptions& options, Endpoint endpoint, EncodedRequest request,
                                  Cancellation& cancellation) {
#include "cc/flush/pipeline_flusher.h.example"
}

absl::Status PipelineListExample(const PipelineParts& parts, TracePayload payload, EncodedRequest request) {
#include "cc/flush/pipeline_list.h.example"
  return absl::OkStatus();
}

void PipelineSpecExample() {
#include "cc/flush/pipeline_spec.h.example"
}

void PipelineTableExample() {
#include "cc/flush/pipeline_table.h.example"
}

void ReachExample(OutageCounts& counts, Clock& clock) {
#include "cc/flush/reach.h.example"
}

void RefusalHoldExample(RefusalHold& hold, bool refused, std::optional<absl::Duration> retry_after) {
#include "cc/flush/refusal_hold.h.example"
}

void ScarceMemoryExample() {
#include "cc/flush/scarce_memory.h.example"
}

void SendVerdictExample(const FlusherOptions& options, const SendResult& result, const SendTried& tried) {
#include "cc/flush/send_verdict.h.example"
}

void SharedResourcesExample(Executor& executor, Clock& clock, Client& client, const FlusherOptions& options,
                            Endpoint endpoint) {
#include "cc/flush/shared_resources.h.example"
}

void StallWatchExample(Clock& clock, int64_t bytes_moved, absl::Duration allowance,
                       Cancellation& cancellation, const absl::Status& reason) {
#include "cc/flush/stall_watch.h.example"
}

Task<void> PathwayFlusherExample(Executor& executor, Clock& clock, Client& client,
                                 const FlusherOptions& options, Endpoint endpoint, PathwayPayload payload,
                                 Cancellation& cancellation) {
#include "cc/flush/pathway_flusher.h.example"
}

Task<void> StatsFlusherExample(Executor& executor, Clock& clock, Client& client,
                               const FlusherOptions& options, Endpoint endpoint, StatsPayload payload,
                               Cancellation& cancellation) {
#include "cc/flush/stats_flusher.h.example"
}

Task<void> TraceFlusherExample(Executor& executor, Clock& clock, Client& client,
                               const FlusherOptions& options, Endpoint endpoint, TracePayload payload,
                               Cancellation& cancellation) {
#include "cc/flush/trace_flusher.h.example"
}

}  // namespace
}  // namespace thaw
