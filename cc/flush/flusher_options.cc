#include "cc/flush/flusher_options.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "cc/flush/pipeline_spec.h"

namespace thaw {

absl::Status FlusherOptions::Validate() const {
  const auto bad = [](std::string_view field, auto value, std::string_view want) {
    return absl::InvalidArgumentError(absl::StrCat(field, " is ", value, "; it must be ", want));
  };
  if (compression_level < 0 || compression_level > 22) {
    return bad("compression_level", compression_level, "from 0 (the library's default) to 22");
  }
  if (outbox_bytes == 0) return bad("outbox_bytes", outbox_bytes, "above 0");
  if (max_batch_bytes < 1024) return bad("max_batch_bytes", max_batch_bytes, "at least 1024");
  if (flush_timeout <= absl::ZeroDuration()) {
    return bad("flush_timeout", absl::FormatDuration(flush_timeout), "above 0");
  }
  if (no_progress_limit <= absl::ZeroDuration()) {
    return bad("no_progress_limit", absl::FormatDuration(no_progress_limit), "above 0");
  }
  if (breaker_strikes < 1) return bad("breaker_strikes", breaker_strikes, "at least 1");
  if (probe_budget <= absl::ZeroDuration())
    return bad("probe_budget", absl::FormatDuration(probe_budget), "above 0");
  if (probe_backoff <= absl::ZeroDuration() || probe_backoff_cap < probe_backoff) {
    return bad("probe_backoff", absl::FormatDuration(probe_backoff), "above 0 and at most probe_backoff_cap");
  }
  if (return_all_on_failure && !sequential) {
    return bad("return_all_on_failure", true, "used with `sequential`");
  }
  return absl::OkStatus();
}

FlusherOptions DefaultFlusherOptions(const PipelineSpec& spec) {
  FlusherOptions options;
  options.compression_level = spec.limits.compression_level;
  options.max_batch_bytes = spec.limits.max_batch_bytes;
  options.encode_above_bytes = spec.limits.encode_above_bytes;
  options.retry_ambiguous = spec.retry_ambiguous;
  return options;
}

}  // namespace thaw
