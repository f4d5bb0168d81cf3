#include "cc/flush/pipeline_flusher.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/log/check.h"
#include "absl/log/log.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cc/base/completion.h"
#include "cc/net/exchange_failure.h"

namespace thaw {
namespace {

// How often a flush looks whether something moved.
constexpr absl::Duration kLookEvery = absl::Milliseconds(100);

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

// Ends a flush in which nothing moves.
class StallWatch {
 public:
  StallWatch(Clock& clock, absl::Duration limit, absl::AnyInvocable<int64_t()> progress,
             absl::AnyInvocable<void()> stalled)
      : clock_(clock), limit_(limit), progress_(std::move(progress)), stalled_(std::move(stalled)) {
    if (limit_ == absl::InfiniteDuration()) return;
    last_ = progress_();
    Wait();
  }

 private:
  void Wait() {
    // kRearm: frozen time is not the peer's slowness.
    alarm_ = Alarm(clock_, std::min(kLookEvery, limit_ - idle_), [this] { Look(); }, LateAlarm::kRearm);
  }
  void Look() {
    const int64_t now = progress_();
    idle_ = now == last_ ? idle_ + std::min(kLookEvery, limit_ - idle_) : absl::ZeroDuration();
    last_ = now;
    if (idle_ >= limit_) return stalled_();
    Wait();
  }

  Clock& clock_;
  const absl::Duration limit_;
  absl::AnyInvocable<int64_t()> progress_;
  absl::AnyInvocable<void()> stalled_;
  int64_t last_ = 0;
  absl::Duration idle_;
  Alarm alarm_;
};

BreakerOptions BreakerOptionsOf(const FlusherOptions& options) {
  return {.strikes = options.breaker_strikes,
          .probe_backoff = options.probe_backoff,
          .probe_backoff_cap = options.probe_backoff_cap};
}

}  // namespace

PipelineFlusher::PipelineFlusher(Executor& executor, Clock& clock, Client& client, FlusherOptions options,
                                 Pipeline pipeline, std::vector<Endpoint> endpoints)
    : executor_(executor),
      clock_(clock),
      client_(client),
      options_(options),
      pipeline_(pipeline),
      endpoints_(std::move(endpoints)),
      outbox_(options.outbox_bytes),
      breaker_(clock, BreakerOptionsOf(options)) {
  CHECK(!endpoints_.empty());
}

// -- Taking in -----------------------------------------------------------------------------------------

absl::Status PipelineFlusher::Add(EncodedRequest request) {
  Outbox::Item probe;
  probe.request = std::make_shared<const EncodedRequest>(request);
  const auto evicted = [this](const Outbox::Item& item) { Drop(nullptr, item, DropReason::kEvicted); };
  if (absl::Status room = outbox_.MakeRoom(probe.bytes() * endpoints_.size(), evicted); !room.ok()) {
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

absl::Status PipelineFlusher::Open(PayloadId id, size_t bytes_held) {
  const auto evicted = [this](const Outbox::Item& item) { Drop(nullptr, item, DropReason::kEvicted); };
  if (absl::Status room = outbox_.MakeRoom(bytes_held, evicted); !room.ok()) {
    ++turned_away_;
    return room;
  }
  const auto [entry, is_new] = payloads_.try_emplace(id);
  CHECK(is_new) << "payload " << id << " was handed over twice";
  ++handed_over_;
  ++entry->second.open_parts;
  ++open_parts_;
  ++opened_;
  return absl::OkStatus();
}

void PipelineFlusher::AddAdmitted(EncodedRequest request) {
  const auto shared = std::make_shared<const EncodedRequest>(std::move(request));
  const auto evicted = [this](const Outbox::Item& item) { Drop(nullptr, item, DropReason::kEvicted); };
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
    outbox_.AddAdmitted(std::move(item), evicted);
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

Task<FlushReport> PipelineFlusher::FlushItems(absl::Duration deadline, Cancellation& cancellation,
                                              bool last) {
  const absl::Duration began = clock_.Now().monotonic;
  Run run(&cancellation);
  run.deadline = deadline;
  run.last = last;
  const bool has_breaker = options_.no_progress_limit != absl::InfiniteDuration() && !last;
  const bool has_work = outbox_.waiting_items() > 0;
  const Breaker::Decision decision = has_breaker && has_work ? breaker_.Decide() : Breaker::Decision::kGo;
  {
    // First, so that at the deadline it comes before what the client does then.
    const Alarm deadline_alarm(clock_, deadline, [&run, deadline] {
      run.cancellation.Request(absl::DeadlineExceededError(
          absl::StrCat("the flush has ended after ", absl::FormatDuration(deadline))));
    });
    const StallWatch watch(
        clock_, has_work ? options_.no_progress_limit : absl::InfiniteDuration(),
        [this] { return Progress(); },
        [&run, this] {
          run.report.stalled = true;
          run.cancellation.Request(absl::DeadlineExceededError(absl::StrCat(
              "the flush has ended: nothing moved for ", absl::FormatDuration(options_.no_progress_limit))));
        });
    if (last) {
      std::vector<Outbox::Item> held = outbox_.TakeHeld();
      co_await SendInTurn(run, std::move(held), /*redrive=*/true);
      run.failed = false;
      run.accepted.clear();
    }
    bool go_on = decision == Breaker::Decision::kGo;
    if (decision == Breaker::Decision::kProbe) {
      const int64_t opened_before = client_.counters().connection.opened;
      run.deadline = std::min(deadline, options_.probe_budget);
      std::vector<Outbox::Item> first = outbox_.TakeFirst();
      co_await SendAll(run, std::move(first));
      run.deadline = deadline;
      // A slow intake answers too late for a probe; that it can be reached is enough.
      go_on = run.reached || client_.counters().connection.opened > opened_before;
      run.reached = go_on;
      if (go_on) breaker_.OnProgress();
    }
    run.report.skipped = decision == Breaker::Decision::kSkip;
    if (go_on) {
      std::vector<Outbox::Item> items = outbox_.Take();
      if (options_.sequential) {
        co_await SendInTurn(run, std::move(items), /*redrive=*/false);
      } else {
        co_await SendAll(run, std::move(items));
      }
    }
  }
  if (has_breaker && has_work && decision != Breaker::Decision::kSkip) {
    if (run.reached) {
      breaker_.OnProgress();
    } else if (run.report.stalled || run.unreachable || decision == Breaker::Decision::kProbe) {
      breaker_.OnStrike();
    }
  }
  run.report.retained = kept_payloads();
  run.report.elapsed = clock_.Now().monotonic - began;
  total_.Accumulate(run.report);
  co_return std::move(run.report);
}

Task<void> PipelineFlusher::SendAll(Run& run, std::vector<Outbox::Item> items) {
  if (items.empty()) co_return;
  Completion<bool> all(executor_);
  size_t open = items.size();
  for (Outbox::Item& item : items) {
    Task<bool> sending = SendItem(run, std::move(item), /*redrive=*/false);
    Spawn<bool>(executor_, std::move(sending), [&all, &open](bool) {
      if (--open == 0) all.Set(true);
    });
  }
  co_await all;
}

Task<void> PipelineFlusher::SendInTurn(Run& run, std::vector<Outbox::Item> items, bool redrive) {
  for (Outbox::Item& item : items) {
    if (run.failed && !redrive) {
      // What was not reached counts as failed with the rest.
      ++item.tries;
      Fail(run, std::move(item), redrive);
      continue;
    }
    Task<bool> sending = SendItem(run, std::move(item), redrive);
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
  request.target = endpoint.target;
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

// True if it was delivered.
Task<bool> PipelineFlusher::SendItem(Run& run, Outbox::Item item, bool redrive) {
  const Endpoint& endpoint = endpoints_[item.endpoint];
  std::string key = endpoint.api_key->Current();
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
    Task<SendResult> sending = client_.Send(std::move(request), send, run.cancellation);
    const SendResult result = co_await std::move(sending);
    run.report.attempts += result.attempts;
    for (const ExchangeFailure& failure : result.failures) {
      if (failure.response_begun) run.reached = true;
      if (run.report.failures.size() < FlushReport::kMaxFailures) run.report.failures.push_back(failure);
    }
    if (result.response.has_value()) run.reached = true;
    item.possible_duplicate |= result.possible_duplicate;
    if (result.accepted) {
      run.reached = true;
      Delivered(run, item);
      co_return true;
    }

    const int status = result.response.has_value() ? result.response->status : 0;
    const bool refused_for_good = result.last_class == RetryClass::kRefusedForGood;
    const bool refused = refused_for_good || result.last_class == RetryClass::kRefusedForNow;
    if (refused && options_.retry_all_statuses) {
      // The client tried again what is refused for now; the rest is tried again here, as often.
      if (refused_for_good && laps_for_status++ < client_.options().max_attempts &&
          !run.cancellation.requested()) {
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
            Task<bool> sending_piece = SendItem(run, std::move(piece), redrive);
            all = co_await std::move(sending_piece) && all;
          }
          co_return all;
        }
      }
      if ((status == 401 || status == 403) && !key_renewed && !run.cancellation.requested()) {
        if (endpoint.api_key->Current() == key && !run.key_refused.contains(item.endpoint)) {
          Task<bool> refreshing = endpoint.api_key->Refresh();
          co_await std::move(refreshing);
        }
        if (std::string current = endpoint.api_key->Current(); !current.empty() && current != key) {
          key = std::move(current);
          key_renewed = true;
          continue;
        }
        run.key_refused.insert(item.endpoint);
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

    if (result.last_class == RetryClass::kUnreachable) run.unreachable = true;
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
