// The W3C's baggage: what a caller says of the request beside its trace, and which of it becomes tags.
//
//   baggage: user.id=amelie,session.id=789;property,account.id=%C3%A9
//
// Source: the W3C's Baggage recommendation (limits of section 3.3.2); the tag names are those of Datadog's
// tracers.

#ifndef THAW_CC_LAMBDA_INVOCATION_BAGGAGE_H_
#define THAW_CC_LAMBDA_INVOCATION_BAGGAGE_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace thaw {

// What stands before an item's key in the name of its tag.
inline constexpr std::string_view kBaggageTagPrefix = "baggage.";

// "baggage.KEY" for each item of a `baggage` header whose key is one of `keys`, or for all of them if one of
// `keys` is "*". Properties are left out; so are items that are none, without effect on the others; and
// everything beyond 64 items or 8192 bytes, which nobody has to carry. Of two items with one key the first
// counts.
std::map<std::string, std::string, std::less<>> BaggageTags(std::string_view header,
                                                            const std::vector<std::string>& keys);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_BAGGAGE_H_
