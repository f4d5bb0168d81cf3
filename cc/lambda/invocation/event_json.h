// Parses the JSON of events and responses into a tree of bounded size, whatever a caller sends.
//
//   THAW_ASSIGN_OR_RETURN(const EventJson event, ParseEventJson(body));
//   const std::string_view method = TextAt(event.root, {"requestContext", "http", "method"});
//
// The whole text is checked. The tree omits, and counts, further elements of long arrays, deeply nested
// values and everything after the first many values: an event of 6 MiB has its first record in the tree,
// which takes no more memory than a small multiple of the event's size. A list of plain values that does not
// fit is omitted as a whole and null in the tree, and so is an object of plain values within the event: they
// may be the bytes or the members of one value, which would be another value without its end. Text that is
// not UTF-8 is kept as it is; later senders repair it.

#ifndef THAW_CC_LAMBDA_INVOCATION_EVENT_JSON_H_
#define THAW_CC_LAMBDA_INVOCATION_EVENT_JSON_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "boost/json/value.hpp"

namespace thaw {

struct EventJsonLimits {
  size_t max_values = 20'000;  // in the whole tree
  size_t max_elements = 128;   // arrays and objects in an array
  size_t max_scalars = 8192;   // other values in an array: they may be bytes, as Kafka's headers are
  size_t max_depth = 32;       // deeper values are null
};

struct EventJson {
  boost::json::value root;
  // The number of omitted values; each of those that did not fit counts without its contents.
  int64_t values_left_out = 0;
};

// Largest nesting of a text that is parsed at all.
inline constexpr size_t kMaxEventJsonDepth = 512;

// Parses a long text in steps: Step() is called until it returns true, and then Take().
class EventJsonWork {
 public:
  // `text` must outlive the work.
  explicit EventJsonWork(std::string_view text, const EventJsonLimits& limits = {});
  ~EventJsonWork();

  // Reads about so many bytes more; returns whether all is read.
  bool Step(size_t bytes);
  // Returns the result; call this once, after Step() has returned true.
  absl::StatusOr<EventJson> Take();

 private:
  struct Parser;

  const std::string_view text_;
  size_t at_ = 0;
  const std::unique_ptr<Parser> parser_;
};

// A byte order mark before the JSON is passed over. InvalidArgument says at which byte the text is invalid,
// and why.
absl::StatusOr<EventJson> ParseEventJson(std::string_view text, const EventJsonLimits& limits = {});

// Returns the member at the end of a path of members; null if there is none. A name's first letter may be of the
// other case: .NET writes the events that it has parsed with `Records` and `EventSource`, Java with `records`.
const boost::json::value* FindAt(const boost::json::value& root,
                                 std::initializer_list<std::string_view> path);

// Returns whether the member at the path is an object.
bool IsObjectAt(const boost::json::value& root, std::initializer_list<std::string_view> path);

// Returns the first of the members that exists and is not null; null if none does.
const boost::json::value* AnyOf(const boost::json::value& object,
                                std::initializer_list<std::string_view> names);

// Returns the member at the path if it is a text; otherwise empty.
std::string_view TextAt(const boost::json::value& root, std::initializer_list<std::string_view> path);

// Returns the member at the path as text if it is a text, a number or a boolean; otherwise empty.
std::string ScalarAt(const boost::json::value& root, std::initializer_list<std::string_view> path);

// Returns the member at the path if it is a finite number, or a text of one.
std::optional<double> NumberAt(const boost::json::value& root, std::initializer_list<std::string_view> path);

// Returns a text, number or boolean as text; nullopt for other values.
std::optional<std::string> ScalarText(const boost::json::value& value);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_EVENT_JSON_H_
