// Texts of options to values. An error is InvalidArgument and says what is wrong with the text without
// showing it: it may be a secret.

#ifndef THAW_CC_CONFIG_PARSE_VALUES_H_
#define THAW_CC_CONFIG_PARSE_VALUES_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace thaw {

// true, 1, t, yes, on; false, 0, f, no, off; in any case.
absl::StatusOr<bool> ParseBool(std::string_view text);

// A whole number from `least` to `most`.
absl::StatusOr<int> ParseInt(std::string_view text, int least, int most);

// A number of seconds, maybe with a fraction, above 0 and at most a day.
absl::StatusOr<absl::Duration> ParseSeconds(std::string_view text);

// A host name (RFC 1123 section 2.1), in lower case.
absl::StatusOr<std::string> ParseHostName(std::string_view text);

// An http or https URL that paths are appended to: without credentials, query or fragment; slashes at its
// end are taken off.
absl::StatusOr<std::string> ParseBaseUrl(std::string_view text);

// A proxy's URL. Without a scheme it is http, as every program takes it.
absl::StatusOr<std::string> ParseProxyUrl(std::string_view text);

// What stands between commas and white space.
absl::StatusOr<std::vector<std::string>> ParseHostList(std::string_view text);

// A key, which goes into a header as it is.
absl::StatusOr<std::string> ParseApiKey(std::string_view text);

// A word of printable ASCII, which goes into a header or into JSON as it is: an ARN, a token.
absl::StatusOr<std::string> ParseWord(std::string_view text);

// The name of a region of AWS, which becomes a part of host names: letters, digits and hyphens.
absl::StatusOr<std::string> ParseRegion(std::string_view text);

// The URL that gives a container its credentials: https, or http to 127.0.0.1 and the other addresses
// that AWS has for it. Elsewhere the token would be sent in the clear.
absl::StatusOr<std::string> ParseCredentialsUrl(std::string_view text);

// The path of a file.
absl::StatusOr<std::string> ParsePath(std::string_view text);

// URL and keys of each member of the JSON object {"URL": ["key", …], …}, in its order, unparsed but without
// white space around them.
absl::StatusOr<std::vector<std::pair<std::string, std::vector<std::string>>>> ParseEndpoints(
    std::string_view json);

}  // namespace thaw

#endif  // THAW_CC_CONFIG_PARSE_VALUES_H_
