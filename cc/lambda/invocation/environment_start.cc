#include "cc/lambda/invocation/environment_start.h"

namespace thaw {

void EnvironmentStartSpan::OnStart(bool is_restore, absl::Time start,
                                   std::optional<absl::Duration> duration) {
  if (start == made_) return;
  if (start_ && start_->is_restore && !is_restore) return;
  if (is_made_) {
    // A further start precedes an invocation that is still to come.
    first_span_.reset();
    span_id_ = 0;
    is_made_ = false;
  }
  start_ = EnvironmentStart{is_restore, start, duration.value_or(absl::ZeroDuration())};
  has_duration_ = duration.has_value();
}

void EnvironmentStartSpan::OnInvocationSpan(const OwnedSpan& span) {
  if (first_span_) return;
  first_span_ = OwnedSpan{.service = span.service,
                          .resource = span.resource,
                          .type = span.type,
                          .trace_id = span.trace_id,
                          .parent_id = span.parent_id};
}

uint64_t EnvironmentStartSpan::OnLoadSpan(uint64_t trace_id, const InvocationSpanOptions& options,
                                          RandomId& random) {
  if (!start_ || first_span_ || trace_id == 0) return 0;
  first_span_ = OwnedSpan{.service = InvocationService(options),
                          .resource = InvocationResource(options),
                          .type = "serverless",
                          .trace_id = trace_id};
  span_id_ = NewSpanId(random);
  return span_id_;
}

std::optional<OwnedSpan> EnvironmentStartSpan::Take(RandomId& random) {
  if (!start_ || !has_duration_ || !first_span_) return std::nullopt;
  if (span_id_ == 0) span_id_ = NewSpanId(random);
  OwnedSpan span = MakeEnvironmentStartSpan(*start_, *first_span_, span_id_);
  made_ = start_->start;
  is_made_ = true;
  start_.reset();
  return span;
}

}  // namespace thaw
