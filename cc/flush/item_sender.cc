#include "cc/flush/item_sender.h"

#include <algorithm>
#include <optional>

#include "absl/log/log.h"
#include "absl/strings/str_cat.h"
#include "cc/flush/peers_rules.h"
#include "cc/net/exchange_failure.h"

namespace thaw {

// -- Sending -------------------------------------------------------------------------------------------

Task<bool> ItemSender::Send(FlushRun& run, DestinationGroup& group, Outbox::Item item) {
  const size_t endpoint = item.endpoint;
  std::string key = context_.endpoints[endpoint].api_key->Current();
  if (key.empty()) {
    co_await LookUpKey(run, group, endpoint);
    key = context_.endpoints[endpoint].api_key->Current();
  }
  if (key.empty()) {
    LogMissingKey(endpoint);
    Keep(run, std::move(item));
    co_return false;
  }
  ++item.tries;
  SendTried tried{.most_sends = context_.client.options().max_attempts};
  while (true) {
    Task<SendResult> sending = SendOnce(run, group, item, key);
    const SendResult result = co_await std::move(sending);
    Note(run, group, item, result);
    ++tried.sends;
    tried.ended = group.cancellation.requested();
    SendVerdict verdict = Decide(result, tried);
    if (verdict.action == SendAction::kSplit) {
      std::vector<Outbox::Item> pieces = Split(run, item);
      if (!pieces.empty()) {
        Task<bool> sending_pieces = SendPieces(run, group, std::move(pieces));
        co_return co_await std::move(sending_pieces);
      }
      tried.unsplittable = true;
      verdict = Decide(result, tried);
    }
    if (verdict.action == SendAction::kRenewKey) {
      tried.key_renewed = true;
      const bool renewed = co_await RenewKey(run, group, endpoint, key);
      if (renewed) continue;
      verdict = Decide(result, tried);
    }
    if (verdict.action == SendAction::kSendAgain) continue;
    CarryOut(run, group, std::move(item), verdict, result);
    co_return verdict.action == SendAction::kDelivered;
  }
}

Task<bool> ItemSender::SendPieces(FlushRun& run, DestinationGroup& group, std::vector<Outbox::Item> pieces) {
  bool all = true;
  for (Outbox::Item& piece : pieces) {
    Task<bool> sending = Send(run, group, std::move(piece));
    const bool sent = co_await std::move(sending);
    all = all && sent;
  }
  co_return all;
}

Task<SendResult> ItemSender::SendOnce(FlushRun& run, DestinationGroup& group, const Outbox::Item& item,
                                      const std::string& key) {
  SendOptions send;
  send.budget = run.deadline;
  send.retry_ambiguous = context_.options.retry_ambiguous;
  send.possible_duplicate = item.possible_duplicate;
  send.ambiguous_resends = std::max(kMostAmbiguous - 1 - item.ambiguous, 0);
  send.most_delay = group.most_delay;
  ++run.report.requests;
  return context_.client.Send(MakeRequest(item, key), send, group.cancellation);
}

HttpRequest ItemSender::MakeRequest(const Outbox::Item& item, const std::string& key) const {
  const Endpoint& endpoint = context_.endpoints[item.endpoint];
  HttpRequest request;
  request.destination = endpoint.destination;
  request.method = item.request->method;
  request.target = absl::StrCat(endpoint.target, item.request->target);
  request.headers.reserve(item.request->headers.size() + 1);
  request.headers = item.request->headers;
  request.headers.emplace_back("dd-api-key", key);
  request.body = item.request->body;
  request.body_timeout = kUnwantedBodyTimeout;  // only the status is needed
  return request;
}

Task<void> ItemSender::LookUpKey(FlushRun& run, DestinationGroup& group, size_t endpoint) {
  ++group.key_look_ups;
  Task<void> looking_up =
      run.key_look_ups.LookUp(endpoint, context_.endpoints[endpoint].api_key, group.cancellation);
  co_await std::move(looking_up);
  --group.key_look_ups;
}

Task<bool> ItemSender::RenewKey(FlushRun& run, DestinationGroup& group, size_t endpoint, std::string& key) {
  const std::shared_ptr<ApiKeySource>& source = context_.endpoints[endpoint].api_key;
  if (source->Current() == key) co_await LookUpKey(run, group, endpoint);
  std::string current = source->Current();
  if (current.empty() || current == key) co_return false;
  key = std::move(current);
  co_return true;
}

SendVerdict ItemSender::Decide(const SendResult& result, const SendTried& tried) const {
  if (context_.peers == nullptr) return DecideSend(context_.options, result, tried);
  return DecideSendAsPeers(context_.options, *context_.peers, result, tried);
}

void ItemSender::Note(FlushRun& run, DestinationGroup& group, Outbox::Item& item, const SendResult& result) {
  run.report.attempts += result.attempts;
  for (const ExchangeFailure& failure : result.failures) {
    if (run.report.failures.size() < FlushReport::kMaxFailures) run.report.failures.push_back(failure);
  }
  if (result.times.has_value()) run.report.AddExchange(*result.times);
  if (group.OnResult(result)) context_.outage.OnAnswer(context_.endpoints[item.endpoint].destination);
  item.possible_duplicate |= result.possible_duplicate;
  item.ambiguous += AmbiguousTries(result);
  if (!result.accepted && !result.failures.empty()) run.report.cause = result.failures.back();
}

std::vector<Outbox::Item> ItemSender::Split(FlushRun& run, const Outbox::Item& item) {
  std::vector<Outbox::Item> pieces;
  if (!splitter_) return pieces;
  std::vector<std::shared_ptr<const std::string>> bodies = splitter_(*item.request);
  if (bodies.size() < 2) return pieces;
  for (std::shared_ptr<const std::string>& body : bodies) {
    EncodedRequest request;
    request.method = item.request->method;
    request.target = item.request->target;
    request.headers = item.request->headers;
    request.body = std::move(body);
    // The payloads of each piece aren't known here, so each payload waits for all of them.
    request.payloads = item.request->payloads;
    Outbox::Item piece = item;
    piece.request = std::make_shared<const EncodedRequest>(std::move(request));
    AddLent(piece);
    pieces.push_back(std::move(piece));
  }
  // The pieces replace the whole item, which is neither delivered nor dropped.
  context_.outbox.End(item);
  context_.ledger.EndReplaced(item, run.report);
  return pieces;
}

// -- The end of an item --------------------------------------------------------------------------------

void ItemSender::CarryOut(FlushRun& run, DestinationGroup& group, Outbox::Item item,
                          const SendVerdict& verdict, const SendResult& result) {
  if (verdict.denied) group.denied = true;
  if (verdict.possible_duplicate) item.possible_duplicate = true;
  if (verdict.untried) --item.tries;
  if (verdict.refused_status.has_value()) ++run.report.refused_by_status[*verdict.refused_status];
  LogNotice(run, item, verdict, result);
  switch (verdict.action) {
    case SendAction::kDelivered:
      return Deliver(run, item);
    case SendAction::kDrop:
      return Drop(run, item, verdict.reason);
    default:
      return Keep(run, std::move(item));
  }
}

void ItemSender::Deliver(FlushRun& run, const Outbox::Item& item) {
  context_.outbox.End(item);
  context_.ledger.End(item, std::nullopt, run.report);
  if (context_.peers != nullptr && context_.peers->return_all_on_failure) run.peers.accepted.push_back(item);
}

void ItemSender::Drop(FlushRun& run, const Outbox::Item& item, DropReason reason) {
  context_.outbox.End(item);
  CountDropped(item, reason, run.report);
}

void ItemSender::OnEvicted(const Outbox::Item& item, FlushReport& report) {
  CountDropped(item, DropReason::kEvicted, report);
}

void ItemSender::CountDropped(const Outbox::Item& item, DropReason reason, FlushReport& report) {
  if (IsFirst(absl::StrCat("drop/", ToString(reason)))) {
    LOG(WARNING) << context_.name << ": a request to " << context_.endpoints[item.endpoint].ToString()
                 << " is dropped: " << ToString(reason) << "; further cases are only counted";
  }
  context_.ledger.End(item, reason, report);
}

void ItemSender::Keep(FlushRun& run, Outbox::Item item) {
  run.peers.failed = true;
  if (context_.peers != nullptr && context_.peers->on_failure != OnFailure::kKeep) {
    const std::optional<DropReason> reason =
        PeersDropReason(context_.peers->on_failure, run.peers.redrives, run.last);
    if (reason.has_value()) return Drop(run, item, *reason);
    return context_.outbox.Hold(std::move(item));
  }
  if (item.ambiguous < kMostAmbiguous || run.last) return context_.outbox.Return(std::move(item));
  ++run.report.held;
  context_.outbox.Hold(std::move(item));
}

void ItemSender::AddLent(const Outbox::Item& item) {
  context_.ledger.Add(item);
  context_.outbox.AddLent(item);
}

// -- The log -------------------------------------------------------------------------------------------

void ItemSender::LogNotice(FlushRun& run, const Outbox::Item& item, const SendVerdict& verdict,
                           const SendResult& result) {
  const Endpoint& endpoint = context_.endpoints[item.endpoint];
  const int status = verdict.refused_status.value_or(0);
  switch (verdict.notice) {
    case SendNotice::kNone:
      return;
    case SendNotice::kUnsendable:
      if (!IsFirst(absl::StrCat("form/", item.endpoint))) return;
      return LogError(
          run, absl::StrCat(context_.name,
                            ": a request can't be sent and is dropped; further cases are only counted: ",
                            result.failures.empty() ? "" : result.failures.back().ToString()));
    case SendNotice::kRefused:
      if (!IsFirst(absl::StrCat("status/", item.endpoint, "/", status))) return;
      return LogError(
          run, absl::StrCat(context_.name, ": ", endpoint.ToString(), " refused data with status ", status,
                            ", which is dropped; further cases are only counted"));
    case SendNotice::kPeersStatus:
      return LogError(run, PeersStatusLine(status, endpoint));
    case SendNotice::kPeersFailure:
      for (std::string& line : PeersFailureLines(result, context_.name)) LogError(run, std::move(line));
      return;
  }
}

void ItemSender::LogError(FlushRun& run, std::string line) {
  LOG(ERROR) << line;
  run.report.errors.push_back(std::move(line));
}

void ItemSender::LogMissingKey(size_t endpoint) {
  if (!IsFirst(absl::StrCat("key/", endpoint))) return;
  LOG(WARNING) << context_.name << ": there is no API key for " << context_.endpoints[endpoint].ToString()
               << "; nothing can be sent there";
}

}  // namespace thaw
