// The JSON of events and responses, as a tree whose size is bounded whatever a caller sends.
//
//   THAW_ASSIGN_OR_RETURN(const EventJson event, ParseEventJson(body));
//   const std::string_view method = TextAt(event.root, {"requestContext", "http", "method"});
//
// The whole text is checked. Of what it says, elements of long arrays, what is nested deep, and everything
// after the first many values is left out of the tree and counted: an event of 6 MiB has its first record in
// the tree, and costs no more memory than a small multiple of its own size.
// Text that is not UTF-8 is kept as it is; whoever sends it on repairs it.

#ifndef THAW_CC_LAMBDA_INVOCATION_EVENT_JSON_H_
#define THAW_CC_LAMBDA_INVOCATION_EVENT_JSON_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "boost/json/value.hpp"

namespace thaw {

struct EventJsonLimits {
  size_t max_values = 20'000;  // in the whole tree
  size_t max_elements = 128;   // of one array
  size_t max_numbers =
      8192;               // of one array within another's element: it may be bytes, as Kafka's headers are
  size_t max_depth = 32;  // what is nested deeper is null
};

struct EventJson {
  boost::json::value root;
  int64_t values_left_out = 0;  // counted where they were cut off, not what stood within them
};

// How deep a text may be nested at all.
inline constexpr size_t kMaxEventJsonDepth = 512;

// InvalidArgument says at which byte the text is no JSON, and why.
absl::StatusOr<EventJson> ParseEventJson(std::string_view text, const EventJsonLimits& limits = {});

// The member at the end of a path of members; null if there is none.
const boost::json::value* FindAt(const boost::json::value& root,
                                 std::initializer_list<std::string_view> path);

bool IsObjectAt(const boost::json::value& root, std::initializer_list<std::string_view> path);

// The first of the members that is there and not null; null if none is.
const boost::json::value* AnyOf(const boost::json::value& object,
                                std::initializer_list<std::string_view> names);

// The value at the end of a path, if it is a text; otherwise empty.
std::string_view TextAt(const boost::json::value& root, std::initializer_list<std::string_view> path);

// The same as text, if it is a text, a number or a boolean; otherwise empty.
std::string ScalarAt(const boost::json::value& root, std::initializer_list<std::string_view> path);

// The same, if it is a finite number, or a text that is one.
std::optional<double> NumberAt(const boost::json::value& root, std::initializer_list<std::string_view> path);

// A text, number or boolean as text; nothing for anything else.
std::optional<std::string> ScalarText(const boost::json::value& value);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_EVENT_JSON_H_
