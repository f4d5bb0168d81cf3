// Removes user and password from the URLs of spans and, on request, the query and identifiers.
//
//   std::string buffer;
//   const HttpObfuscation all = {.remove_query_string = true, .remove_paths_with_digits = true};
//   ObfuscateUrl("https://me:pass@host/users/42?page=1", all, buffer);  // "https://host/users/??"
//
// Source: the public behaviour of the Datadog agent's HTTP obfuscation, except that nothing is escaped anew.

#ifndef THAW_CC_TRACE_OBFUSCATE_OBFUSCATE_HTTP_H_
#define THAW_CC_TRACE_OBFUSCATE_OBFUSCATE_HTTP_H_

#include <string>
#include <string_view>

namespace thaw {

struct HttpObfuscation {
  // Removes what follows '?'.
  bool remove_query_string = false;
  // Replaces each segment of the path that has a digit, escaped or not, with '?'.
  bool remove_paths_with_digits = false;
};

// Returns `url` itself if nothing is removed, else a view of `buffer`. User and password always go, and so
// does an empty fragment. With either option, a text that is no URL (a control character, a bad escape or
// port) becomes '?'.
std::string_view ObfuscateUrl(std::string_view url, const HttpObfuscation& options, std::string& buffer);

}  // namespace thaw

#endif  // THAW_CC_TRACE_OBFUSCATE_OBFUSCATE_HTTP_H_
