#include "cc/telemetry/json_elements.h"

#include <bitset>
#include <boost/json/basic_parser_impl.hpp>
#include <cstdint>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace thaw {
namespace {

namespace json = boost::json;
using boost::system::error_code;

// Largest depth. A function's log line is the user's JSON and may be deeper than any platform record; it is
// bounded all the same, since the parser recurses.
constexpr size_t kMaxDepth = 128;

// An array is given up once this many times its own size was read in vain. Arrays with a few broken elements
// stay far below it; it bounds the cost of a hostile body.
constexpr size_t kMaxWasteFactor = 32;

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

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

size_t SkipSpace(std::string_view text, size_t at) {
  while (at < text.size() && IsSpace(text[at])) ++at;
  return at;
}

// Returns the position after the string that begins at `at`; npos if it doesn't end.
size_t StringEnd(std::string_view text, size_t at) {
  while (true) {
    at = text.find_first_of("\"\\", at + 1);
    if (at == std::string_view::npos) return at;
    if (text[at] == '"') return at + 1;
    ++at;  // skips the escaped character
  }
}

// Returns the position after the value that begins at `at`, judged by quotes and brackets alone; npos if it
// doesn't end or its brackets don't match. The bytes between two commas count as a value.
size_t BracketedEnd(std::string_view text, size_t at) {
  size_t depth = 0;
  std::bitset<kMaxDepth> is_object;  // deeper ones aren't distinguished
  for (size_t i = at; i < text.size(); ++i) {
    switch (text[i]) {
      case '"':
        i = StringEnd(text, i);
        if (i == std::string_view::npos || depth == 0) return i;
        --i;
        break;
      case '{':
      case '[':
        if (depth < is_object.size()) is_object[depth] = text[i] == '{';
        ++depth;
        break;
      case '}':
      case ']':
        // This closes the enclosing value, or is one bracket too many.
        if (depth == 0) return i == at ? i + 1 : i;
        --depth;
        if (depth < is_object.size() && is_object[depth] != (text[i] == '}')) return std::string_view::npos;
        if (depth == 0) return i + 1;
        break;
      case ',':
        if (depth == 0) return i;
        break;
      default:
        break;
    }
  }
  return std::string_view::npos;
}

}  // namespace

struct JsonElements::Parser {
  json::basic_parser<Ignore> check{LenientJson()};
};

JsonElements::JsonElements(std::string_view body, absl::Span<const std::string_view> first_members)
    : body_(body),
      first_members_(first_members),
      waste_left_(kMaxWasteFactor * body.size()),
      parser_(std::make_unique<Parser>()) {}

JsonElements::~JsonElements() = default;

JsonElements::Found JsonElements::Next() {
  if (last_ != Found::kElement && last_ != Found::kBroken) return last_;
  if (too_broken_) return last_ = Found::kTooBroken;
  if (!begun_) {
    begun_ = true;
    begin_ = SkipSpace(body_, 0);
    if (begin_ == body_.size() || body_[begin_] != '[') return last_ = Found::kNoArray;
    next_ = begin_ + 1;
  }
  next_ = SkipSpace(body_, next_);
  while (next_ < body_.size() && body_[next_] == ',') next_ = SkipSpace(body_, next_ + 1);
  begin_ = next_;
  if (begin_ == body_.size()) return last_ = Found::kNotClosed;
  if (body_[begin_] == ']') return last_ = Found::kEnd;
  const size_t checked = Check();
  if (parser_->check.last_error()) {
    broken_at_ = checked - begin_;
    SkipBroken();
    return last_ = Found::kBroken;
  }
  // The parser passes over what is white behind the element, too.
  text_ = absl::StripTrailingAsciiWhitespace(body_.substr(begin_, checked - begin_));
  next_ = checked;
  return last_ = Found::kElement;
}

std::string JsonElements::error() const { return parser_->check.last_error().message(); }

size_t JsonElements::Check() {
  parser_->check.reset();
  error_code error;
  const std::string_view rest = body_.substr(begin_);
  return begin_ + parser_->check.write_some(/*more=*/false, rest.data(), rest.size(), error);
}

void JsonElements::SkipBroken() {
  const size_t end = BracketedEnd(body_, begin_);
  const size_t read_to = end == std::string_view::npos ? body_.size() : end;
  const size_t wasted = broken_at_ + (read_to - begin_);
  next_ = end == std::string_view::npos ? NextElement(begin_ + 1) : end;
  too_broken_ = wasted > waste_left_;
  if (!too_broken_) waste_left_ -= wasted;
}

size_t JsonElements::NextElement(size_t at) const {
  for (size_t i = body_.find('{', at); i != std::string_view::npos; i = body_.find('{', i + 1)) {
    size_t before = i;
    while (before > 0 && IsSpace(body_[before - 1])) --before;
    if (before > 0 && body_[before - 1] != ',' && body_[before - 1] != '[') continue;
    const std::string_view rest = body_.substr(SkipSpace(body_, i + 1));
    for (const std::string_view member : first_members_) {
      if (absl::StartsWith(rest, member)) return i;
    }
  }
  return body_.size();
}

void ForEachJsonMember(std::string_view text,
                       absl::FunctionRef<void(std::string_view key, std::string_view value)> visit) {
  for (size_t at = SkipSpace(text, 1); text[at] != '}'; at = SkipSpace(text, at)) {
    if (text[at] == ',') {
      ++at;
      continue;
    }
    const size_t key_end = StringEnd(text, at);
    const std::string_view key = text.substr(at, key_end - at);
    const size_t value = SkipSpace(text, SkipSpace(text, key_end) + 1);  // after the colon
    at = BracketedEnd(text, value);
    visit(key, absl::StripTrailingAsciiWhitespace(text.substr(value, at - value)));
  }
}

json::parse_options LenientJson() {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  options.allow_invalid_utf8 = true;
  options.allow_invalid_utf16 = true;
  return options;
}

}  // namespace thaw
