// What one flush did.

#ifndef THAW_CC_FLUSH_FLUSH_REPORT_H_
#define THAW_CC_FLUSH_FLUSH_REPORT_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "cc/flush/drop_reason.h"
#include "cc/net/exchange_failure.h"

namespace thaw {

struct FlushReport {
  // Payloads that ended in this flush: delivered + dropped.
  int64_t payloads = 0;
  int64_t delivered = 0;
  DropCounts dropped;
  // Payloads still kept when the flush ended, whatever they wait for.
  int64_t retained = 0;
  // Requests that were given to the client, resends by the flusher included.
  int64_t requests = 0;
  // Tries, as the client counts them.
  int64_t attempts = 0;
  // Payloads delivered after a try that the intake may have taken too.
  int64_t possible_duplicates = 0;
  // Requests to additional endpoints, which no payload waits for.
  int64_t additional_delivered = 0;
  DropCounts additional_dropped;
  // Of those, the ones still kept when the flush ended.
  int64_t additional_retained = 0;
  // Requests that are not sent again before the shutdown: after so many tries the intake may have them.
  int64_t held = 0;
  // Refused for good, by status; requests, not payloads.
  std::map<int, int64_t> refused_by_status;
  // Each failed try, in the order the requests ended; of one flush at most kMaxFailures, the first.
  static constexpr size_t kMaxFailures = 1000;
  std::vector<ExchangeFailure> failures;
  // What was logged at level ERROR.
  std::vector<std::string> errors;
  // A destination was out of reach (its breaker was open), so that what goes there was not tried.
  bool skipped = false;
  // It ended because there was no progress.
  bool stalled = false;
  // Each destination that could not be reached, or refused all it was sent: which, since when and why.
  std::vector<std::string> out_of_reach;
  // Why the request that was given up last was given up; nothing if each was delivered.
  std::optional<ExchangeFailure> cause;
  absl::Duration elapsed;  // monotonic

  // Everything was delivered, to additional endpoints too.
  bool all_delivered() const {
    return retained + dropped.total() + additional_retained + additional_dropped.total() == 0;
  }
  // What was not delivered, and why, in one line; empty if everything was.
  std::string Undelivered() const;

  // Adds everything up, except what is retained, which becomes the other's.
  void Accumulate(const FlushReport& other);
  // Keeps the latest so many failures and errors: what is summed up for the life of a process has no end.
  void KeepLatest(size_t most);
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_FLUSH_REPORT_H_
