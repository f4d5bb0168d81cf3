// URLs of spans without user, password and, on request, without query and identifiers.
//
//   std::string buffer;
//   ObfuscateUrl("https://me:pass@host/users/42?page=1", {.remove_query_string = true,
//                .remove_paths_with_digits = true}, buffer);   // "https://host/users/??"
//
// Source: the public behaviour of the Datadog agent's HTTP obfuscation, but that nothing is escaped anew.

#ifndef THAW_CC_TRACE_OBFUSCATE_OBFUSCATE_HTTP_H_
#define THAW_CC_TRACE_OBFUSCATE_OBFUSCATE_HTTP_H_

#include <string>
#include <string_view>

namespace thaw {

struct HttpObfuscation {
  // What follows '?' is left out.
  bool remove_query_string = false;
  // A segment of the path that has a digit, escaped or not, is '?'.
  bool remove_paths_with_digits = false;
};

// `url` itself where there is nothing to leave out, else what then stands in `buffer`. User and password
// always go, an empty fragment too. With either option a text that is no URL (a control character, a bad
// escape or port) is '?'.
std::string_view ObfuscateUrl(std::string_view url, const HttpObfuscation& options, std::string& buffer);

}  // namespace thaw

#endif  // THAW_CC_TRACE_OBFUSCATE_OBFUSCATE_HTTP_H_
