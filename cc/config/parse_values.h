// Parses the texts of options. Errors are InvalidArgument and say what is wrong with a text without showing
// it, since it may be a secret.

#ifndef THAW_CC_CONFIG_PARSE_VALUES_H_
#define THAW_CC_CONFIG_PARSE_VALUES_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace thaw {

// Accepts true, 1, t, yes, on; false, 0, f, no, off; in any case.
absl::StatusOr<bool> ParseBool(std::string_view text);

// Accepts a whole number from `least` to `most`.
absl::StatusOr<int> ParseInt(std::string_view text, int least, int most);

// Accepts a number of seconds, which may have a fraction, above 0 and at most a day.
absl::StatusOr<absl::Duration> ParseSeconds(std::string_view text);

// Accepts a host name (RFC 1123 section 2.1) and returns it in lower case.
absl::StatusOr<std::string> ParseHostName(std::string_view text);

// Accepts an http or https URL that paths can be appended to: without credentials, query or fragment. Final
// slashes are removed.
absl::StatusOr<std::string> ParseBaseUrl(std::string_view text);

// Accepts a proxy's URL. Without a scheme it is taken as http, as in every other program.
absl::StatusOr<std::string> ParseProxyUrl(std::string_view text);

// Returns the words between commas and white space.
absl::StatusOr<std::vector<std::string>> ParseHostList(std::string_view text);

// Returns the text without one pair of quotes around it, single or double, and without the white space around and
// within them.
std::string_view WithoutQuotes(std::string_view text);

// Accepts a Datadog site: a host name, also as a URL of it, https://SITE/, of which the host is returned.
absl::StatusOr<std::string> ParseSite(std::string_view text);

// Accepts a key: letters, digits, hyphens, underscores and dots. The error says what the text looks like instead (a
// URL, an ARN, an example's place for the key, several keys), and shows none of it.
absl::StatusOr<std::string> ParseApiKey(std::string_view text);

// Accepts a word of printable ASCII, such as an ARN or a token, that can be put into a header or JSON as it
// is.
absl::StatusOr<std::string> ParseWord(std::string_view text);

// Accepts the name of an AWS region, which becomes a part of host names: letters, digits and hyphens.
absl::StatusOr<std::string> ParseRegion(std::string_view text);

// Accepts the URL that gives a container its credentials: https, or http to 127.0.0.1 and the other addresses
// that AWS uses for it. Any other http URL would send the token in the clear.
absl::StatusOr<std::string> ParseCredentialsUrl(std::string_view text);

// Accepts the namespace of metrics, without white space and a dot at its end: a letter, then letters, digits, '_' and
// '.'.
absl::StatusOr<std::string> ParseMetricNamespace(std::string_view text);

// Accepts the path of a file.
absl::StatusOr<std::string> ParsePath(std::string_view text);

// Returns URL and keys of each member of the JSON object {"URL": ["key", …], …}, in its order. They are not
// parsed; white space around them is removed.
absl::StatusOr<std::vector<std::pair<std::string, std::vector<std::string>>>> ParseEndpoints(
    std::string_view json);

// Returns URL and key of each member of the JSON array [{"api_key": KEY, "Host": HOST, "Port": PORT}, …], in its
// order: https://HOST:PORT.
absl::StatusOr<std::vector<std::pair<std::string, std::vector<std::string>>>> ParseHostsWithKeys(
    std::string_view json);

}  // namespace thaw

#endif  // THAW_CC_CONFIG_PARSE_VALUES_H_
