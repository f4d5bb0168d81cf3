// Normalises the fields of a span as the Datadog agent does before it sends them.
//
//   std::string buffer;
//   const std::string_view service = NormalizeService(span_service, buffer);
//
// The texts must be UTF-8. A field that is normal already, which is nearly always so, is returned itself
// without a copy; otherwise the result is a literal or stands in `buffer`, in which the text must not lie.
//
// Source: the public normalisation rules of the Datadog agent.

#ifndef THAW_CC_TRACE_PROCESS_NORMALIZE_SPAN_H_
#define THAW_CC_TRACE_PROCESS_NORMALIZE_SPAN_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace thaw {

// Returns the service as a tag of at most 100 bytes; "unnamed-service" if nothing is left.
std::string_view NormalizeService(std::string_view service, std::string& buffer);

// Returns a metric's name of at most 100 bytes: from the first ASCII letter on, ASCII letters, digits, '_'
// and '.'; other bytes become '_'. Neither '_' nor '.' follows one of them, but "_." becomes ".", and '_' is
// not last. Returns "unnamed_operation" if nothing is left.
std::string_view NormalizeOperationName(std::string_view name, std::string& buffer);

// Returns the resource, or the normalised operation name if the resource is empty.
std::string_view NormalizeResource(std::string_view resource, std::string_view operation_name);

// Returns the type cut to at most 100 bytes, at a character's end.
std::string_view NormalizeSpanType(std::string_view type);

// Normalises the value of the tag "env".
std::string_view NormalizeEnv(std::string_view env, std::string& buffer);

// Returns whether `text` is a status code, 100 to 599; other values of "http.status_code" are removed.
bool IsHttpStatusCode(std::string_view text);

// A span's start and duration, in nanoseconds.
struct SpanTimes {
  int64_t start_unix_nanos = 0;
  int64_t duration_nanos = 0;

  bool operator==(const SpanTimes&) const = default;
};

// Sets a negative duration to 0, and one with which the span would end beyond the range. A start before the
// year 2000 is a mistake of units: the span is then taken to have ended just now.
SpanTimes NormalizeTimes(SpanTimes times, absl::Time now);

// Returns 0 for a root that names itself as its parent.
uint64_t NormalizeParentId(uint64_t trace_id, uint64_t span_id, uint64_t parent_id);

}  // namespace thaw

#endif  // THAW_CC_TRACE_PROCESS_NORMALIZE_SPAN_H_
