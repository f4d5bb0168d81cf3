// Whatever stands in the head of a proxied request, nothing about its connection, no API key and no second
// set of tags is forwarded; the query, the body and every other header are.
//
// The input is a query line, the name of the agent's own tag, and headers of one line each.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

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
    thaw::HttpServerRequest request{
        .method = "POST", .path = route.path, .query = lines[0], .headers = &headers, .body = input};
    const thaw::ProxiedRequest proxied = thaw::MakeProxiedRequest(route, request, ours);
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
