#include "cc/flush/send_verdict.h"

#include "cc/net/exchange_failure.h"

namespace thaw {
namespace {

SendVerdict DecideRefusedForGood(int status, const SendTried& tried) {
  const bool denied = status == 401 || status == 403;
  if (status == 413 && !tried.unsplittable) return {.action = SendAction::kSplit};
  if (denied && !tried.key_renewed && !tried.ended) return {.action = SendAction::kRenewKey};
  return {.action = SendAction::kDrop,
          .reason = status == 413 ? DropReason::kTooLarge : DropReason::kRefused,
          .notice = SendNotice::kRefused,
          .refused_status = status,
          .denied = denied};
}

}  // namespace

SendVerdict DecideSend(const FlusherOptions& options, const SendResult& result, const SendTried& tried) {
  if (result.accepted) return {.action = SendAction::kDelivered};
  if (result.last_class == RetryClass::kRefusedForGood) {
    if (const int status = StatusOf(result); status != 0) return DecideRefusedForGood(status, tried);
    return {
        .action = SendAction::kDrop, .reason = DropReason::kUnencodable, .notice = SendNotice::kUnsendable};
  }
  if (!options.retry_ambiguous && result.may_have_been_accepted && AmbiguousTries(result) > 0) {
    return {.action = SendAction::kDrop, .reason = DropReason::kAmbiguousDropped, .possible_duplicate = true};
  }
  return {.action = SendAction::kKeep,
          .possible_duplicate = result.may_have_been_accepted,
          .untried = result.attempts == 0 && result.failures.empty()};
}

int StatusOf(const SendResult& result) {
  if (result.response.has_value()) return result.response->status;
  return result.failures.empty() ? 0 : result.failures.back().status;
}

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

}  // namespace thaw
