#include "cc/lambda/invocation/nested_json.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "cc/lambda/invocation/event_bytes.h"
#include "cc/lambda/invocation/event_json.h"

namespace thaw {
namespace {

namespace json = boost::json;

// Longest text within an event that is read as JSON: what SQS, SNS and Kinesis may carry.
constexpr size_t kMaxNestedJson = 1 << 20;

// Parses the JSON in a text; null if it is too long or invalid.
json::value ParseNested(std::string_view text) {
  if (text.empty() || text.size() > kMaxNestedJson) return nullptr;
  absl::StatusOr<EventJson> nested = ParseEventJson(text);
  return nested.ok() ? std::move(nested->root) : nullptr;
}

}  // namespace

json::value NestedJson(const json::value* value) {
  if (value == nullptr) return nullptr;
  if (const json::string* text = value->if_string()) return ParseNested(*text);
  return value->is_object() ? *value : json::value();
}

json::value NestedBytesJson(const json::value* value) {
  if (value == nullptr) return nullptr;
  const json::string* text = value->if_string();
  if (text != nullptr && text->size() > 2 * kMaxNestedJson) return nullptr;
  if (const std::optional<std::string> bytes = ListedOrBase64Bytes(*value))
    if (json::value parsed = ParseNested(*bytes); !parsed.is_null()) return parsed;
  return NestedJson(value);
}

}  // namespace thaw
