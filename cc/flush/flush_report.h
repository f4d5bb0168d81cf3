// The result of one flush.

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
#include "cc/net/exchange_times.h"

namespace thaw {

struct FlushReport {
  // Payloads that ended in this flush: delivered + dropped.
  int64_t payloads = 0;
  int64_t delivered = 0;
  DropCounts dropped;
  // Payloads still kept when the flush ended, whatever they wait for.
  int64_t retained = 0;
  // Requests that were given to the client, including the flusher's own resends.
  int64_t requests = 0;
  // Tries, as counted by the client.
  int64_t attempts = 0;
  // Payloads delivered after an earlier try that the intake may have accepted too.
  int64_t possible_duplicates = 0;
  // Requests to additional endpoints, for which no payload waits.
  int64_t additional_delivered = 0;
  DropCounts additional_dropped;
  // Requests to additional endpoints that were still kept when the flush ended.
  int64_t additional_retained = 0;
  // Requests that are kept for the shutdown: after this many tries the intake may have them.
  int64_t held = 0;
  // Requests, not payloads, that were refused for good, by status.
  std::map<int, int64_t> refused_by_status;
  // Each failed try, in the order the requests ended; the first kMaxFailures of a flush.
  static constexpr size_t kMaxFailures = 1000;
  std::vector<ExchangeFailure> failures;
  // The times of each request that was answered, with any status, in the order in which they ended; the first
  // kMaxExchanges of a flush. Room is allocated for many at a time.
  static constexpr size_t kMaxExchanges = 1000;
  static constexpr size_t kExchangesAtFirst = 32;
  std::vector<ExchangeTimes> exchanges;
  // Lines logged at level ERROR.
  std::vector<std::string> errors;
  // A destination's breaker was open, so that its requests were not tried.
  bool skipped = false;
  // The flush ended because there was no progress.
  bool stalled = false;
  // A line for each destination that could not be reached or refused everything: which, since when, why.
  std::vector<std::string> out_of_reach;
  // The failure of the last request that was given up; unset if each was delivered.
  std::optional<ExchangeFailure> cause;
  absl::Duration elapsed;  // monotonic

  // Returns true if everything was delivered, also to additional endpoints.
  bool all_delivered() const {
    return retained + dropped.total() + additional_retained + additional_dropped.total() == 0;
  }
  // Returns one line that says what was not delivered and why; empty if everything was.
  std::string Undelivered() const;

  // Adds the times of an exchange, if there are not too many.
  void AddExchange(const ExchangeTimes& times) {
    if (exchanges.size() >= kMaxExchanges) return;
    if (exchanges.capacity() == 0) exchanges.reserve(kExchangesAtFirst);
    exchanges.push_back(times);
  }
  // Adds `other` to the sums; `retained` values are taken over from it.
  void Accumulate(const FlushReport& other);
  // Drops all but the latest `most` failures, exchanges and errors: a sum over a process's life would grow for ever.
  void KeepLatest(size_t most);
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_FLUSH_REPORT_H_
