// Finds the elements of a JSON array from outside, even if some of them are broken.
//
//   constexpr std::string_view kMembers[] = {"\"time\"", "\"type\""};
//   JsonElements elements(body, kMembers);
//   while (elements.Next() == JsonElements::Found::kElement) Take(elements.text());
//
// A broken element does not affect its neighbours: its end is found by quotes and brackets, or else by the
// beginning of what looks like the next element. Elements are checked and not copied.
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

// Work that may be done in one step: about a nanosecond each.
inline constexpr int64_t kUnlimitedWork = std::numeric_limits<int64_t>::max();

// Finds the end of a JSON value by its quotes and brackets alone. The bytes between two commas count as a
// value.
class BracketScan {
 public:
  static constexpr size_t kMaxDepth = 128;

  // The value begins at `at` of `text`, which must outlive the scan.
  BracketScan(std::string_view text, size_t at) : text_(text), begin_(at), at_(at) {}

  // Returns whether the end is known; reads on for `work` bytes at most, which it subtracts.
  bool Run(int64_t& work);
  // The position after the value; npos if it doesn't end or its brackets don't match. Valid after Run().
  size_t end() const { return end_; }
  // The position up to which the text was read.
  size_t read_to() const { return at_; }

 private:
  // Each returns whether the end is known.
  bool ReadString(size_t stop);
  bool ReadOne();
  bool EndsAt(size_t end);

  std::string_view text_;
  size_t begin_;
  size_t at_;
  size_t end_ = std::string_view::npos;
  size_t depth_ = 0;
  bool in_string_ = false;
  std::bitset<kMaxDepth> is_object_;  // deeper ones aren't distinguished
};

// Goes through the members of a well-formed object, in order.
class JsonMemberScan {
 public:
  enum class Found { kMember, kEnd, kMore };

  explicit JsonMemberScan(std::string_view text) : text_(text) {}

  // Finds the next member; reads about `work` bytes at most, which it subtracts.
  Found Next(int64_t& work);
  // Both are as written, the key with its quotes.
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
    kMore,       // the work is done, and the end of the element not yet found
    kElement,    // text() is a well-formed value, but may not be UTF-8
    kBroken,     // invalid, or nested too deep: see broken_at() and error()
    kEnd,        // the end of the array; the bytes after it are not read
    kNoArray,    // the body is not an array
    kNotClosed,  // the body ended before the array did
    kTooBroken,  // too much is broken; the rest is not read
  };

  // `first_members` are the names that an element may begin with, in quotes. Both must outlive this object.
  JsonElements(std::string_view body, absl::Span<const std::string_view> first_members);
  ~JsonElements();

  // Finds the next element. After kEnd and the values listed below it, returns the same value again. Reads
  // about `work` bytes at most, which it subtracts.
  Found Next(int64_t& work);
  Found Next() {
    int64_t work = kUnlimitedWork;
    return Next(work);
  }

  // The position in the body of the last element.
  size_t begin() const { return begin_; }
  // The element, after kElement. Valid as long as the body.
  std::string_view text() const { return text_; }
  // The position within the element of the error, and its description; after kBroken.
  size_t broken_at() const { return broken_at_; }
  std::string error() const;

 private:
  struct Parser;

  // The part of an element's reading that is under way.
  enum class Doing { kBetween, kChecking, kSkipping, kSearching };

  Found Between(int64_t& work);
  Found Checking(int64_t& work);
  // Moves `next_` past the broken element at `begin_`, or gives up.
  Found Skipping(int64_t& work);
  // Moves `next_` to where the next element seems to begin: an object in an array whose first member is one of
  // an element's. Used where brackets no longer help.
  Found Searching(int64_t& work);
  bool BeginsElement(size_t at) const;

  const std::string_view body_;
  const absl::Span<const std::string_view> first_members_;
  size_t waste_left_;  // bytes that may still be read in vain
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

// Invalid UTF-8 is searched for separately, so that it can be repaired; half a surrogate pair, which
// JavaScript writes, is well-formed JSON.
boost::json::parse_options LenientJson();

}  // namespace thaw

#endif  // THAW_CC_TELEMETRY_JSON_ELEMENTS_H_
