// Helpers of all event sources: parts of texts, times, services, carriers.
//
//   Add(span.tags, "table_name", Part(arn, '/', 1));
//   AddSpan(trigger, std::move(span), {table, "lambda_dynamodb", table, "dynamodb"}, options);

#ifndef THAW_CC_LAMBDA_INVOCATION_TRIGGER_PARTS_H_
#define THAW_CC_LAMBDA_INVOCATION_TRIGGER_PARTS_H_

#include <initializer_list>
#include <string_view>

#include "absl/time/time.h"
#include "boost/json/fwd.hpp"
#include "cc/lambda/invocation/trigger_types.h"

namespace thaw {

// Adds a tag unless its value is empty.
void Add(SpanTags& tags, std::string_view name, std::string_view value);

// Returns part `index` of a text split at `separator`; empty if it has fewer parts.
std::string_view Part(std::string_view text, char separator, size_t index);
std::string_view LastPart(std::string_view text, char separator);

// Reads a time as RFC 3339, or as a number of seconds or milliseconds since 1970, to the microsecond. Returns
// InfinitePast for values that are no times.
enum class TimeUnit : int { kSeconds = 1'000'000, kMilliseconds = 1'000 };
absl::Time TimeAt(const boost::json::value& root, std::initializer_list<std::string_view> path,
                  TimeUnit unit);

// The names from which a span's service is chosen.
struct ServiceNames {
  std::string_view specific;  // id that maps one sender
  std::string_view generic;   // key that maps all of its kind
  std::string_view instance;  // the sender's own name
  std::string_view fallback;  // without an instance, or if AWS services are not represented
};

// Adds a sender's span, after choosing its service.
void AddSpan(Trigger& trigger, InferredSpan span, const ServiceNames& names, const TriggerOptions& options);

// Adds the headers of an object as a carrier if any may belong to a trace context. `value` may be null.
void AddCarrier(Trigger& trigger, const boost::json::value* value);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_TRIGGER_PARTS_H_
