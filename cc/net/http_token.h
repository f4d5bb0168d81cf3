// Characters of tokens: names of headers, methods and transfer codings (RFC 9110 section 5.6.2).
//
//   if (!std::all_of(name.begin(), name.end(), IsTokenCharacter)) ...   // not the name of a header
//
// Any thread.

#ifndef THAW_CC_NET_HTTP_TOKEN_H_
#define THAW_CC_NET_HTTP_TOKEN_H_

#include <array>
#include <string_view>

namespace thaw {

inline constexpr std::array<bool, 256> kTokenCharacters = [] {
  std::array<bool, 256> is = {};
  for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                       "ABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
    is[static_cast<unsigned char>(c)] = true;
  }
  return is;
}();

constexpr bool IsTokenCharacter(char c) { return kTokenCharacters[static_cast<unsigned char>(c)]; }

}  // namespace thaw

#endif  // THAW_CC_NET_HTTP_TOKEN_H_
