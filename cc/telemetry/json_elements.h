// Finds where each element of a JSON array begins and ends, even if some elements are broken.
//
//   constexpr std::string_view kMembers[] = {"\"time\"", "\"type\""};
//   JsonElements elements(body, kMembers);
//   while (elements.Next() == JsonElements::Found::kElement) Take(elements.text());
//
// A broken element does not affect its neighbours: its end is found by its quotes and brackets, or else by
// the beginning of the next object whose first member has an expected name. Elements are checked and not
// copied.
//
// A large body is read in steps: Next(work) reads about so many bytes at most and then returns kMore, also
// within an element.

#ifndef THAW_CC_TELEMETRY_JSON_ELEMENTS_H_
#define THAW_CC_TELEMETRY_JSON_ELEMENTS_H_

#include <bitset>
#include <boost/json/parse_options.hpp>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"

namespace thaw {

// An amount of work without a limit. A unit of work is a byte that is read, about a nanosecond.
inline constexpr int64_t kUnlimitedWork = std::numeric_limits<int64_t>::max();

// Finds the end of a JSON value by its quotes and brackets alone, without a check of what is between them. A
// value without either ends before the next comma.
class BracketScan {
 public:
  static constexpr size_t kMaxDepth = 128;

  // The value begins at `at` of `text`, which must outlive the scan.
  BracketScan(std::string_view text, size_t at) : text_(text), begin_(at), at_(at) {}

  // Reads at most `work` bytes further and subtracts them from `work`. Returns whether the end is known.
  bool Run(int64_t& work);
  // The position after the value; npos if it doesn't end or its brackets don't match. Valid after Run().
  size_t end() const { return end_; }
  // The position up to which the text was read.
  size_t read_to() const { return at_; }

 private:
  // Each of these three returns whether the end is known.
  bool ReadString(size_t stop);
  bool ReadOne();
  bool EndsAt(size_t end);

  std::string_view text_;
  size_t begin_;
  size_t at_;
  size_t end_ = std::string_view::npos;
  size_t depth_ = 0;
  bool in_string_ = false;
  std::bitset<kMaxDepth> is_object_;  // by depth; beyond kMaxDepth any closing bracket matches
};

// Iterates over the members of a well-formed JSON object, in order.
class JsonMemberScan {
 public:
  enum class Found { kMember, kEnd, kMore };

  explicit JsonMemberScan(std::string_view text) : text_(text) {}

  // Finds the next member. Reads at most about `work` bytes and subtracts them from `work`; returns kMore if
  // that was not enough.
  Found Next(int64_t& work);
  // The key, with its quotes, and the value, as written in the text. Valid after kMember.
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }

 private:
  std::string_view text_;
  size_t at_ = 1;
  std::optional<BracketScan> of_key_, of_value_;
  std::string_view key_, value_;
};

class JsonElements {
 public:
  enum class Found {
    kMore,       // `work` was not enough to find the end of the element
    kElement,    // text() is a well-formed value, but may not be UTF-8
    kBroken,     // an element that is invalid or nested too deep: see broken_at() and error()
    kEnd,        // the end of the array; the bytes after it are not read
    kNoArray,    // the body is not an array
    kNotClosed,  // the body ended before the array did
    kTooBroken,  // looking for the ends of broken elements took too long; the rest is not read
  };

  // `first_members` are the names that the first member of an element may have, in quotes. `body` and
  // `first_members` must outlive this object.
  JsonElements(std::string_view body, absl::Span<const std::string_view> first_members);
  ~JsonElements();

  // Finds the next element. Reads at most about `work` bytes and subtracts them from `work`. After kEnd,
  // kNoArray, kNotClosed or kTooBroken it returns the same value again.
  Found Next(int64_t& work);
  Found Next() {
    int64_t work = kUnlimitedWork;
    return Next(work);
  }

  // The position in the body at which the last element begins.
  size_t begin() const { return begin_; }
  // The element, after kElement. Valid as long as the body.
  std::string_view text() const { return text_; }
  // The position of the error within the element, and its description. Valid after kBroken.
  size_t broken_at() const { return broken_at_; }
  std::string error() const;

 private:
  struct Parser;

  // The step of reading an element that Next continues with.
  enum class Doing { kBetween, kChecking, kSkipping, kSearching };

  Found Between(int64_t& work);
  Found Checking(int64_t& work);
  // Moves `next_` past the broken element at `begin_`, or gives up.
  Found Skipping(int64_t& work);
  // Moves `next_` to where the next element seems to begin: an object whose first member is one of
  // `first_members_`. Used where the brackets of a broken element do not match.
  Found Searching(int64_t& work);
  bool BeginsElement(size_t at) const;

  const std::string_view body_;
  const absl::Span<const std::string_view> first_members_;
  size_t waste_left_;  // bytes that may still be read to find the ends of broken elements
  const std::unique_ptr<Parser> parser_;
  std::optional<BracketScan> skipped_;
  Doing doing_ = Doing::kBetween;
  bool begun_ = false;
  bool too_broken_ = false;
  Found last_ = Found::kElement;
  size_t begin_ = 0;
  size_t next_ = 0;
  size_t checked_ = 0;  // the position up to which the element was checked
  size_t broken_at_ = 0;
  std::string_view text_;
};

// Calls visit(key, value) for each member of `text`, a well-formed object, in order. Both are as written, the
// key with its quotes.
void ForEachJsonMember(std::string_view text,
                       absl::FunctionRef<void(std::string_view key, std::string_view value)> visit);

// Returns whether `text` is one well-formed JSON value in UTF-8 that is not nested too deep. Halves of surrogate
// pairs count as well-formed.
bool IsWellFormedJson(std::string_view text);

// Returns options with which Boost's parser accepts invalid UTF-8, which is looked for separately so that it
// can be repaired, and halves of surrogate pairs, which JavaScript writes.
boost::json::parse_options LenientJson();

}  // namespace thaw

#endif  // THAW_CC_TELEMETRY_JSON_ELEMENTS_H_
