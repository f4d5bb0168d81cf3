#include "cc/logs/json_object.h"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse_options.hpp>
#include <cstdint>
#include <limits>

namespace thaw {
namespace {

namespace json = boost::json;
using boost::system::error_code;

constexpr size_t kMaxDepth = 128;

// Ignores what the parser finds: the parser itself checks.
struct Ignore {
  static constexpr size_t max_array_size = std::numeric_limits<size_t>::max();
  static constexpr size_t max_object_size = std::numeric_limits<size_t>::max();
  static constexpr size_t max_string_size = std::numeric_limits<size_t>::max();
  static constexpr size_t max_key_size = std::numeric_limits<size_t>::max();

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(size_t, error_code&) { return true; }
  bool on_object_begin(error_code&) { return true; }
  bool on_object_end(size_t, error_code&) { return true; }
  bool on_string_part(json::string_view, size_t, error_code&) { return true; }
  bool on_string(json::string_view, size_t, error_code&) { return true; }
  bool on_key_part(json::string_view, size_t, error_code&) { return true; }
  bool on_key(json::string_view, size_t, error_code&) { return true; }
  bool on_number_part(json::string_view, error_code&) { return true; }
  bool on_int64(int64_t, json::string_view, error_code&) { return true; }
  bool on_uint64(uint64_t, json::string_view, error_code&) { return true; }
  bool on_double(double, json::string_view, error_code&) { return true; }
  bool on_bool(bool, error_code&) { return true; }
  bool on_null(error_code&) { return true; }
  bool on_comment_part(json::string_view, error_code&) { return true; }
  bool on_comment(json::string_view, error_code&) { return true; }
};

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

size_t SkipSpace(std::string_view text, size_t at) {
  while (at < text.size() && IsSpace(text[at])) ++at;
  return at;
}

// Returns the position after the string that begins at `at`.
size_t StringEnd(std::string_view text, size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '"') return at + 1;
    if (text[at] == '\\') ++at;
  }
  return text.size();
}

// Returns the position after the value that begins at `at`, blanks behind a scalar included.
size_t ValueEnd(std::string_view text, size_t at) {
  size_t depth = 0;
  while (at < text.size()) {
    switch (text[at]) {
      case '"':
        at = StringEnd(text, at);
        if (depth == 0) return at;
        continue;
      case '{':
      case '[':
        ++depth;
        break;
      case '}':
      case ']':
        if (depth == 0) return at;  // closes the object around it
        if (--depth == 0) return at + 1;
        break;
      case ',':
        if (depth == 0) return at;
        break;
      default:
        break;
    }
    ++at;
  }
  return at;
}

}  // namespace

bool IsWellFormedJson(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  options.allow_invalid_utf16 = true;
  json::basic_parser<Ignore> check(options);
  error_code error;
  const size_t read = check.write_some(/*more=*/false, text.data(), text.size(), error);
  return !error && read == text.size();
}

void ForEachMember(std::string_view object,
                   absl::FunctionRef<void(std::string_view key, std::string_view value)> visit) {
  size_t at = SkipSpace(object, 1);
  while (at < object.size() && object[at] == '"') {
    const size_t key_end = StringEnd(object, at);
    const std::string_view key = object.substr(at, key_end - at);
    const size_t value = SkipSpace(object, SkipSpace(object, key_end) + 1);  // after the colon
    const size_t value_end = ValueEnd(object, value);
    std::string_view text = object.substr(value, value_end - value);
    while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
    visit(key, text);
    at = SkipSpace(object, value_end);
    if (at < object.size() && object[at] == ',') at = SkipSpace(object, at + 1);
  }
}

}  // namespace thaw
