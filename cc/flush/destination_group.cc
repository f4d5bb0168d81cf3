#include "cc/flush/destination_group.h"

#include <algorithm>

#include "cc/net/exchange_failure.h"

namespace thaw {

bool DestinationGroup::OnResult(const SendResult& result) {
  // A request that the client rejects for its form does not count as a try.
  const bool given_away = !result.failures.empty() && result.last_class != RetryClass::kRefusedForGood;
  if (result.attempts > 0 || given_away) tried = true;
  bool has_answer = result.response.has_value() || result.accepted;
  bool has_refusal = false;
  for (const ExchangeFailure& failure : result.failures) {
    has_answer = has_answer || failure.response_begun;
    has_refusal = has_refusal || ClassOf(failure) == RetryClass::kRefusedForNow;
  }
  const bool stays_refused = result.last_class == RetryClass::kRefusedForNow;
  if (stays_refused && !result.failures.empty())
    retry_after = std::max(retry_after, result.failures.back().retry_after);
  answered = answered || has_answer;
  accepted = accepted || result.accepted;
  // The answer came from a proxy that wants a credential.
  if (has_answer && result.last_class == RetryClass::kMisconfigured) denied = true;
  if (has_refusal) {
    refused = true;
    delayed = std::max(delayed, result.delayed);
  }
  if (!result.accepted && !result.failures.empty()) why = result.failures.back().ToString();
  return has_answer && !stays_refused;
}

}  // namespace thaw
