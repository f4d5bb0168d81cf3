// What the functions of event sources have in common: texts cut to parts, times, services, carriers.

#ifndef THAW_CC_LAMBDA_INVOCATION_TRIGGER_PARTS_H_
#define THAW_CC_LAMBDA_INVOCATION_TRIGGER_PARTS_H_

#include <initializer_list>
#include <string_view>

#include "absl/time/time.h"
#include "boost/json/fwd.hpp"
#include "cc/lambda/invocation/trigger_types.h"

namespace thaw {

// Adds a tag that has a value.
void Add(SpanTags& tags, std::string_view name, std::string_view value);

// Part `index` of a text cut at each `separator`; empty if it has fewer.
std::string_view Part(std::string_view text, char separator, size_t index);
std::string_view LastPart(std::string_view text, char separator);

// A time as RFC 3339, or as a number of seconds since 1970 or of milliseconds, to the microsecond. Nothing
// that no clock says.
enum class TimeUnit : int { kSeconds = 1'000'000, kMilliseconds = 1'000 };
absl::Time TimeAt(const boost::json::value& root, std::initializer_list<std::string_view> path,
                  TimeUnit unit);

// Whose service a span has.
struct ServiceNames {
  std::string_view specific;  // id by which one sender is mapped
  std::string_view generic;   // key by which all of its kind are
  std::string_view instance;  // its own name
  std::string_view fallback;  // what it is without one, or if AWS services are not to be shown as such
};

// Adds a sender's span with the service that it has.
void AddSpan(Trigger& trigger, InferredSpan span, const ServiceNames& names, const TriggerOptions& options);

// Adds the headers of an object, if any may be of a trace context. `value` may be null.
void AddCarrier(Trigger& trigger, const boost::json::value* value);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_TRIGGER_PARTS_H_
