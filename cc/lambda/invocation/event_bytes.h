// Reads bytes from an event, in any form in which a function's runtime may pass them on.
//
//   [49, 55]   {"0": 49, "1": 55}   ["49", "55"]   "[49, 55]"   {"type": "Buffer", "data": [49, 55]}
//
// are all "17". Java's bytes are signed: -61 is 0xC3. A list with an element that is no byte, or with a
// number missing between its numbered members, yields nothing, since a value with a part missing is another
// value.
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

// Calls visit(item) for each item of a list, or of an object of numbered members in the order of their
// numbers, of which some may be missing. Any other value has no items.
void ForEachItem(const boost::json::value& list, absl::FunctionRef<void(const boost::json::value&)> visit);

// Returns the first item of such a list; null if there is none.
const boost::json::value* FirstItem(const boost::json::value& list);

// Returns the first of several values, or a single value itself.
const boost::json::value& FirstValue(const boost::json::value& values);

// Returns the bytes of a list of numbers in any of these forms.
std::optional<std::string> ListedBytes(const boost::json::value& value);

// Does the same, but also accepts a text in base64 (of either alphabet, with or without its padding).
std::optional<std::string> ListedOrBase64Bytes(const boost::json::value& value);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_EVENT_BYTES_H_
