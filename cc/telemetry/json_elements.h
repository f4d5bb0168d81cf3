// Finds the elements of a JSON array that came from outside, also where some of them are broken.
//
//   constexpr std::string_view kMembers[] = {"\"time\"", "\"type\""};
//   JsonElements elements(body, kMembers);
//   while (elements.Next() == JsonElements::Found::kElement) Take(elements.text());
//
// A broken element costs itself and not its neighbours: its end is found by quotes and brackets, or else by
// the beginning of what looks like the next element. Elements are checked and not copied.

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
    kElement,    // text() is a well-formed value, but perhaps not UTF-8
    kBroken,     // something that is no JSON, or nested too deep: broken_at(), error()
    kEnd,        // the array's end; what stands behind it is not looked at
    kNoArray,    // the body is no array
    kNotClosed,  // the body ended before the array did
    kGivenUp,    // so much is broken that the rest is left out unread
  };

  // `first_members`: the names that an element may begin with, in their quotes. Both must outlive this.
  JsonElements(std::string_view body, absl::Span<const std::string_view> first_members);
  ~JsonElements();

  // The next element. kEnd and what is listed after it are returned again and again.
  Found Next();

  // The byte of the body at which begins what Next() found.
  size_t begin() const { return begin_; }
  // Valid as long as the body, after kElement.
  std::string_view text() const { return text_; }
  // The byte of the element at which it was found to be broken, and why; after kBroken.
  size_t broken_at() const { return broken_at_; }
  std::string error() const;

 private:
  struct Parser;

  // The byte behind the JSON value at `begin_`, or where it is found to be none: the parser's last error.
  size_t Check();
  // Moves `next_` behind the broken element at `begin_`, or gives up.
  void SkipBroken();
  // Where, from `at`, the next element seems to begin: an object of an array whose first member is one of an
  // element's. For what can't be told by brackets any more.
  size_t NextElement(size_t at) const;

  const std::string_view body_;
  const absl::Span<const std::string_view> first_members_;
  size_t waste_left_;  // bytes that may still be read in vain
  const std::unique_ptr<Parser> parser_;
  bool begun_ = false;
  bool given_up_ = false;
  Found last_ = Found::kElement;
  size_t begin_ = 0;
  size_t next_ = 0;
  size_t broken_at_ = 0;
  std::string_view text_;
};

// Calls visit(key, value) for each member of `text`, a well-formed object, in order: both as they are
// written, the key with its quotes.
void ForEachJsonMember(std::string_view text,
                       absl::FunctionRef<void(std::string_view key, std::string_view value)> visit);

// Bytes that are not UTF-8 are looked for apart, so that they can be repaired; half a surrogate pair, which
// JavaScript writes, is well-formed JSON.
boost::json::parse_options LenientJson();

}  // namespace thaw

#endif  // THAW_CC_TELEMETRY_JSON_ELEMENTS_H_
