// Finds the elements of a JSON array from outside, even if some of them are broken.
//
//   constexpr std::string_view kMembers[] = {"\"time\"", "\"type\""};
//   JsonElements elements(body, kMembers);
//   while (elements.Next() == JsonElements::Found::kElement) Take(elements.text());
//
// A broken element does not affect its neighbours: its end is found by quotes and brackets, or else by the
// beginning of what looks like the next element. Elements are checked and not copied.

#ifndef THAW_CC_TELEMETRY_JSON_ELEMENTS_H_
#define THAW_CC_TELEMETRY_JSON_ELEMENTS_H_

#include <boost/json/parse_options.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"

namespace thaw {

class JsonElements {
 public:
  enum class Found {
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

  // Finds the next element. After kEnd and the values listed below it, returns the same value again.
  Found Next();

  // The position in the body of the last element.
  size_t begin() const { return begin_; }
  // The element, after kElement. Valid as long as the body.
  std::string_view text() const { return text_; }
  // The position within the element of the error, and its description; after kBroken.
  size_t broken_at() const { return broken_at_; }
  std::string error() const;

 private:
  struct Parser;

  // Returns the position after the JSON value at `begin_`, or where it is invalid: the parser's last error.
  size_t Check();
  // Moves `next_` past the broken element at `begin_`, or gives up.
  void SkipBroken();
  // Returns where, from `at`, the next element seems to begin: an object in an array whose first member is
  // one of an element's. Used where brackets no longer help.
  size_t NextElement(size_t at) const;

  const std::string_view body_;
  const absl::Span<const std::string_view> first_members_;
  size_t waste_left_;  // bytes that may still be read in vain
  const std::unique_ptr<Parser> parser_;
  bool begun_ = false;
  bool too_broken_ = false;
  Found last_ = Found::kElement;
  size_t begin_ = 0;
  size_t next_ = 0;
  size_t broken_at_ = 0;
  std::string_view text_;
};

// Calls visit(key, value) for each member of `text`, a well-formed object, in order. Both are as written, the
// key with its quotes.
void ForEachJsonMember(std::string_view text,
                       absl::FunctionRef<void(std::string_view key, std::string_view value)> visit);

// Invalid UTF-8 is searched for separately, so that it can be repaired; half a surrogate pair, which
// JavaScript writes, is well-formed JSON.
boost::json::parse_options LenientJson();

}  // namespace thaw

#endif  // THAW_CC_TELEMETRY_JSON_ELEMENTS_H_
