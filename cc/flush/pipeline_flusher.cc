#include "cc/flush/pipeline_flusher.h"

#include <algorithm>
#include <map>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "cc/base/when_all.h"
#include "cc/flush/breaker.h"
#include "cc/flush/peers_in_turn.h"
#include "cc/flush/refusal_hold.h"
#include "cc/flush/stall_watch.h"

namespace thaw {
namespace {

// The number of requests of one flush to one destination that the client gets at a time. Each holds a copy of
// its headers meanwhile; a host has fewer connections than this, so they never run short of requests.
constexpr size_t kSendsAtOnce = 32;

// Limits the failures kept for the sum of all flushes.
constexpr size_t kFailuresOfTotal = 100;

// A wait as long as a stall would be taken for one, so waits are shorter by this.
constexpr absl::Duration kShorterThanAStall = absl::Milliseconds(100);

SharedResources SharedOf(Executor& executor, Clock& clock, FlusherLimits limits) {
  if (auto* shared = std::get_if<SharedResources>(&limits)) return std::move(*shared);
  return MakeSharedResources(executor, clock, std::get<LimitOptions>(limits));
}

}  // namespace

PipelineFlusher::PipelineFlusher(Executor& executor, Clock& clock, Client& client, FlusherOptions options,
                                 std::string name, std::vector<Endpoint> endpoints, FlusherLimits limits,
                                 std::optional<PeersOptions> peers)
    : executor_(executor),
      clock_(clock),
      client_(client),
      options_(options),
      name_(std::move(name)),
      endpoints_(std::move(endpoints)),
      own_limits_(std::holds_alternative<LimitOptions>(limits)),
      shared_(SharedOf(executor, clock, std::move(limits))),
      peers_(peers),
      outbox_(shared_.bytes, [this](const Outbox::Item& item) { sender_.OnEvicted(item, total_); }),
      sender_({.client = client,
               .options = options_,
               .peers = this->peers(),
               .name = name_,
               .endpoints = endpoints_,
               .outbox = outbox_,
               .ledger = ledger_,
               .outage = *shared_.outage}),
      opened_(*shared_.bytes, ledger_, total_) {
  CHECK(!endpoints_.empty());
  endpoint_states_.reserve(endpoints_.size());
  for (const Endpoint& endpoint : endpoints_)
    endpoint_states_.emplace_back(clock_, *shared_.outage, endpoint);
}

// -- Taking in -----------------------------------------------------------------------------------------

absl::Status PipelineFlusher::Add(EncodedRequest request) {
  std::vector<EncodedRequest> requests;
  requests.push_back(std::move(request));
  return AddAll(std::move(requests));
}

absl::Status PipelineFlusher::AddAll(std::vector<EncodedRequest> requests) {
  size_t bytes = 0;
  for (const EncodedRequest& request : requests) bytes += BytesOf(request);
  if (absl::Status room = shared_.bytes->MakeRoom(bytes); !room.ok()) {
    ++turned_away_;
    return room;
  }
  for (EncodedRequest& request : requests) {
    for (const PayloadId id : request.payloads) ledger_.HandOver(id);
    AddAdmitted(std::move(request));
  }
  return absl::OkStatus();
}

void PipelineFlusher::AddAdmitted(EncodedRequest request) {
  const auto shared = std::make_shared<const EncodedRequest>(std::move(request));
  for (size_t endpoint = 0; endpoint < endpoints_.size(); ++endpoint) {
    Outbox::Item item;
    item.request = shared;
    item.endpoint = endpoint;
    item.added = clock_.Now();
    item.counted = endpoint == 0;
    ledger_.Add(item);
    outbox_.AddAdmitted(std::move(item));
  }
}

// -- Sending -------------------------------------------------------------------------------------------

int64_t PipelineFlusher::Progress() const {
  const ClientCounts& counts = client_.counts();
  return counts.connection.opened + counts.exchange.bytes_sent + counts.exchange.bytes_received +
         counts.exchange.accepted;
}

Task<FlushReport> PipelineFlusher::Flush(absl::Duration deadline, Cancellation& cancellation) {
  return FlushItems(deadline, cancellation, /*last=*/false);
}

Task<FlushReport> PipelineFlusher::Shutdown(absl::Duration deadline, Cancellation& cancellation) {
  return FlushItems(deadline, cancellation, /*last=*/true);
}

bool PipelineFlusher::would_skip() const {
  if (!shared_.outage->limits()) return false;
  for (size_t endpoint = 0; endpoint < endpoints_.size(); ++endpoint) {
    if (!shared_.outage->would_skip(endpoints_[endpoint].destination) &&
        !endpoint_states_[endpoint].refusals().would_skip())
      return false;
  }
  return true;
}

Task<FlushReport> PipelineFlusher::FlushItems(absl::Duration deadline, Cancellation& cancellation,
                                              bool last) {
  const absl::Duration began = clock_.Now().monotonic;
  FlushRun run(executor_, &cancellation, deadline, last);
  if (own_limits_) shared_.outage->OnFlush();
  for (EndpointState& state : endpoint_states_) state.refusals().OnFlush();
  // Payloads that are still not encoded are so because nothing could be sent.
  run.report.skipped = ledger_.opened() > 0;
  if (run.report.skipped) {
    for (const EndpointState& state : endpoint_states_) state.TellOutOfReach(run.report);
  }
  {
    // Set first, so that at the deadline it fires before the client's alarms.
    const Alarm deadline_alarm(clock_, deadline, [&run, deadline] {
      run.deadline_passed = true;
      run.cancellation.Request(absl::DeadlineExceededError(
          absl::StrCat("the flush has ended after ", absl::FormatDuration(deadline))));
    });
    co_await SendKept(run);
  }
  run.report.retained = kept_payloads();
  run.report.additional_retained = kept_for_additional();
  run.report.elapsed = clock_.Now().monotonic - began;
  total_.Accumulate(run.report);
  total_.KeepLatest(kFailuresOfTotal);
  co_return std::move(run.report);
}

Task<void> PipelineFlusher::SendKept(FlushRun& run) {
  std::vector<Outbox::Item> items;
  if (run.last) items = outbox_.TakeHeld();
  if (run.last && peers_.has_value() && peers_->on_failure == OnFailure::kRedriveAtShutdown) {
    std::vector<Outbox::Item> held = std::exchange(items, {});
    co_await Redrive(sender_, run, std::move(held));
  }
  for (Outbox::Item& item : outbox_.Take()) items.push_back(std::move(item));
  co_await SendByEndpoint(run, std::move(items));
}

Task<void> PipelineFlusher::SendByEndpoint(FlushRun& run, std::vector<Outbox::Item> items) {
  std::map<size_t, std::vector<Outbox::Item>> groups;
  // In turn, one order covers all endpoints.
  for (Outbox::Item& item : items) groups[in_turn() ? 0 : item.endpoint].push_back(std::move(item));
  std::vector<Task<void>> sending;
  for (auto& [endpoint, group] : groups) sending.push_back(SendTo(run, endpoint, std::move(group)));
  co_await WhenAll(executor_, std::move(sending));
}

Task<void> PipelineFlusher::SendTo(FlushRun& run, size_t endpoint, std::vector<Outbox::Item> items) {
  using Decision = Breaker::Decision;
  RefusalHold& refusals = endpoint_states_[endpoint].refusals();
  Pass pass{.destination = endpoints_[endpoint].destination, .kind = Decision::kGo};
  Decision hold = Decision::kGo;
  if (limited(run)) {
    hold = refusals.Decide();
    if (hold == Decision::kSkip) ++shared_.outage->mutable_counts().refused_skips;
    if (hold != Decision::kSkip)
      pass = co_await shared_.outage->Enter(endpoints_[endpoint].destination, run.cancellation);
  }
  if (hold == Decision::kSkip || pass.kind == Decision::kSkip) {
    if (hold == Decision::kProbe) refusals.OnNothingLearned();
    GiveBack(run, endpoint, items);
    co_return;
  }
  if (hold == Decision::kProbe || pass.kind == Decision::kProbe) {
    // Chooses the oldest of the items that are least likely to be at the intake already.
    const auto chosen = std::min_element(
        items.begin(), items.end(),
        [](const Outbox::Item& a, const Outbox::Item& b) { return a.ambiguous < b.ambiguous; });
    Outbox::Item item = std::move(*chosen);
    items.erase(chosen);
    const bool go = co_await Probe(run, endpoint, pass, std::move(item));
    if (!go) {
      GiveBack(run, endpoint, items);
      co_return;
    }
  }
  co_await SendRest(run, endpoint, pass, std::move(items));
}

Task<bool> PipelineFlusher::Probe(FlushRun& run, size_t endpoint, const Pass& pass, Outbox::Item item) {
  RefusalHold& refusals = endpoint_states_[endpoint].refusals();
  DestinationGroup probe(&run.cancellation, endpoint);
  probe.most_delay = absl::ZeroDuration();
  std::vector<Outbox::Item> first;
  first.push_back(std::move(item));
  co_await SendWatched(run, probe, pass, /*probe=*/true, std::move(first));
  const bool refused = probe.refused && !probe.accepted;
  if (!probe.answered) {
    refusals.OnNothingLearned();
    shared_.outage->Leave(pass, pass.kind == Breaker::Decision::kProbe && probe.IsKnown(run.cut_short())
                                    ? OutageBudget::End::kFailed
                                    : OutageBudget::End::kNothingLearned);
  } else {
    if (pass.kind == Breaker::Decision::kProbe) shared_.outage->OnProbeAnswered(pass);
    if (refused) shared_.outage->Leave(pass, OutageBudget::End::kProgress);
    // Conclude reports accepted requests and refusals for now, but not refusals for good.
    if (!refused && !probe.accepted) refusals.OnAccepted();
  }
  Conclude(run, probe);
  co_return probe.answered && !refused;
}

Task<void> PipelineFlusher::SendRest(FlushRun& run, size_t endpoint, const Pass& pass,
                                     std::vector<Outbox::Item> items) {
  DestinationGroup group(&run.cancellation, endpoint);
  if (limited(run)) {
    const absl::Duration shorter = shared_.outage->options().no_progress_limit - kShorterThanAStall;
    group.most_delay = std::max(std::min(shorter, shared_.outage->left_for_refusals()), absl::ZeroDuration());
  }
  co_await SendWatched(run, group, pass, /*probe=*/false, std::move(items));
  if (limited(run)) shared_.outage->Leave(pass, EndOf(run, group, pass));
  Conclude(run, group);
}

OutageBudget::End PipelineFlusher::EndOf(const FlushRun& run, const DestinationGroup& group,
                                         const Pass& pass) {
  using End = OutageBudget::End;
  if (group.stalled) return End::kFailed;
  if (group.answered || (!group.tried && pass.kind == Breaker::Decision::kProbe)) return End::kProgress;
  return group.tried && !run.cancellation.requested() ? End::kFailed : End::kNothingLearned;
}

void PipelineFlusher::Conclude(FlushRun& run, const DestinationGroup& group) {
  if (!shared_.outage->limits()) return;
  EndpointState& state = endpoint_states_[group.endpoint];
  state.Conclude(group, group.IsKnown(run.cut_short()));
  state.TellOutOfReach(run.report);
}

void PipelineFlusher::GiveBack(FlushRun& run, size_t endpoint, std::vector<Outbox::Item>& items) {
  if (items.empty()) return;
  run.report.skipped = true;
  for (Outbox::Item& item : items) outbox_.Return(std::move(item));
  items.clear();
  endpoint_states_[endpoint].TellOutOfReach(run.report);
}

Task<void> PipelineFlusher::SendWatched(FlushRun& run, DestinationGroup& group, const Pass& pass, bool probe,
                                        std::vector<Outbox::Item> items) {
  const StallWatch::Limits limits = probe ? shared_.outage->probe_limits() : shared_.outage->flush_limits();
  const bool costs = limited(run) && !probe;
  int64_t looks = 0;
  const StallWatch watch(
      clock_, limits,
      // A lookup of a key is not the intake's slowness.
      [this, &group, &looks] { return Progress() + (group.key_look_ups > 0 ? ++looks : looks); },
      [this, &pass, costs] {
        return costs ? shared_.outage->left(pass.destination) : absl::InfiniteDuration();
      },
      [&run, &group] {
        run.report.stalled = true;
        group.stalled = true;
        group.cancellation.Request(
            absl::DeadlineExceededError("the flush has ended: it made no progress for too long"));
      });
  if (in_turn()) {
    co_await SendInTurn(sender_, run, group, std::move(items));
  } else {
    co_await SendAll(run, group, std::move(items));
  }
  if (costs && (group.stalled || (group.tried && !group.answered))) {
    shared_.outage->OnIdle(pass.destination, watch.idle_for());
  }
  if (costs) endpoint_states_[group.endpoint].CountRefusals(group, watch.active_for());
}

Task<void> PipelineFlusher::SendAll(FlushRun& run, DestinationGroup& group, std::vector<Outbox::Item> items) {
  size_t next = 0;
  std::vector<Task<void>> senders;
  while (senders.size() < std::min(items.size(), kSendsAtOnce))
    senders.push_back(SendFrom(run, group, items, next));
  co_await WhenAll(executor_, std::move(senders));
}

Task<void> PipelineFlusher::SendFrom(FlushRun& run, DestinationGroup& group, std::vector<Outbox::Item>& items,
                                     size_t& next) {
  while (next < items.size()) {
    Task<bool> sending = sender_.Send(run, group, std::move(items[next++]));
    co_await std::move(sending);
  }
}

}  // namespace thaw
