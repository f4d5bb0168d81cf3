// The interface of a pipeline to the FlushCoordinator.

#ifndef THAW_CC_FLUSH_FLUSHABLE_H_
#define THAW_CC_FLUSH_FLUSHABLE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/time/time.h"
#include "cc/base/cancellation.h"
#include "cc/base/task.h"
#include "cc/flush/flush_report.h"

namespace thaw {

class Flushable {
 public:
  virtual ~Flushable() = default;

  // The name under which its counts are reported, such as "traces".
  virtual std::string_view name() const = 0;

  // Sends all waiting data. `deadline` is active time for all of it. Ends early when `cancellation` is
  // requested; what was not delivered is kept. Flushes may overlap: each sends what no other is sending.
  virtual Task<FlushReport> Flush(absl::Duration deadline, Cancellation& cancellation) = 0;
  // Runs the last flush, which ignores breakers.
  virtual Task<FlushReport> Shutdown(absl::Duration deadline, Cancellation& cancellation) = 0;

  // Payloads that were handed over and have not ended, and the bytes they take.
  virtual int64_t kept_payloads() const = 0;
  virtual size_t bytes() const = 0;
  // Whether data waits that no flush has tried to send.
  virtual bool has_untried() const = 0;
  // Requests to additional endpoints that have not ended.
  virtual int64_t kept_for_additional() const = 0;
  // Payloads for which there was no room.
  virtual int64_t turned_away() const = 0;
  // The sum of all flushes so far.
  virtual const FlushReport& total() const = 0;
};

}  // namespace thaw

#endif  // THAW_CC_FLUSH_FLUSHABLE_H_
