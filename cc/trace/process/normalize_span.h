// The fields of a span as the Datadog agent normalises them before it sends them.
//
//   std::string buffer;
//   const std::string_view service = NormalizeService(span_service, buffer);
//
// The texts have to be UTF-8. Where a field is normal already, which is nearly always, the functions only
// look at it and return it itself, no byte is copied; else what they return stands in `buffer`, in which the
// text must not lie, or is a literal.
//
// Source: the public normalisation rules of the Datadog agent.

#ifndef THAW_CC_TRACE_PROCESS_NORMALIZE_SPAN_H_
#define THAW_CC_TRACE_PROCESS_NORMALIZE_SPAN_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace thaw {

// A tag of at most 100 bytes; "unnamed-service" if nothing is left.
std::string_view NormalizeService(std::string_view service, std::string& buffer);

// A metric's name of at most 100 bytes: from its first ASCII letter on, ASCII letters, digits, '_' and '.';
// other bytes become '_'. Neither '_' nor '.' stands after one of them, but "_." becomes ".", and '_' is not
// last. "unnamed_operation" if nothing is left.
std::string_view NormalizeOperationName(std::string_view name, std::string& buffer);

// The resource, or the normal operation name if there is none.
std::string_view NormalizeResource(std::string_view resource, std::string_view operation_name);

// At most 100 bytes of it, whole characters.
std::string_view NormalizeSpanType(std::string_view type);

// The value of the tag "env".
std::string_view NormalizeEnv(std::string_view env, std::string& buffer);

// Whether a value of the tag "http.status_code" is one, 100 to 599; the tag goes if not.
bool IsHttpStatusCode(std::string_view text);

// As they stand in a span.
struct SpanTimes {
  int64_t start_unix_nanos = 0;
  int64_t duration_nanos = 0;

  bool operator==(const SpanTimes&) const = default;
};

// A negative duration, and one with which the span would end past the range, is 0. A start before the year
// 2000 is a mistake of units: the span has then just ended.
SpanTimes NormalizeTimes(SpanTimes times, absl::Time now);

// 0 for a root that names itself as its parent.
uint64_t NormalizeParentId(uint64_t trace_id, uint64_t span_id, uint64_t parent_id);

}  // namespace thaw

#endif  // THAW_CC_TRACE_PROCESS_NORMALIZE_SPAN_H_
