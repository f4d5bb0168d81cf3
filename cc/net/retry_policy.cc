#include "cc/net/retry_policy.h"

#include <utility>

#include "cc/net/backoff.h"

namespace thaw {
namespace {

constexpr RetryVerdict kStop = {};
constexpr RetryVerdict kAtOnce = {.again = true};
constexpr RetryVerdict kAtOnceOnFresh = {.again = true, .fresh = true};

// hyper-util sends again what a connection handed back untouched, and leaves everything else to its caller,
// which tries again after a delay while attempts are left.
RetryVerdict DecideUnsentOnly(RetryClass retry_class, bool attempts_left,
                              absl::FunctionRef<RetryVerdict()> after_backoff) {
  if (retry_class == RetryClass::kUnsent) return kAtOnce;
  if (!attempts_left) return kStop;
  RetryVerdict verdict = after_backoff();
  verdict.fresh = retry_class == RetryClass::kStale || retry_class == RetryClass::kIncomplete;
  return verdict;
}

// Returns whether the rules grant a try beyond max_attempts, and counts it.
bool IsGranted(const RetryRules& rules, const ExchangeFailure& failure, RetryClass retry_class,
               RetryState& state) {
  if (retry_class == RetryClass::kUnsent) return false;
  if (rules.wait_for_listener && retry_class == RetryClass::kUnreachable) return true;
  const bool lost = failure.fault == Fault::kReset || failure.fault == Fault::kEnd;
  if (!lost || state.lost == rules.lost_resends) return false;
  ++state.lost;
  return true;
}

}  // namespace

RetryVerdict DecideRetry(const RetryRules& rules, const ExchangeFailure& failure,
                         absl::FunctionRef<double()> random, RetryState& state) {
  const RetryClass retry_class = ClassOf(failure);
  ++(retry_class == RetryClass::kUnsent ? state.unsent : state.attempts);
  state.may_have_been_accepted |= MayHaveBeenAccepted(failure);
  if (retry_class == RetryClass::kCancelled) return kStop;
  const bool attempts_left =
      state.attempts < rules.max_attempts || IsGranted(rules, failure, retry_class, state);
  const auto after_backoff = [&] {
    return RetryVerdict{
        .again = true,
        .delay = Backoff(rules.backoff_base, rules.backoff_cap, state.attempts, rules.jitter ? random() : 1)};
  };
  if (rules.resend_rule == ResendRule::kUnsentOnly)
    return DecideUnsentOnly(retry_class, attempts_left, after_backoff);
  switch (retry_class) {
    case RetryClass::kUnsent:
      if (state.unsent <= rules.free_unsent) return kAtOnce;
      return attempts_left ? after_backoff() : kStop;
    case RetryClass::kIncomplete:
      return std::exchange(state.incomplete, true) ? kStop : kAtOnceOnFresh;
    case RetryClass::kStale:
      return std::exchange(state.stale, true) ? kStop : kAtOnceOnFresh;
    case RetryClass::kUnreachable:
      if (!attempts_left) return kStop;
      // A dial that the freeze broke says nothing of the destination, so there is nothing to wait for.
      if (failure.epoch_crossed && !std::exchange(state.crossed_dial, true)) return kAtOnce;
      return {.again = true, .when_dialled_again = true};
    case RetryClass::kAmbiguous:
      if (!attempts_left || !rules.retry_ambiguous) return kStop;
      if (++state.ambiguous > rules.ambiguous_resends) return kStop;
      return after_backoff();
    case RetryClass::kRefusedForNow: {
      if (!attempts_left) return kStop;
      RetryVerdict verdict = {.again = true};
      verdict.delay = failure.retry_after.has_value() ? *failure.retry_after : after_backoff().delay;
      return state.delayed + verdict.delay > rules.most_delay ? kStop : verdict;
    }
    case RetryClass::kMisconfigured:
    case RetryClass::kRefusedForGood:
    case RetryClass::kCancelled:
      return kStop;
  }
  return kStop;
}

}  // namespace thaw
