#include "cc/flush/pipeline_flusher.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/log/check.h"
#include "absl/log/log.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cc/base/when_all.h"
#include "cc/flush/stall_watch.h"
#include "cc/net/exchange_failure.h"

namespace thaw {
namespace {

// The number of requests of one flush to one destination that the client gets at a time. Each holds a copy of
// its headers meanwhile; a host has fewer connections than this, so they never run short of requests.
constexpr size_t kSendsAtOnce = 32;

// Limits the failures kept for the sum of all flushes.
constexpr size_t kFailuresOfTotal = 100;

// The time that a flush without refusals gives back of what refusals have cost.
constexpr absl::Duration kGivenBack = absl::Milliseconds(10);
// A wait as long as a stall would be taken for one, so waits are shorter by this.
constexpr absl::Duration kShorterThanAStall = absl::Milliseconds(100);

// Returns after how many tries the peer may have accepted the request over a fresh connection. Stale
// connections do not count: they died while not in use, and bytes written to them then were almost certainly
// not read.
int AmbiguousTries(const SendResult& result) {
  int tries = 0;
  for (const ExchangeFailure& failure : result.failures) {
    const RetryClass retry_class = ClassOf(failure);
    if (retry_class == RetryClass::kAmbiguous ||
        (retry_class == RetryClass::kCancelled && MayHaveBeenAccepted(failure)))
      ++tries;
  }
  // A result without details is taken to mean one such try.
  return result.failures.empty() && result.may_have_been_accepted ? 1 : tries;
}

OutageOptions OutageOptionsOf(const FlusherOptions& options) {
  return {.no_progress_limit = options.no_progress_limit,
          .probe_budget = options.probe_budget,
          .breaker = {.strikes = options.breaker_strikes,
                      .probe_backoff = options.probe_backoff,
                      .probe_backoff_cap = options.probe_backoff_cap}};
}

}  // namespace

PipelineFlusher::PipelineFlusher(Executor& executor, Clock& clock, Client& client, FlusherOptions options,
                                 Pipeline pipeline, std::vector<Endpoint> endpoints, SharedLimits shared)
    : executor_(executor),
      clock_(clock),
      client_(client),
      options_(options),
      pipeline_(pipeline),
      endpoints_(std::move(endpoints)),
      bytes_(shared.bytes != nullptr ? std::move(shared.bytes)
                                     : std::make_shared<ByteBudget>(options.outbox_bytes)),
      outage_(shared.outage != nullptr
                  ? std::move(shared.outage)
                  : std::make_shared<OutageBudget>(executor, clock, OutageOptionsOf(options))),
      own_outage_(shared.outage == nullptr),
      outbox_(bytes_, [this](const Outbox::Item& item) { Drop(nullptr, item, DropReason::kEvicted); }) {
  CHECK(!endpoints_.empty());
  endpoint_states_.reserve(endpoints_.size());
  for (const Endpoint& endpoint : endpoints_) {
    endpoint_states_.push_back({RefusalHold(clock_, outage_->options().breaker),
                                Reach(endpoint.ToString(), "refuses all data", outage_->mutable_counts()),
                                {}});
  }
}

PipelineFlusher::~PipelineFlusher() { ReleaseOpened(); }

// -- Taking in -----------------------------------------------------------------------------------------

absl::Status PipelineFlusher::Add(EncodedRequest request) {
  std::vector<EncodedRequest> requests;
  requests.push_back(std::move(request));
  return AddAll(std::move(requests));
}

absl::Status PipelineFlusher::AddAll(std::vector<EncodedRequest> requests) {
  size_t bytes = 0;
  for (const EncodedRequest& request : requests) bytes += BytesOf(request);
  if (absl::Status room = bytes_->MakeRoom(bytes); !room.ok()) {
    ++turned_away_;
    return room;
  }
  for (EncodedRequest& request : requests) {
    for (const PayloadId id : request.payloads) ledger_.HandOver(id);
    AddAdmitted(std::move(request));
  }
  return absl::OkStatus();
}

absl::Status PipelineFlusher::Open(PayloadId id, size_t bytes) {
  if (absl::Status room = bytes_->MakeRoom(bytes); !room.ok()) {
    ++turned_away_;
    return room;
  }
  ledger_.Open(id);
  opened_bytes_ += bytes;
  bytes_->Add(bytes);
  return absl::OkStatus();
}

void PipelineFlusher::ReleaseOpened() { bytes_->Remove(std::exchange(opened_bytes_, 0)); }

void PipelineFlusher::HoldOpened(size_t bytes) {
  opened_bytes_ += bytes;
  bytes_->Add(bytes);
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

void PipelineFlusher::Seal(PayloadId id) { ledger_.Seal(id, total_); }

void PipelineFlusher::DropOpened(PayloadId id, DropReason reason) { ledger_.DropOpened(id, reason, total_); }

// -- Accounting ----------------------------------------------------------------------------------------

void PipelineFlusher::Delivered(Run& run, const Outbox::Item& item) {
  outbox_.End(item);
  ledger_.End(item, std::nullopt, run.report);
  if (options_.return_all_on_failure) run.accepted.push_back(item);
}

void PipelineFlusher::Drop(Run* run, const Outbox::Item& item, DropReason reason) {
  if (run != nullptr) outbox_.End(item);  // else it is not in the outbox any more
  if (named_.insert(absl::StrCat("drop/", ToString(reason))).second) {
    LOG(WARNING) << ToString(pipeline_) << ": a request to " << endpoints_[item.endpoint].ToString()
                 << " is dropped: " << ToString(reason) << "; further ones are only counted";
  }
  ledger_.End(item, reason, run != nullptr ? run->report : total_);
}

void PipelineFlusher::Error(Run& run, std::string line) {
  LOG(ERROR) << line;
  run.report.errors.push_back(std::move(line));
}

// Handles an item that could not be delivered in this flush.
void PipelineFlusher::Fail(Run& run, Outbox::Item item, bool redrive) {
  run.failed = true;
  if (redrive) return Drop(&run, item, DropReason::kRedriveFailed);
  switch (options_.on_failure) {
    case OnFailure::kKeep:
      if (item.ambiguous < kMostAmbiguous || run.last) return outbox_.Return(std::move(item));
      ++run.report.held;
      return outbox_.Hold(std::move(item));
    case OnFailure::kRedriveAtShutdown:
      if (!run.last) return outbox_.Hold(std::move(item));
      [[fallthrough]];
    case OnFailure::kDiscard:
      return Drop(&run, item, DropReason::kDiscarded);
  }
}

// -- Sending -------------------------------------------------------------------------------------------

int64_t PipelineFlusher::Progress() const {
  const Counters counters = client_.counters();
  return counters.connection.opened + counters.exchange.bytes_sent + counters.exchange.bytes_received +
         counters.exchange.accepted;
}

Task<FlushReport> PipelineFlusher::Flush(absl::Duration deadline, Cancellation& cancellation) {
  return FlushItems(deadline, cancellation, /*last=*/false);
}

Task<FlushReport> PipelineFlusher::Shutdown(absl::Duration deadline, Cancellation& cancellation) {
  return FlushItems(deadline, cancellation, /*last=*/true);
}

bool PipelineFlusher::would_skip() const {
  if (!outage_->limits()) return false;
  for (size_t endpoint = 0; endpoint < endpoints_.size(); ++endpoint) {
    if (!outage_->would_skip(endpoints_[endpoint].destination) &&
        !endpoint_states_[endpoint].refusals.would_skip())
      return false;
  }
  return true;
}

Task<FlushReport> PipelineFlusher::FlushItems(absl::Duration deadline, Cancellation& cancellation,
                                              bool last) {
  const absl::Duration began = clock_.Now().monotonic;
  Run run(&cancellation);
  run.deadline = deadline;
  run.last = last;
  if (own_outage_) outage_->OnFlush();
  for (EndpointState& state : endpoint_states_) state.refusals.OnFlush();
  // Payloads that are still not encoded are so because nothing could be sent.
  run.report.skipped = ledger_.opened() > 0;
  for (size_t endpoint = 0; run.report.skipped && endpoint < endpoints_.size(); ++endpoint)
    TellOutOfReach(run, endpoint);
  {
    // Set first, so that at the deadline it fires before the client's alarms.
    const Alarm deadline_alarm(clock_, deadline, [&run, deadline] {
      run.deadline_passed = true;
      run.cancellation.Request(absl::DeadlineExceededError(
          absl::StrCat("the flush has ended after ", absl::FormatDuration(deadline))));
    });
    std::vector<Outbox::Item> items;
    if (last) items = outbox_.TakeHeld();
    if (last && options_.on_failure == OnFailure::kRedriveAtShutdown) {
      Group redriven(run, 0);
      std::vector<Outbox::Item> held = std::exchange(items, {});
      co_await SendInTurn(run, redriven, std::move(held), /*redrive=*/true);
      run.failed = false;
      run.accepted.clear();
    }
    for (Outbox::Item& item : outbox_.Take()) items.push_back(std::move(item));
    co_await SendByEndpoint(run, std::move(items));
  }
  run.report.retained = kept_payloads();
  run.report.additional_retained = kept_for_additional();
  run.report.elapsed = clock_.Now().monotonic - began;
  total_.Accumulate(run.report);
  total_.KeepLatest(kFailuresOfTotal);
  co_return std::move(run.report);
}

Task<void> PipelineFlusher::SendByEndpoint(Run& run, std::vector<Outbox::Item> items) {
  std::map<size_t, std::vector<Outbox::Item>> groups;
  // With `sequential`, one order covers all endpoints.
  for (Outbox::Item& item : items) groups[options_.sequential ? 0 : item.endpoint].push_back(std::move(item));
  std::vector<Task<void>> sending;
  for (auto& [endpoint, group] : groups) sending.push_back(SendTo(run, endpoint, std::move(group)));
  co_await WhenAll(executor_, std::move(sending));
}

Task<void> PipelineFlusher::SendTo(Run& run, size_t endpoint, std::vector<Outbox::Item> items) {
  using Decision = Breaker::Decision;
  const bool limited = outage_->limits() && !run.last;
  RefusalHold& refusals = endpoint_states_[endpoint].refusals;
  OutageBudget::Pass pass{.destination = endpoints_[endpoint].destination, .kind = Decision::kGo};
  Decision hold = Decision::kGo;
  if (limited) {
    hold = refusals.Decide();
    if (hold == Decision::kSkip) ++outage_->mutable_counts().refused_skips;
    if (hold != Decision::kSkip)
      pass = co_await outage_->Enter(endpoints_[endpoint].destination, run.cancellation);
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
  Group group(run, endpoint);
  if (limited) {
    const absl::Duration shorter = outage_->options().no_progress_limit - kShorterThanAStall;
    group.most_delay = std::max(std::min(shorter, outage_->left_for_refusals()), absl::ZeroDuration());
  }
  co_await SendWatched(run, group, pass, /*probe=*/false, std::move(items));
  if (limited) {
    OutageBudget::End end = OutageBudget::End::kNothingLearned;
    if (group.stalled) {
      end = OutageBudget::End::kFailed;
    } else if (group.answered || (!group.tried && pass.kind == Decision::kProbe)) {
      end = OutageBudget::End::kProgress;
    } else if (group.tried && !run.cancellation.requested()) {
      end = OutageBudget::End::kFailed;
    }
    outage_->Leave(pass, end);
  }
  Conclude(run, group);
}

Task<bool> PipelineFlusher::Probe(Run& run, size_t endpoint, const OutageBudget::Pass& pass,
                                  Outbox::Item item) {
  RefusalHold& refusals = endpoint_states_[endpoint].refusals;
  Group probe(run, endpoint);
  probe.most_delay = absl::ZeroDuration();
  std::vector<Outbox::Item> first;
  first.push_back(std::move(item));
  co_await SendWatched(run, probe, pass, /*probe=*/true, std::move(first));
  const bool refused = probe.refused && !probe.accepted;
  if (!probe.answered) {
    refusals.OnNothingLearned();
    outage_->Leave(pass, pass.kind == Breaker::Decision::kProbe && IsKnown(run, probe)
                             ? OutageBudget::End::kFailed
                             : OutageBudget::End::kNothingLearned);
  } else {
    if (pass.kind == Breaker::Decision::kProbe) outage_->OnProbeAnswered(pass);
    if (refused) outage_->Leave(pass, OutageBudget::End::kProgress);
    // Conclude reports accepted requests and refusals for now, but not refusals for good.
    if (!refused && !probe.accepted) refusals.OnAccepted();
  }
  Conclude(run, probe);
  co_return probe.answered && !refused;
}

void PipelineFlusher::GiveBack(Run& run, size_t endpoint, std::vector<Outbox::Item>& items) {
  if (items.empty()) return;
  run.report.skipped = true;
  for (Outbox::Item& item : items) outbox_.Return(std::move(item));
  items.clear();
  TellOutOfReach(run, endpoint);
}

bool PipelineFlusher::IsKnown(const Run& run, const Group& group) {
  return group.stalled || (group.tried && (!run.cancellation.requested() || run.deadline_passed));
}

void PipelineFlusher::CountRefusals(const Group& group, absl::Duration active) {
  EndpointState& state = endpoint_states_[group.endpoint];
  if (group.refused) {
    const absl::Duration cost = group.accepted ? group.delayed : active;
    outage_->OnRefusals(cost);
    state.owed += cost;
  } else if (group.accepted && state.owed > absl::ZeroDuration()) {
    const absl::Duration given_back = std::min(kGivenBack, state.owed);
    outage_->OnNoRefusal(given_back);
    state.owed -= given_back;
  }
}

// Records a group's results for later flushes and for the log.
void PipelineFlusher::Conclude(Run& run, const Group& group) {
  if (!outage_->limits()) return;
  const Destination& destination = endpoints_[group.endpoint].destination;
  EndpointState& state = endpoint_states_[group.endpoint];
  if (group.accepted) {
    state.refusals.OnAccepted(group.retry_after);
    state.accepts.Found(clock_.Now());
  } else if (group.refused || group.denied) {
    state.accepts.Lost(group.why, clock_.Now());
  }
  if (group.refused && !group.accepted) {
    ++outage_->mutable_counts().refused_flushes;
    state.refusals.OnRefused(group.retry_after);
  }
  if (group.answered && !group.stalled) {
    outage_->OnInReach(destination);
  } else if (IsKnown(run, group) && (!group.answered || outage_->breaker_open(destination))) {
    outage_->OnOutOfReach(destination, group.why);
  }
  TellOutOfReach(run, group.endpoint);
}

void PipelineFlusher::TellOutOfReach(Run& run, size_t endpoint) {
  std::vector<std::string>& told = run.report.out_of_reach;
  const auto tell = [&told](const Reach& reach) {
    std::string line = reach.ToString();
    if (std::find(told.begin(), told.end(), line) == told.end()) told.push_back(std::move(line));
  };
  if (const Reach* const lost = outage_->Lost(endpoints_[endpoint].destination)) tell(*lost);
  if (endpoint_states_[endpoint].accepts.lost()) tell(endpoint_states_[endpoint].accepts);
}

Task<void> PipelineFlusher::SendWatched(Run& run, Group& group, const OutageBudget::Pass& pass, bool probe,
                                        std::vector<Outbox::Item> items) {
  const StallWatch::Limits limits = probe ? outage_->probe_limits() : outage_->flush_limits();
  const bool costs = outage_->limits() && !run.last && !probe;
  int64_t looks = 0;
  const StallWatch watch(
      clock_, limits,
      // A lookup of a key is not the intake's slowness.
      [this, &group, &looks] { return Progress() + (group.key_look_ups > 0 ? ++looks : looks); },
      [this, &pass, costs] { return costs ? outage_->left(pass.destination) : absl::InfiniteDuration(); },
      [&run, &group] {
        run.report.stalled = true;
        group.stalled = true;
        group.cancellation.Request(
            absl::DeadlineExceededError("the flush has ended: nothing moved for too long"));
      });
  if (options_.sequential) {
    co_await SendInTurn(run, group, std::move(items), /*redrive=*/false);
  } else {
    co_await SendAll(run, group, std::move(items));
  }
  if (costs && (group.stalled || (group.tried && !group.answered))) {
    outage_->OnIdle(pass.destination, watch.idle_for());
  }
  if (costs) CountRefusals(group, watch.active_for());
}

Task<void> PipelineFlusher::SendAll(Run& run, Group& group, std::vector<Outbox::Item> items) {
  size_t next = 0;
  std::vector<Task<void>> senders;
  while (senders.size() < std::min(items.size(), kSendsAtOnce))
    senders.push_back(SendFrom(run, group, items, next));
  co_await WhenAll(executor_, std::move(senders));
}

Task<void> PipelineFlusher::SendFrom(Run& run, Group& group, std::vector<Outbox::Item>& items, size_t& next) {
  while (next < items.size()) {
    Task<bool> sending = SendItem(run, group, std::move(items[next++]), /*redrive=*/false);
    co_await std::move(sending);
  }
}

Task<void> PipelineFlusher::SendInTurn(Run& run, Group& group, std::vector<Outbox::Item> items,
                                       bool redrive) {
  for (Outbox::Item& item : items) {
    if (run.failed && !redrive) {
      // Items that were not reached count as failed with the rest.
      ++item.tries;
      Fail(run, std::move(item), redrive);
      continue;
    }
    Task<bool> sending = SendItem(run, group, std::move(item), redrive);
    co_await std::move(sending);
  }
  if (run.failed && !redrive && options_.return_all_on_failure) {
    // Their payloads have ended as delivered; the bytes are sent again all the same.
    for (Outbox::Item& item : run.accepted) {
      item.counted = false;
      item.possible_duplicate = true;
      if (options_.on_failure == OnFailure::kDiscard || run.last) continue;
      outbox_.AddLent(item);
      ledger_.Add(item);
      Fail(run, std::move(item), redrive);
    }
    run.accepted.clear();
  }
}

HttpRequest PipelineFlusher::MakeRequest(const Outbox::Item& item, const std::string& key) const {
  const Endpoint& endpoint = endpoints_[item.endpoint];
  HttpRequest request;
  request.destination = endpoint.destination;
  request.target = absl::StrCat(endpoint.target, item.request->target);
  request.headers.reserve(item.request->headers.size() + 1);
  request.headers = item.request->headers;
  request.headers.emplace_back("dd-api-key", key);
  request.body = item.request->body;
  request.body_timeout = kUnwantedBodyTimeout;  // only the status is needed
  return request;
}

bool PipelineFlusher::Split(Run& run, const Outbox::Item& item, std::vector<Outbox::Item>& pieces) {
  if (!splitter_) return false;
  std::vector<std::shared_ptr<const std::string>> bodies = splitter_(*item.request);
  if (bodies.size() < 2) return false;
  for (std::shared_ptr<const std::string>& body : bodies) {
    EncodedRequest request;
    request.target = item.request->target;
    request.headers = item.request->headers;
    request.body = std::move(body);
    // The payloads of each piece aren't known here, so each payload waits for all of them.
    request.payloads = item.request->payloads;
    Outbox::Item piece = item;
    piece.request = std::make_shared<const EncodedRequest>(std::move(request));
    ledger_.Add(piece);
    outbox_.AddLent(piece);
    pieces.push_back(std::move(piece));
  }
  // The pieces replace the whole item, which is neither delivered nor dropped.
  outbox_.End(item);
  ledger_.EndReplaced(item, run.report);
  return true;
}

// Looks a key up once per flush. If the flush ends first, the lookup goes on by itself.
Task<void> PipelineFlusher::LookUpKey(Run& run, Group& group, size_t endpoint) {
  std::shared_ptr<KeyLookUp>& look_up = run.key_look_ups[endpoint];
  if (look_up == nullptr) {
    look_up = std::make_shared<KeyLookUp>();
    const std::shared_ptr<ApiKeySource> source = endpoints_[endpoint].api_key;
    if (run.last) source->OnLastFlush();
    Task<bool> refreshing = source->Refresh();
    Spawn<bool>(executor_, std::move(refreshing), [source, look_up](bool) {
      look_up->ended = true;
      for (const std::shared_ptr<Completion<bool>>& waiting : look_up->waiting) waiting->Set(true);
    });
  }
  if (look_up->ended) co_return;
  const auto ended = std::make_shared<Completion<bool>>(executor_);
  look_up->waiting.push_back(ended);
  const auto registration = group.cancellation.OnRequest([ended](const absl::Status&) { ended->Set(false); });
  Completion<bool>& wait = *ended;
  ++group.key_look_ups;
  co_await wait;
  --group.key_look_ups;
}

// Records the client's result, whatever happens to the item.
void PipelineFlusher::Note(Run& run, Group& group, Outbox::Item& item, const SendResult& result) {
  run.report.attempts += result.attempts;
  // A request that the client rejects for its form does not count as a try.
  const bool given_away = !result.failures.empty() && result.last_class != RetryClass::kRefusedForGood;
  if (result.attempts > 0 || given_away) group.tried = true;
  bool answered = result.response.has_value() || result.accepted;
  bool refused = false;
  for (const ExchangeFailure& failure : result.failures) {
    answered = answered || failure.response_begun;
    refused = refused || ClassOf(failure) == RetryClass::kRefusedForNow;
    if (run.report.failures.size() < FlushReport::kMaxFailures) run.report.failures.push_back(failure);
  }
  if (result.last_class == RetryClass::kRefusedForNow && !result.failures.empty())
    group.retry_after = std::max(group.retry_after, result.failures.back().retry_after);
  group.answered = group.answered || answered;
  // The answer came from a proxy that wants a credential.
  if (answered && result.last_class == RetryClass::kMisconfigured) group.denied = true;
  if (answered && result.last_class != RetryClass::kRefusedForNow)
    outage_->OnAnswer(endpoints_[item.endpoint].destination);
  if (refused) {
    group.refused = true;
    group.delayed = std::max(group.delayed, result.delayed);
  }
  group.accepted = group.accepted || result.accepted;
  item.possible_duplicate |= result.possible_duplicate;
  item.ambiguous += AmbiguousTries(result);
  if (result.accepted || result.failures.empty()) return;
  run.report.cause = result.failures.back();
  group.why = result.failures.back().ToString();
}

// Returns true if the item was delivered.
Task<bool> PipelineFlusher::SendItem(Run& run, Group& group, Outbox::Item item, bool redrive) {
  const Endpoint& endpoint = endpoints_[item.endpoint];
  std::string key = endpoint.api_key->Current();
  if (key.empty()) {
    co_await LookUpKey(run, group, item.endpoint);
    key = endpoint.api_key->Current();
  }
  if (key.empty()) {
    if (named_.insert(absl::StrCat("key/", item.endpoint)).second) {
      LOG(WARNING) << ToString(pipeline_) << ": there is no API key for " << endpoint.ToString()
                   << "; nothing can be sent there";
    }
    Fail(run, std::move(item), redrive);
    co_return false;
  }
  ++item.tries;
  bool key_renewed = false;
  int laps_for_status = 1;  // retry_all_statuses
  while (true) {
    SendOptions send;
    send.budget = run.deadline;
    send.retry_ambiguous = options_.retry_ambiguous;
    send.possible_duplicate = item.possible_duplicate;
    send.ambiguous_resends = std::max(kMostAmbiguous - 1 - item.ambiguous, 0);
    send.most_delay = group.most_delay;
    HttpRequest request = MakeRequest(item, key);
    ++run.report.requests;
    Task<SendResult> sending = client_.Send(std::move(request), send, group.cancellation);
    const SendResult result = co_await std::move(sending);
    Note(run, group, item, result);
    if (result.accepted) {
      Delivered(run, item);
      co_return true;
    }

    // An answer may consist of its head alone.
    const int status = result.response.has_value() ? result.response->status
                       : !result.failures.empty()  ? result.failures.back().status
                                                   : 0;
    const bool refused_for_good = result.last_class == RetryClass::kRefusedForGood;
    const bool refused = refused_for_good || result.last_class == RetryClass::kRefusedForNow;
    if (refused && options_.retry_all_statuses) {
      // The client has retried what is refused for now; other refusals are retried here, as often.
      if (refused_for_good && laps_for_status++ < client_.options().max_attempts &&
          !group.cancellation.requested()) {
        continue;
      }
      Error(run, absl::StrCat("Max retries exceeded, returning HTTP error: status ", status, " from ",
                              endpoint.ToString()));
      ++run.report.refused_by_status[status];
      Drop(&run, item, DropReason::kRefused);  // the peers' client takes this for success
      co_return false;
    }
    if (refused_for_good && status == 0) {
      if (named_.insert(absl::StrCat("form/", item.endpoint)).second) {
        Error(run,
              absl::StrCat(name_, ": a request can't be sent and is dropped; further ones are only counted: ",
                           result.failures.empty() ? "" : result.failures.back().ToString()));
      }
      Drop(&run, item, DropReason::kUnencodable);
      co_return false;
    }
    if (refused_for_good) {
      if (status == 413) {
        std::vector<Outbox::Item> pieces;
        if (Split(run, item, pieces)) {
          bool all = true;
          for (Outbox::Item& piece : pieces) {
            Task<bool> sending_piece = SendItem(run, group, std::move(piece), redrive);
            const bool sent = co_await std::move(sending_piece);
            all = all && sent;
          }
          co_return all;
        }
      }
      if ((status == 401 || status == 403) && !key_renewed && !group.cancellation.requested()) {
        if (endpoint.api_key->Current() == key) co_await LookUpKey(run, group, item.endpoint);
        if (std::string current = endpoint.api_key->Current(); !current.empty() && current != key) {
          key = std::move(current);
          key_renewed = true;
          continue;
        }
      }
      if (status == 401 || status == 403) group.denied = true;
      if (options_.drop_refused) {
        ++run.report.refused_by_status[status];
        if (named_.insert(absl::StrCat("status/", item.endpoint, "/", status)).second) {
          Error(run,
                absl::StrCat(ToString(pipeline_), ": ", endpoint.ToString(), " refused data with status ",
                             status, ", which is dropped; further ones are only counted"));
        }
        Drop(&run, item, status == 413 ? DropReason::kTooLarge : DropReason::kRefused);
        co_return false;
      }
      Fail(run, std::move(item), redrive);
      co_return false;
    }

    if (!options_.retry_ambiguous && result.may_have_been_accepted && AmbiguousTries(result) > 0) {
      item.possible_duplicate = true;
      Drop(&run, item, DropReason::kAmbiguousDropped);
      co_return false;
    }
    if (result.may_have_been_accepted) item.possible_duplicate = true;
    // The request never got a connection: it still counts as never tried.
    if (result.attempts == 0 && result.failures.empty()) --item.tries;
    if (options_.on_failure != OnFailure::kKeep || redrive) {
      Error(run, absl::StrCat("Max retries exceeded, returning request error: ",
                              result.failures.empty() ? "cancelled" : result.failures.back().ToString()));
      Error(run,
            absl::StrCat(absl::AsciiStrToUpper(ToString(pipeline_)), " | Request failed: No requests sent"));
    }
    Fail(run, std::move(item), redrive);
    co_return false;
  }
}

}  // namespace thaw
