// Parses the W3C's baggage, what a caller says about the request beside its trace, and makes tags of it. A
// request has it in a header, such as `baggage: user.id=amelie,session.id=789;property,account.id=%C3%A9`.
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

// The prefix of a tag's name before the item's key.
inline constexpr std::string_view kBaggageTagPrefix = "baggage.";

// Returns "baggage.KEY" for each item of a `baggage` header whose key is one of `keys`, or for every item if
// "*" is one of `keys`. Properties are left out; so are invalid items, without effect on the others, and
// everything beyond 64 items or 8192 bytes, which the standard requires nobody to carry. The first of two
// items with one key counts.
std::map<std::string, std::string, std::less<>> BaggageTags(std::string_view header,
                                                            const std::vector<std::string>& keys);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_BAGGAGE_H_
