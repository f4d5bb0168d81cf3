#include "cc/lambda/invocation/event_json.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "boost/json/basic_parser_impl.hpp"
#include "boost/json/monotonic_resource.hpp"
#include "boost/json/parse_options.hpp"
#include "boost/json/serialize.hpp"
#include "boost/json/value_stack.hpp"

namespace thaw {
namespace {

namespace json = boost::json;
using ErrorCode = boost::system::error_code;

// Handles the parser's events: puts values on a stack as far as the limits allow.
class TreeBuilder {
 public:
  static constexpr size_t max_object_size = SIZE_MAX;
  static constexpr size_t max_array_size = SIZE_MAX;
  static constexpr size_t max_key_size = json::string::max_size();
  static constexpr size_t max_string_size = json::string::max_size();

  // The parser reads `text`, in parts.
  TreeBuilder(const EventJsonLimits& limits, std::string_view text) : limits_(limits), text_(text) {
    stack_.reset(json::make_shared_resource<json::monotonic_resource>());
  }

  EventJson Take() {
    json::value root = stack_.release();
    if (any_marked_) OmitMarked(root);
    return {std::move(root), left_out_};
  }

  bool on_document_begin(ErrorCode&) { return true; }
  bool on_document_end(ErrorCode&) { return true; }
  bool on_object_begin(ErrorCode&) { return Open(/*is_object=*/true); }
  bool on_array_begin(ErrorCode&) { return Open(/*is_object=*/false); }
  bool on_object_end(size_t, ErrorCode&) {
    if (!Close()) return true;
    // The root's members are values of their own.
    if (closed_.cut && (closed_.plain || closed_.kept == 0) && !containers_.empty()) {
      stack_.push_key("");
      Mark();
    }
    stack_.push_object(closed_.kept);
    return true;
  }
  bool on_array_end(size_t, ErrorCode&) {
    if (!Close()) return true;
    if (closed_.cut && closed_.plain) Mark();
    stack_.push_array(closed_.kept);
    return true;
  }
  bool on_key_part(std::string_view part, size_t, ErrorCode&) {
    if (BeginKey()) TakePart(part);
    return true;
  }
  bool on_key(std::string_view part, size_t, ErrorCode&) {
    if (BeginKey()) stack_.push_key(TakeLastPart(part));
    in_part_ = false;
    return true;
  }
  bool on_string_part(std::string_view part, size_t, ErrorCode&) {
    if (BeginString()) TakePart(part);
    return true;
  }
  bool on_string(std::string_view part, size_t, ErrorCode&) {
    if (BeginString()) stack_.push_string(TakeLastPart(part));
    in_part_ = false;
    return true;
  }
  bool on_number_part(std::string_view, ErrorCode&) { return true; }
  bool on_int64(int64_t number, std::string_view, ErrorCode&) {
    if (Admit()) stack_.push_int64(number);
    return true;
  }
  bool on_uint64(uint64_t number, std::string_view, ErrorCode&) {
    if (Admit()) stack_.push_uint64(number);
    return true;
  }
  bool on_double(double number, std::string_view, ErrorCode&) {
    if (Admit()) stack_.push_double(number);
    return true;
  }
  bool on_bool(bool boolean, ErrorCode&) {
    if (Admit()) stack_.push_bool(boolean);
    return true;
  }
  bool on_null(ErrorCode&) {
    if (Admit()) stack_.push_null();
    return true;
  }
  bool on_comment_part(std::string_view, ErrorCode&) { return true; }
  bool on_comment(std::string_view, ErrorCode&) { return true; }

 private:
  struct Container {
    bool is_object = false;
    bool plain = true;  // holds no array or object
    bool cut = false;   // lacks a value
    size_t kept = 0;
  };

  // Returns whether the next value is kept.
  bool Admit(bool is_plain = true) {
    if (skipped_depth_ > 0) return false;
    if (containers_.empty()) return true;
    Container& inner = containers_.back();
    if (inner.is_object) {
      inner.plain &= is_plain;
      if (skip_member_) return false;
    } else if (inner.kept >= (is_plain && inner.plain ? limits_.max_scalars : limits_.max_elements) ||
               values_ >= limits_.max_values) {
      inner.cut = true;
      ++left_out_;
      return false;
    }
    inner.plain &= is_plain;
    ++inner.kept;
    ++values_;
    return true;
  }

  bool Open(bool is_object) {
    if (!Admit(/*is_plain=*/false)) {
      ++skipped_depth_;
    } else if (containers_.size() >= limits_.max_depth) {
      ++left_out_;
      stack_.push_null();
      ++skipped_depth_;
    } else {
      containers_.push_back({.is_object = is_object});
    }
    return true;
  }

  bool Close() {
    if (skipped_depth_ > 0) {
      --skipped_depth_;
      return false;
    }
    closed_ = containers_.back();
    containers_.pop_back();
    return true;
  }

  // Adds a value that JSON can't write to the container that is closed: nothing can be taken off the stack.
  void Mark() {
    stack_.push_double(std::numeric_limits<double>::quiet_NaN());
    ++closed_.kept;
    any_marked_ = true;
  }
  static bool IsMark(const json::value* value) {
    const double* const number = value == nullptr ? nullptr : value->if_double();
    return number != nullptr && std::isnan(*number);
  }
  // Makes marked containers null. Recursion ends at max_depth.
  void OmitMarked(json::value& value) {
    if (json::array* const array = value.if_array()) {
      if (!array->empty() && IsMark(&array->back())) return Omit(array->size(), value);
      for (json::value& element : *array) OmitMarked(element);
    } else if (json::object* const object = value.if_object()) {
      if (IsMark(object->if_contains(""))) return Omit(object->size(), value);
      for (json::key_value_pair& member : *object) OmitMarked(member.value());
    }
  }
  void Omit(size_t size, json::value& value) {
    left_out_ += static_cast<int64_t>(size) - 1;  // without the mark
    value.emplace_null();
  }

  // Keys and texts with escapes come in parts: the decision at the first part holds for all.
  bool BeginKey() {
    if (skipped_depth_ > 0) return false;
    if (!in_part_) {
      skip_member_ = values_ >= limits_.max_values;
      left_out_ += skip_member_;
      containers_.back().cut |= skip_member_;
      in_part_ = true;
    }
    return !skip_member_;
  }
  bool BeginString() {
    if (!in_part_) keep_string_ = Admit();
    in_part_ = true;
    return keep_string_;
  }

  // A text that lies in the input is not assembled from its parts, which would take its memory twice.
  void TakePart(std::string_view part) {
    if (part.empty()) return;
    if (!held_.empty() && held_.data() + held_.size() == part.data()) {
      held_ = {held_.data(), held_.size() + part.size()};
      return;
    }
    if (!held_.empty()) stack_.push_chars(held_);
    const std::less_equal<const char*> in_order;
    const bool in_text = in_order(text_.data(), part.data()) &&
                         in_order(part.data() + part.size(), text_.data() + text_.size());
    held_ = in_text ? part : std::string_view();
    if (!in_text) stack_.push_chars(part);
  }
  // Returns what is still to be added to the text.
  std::string_view TakeLastPart(std::string_view part) {
    if (held_.empty()) return part;
    TakePart(part);
    return std::exchange(held_, std::string_view());
  }

  const EventJsonLimits limits_;
  const std::string_view text_;
  std::string_view held_;  // the part of a text that is not on the stack yet
  json::value_stack stack_;
  std::vector<Container> containers_;
  size_t values_ = 0;
  size_t skipped_depth_ = 0;  // open containers that are not kept
  Container closed_;          // was closed last
  bool any_marked_ = false;
  bool skip_member_ = false;
  bool keep_string_ = false;
  bool in_part_ = false;
  int64_t left_out_ = 0;
};

json::parse_options Options() {
  json::parse_options options;
  options.max_depth = kMaxEventJsonDepth;
  options.allow_invalid_utf8 = true;
  options.allow_invalid_utf16 = true;
  return options;
}

}  // namespace

struct EventJsonWork::Parser {
  json::basic_parser<TreeBuilder> parser;
  ErrorCode error;
};

EventJsonWork::EventJsonWork(std::string_view text, const EventJsonLimits& limits)
    : text_(text),
      parser_(new Parser{.parser = json::basic_parser<TreeBuilder>(Options(), limits, text), .error = {}}) {
  // RFC 8259, section 8.1, lets a reader pass over a byte order mark.
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (absl::StartsWith(text, kByteOrderMark)) at_ = kByteOrderMark.size();
}

EventJsonWork::~EventJsonWork() = default;

bool EventJsonWork::Step(size_t bytes) {
  auto& [parser, error] = *parser_;
  size_t read = 0;
  for (size_t wanted = std::max<size_t>(bytes, 1); !error && !parser.done(); wanted *= 2) {
    const std::string_view part = text_.substr(at_, wanted);
    const bool more = at_ + part.size() < text_.size();
    read = parser.write_some(more, part.data(), part.size(), error);
    at_ += read;
    // The parser may put off what it needs more bytes for.
    if (read > 0 && more) break;
  }
  return error || parser.done();
}

absl::StatusOr<EventJson> EventJsonWork::Take() {
  if (parser_->error)
    return absl::InvalidArgumentError(
        absl::StrCat("at byte ", at_, ": not JSON: ", parser_->error.message()));
  if (text_.find_first_not_of(" \t\r\n", at_) != std::string_view::npos)
    return absl::InvalidArgumentError(absl::StrCat("at byte ", at_, ": more follows the end of the JSON"));
  return parser_->parser.handler().Take();
}

absl::StatusOr<EventJson> ParseEventJson(std::string_view text, const EventJsonLimits& limits) {
  EventJsonWork work(text, limits);
  while (!work.Step(text.size())) {
  }
  return work.Take();
}

namespace {

const json::value* Member(const json::object& object, std::string_view name) {
  const json::value* const member = object.if_contains(name);
  if (member != nullptr || name.empty() || !absl::ascii_isalpha(name[0])) return member;
  std::string other(name);
  other[0] = absl::ascii_islower(name[0]) ? absl::ascii_toupper(name[0]) : absl::ascii_tolower(name[0]);
  return object.if_contains(other);
}

}  // namespace

const json::value* FindAt(const json::value& root, std::initializer_list<std::string_view> path) {
  const json::value* at = &root;
  for (const std::string_view name : path) {
    const json::object* object = at->if_object();
    at = object == nullptr ? nullptr : Member(*object, name);
    if (at == nullptr) return nullptr;
  }
  return at;
}

bool IsObjectAt(const json::value& root, std::initializer_list<std::string_view> path) {
  const json::value* value = FindAt(root, path);
  return value != nullptr && value->is_object();
}

const json::value* AnyOf(const json::value& object, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names)
    if (const json::value* member = FindAt(object, {name}); member != nullptr && !member->is_null())
      return member;
  return nullptr;
}

std::string_view TextAt(const json::value& root, std::initializer_list<std::string_view> path) {
  const json::value* value = FindAt(root, path);
  const json::string* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string_view() : std::string_view(*text);
}

std::string ScalarAt(const json::value& root, std::initializer_list<std::string_view> path) {
  const json::value* value = FindAt(root, path);
  return value == nullptr ? "" : ScalarText(*value).value_or("");
}

std::optional<double> NumberAt(const json::value& root, std::initializer_list<std::string_view> path) {
  const json::value* value = FindAt(root, path);
  if (value == nullptr) return std::nullopt;
  double number = 0;
  if (value->is_number()) {
    number = value->to_number<double>();
  } else if (!value->is_string() || !absl::SimpleAtod(std::string_view(value->get_string()), &number)) {
    return std::nullopt;
  }
  if (!std::isfinite(number)) return std::nullopt;
  return number;
}

std::optional<std::string> ScalarText(const json::value& value) {
  if (const json::string* text = value.if_string()) return std::string(*text);
  if (value.is_double()) {
    // Prints a number with the fewest digits that identify it, as people write it; JSON's own writer prints
    // 1.5E0. (The library's std::to_chars adds tables of 100 KB.)
    char digits[32];
    const double number = value.get_double();
    for (int precision = 15;; ++precision) {
      std::snprintf(digits, sizeof(digits), "%.*g", precision, number);
      double read = 0;
      if (precision == 17 || (absl::SimpleAtod(digits, &read) && read == number)) return digits;
    }
  }
  if (value.is_number() || value.is_bool()) return json::serialize(value);
  return std::nullopt;
}

}  // namespace thaw
