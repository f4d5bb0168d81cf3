#include "cc/lambda/invocation/payload_tags.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/serializer.hpp"
#include "cc/base/utf8.h"
#include "cc/lambda/invocation/event_json.h"

namespace thaw {
namespace {

namespace json = boost::json;

bool IsSecret(std::string_view key) {
  for (const std::string_view name :
       {"password", "passwd", "pwd", "secret", "token", "authorization", "x-authorization", "api_key"})
    if (absl::EqualsIgnoreCase(key, name)) return true;
  return false;
}

class Flattener {
 public:
  Flattener(const PayloadTagOptions& options, SpanTags& tags) : options_(options), tags_(tags) {}

  // Recursion ends at max_depth, which the limits of ParseEventJson bound in turn.
  void Value(const std::string& name, std::string_view key, const json::value& value, size_t depth) {
    if (left_out_ > 0) {
      ++left_out_;
    } else if (IsSecret(key)) {
      Tag(name, "redacted");
    } else if (const json::string* text = value.if_string()) {
      Text(name, *text, depth);
    } else if (!value.is_structured()) {
      Tag(name, ScalarText(value).value_or("null"));
    } else if (depth >= options_.max_depth) {
      Tag(name, HasSecret(value) ? "redacted" : Serialized(value));
    } else if (const json::array* array = value.if_array()) {
      if (array->empty()) Tag(name, "[]");
      // Only lists of bytes are longer than this.
      const size_t kept = std::min(array->size(), EventJsonLimits().max_elements);
      elements_left_out_ += static_cast<int64_t>(array->size() - kept);
      for (size_t i = 0; i < kept; ++i) Value(absl::StrCat(name, ".", i), {}, (*array)[i], depth + 1);
    } else {
      if (value.get_object().empty()) Tag(name, "{}");
      for (const json::key_value_pair& member : value.get_object())
        Value(absl::StrCat(name, ".", std::string_view(member.key())), member.key(), member.value(),
              depth + 1);
    }
  }

  int64_t left_out() const { return left_out_ + elements_left_out_; }

 private:
  void Text(const std::string& name, std::string_view text, size_t depth) {
    const std::string_view begin = absl::StripLeadingAsciiWhitespace(text);
    if (absl::StartsWith(begin, "{") || absl::StartsWith(begin, "[")) {
      if (const absl::StatusOr<EventJson> nested = ParseEventJson(text); nested.ok()) {
        Value(name, {}, nested->root, depth);
        return;
      }
    }
    Tag(name, text);
  }

  void Tag(std::string_view name, std::string_view value) {
    value = CutUtf8(value, options_.max_value);
    const size_t bytes = name.size() + value.size();
    if (count_ >= options_.max_tags || bytes > options_.max_bytes - bytes_) {
      ++left_out_;
      return;
    }
    ++count_;
    bytes_ += bytes;
    tags_.emplace(name, value);
  }

  // Serialises as much of the value as a tag may hold.
  std::string Serialized(const json::value& value) const {
    json::serializer serializer;
    serializer.reset(&value);
    std::string text(options_.max_value + 4, '\0');  // one character more shows that the text is cut
    text.resize(serializer.read(text.data(), text.size()).size());
    return text;
  }

  static bool HasSecret(const json::value& value) {
    if (const json::array* array = value.if_array()) {
      for (const json::value& element : *array)
        if (HasSecret(element)) return true;
    } else if (const json::object* object = value.if_object()) {
      for (const json::key_value_pair& member : *object)
        if (IsSecret(member.key()) || HasSecret(member.value())) return true;
    }
    return false;
  }

  const PayloadTagOptions& options_;
  SpanTags& tags_;
  size_t count_ = 0;
  size_t bytes_ = 0;
  int64_t left_out_ = 0;  // counts from the first value that had no room
  int64_t elements_left_out_ = 0;
};

}  // namespace

int64_t AddPayloadTags(std::string_view name, const json::value& payload, const PayloadTagOptions& options,
                       SpanTags& tags) {
  if (!options.enabled) return 0;
  Flattener flattener(options, tags);
  flattener.Value(std::string(name), {}, payload, 0);
  return flattener.left_out();
}

}  // namespace thaw
