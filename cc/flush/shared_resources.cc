#include "cc/flush/shared_resources.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace thaw {

absl::Status LimitOptions::Validate() const {
  const auto bad = [](std::string_view field, auto value, std::string_view want) {
    return absl::InvalidArgumentError(absl::StrCat(field, " is ", value, "; it must be ", want));
  };
  if (outbox_bytes == 0) return bad("outbox_bytes", outbox_bytes, "above 0");
  if (outage.no_progress_limit <= absl::ZeroDuration()) {
    return bad("no_progress_limit", absl::FormatDuration(outage.no_progress_limit), "above 0");
  }
  if (outage.probe_budget <= absl::ZeroDuration()) {
    return bad("probe_budget", absl::FormatDuration(outage.probe_budget), "above 0");
  }
  const BreakerOptions& breaker = outage.breaker;
  if (breaker.strikes < 1) return bad("breaker_strikes", breaker.strikes, "at least 1");
  if (breaker.probe_backoff <= absl::ZeroDuration() || breaker.probe_backoff_cap < breaker.probe_backoff) {
    return bad("probe_backoff", absl::FormatDuration(breaker.probe_backoff),
               "above 0 and at most probe_backoff_cap");
  }
  return absl::OkStatus();
}

SharedResources MakeSharedResources(Executor& executor, Clock& clock, const LimitOptions& options) {
  return {.bytes = std::make_shared<ByteBudget>(options.outbox_bytes),
          .outage = std::make_shared<OutageBudget>(executor, clock, options.outage),
          .zstd = nullptr};
}

}  // namespace thaw
