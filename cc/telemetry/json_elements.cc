#include "cc/telemetry/json_elements.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "cc/base/json_special.h"

namespace thaw {
namespace {

namespace json = boost::json;
using boost::system::error_code;

// Largest depth. A function's log line is the user's JSON and may be deeper than any platform record; it is
// bounded all the same, since the parser recurses.
constexpr size_t kMaxDepth = BracketScan::kMaxDepth;

// Work that a member counts for, beside its bytes.
constexpr int64_t kMemberWork = 64;

// Bytes that the parser gets at once.
constexpr size_t kPartBytes = 64 * 1024;

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

}  // namespace

// -- BracketScan ------------------------------------------------------------------------------------------

bool BracketScan::Run(int64_t& work) {
  const size_t begun = at_;
  const size_t left = text_.size() - std::min(at_, text_.size());
  const size_t stop =
      std::min(at_, text_.size()) + std::min(left, static_cast<size_t>(std::max<int64_t>(work, 1)));
  bool found = false;
  while (!found && at_ < stop) found = in_string_ ? ReadString(stop) : ReadOne();
  work -= static_cast<int64_t>(at_ - begun);
  return found || at_ >= text_.size();
}

bool BracketScan::ReadString(size_t stop) {
  if (at_ >= stop) return false;
  at_ = FindJsonSpecial(text_.substr(0, stop), at_);
  if (at_ == stop) return false;
  switch (text_[at_]) {
    case '\\':
      at_ += 2;  // passes over the escaped character
      return false;
    case '"':
      break;
    default:
      ++at_;  // a control character, which only broken texts have
      return false;
  }
  ++at_;
  in_string_ = false;
  return depth_ == 0 && EndsAt(at_);
}

bool BracketScan::ReadOne() {
  const char c = text_[at_];
  switch (c) {
    case '"':
      in_string_ = true;
      break;
    case '{':
    case '[':
      if (depth_ < is_object_.size()) is_object_[depth_] = c == '{';
      ++depth_;
      break;
    case '}':
    case ']':
      // This closes the enclosing value, or is one bracket too many.
      if (depth_ == 0) return EndsAt(at_ == begin_ ? at_ + 1 : at_);
      --depth_;
      if (depth_ < is_object_.size() && is_object_[depth_] != (c == '}'))
        return EndsAt(std::string_view::npos);
      if (depth_ == 0) return EndsAt(at_ + 1);
      break;
    case ',':
      if (depth_ == 0) return EndsAt(at_);
      break;
    default:
      break;
  }
  ++at_;
  return false;
}

bool BracketScan::EndsAt(size_t end) {
  end_ = end;
  return true;
}

// -- JsonMemberScan ---------------------------------------------------------------------------------------

JsonMemberScan::Found JsonMemberScan::Next(int64_t& work) {
  if (!of_key_.has_value()) {
    at_ = SkipSpace(text_, at_);
    if (text_[at_] == ',') at_ = SkipSpace(text_, at_ + 1);
    if (text_[at_] == '}') return Found::kEnd;
    of_key_.emplace(text_, at_);
  }
  if (!of_value_.has_value()) {
    if (!of_key_->Run(work)) return Found::kMore;
    key_ = text_.substr(at_, of_key_->end() - at_);
    at_ = SkipSpace(text_, SkipSpace(text_, of_key_->end()) + 1);  // after the colon
    of_value_.emplace(text_, at_);
  }
  if (!of_value_->Run(work)) return Found::kMore;
  value_ = absl::StripTrailingAsciiWhitespace(text_.substr(at_, of_value_->end() - at_));
  at_ = of_value_->end();
  of_key_.reset();
  of_value_.reset();
  work -= kMemberWork;
  return Found::kMember;
}

// -- JsonElements -----------------------------------------------------------------------------------------

struct JsonElements::Parser {
  json::basic_parser<Ignore> check{LenientJson()};
};

JsonElements::JsonElements(std::string_view body, absl::Span<const std::string_view> first_members)
    : body_(body),
      first_members_(first_members),
      waste_left_(kMaxWasteFactor * body.size()),
      parser_(std::make_unique<Parser>()) {}

JsonElements::~JsonElements() = default;

JsonElements::Found JsonElements::Next(int64_t& work) {
  switch (doing_) {
    case Doing::kBetween:
      if (last_ != Found::kElement && last_ != Found::kBroken && last_ != Found::kMore) return last_;
      return last_ = Between(work);
    case Doing::kChecking:
      return last_ = Checking(work);
    case Doing::kSkipping:
      return last_ = Skipping(work);
    case Doing::kSearching:
      return last_ = Searching(work);
  }
  return last_;
}

JsonElements::Found JsonElements::Between(int64_t& work) {
  if (too_broken_) return Found::kTooBroken;
  const auto skip = [this, &work](bool commas) {
    const size_t from = next_;
    while (next_ < body_.size() && static_cast<int64_t>(next_ - from) <= work &&
           (IsSpace(body_[next_]) || (commas && body_[next_] == ','))) {
      ++next_;
    }
    work -= static_cast<int64_t>(next_ - from);
    return work >= 0;
  };
  if (!begun_) {
    if (!skip(/*commas=*/false)) return Found::kMore;
    begin_ = next_;
    if (begin_ == body_.size() || body_[begin_] != '[') return Found::kNoArray;
    begun_ = true;
    ++next_;
  }
  if (!skip(/*commas=*/true)) return Found::kMore;
  begin_ = next_;
  if (begin_ == body_.size()) return Found::kNotClosed;
  if (body_[begin_] == ']') return Found::kEnd;
  parser_->check.reset();
  checked_ = begin_;
  doing_ = Doing::kChecking;
  return Checking(work);
}

std::string JsonElements::error() const { return parser_->check.last_error().message(); }

JsonElements::Found JsonElements::Checking(int64_t& work) {
  json::basic_parser<Ignore>& check = parser_->check;
  size_t part_bytes = 0;
  while (true) {
    if (work <= 0) return Found::kMore;
    part_bytes = std::max(part_bytes, static_cast<size_t>(std::min<int64_t>(work, kPartBytes)));
    const std::string_view part = body_.substr(checked_, part_bytes);
    const bool more = checked_ + part.size() < body_.size();
    error_code error;
    const size_t read = check.write_some(more, part.data(), part.size(), error);
    checked_ += read;
    work -= static_cast<int64_t>(read);
    if (error) {
      broken_at_ = checked_ - begin_;
      skipped_.emplace(body_, begin_);
      doing_ = Doing::kSkipping;
      return Skipping(work);
    }
    if (check.done()) break;
    // The parser may put off what it needs more bytes for.
    part_bytes = read == 0 ? 2 * part_bytes : 0;
  }
  // The parser passes over what is white behind the element, too.
  text_ = absl::StripTrailingAsciiWhitespace(body_.substr(begin_, checked_ - begin_));
  next_ = checked_;
  doing_ = Doing::kBetween;
  return Found::kElement;
}

JsonElements::Found JsonElements::Skipping(int64_t& work) {
  if (!skipped_->Run(work)) return Found::kMore;
  const size_t end = skipped_->end();
  const size_t read_to = end == std::string_view::npos ? body_.size() : end;
  const size_t wasted = broken_at_ + (read_to - begin_);
  too_broken_ = wasted > waste_left_;
  if (!too_broken_) waste_left_ -= wasted;
  if (end == std::string_view::npos) {
    next_ = begin_ + 1;
    doing_ = Doing::kSearching;
    return Searching(work);
  }
  next_ = end;
  doing_ = Doing::kBetween;
  return Found::kBroken;
}

JsonElements::Found JsonElements::Searching(int64_t& work) {
  const size_t from = next_;
  const size_t stop = from + std::min(body_.size() - from, static_cast<size_t>(std::max<int64_t>(work, 1)));
  while (next_ < stop && !(body_[next_] == '{' && BeginsElement(next_))) ++next_;
  work -= static_cast<int64_t>(next_ - from);
  if (next_ == stop && stop < body_.size()) return Found::kMore;
  doing_ = Doing::kBetween;
  return Found::kBroken;
}

bool JsonElements::BeginsElement(size_t at) const {
  size_t before = at;
  while (before > 0 && IsSpace(body_[before - 1])) --before;
  if (before > 0 && body_[before - 1] != ',' && body_[before - 1] != '[') return false;
  const std::string_view rest = body_.substr(SkipSpace(body_, at + 1));
  return std::any_of(first_members_.begin(), first_members_.end(),
                     [rest](std::string_view member) { return absl::StartsWith(rest, member); });
}

void ForEachJsonMember(std::string_view text,
                       absl::FunctionRef<void(std::string_view key, std::string_view value)> visit) {
  int64_t work = kUnlimitedWork;
  JsonMemberScan members(text);
  while (members.Next(work) == JsonMemberScan::Found::kMember) visit(members.key(), members.value());
}

bool IsWellFormedJson(std::string_view text) {
  json::parse_options options = LenientJson();
  options.allow_invalid_utf8 = false;
  json::basic_parser<Ignore> check(options);
  error_code error;
  const size_t read = check.write_some(/*more=*/false, text.data(), text.size(), error);
  return !error && read == text.size();
}

json::parse_options LenientJson() {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  options.allow_invalid_utf8 = true;
  options.allow_invalid_utf16 = true;
  return options;
}

}  // namespace thaw
