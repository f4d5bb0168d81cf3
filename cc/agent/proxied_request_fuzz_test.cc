// Checks that nothing about its connection, no API key and no second set of tags of a proxied request is
// forwarded; the query, the body and every other header are. A general EVP proxy forwards few headers, and only to
// a host of the site.
//
// The input is a query line, the name of the agent's own tag, and headers of one line each. The query line is also
// the path below a general proxy.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cc/agent/proxied_request.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

bool IsNamed(std::string_view name, std::string_view other) { return absl::EqualsIgnoreCase(name, other); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::vector<std::string_view> lines = absl::StrSplit(input, '\n');
  const std::string ours =
      absl::StrCat("_dd.origin:lambda;", lines.size() > 1 ? lines[1] : std::string_view(), ":x");
  thaw::HttpHeaderViews headers;
  std::string connection;
  for (size_t i = 2; i < lines.size(); ++i) {
    const size_t colon = lines[i].find(':');
    const std::string_view name = lines[i].substr(0, colon);
    const std::string_view value = colon == lines[i].npos ? std::string_view() : lines[i].substr(colon + 1);
    headers.emplace_back(name, value);
    if (IsNamed(name, "connection")) absl::StrAppend(&connection, ",", value);
  }
  std::vector<std::string_view> named;
  for (const std::string_view token : absl::StrSplit(connection, ',', absl::SkipWhitespace()))
    named.push_back(absl::StripAsciiWhitespace(token));

  for (const thaw::ProxyRoute& route : thaw::ProxyRoutes()) {
    const std::string path =
        route.with_paths_below() ? absl::StrCat(route.path, lines[0]) : std::string(route.path);
    thaw::HttpServerRequest request{
        .method = "POST", .path = path, .query = lines[0], .headers = &headers, .body = input};
    const absl::StatusOr<thaw::ProxiedRequest> made =
        thaw::MakeProxiedRequest(route, request, {.tags = ours, .via = "1.1 thaw"});
    if (!made.ok()) {
      Check(route.with_paths_below());
      continue;
    }
    const thaw::ProxiedRequest& proxied = *made;
    // No character ends the host or begins another part of the URL.
    Check(proxied.host_prefix.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-_") ==
          std::string::npos);
    Check(*proxied.request.body == input);
    Check(absl::StartsWith(proxied.request.target, route.intake_path));
    Check(absl::EndsWith(proxied.request.target, lines[0]));
    int tags = 0;
    size_t others = 0;
    for (const auto& [name, value] : proxied.request.headers) {
      if (IsNamed(name, "X-Datadog-Additional-Tags")) {
        ++tags;
        continue;
      }
      if (route.is_general() && IsNamed(name, "Via")) continue;
      ++others;
      Check(!IsNamed(name, "dd-api-key") && !IsNamed(name, "host") && !IsNamed(name, "connection") &&
            !IsNamed(name, "content-length") && !IsNamed(name, "transfer-encoding"));
      for (const std::string_view token : named) Check(!IsNamed(name, token));
    }
    Check(tags == 1);
    Check(others <= headers.size());
  }
  return 0;
}
