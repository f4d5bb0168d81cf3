#include "cc/flush/pipeline_flusher.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/log/check.h"
#include "absl/log/log.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cc/flush/stall_watch.h"
#include "cc/net/exchange_failure.h"

namespace thaw {
namespace {

// Of all flushes together.
constexpr size_t kFailuresOfTotal = 100;

// Whether the peer may have taken a request over a fresh connection. (A stale connection is not meant: it
// died while it was not in use, and what is written to it then is all but certain not to have been read.)
bool IsAmbiguous(const SendResult& result) {
  for (const ExchangeFailure& failure : result.failures) {
    const RetryClass retry_class = ClassOf(failure);
    if (retry_class == RetryClass::kAmbiguous) return true;
    if (retry_class == RetryClass::kCancelled && MayHaveBeenAccepted(failure)) return true;
  }
  // Whoever gives no details is believed the worst.
  return result.failures.empty() && result.may_have_been_accepted;
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
      outbox_(bytes_, [this](const Outbox::Item& item) { Drop(nullptr, item, DropReason::kEvicted); }) {
  CHECK(!endpoints_.empty());
}

PipelineFlusher::~PipelineFlusher() { ReleaseOpened(); }

// -- Taking in -----------------------------------------------------------------------------------------

absl::Status PipelineFlusher::Add(EncodedRequest request) {
  Outbox::Item probe;
  probe.request = std::make_shared<const EncodedRequest>(request);
  if (absl::Status room = bytes_->MakeRoom(probe.bytes() * endpoints_.size()); !room.ok()) {
    ++turned_away_;
    return room;
  }
  const std::vector<PayloadId> ids = request.payloads;
  for (const PayloadId id : ids) {
    if (payloads_.try_emplace(id).second) ++handed_over_;
  }
  AddAdmitted(std::move(request));
  return absl::OkStatus();
}

absl::Status PipelineFlusher::Open(PayloadId id, size_t bytes) {
  if (absl::Status room = bytes_->MakeRoom(bytes); !room.ok()) {
    ++turned_away_;
    return room;
  }
  const auto [entry, is_new] = payloads_.try_emplace(id);
  CHECK(is_new) << "payload " << id << " was handed over twice";
  ++handed_over_;
  ++entry->second.open_parts;
  ++open_parts_;
  ++opened_;
  opened_bytes_ += bytes;
  bytes_->Add(bytes);
  return absl::OkStatus();
}

void PipelineFlusher::ReleaseOpened() { bytes_->Remove(std::exchange(opened_bytes_, 0)); }

void PipelineFlusher::AddAdmitted(EncodedRequest request) {
  const auto shared = std::make_shared<const EncodedRequest>(std::move(request));
  for (const PayloadId id : shared->payloads) {
    const auto found = payloads_.find(id);
    CHECK(found != payloads_.end()) << "payload " << id << " was not opened";
    ++found->second.open_parts;
    ++open_parts_;
  }
  for (size_t endpoint = 0; endpoint < endpoints_.size(); ++endpoint) {
    Outbox::Item item;
    item.request = shared;
    item.endpoint = endpoint;
    item.added = clock_.Now();
    item.counted = endpoint == 0;
    outbox_.AddAdmitted(std::move(item));
  }
}

void PipelineFlusher::Seal(PayloadId id) {
  --opened_;
  EndPart(nullptr, id, false, std::nullopt);
}

void PipelineFlusher::DropOpened(PayloadId id, DropReason reason) {
  --opened_;
  EndPart(nullptr, id, false, reason);
}

std::vector<PayloadId> PipelineFlusher::KeptPayloads() const {
  std::vector<PayloadId> ids;
  ids.reserve(payloads_.size());
  for (const auto& [id, payload] : payloads_) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

// -- Accounting ----------------------------------------------------------------------------------------

void PipelineFlusher::EndPart(Run* run, PayloadId id, bool possible_duplicate,
                              std::optional<DropReason> dropped) {
  const auto found = payloads_.find(id);
  CHECK(found != payloads_.end()) << "payload " << id << " ended twice";
  Payload& payload = found->second;
  payload.possible_duplicate |= possible_duplicate;
  if (dropped.has_value() && !payload.dropped.has_value()) payload.dropped = dropped;
  --open_parts_;
  if (--payload.open_parts > 0) return;

  PayloadOutcome outcome;
  outcome.id = id;
  outcome.delivered = !payload.dropped.has_value();
  outcome.possible_duplicate = payload.possible_duplicate;
  outcome.reason = payload.dropped;
  payloads_.erase(found);
  FlushReport& report = run != nullptr ? run->report : total_;
  ++report.payloads;
  if (outcome.delivered) {
    ++delivered_;
    ++report.delivered;
    if (outcome.possible_duplicate) ++report.possible_duplicates;
  } else {
    ++dropped_[*outcome.reason];
    ++report.dropped[*outcome.reason];
  }
  if (on_outcome_) on_outcome_(outcome);
}

void PipelineFlusher::EndParts(Run* run, const Outbox::Item& item, std::optional<DropReason> dropped) {
  if (item.counted) {
    for (const PayloadId id : item.request->payloads) EndPart(run, id, item.possible_duplicate, dropped);
    return;
  }
  if (item.endpoint == 0) return;  // was counted when it was accepted
  FlushReport& report = run != nullptr ? run->report : total_;
  if (dropped.has_value()) {
    ++additional_dropped_[*dropped];
    ++report.additional_dropped[*dropped];
  } else {
    ++report.additional_delivered;
  }
}

void PipelineFlusher::Delivered(Run& run, const Outbox::Item& item) {
  outbox_.End(item);
  EndParts(&run, item, std::nullopt);
  if (options_.return_all_on_failure) run.accepted.push_back(item);
}

void PipelineFlusher::Drop(Run* run, const Outbox::Item& item, DropReason reason) {
  if (run != nullptr) outbox_.End(item);  // else it is off the outbox already
  if (named_.insert(absl::StrCat("drop/", ToString(reason))).second) {
    LOG(WARNING) << ToString(pipeline_) << ": a request to " << endpoints_[item.endpoint].ToString()
                 << " is dropped: " << ToString(reason) << "; further ones are only counted";
  }
  EndParts(run, item, reason);
}

void PipelineFlusher::Error(Run& run, std::string line) {
  LOG(ERROR) << line;
  run.report.errors.push_back(std::move(line));
}

// What could not be delivered in this flush.
void PipelineFlusher::Fail(Run& run, Outbox::Item item, bool redrive) {
  run.failed = true;
  if (redrive) return Drop(&run, item, DropReason::kRedriveFailed);
  switch (options_.on_failure) {
    case OnFailure::kKeep:
      return outbox_.Return(std::move(item));
    case OnFailure::kRedriveAtShutdown:
      if (!run.last) return outbox_.Hold(std::move(item));
      [[fallthrough]];
    case OnFailure::kDiscard:
      return Drop(&run, item, DropReason::kDiscarded);
  }
}

absl::Status PipelineFlusher::CheckInvariant() const {
  if (handed_over_ != delivered_ + dropped_.total() + kept_payloads()) [[unlikely]] {
    return absl::InternalError(absl::StrCat(handed_over_, " payloads were handed over; ", delivered_,
                                            " delivered, ", dropped_.total(), " dropped, ", kept_payloads(),
                                            " kept"));
  }
  if (open_parts_ != opened_ + outbox_.parts()) [[unlikely]] {
    return absl::InternalError(absl::StrCat("payloads wait for ", open_parts_, " parts; ", opened_,
                                            " are to be encoded and ", outbox_.parts(),
                                            " are in the outbox"));
  }
  return absl::OkStatus();
}

absl::Status PipelineFlusher::CheckInvariantByWalking() const {
  if (absl::Status status = CheckInvariant(); !status.ok()) return status;
  if (absl::Status status = outbox_.CheckByWalking(); !status.ok()) return status;
  int64_t parts = 0;
  for (const auto& [id, payload] : payloads_) {
    if (payload.open_parts <= 0)
      return absl::InternalError(absl::StrCat("payload ", id, " waits for nothing"));
    parts += payload.open_parts;
  }
  if (parts != open_parts_) {
    return absl::InternalError(absl::StrCat("payloads wait for ", parts, " parts, not for ", open_parts_));
  }
  return absl::OkStatus();
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
  return outage_->limits() &&
         std::all_of(endpoints_.begin(), endpoints_.end(),
                     [this](const Endpoint& endpoint) { return outage_->would_skip(endpoint.destination); });
}

Task<FlushReport> PipelineFlusher::FlushItems(absl::Duration deadline, Cancellation& cancellation,
                                              bool last) {
  const absl::Duration began = clock_.Now().monotonic;
  Run run(&cancellation);
  run.deadline = deadline;
  run.last = last;
  // What is not encoded by now is so because nothing could be sent.
  run.report.skipped = opened_ > 0;
  {
    // First, so that at the deadline it comes before what the client does then.
    const Alarm deadline_alarm(clock_, deadline, [&run, deadline] {
      run.deadline_passed = true;
      run.cancellation.Request(absl::DeadlineExceededError(
          absl::StrCat("the flush has ended after ", absl::FormatDuration(deadline))));
    });
    if (last) {
      Group redriven(run);
      std::vector<Outbox::Item> held = outbox_.TakeHeld();
      co_await SendInTurn(run, redriven, std::move(held), /*redrive=*/true);
      run.failed = false;
      run.accepted.clear();
    }
    std::vector<Outbox::Item> items = outbox_.Take();
    co_await SendByDestination(run, std::move(items));
  }
  run.report.retained = kept_payloads();
  run.report.elapsed = clock_.Now().monotonic - began;
  total_.Accumulate(run.report);
  total_.KeepLatest(kFailuresOfTotal);
  co_return std::move(run.report);
}

Task<void> PipelineFlusher::SendByDestination(Run& run, std::vector<Outbox::Item> items) {
  std::map<Destination, std::vector<Outbox::Item>> groups;
  for (Outbox::Item& item : items) {
    // One after the other means over all destinations.
    const size_t endpoint = options_.sequential ? 0 : item.endpoint;
    groups[endpoints_[endpoint].destination].push_back(std::move(item));
  }
  if (groups.empty()) co_return;
  Completion<bool> all(executor_);
  size_t open = groups.size();
  for (auto& [destination, group] : groups) {
    Task<void> sending = SendTo(run, destination, std::move(group));
    Spawn(executor_, std::move(sending), [&all, &open] {
      if (--open == 0) all.Set(true);
    });
  }
  co_await all;
}

Task<void> PipelineFlusher::SendTo(Run& run, Destination destination, std::vector<Outbox::Item> items) {
  const bool limited = outage_->limits() && !run.last;
  OutageBudget::Pass pass{.destination = destination, .kind = Breaker::Decision::kGo};
  if (limited) pass = co_await outage_->Enter(std::move(destination), run.cancellation);
  const auto give_back = [this, &run, &items] {
    run.report.skipped = run.report.skipped || !items.empty();
    for (Outbox::Item& item : items) outbox_.Return(std::move(item));
  };
  if (pass.kind == Breaker::Decision::kSkip) {
    give_back();
    co_return;
  }
  if (pass.kind == Breaker::Decision::kProbe) {
    Group probe(run);
    std::vector<Outbox::Item> first;
    first.push_back(std::move(items.front()));
    items.erase(items.begin());
    co_await SendWatched(run, probe, pass, /*probe=*/true, std::move(first));
    if (!probe.answered) {
      give_back();
      const bool known =
          probe.stalled || (probe.tried && (!run.cancellation.requested() || run.deadline_passed));
      outage_->Leave(pass, known ? OutageBudget::End::kFailed : OutageBudget::End::kNothingLearned);
      co_return;
    }
    outage_->OnProbeAnswered(pass);
  }
  Group group(run);
  co_await SendWatched(run, group, pass, /*probe=*/false, std::move(items));
  if (!limited) co_return;
  OutageBudget::End end = OutageBudget::End::kNothingLearned;
  if (group.stalled) {
    end = OutageBudget::End::kFailed;
  } else if (group.answered || (!group.tried && pass.kind == Breaker::Decision::kProbe)) {
    end = OutageBudget::End::kProgress;
  } else if (group.tried && !run.cancellation.requested()) {
    end = OutageBudget::End::kFailed;
  }
  outage_->Leave(pass, end);
}

Task<void> PipelineFlusher::SendWatched(Run& run, Group& group, const OutageBudget::Pass& pass, bool probe,
                                        std::vector<Outbox::Item> items) {
  const StallWatch::Limits limits = probe ? outage_->probe_limits() : outage_->flush_limits();
  const bool costs = outage_->limits() && !run.last && !probe;
  int64_t looks = 0;
  const StallWatch watch(
      clock_, limits,
      // A key that is looked up is not the intake's slowness.
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
}

Task<void> PipelineFlusher::SendAll(Run& run, Group& group, std::vector<Outbox::Item> items) {
  if (items.empty()) co_return;
  Completion<bool> all(executor_);
  size_t open = items.size();
  for (Outbox::Item& item : items) {
    Task<bool> sending = SendItem(run, group, std::move(item), /*redrive=*/false);
    Spawn<bool>(executor_, std::move(sending), [&all, &open](bool) {
      if (--open == 0) all.Set(true);
    });
  }
  co_await all;
}

Task<void> PipelineFlusher::SendInTurn(Run& run, Group& group, std::vector<Outbox::Item> items,
                                       bool redrive) {
  for (Outbox::Item& item : items) {
    if (run.failed && !redrive) {
      // What was not reached counts as failed with the rest.
      ++item.tries;
      Fail(run, std::move(item), redrive);
      continue;
    }
    Task<bool> sending = SendItem(run, group, std::move(item), redrive);
    co_await std::move(sending);
  }
  if (run.failed && !redrive && options_.return_all_on_failure) {
    // Their payloads have ended, delivered; the bytes go out again all the same.
    for (Outbox::Item& item : run.accepted) {
      item.counted = false;
      item.possible_duplicate = true;
      if (options_.on_failure == OnFailure::kDiscard || run.last) continue;
      outbox_.AddLent(item);
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
    // Who is in which piece isn't known here: each payload waits for all of them.
    request.payloads = item.request->payloads;
    Outbox::Item piece = item;
    piece.request = std::make_shared<const EncodedRequest>(std::move(request));
    if (piece.counted) {
      for (const PayloadId id : piece.request->payloads) ++payloads_.at(id).open_parts;
      open_parts_ += piece.parts();
    }
    outbox_.AddLent(piece);
    pieces.push_back(std::move(piece));
  }
  // The whole is replaced by its pieces: neither delivered nor dropped.
  outbox_.End(item);
  if (item.counted) {
    for (const PayloadId id : item.request->payloads)
      EndPart(&run, id, item.possible_duplicate, std::nullopt);
  }
  return true;
}

// Looks a key up, once in a flush. When the flush ends first, the look-up goes on by itself.
Task<void> PipelineFlusher::LookUpKey(Run& run, Group& group, size_t endpoint) {
  std::shared_ptr<KeyLookUp>& look_up = run.key_look_ups[endpoint];
  if (look_up == nullptr) {
    look_up = std::make_shared<KeyLookUp>();
    const std::shared_ptr<ApiKeySource> source = endpoints_[endpoint].api_key;
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

// True if it was delivered.
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
    HttpRequest request = MakeRequest(item, key);
    ++run.report.requests;
    Task<SendResult> sending = client_.Send(std::move(request), send, group.cancellation);
    const SendResult result = co_await std::move(sending);
    run.report.attempts += result.attempts;
    if (result.attempts > 0 || !result.failures.empty()) group.tried = true;
    bool answered = result.response.has_value() || result.accepted;
    for (const ExchangeFailure& failure : result.failures) {
      answered = answered || failure.response_begun;
      if (run.report.failures.size() < FlushReport::kMaxFailures) run.report.failures.push_back(failure);
    }
    if (answered) {
      group.answered = true;
      outage_->OnAnswer(endpoint.destination);
    }
    item.possible_duplicate |= result.possible_duplicate;
    if (result.accepted) {
      Delivered(run, item);
      co_return true;
    }

    const int status = result.response.has_value() ? result.response->status : 0;
    const bool refused_for_good = result.last_class == RetryClass::kRefusedForGood;
    const bool refused = refused_for_good || result.last_class == RetryClass::kRefusedForNow;
    if (refused && options_.retry_all_statuses) {
      // The client tried again what is refused for now; the rest is tried again here, as often.
      if (refused_for_good && laps_for_status++ < client_.options().max_attempts &&
          !group.cancellation.requested()) {
        continue;
      }
      Error(run, absl::StrCat("Max retries exceeded, returning HTTP error: status ", status, " from ",
                              endpoint.ToString()));
      ++run.report.refused_by_status[status];
      Drop(&run, item, DropReason::kRefused);  // which the peers' client takes for success
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

    if (result.last_class == RetryClass::kMisconfigured && !result.failures.empty() &&
        named_.insert(absl::StrCat("misconfigured/", item.endpoint)).second) {
      LOG(WARNING) << ToString(pipeline_) << ": " << result.failures.back().ToString()
                   << "; the data is kept";
    }
    if (!options_.retry_ambiguous && result.may_have_been_accepted && IsAmbiguous(result)) {
      item.possible_duplicate = true;
      Drop(&run, item, DropReason::kAmbiguousDropped);
      co_return false;
    }
    if (result.may_have_been_accepted) item.possible_duplicate = true;
    // It was never given to a connection: it still counts as never tried.
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
