// Bytes in an event, however the function's runtime wrote them when it gave the event on.
//
//   [49, 55]   {"0": 49, "1": 55}   ["49", "55"]   "[49, 55]"   {"type": "Buffer", "data": [49, 55]}
//
// all are "17". Java's bytes are signed: -61 is 0xC3. What holds anything that is no byte is no bytes at all,
// since a value of which a part is missing is another value.
//
// Source: the Kafka events of AWS's libraries for Java, .NET and Go, and what serializers make of them.

#ifndef THAW_CC_LAMBDA_INVOCATION_EVENT_BYTES_H_
#define THAW_CC_LAMBDA_INVOCATION_EVENT_BYTES_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "boost/json/fwd.hpp"

namespace thaw {

// Calls visit(item) for each of a list, also of one that became an object of numbered members, in the order
// of their numbers. Anything else has no items.
void ForEachItem(const boost::json::value& list, absl::FunctionRef<void(const boost::json::value&)> visit);

// The first item of such a list; null if there is none.
const boost::json::value* FirstItem(const boost::json::value& list);

// The first of several values; a single one itself.
const boost::json::value& FirstValue(const boost::json::value& values);

// The bytes of a list of numbers in any of these forms.
std::optional<std::string> ListedBytes(const boost::json::value& value);

// The same, or the bytes of a text in base64 (of either alphabet, with or without its padding).
std::optional<std::string> ListedOrBase64Bytes(const boost::json::value& value);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_EVENT_BYTES_H_
