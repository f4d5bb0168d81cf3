#include "cc/agent/proxied_request.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace thaw {
namespace {

// Profiles with heap and allocation samples are several MiB large.
constexpr size_t kProfileBytes = 50 << 20;
constexpr size_t kOtherBytes = 10 << 20;

constexpr ProxyRoute kRoutes[] = {
    {"/v0.1/pipeline_stats", "trace.agent", "/api/v0.1/pipeline_stats", "DSM", kOtherBytes},
    {"/profiling/v1/input", "intake.profile", "/api/v2/profile", "profiling", kProfileBytes},
    {"/evp_proxy/v2/api/v2/llmobs", "llmobs-intake", "/api/v2/llmobs", "llm_obs_spans", kOtherBytes},
    {"/evp_proxy/v2/api/intake/llm-obs/v1/eval-metric", "api", "/api/intake/llm-obs/v1/eval-metric",
     "llm_obs_eval_metric", kOtherBytes},
    {"/evp_proxy/v2/api/intake/llm-obs/v2/eval-metric", "api", "/api/intake/llm-obs/v2/eval-metric",
     "llm_obs_eval_metric", kOtherBytes},
    {"/debugger/v1/input", "http-intake.logs", "/api/v2/logs", "debugger_logs", kOtherBytes},
    {"/debugger/v2/input", "debugger-intake", "/api/v2/debugger", "debugger", kOtherBytes},
    {"/debugger/v1/diagnostics", "debugger-intake", "/api/v2/debugger", "debugger", kOtherBytes},
    {"/telemetry/proxy/api/v2/apmtelemetry", "instrumentation-telemetry-intake", "/api/v2/apmtelemetry",
     "instrumentation", kOtherBytes},
    {"/telemetry/proxy/", "instrumentation-telemetry-intake", "/", "instrumentation", kOtherBytes},
    {"/evp_proxy/v2/", "", "/", "EVP", kOtherBytes},
    {"/evp_proxy/v4/", "", "/", "EVP", kOtherBytes},
};

constexpr std::string_view kSubdomain = "X-Datadog-EVP-Subdomain";
// A host name has at most 253 characters, of which the site takes some.
constexpr size_t kMaxSubdomain = 200;

constexpr std::string_view kEvpHeaders[] = {"Content-Type", "Accept-Encoding", "Content-Encoding",
                                            "User-Agent", "DD-CI-PROVIDER-NAME"};

constexpr std::string_view kAdditionalTags = "X-Datadog-Additional-Tags";

// Headers about this connection and not the request (RFC 9110 section 7.6.1), or made anew by the client that
// forwards it.
constexpr std::string_view kNotPassedOn[] = {"Connection",
                                             "Keep-Alive",
                                             "Proxy-Connection",
                                             "Proxy-Authenticate",
                                             "Proxy-Authorization",
                                             "TE",
                                             "Trailer",
                                             "Transfer-Encoding",
                                             "Upgrade",
                                             "Host",
                                             "Content-Length",
                                             "Expect",
                                             "DD-API-KEY"};

std::string_view KeyOf(std::string_view tag) {
  return absl::StripAsciiWhitespace(tag.substr(0, tag.find(':')));
}

// Returns the sender's tags, and those of `ours` with other keys. Senders separate tags by commas or
// semicolons.
std::string MergeTags(std::string_view theirs, std::string_view ours) {
  if (theirs.empty()) return std::string(ours);
  const std::string_view separator = absl::StrContains(theirs, ';')   ? ";"
                                     : absl::StrContains(theirs, ',') ? ","
                                                                      : ";";
  std::string merged(theirs);
  absl::flat_hash_set<std::string_view> their_keys;
  for (const std::string_view tag : absl::StrSplit(theirs, absl::ByAnyChar(",;")))
    their_keys.insert(KeyOf(tag));
  for (const std::string_view tag : absl::StrSplit(ours, ';', absl::SkipEmpty()))
    if (!their_keys.contains(KeyOf(tag))) absl::StrAppend(&merged, separator, tag);
  return merged;
}

// Selects the headers to forward: neither hop-by-hop headers nor those that `Connection` names.
class HeaderFilter {
 public:
  explicit HeaderFilter(const HttpHeaderViews& headers) {
    for (const auto& [name, value] : headers) {
      if (!absl::EqualsIgnoreCase(name, "connection")) continue;
      for (const std::string_view token : absl::StrSplit(value, ',')) {
        const std::string_view named = absl::StripAsciiWhitespace(token);
        // Nearly every request has this value.
        if (!absl::EqualsIgnoreCase(named, "keep-alive")) named_here_.insert(absl::AsciiStrToLower(named));
      }
    }
  }

  bool PassesOn(std::string_view name) const {
    const auto is_name = [name](std::string_view other) { return absl::EqualsIgnoreCase(name, other); };
    if (std::any_of(std::begin(kNotPassedOn), std::end(kNotPassedOn), is_name)) return false;
    return named_here_.empty() || !named_here_.contains(absl::AsciiStrToLower(name));
  }

 private:
  absl::flat_hash_set<std::string> named_here_;  // in lower case
};

bool IsSubdomainCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == '_';
}
bool IsPathCharacter(char c) { return IsSubdomainCharacter(c) || c == '/' || c == '+'; }

// Returns the subdomain that a request names, in lower case, or InvalidArgument. The host is always one of the
// site's: no character of a port, of credentials or of a path is allowed, and no label is empty.
absl::StatusOr<std::string> SubdomainOf(const HttpServerRequest& request) {
  std::string_view subdomain;
  for (const auto& [name, value] : *request.headers) {
    if (!absl::EqualsIgnoreCase(name, kSubdomain)) continue;
    if (!subdomain.empty() && subdomain != value)
      return absl::InvalidArgumentError(absl::StrCat("the request has two headers ", kSubdomain));
    subdomain = value;
  }
  if (subdomain.empty())
    return absl::InvalidArgumentError(absl::StrCat("the request has no header ", kSubdomain));
  if (!std::all_of(subdomain.begin(), subdomain.end(), IsSubdomainCharacter))
    return absl::InvalidArgumentError(absl::StrCat(
        kSubdomain, " has a character that is not a letter, a digit, a dot, a dash or an underscore"));
  if (subdomain.size() > kMaxSubdomain || subdomain.front() == '.' || subdomain.back() == '.' ||
      absl::StrContains(subdomain, ".."))
    return absl::InvalidArgumentError(absl::StrCat(kSubdomain, " is not a part of a host name"));
  return absl::AsciiStrToLower(subdomain);
}

// Selects the headers to forward to an intake that is named by the request.
bool IsForwardedByEvp(std::string_view name) {
  return std::any_of(std::begin(kEvpHeaders), std::end(kEvpHeaders),
                     [name](std::string_view other) { return absl::EqualsIgnoreCase(name, other); });
}

void AddHeader(std::string_view name, std::string_view value, HttpHeaders& headers) {
  if (!value.empty()) headers.emplace_back(name, value);
}

}  // namespace

absl::Span<const ProxyRoute> ProxyRoutes() { return kRoutes; }

absl::Span<const std::string_view> EvpForwardedHeaders() { return kEvpHeaders; }

absl::StatusOr<ProxiedRequest> MakeProxiedRequest(const ProxyRoute& route, HttpServerRequest& request,
                                                  const ProxyAdditions& additions) {
  ProxiedRequest proxied;
  proxied.host_prefix = route.host_prefix;
  proxied.request.target = route.intake_path;
  if (route.with_paths_below())
    proxied.request.target += request.path.substr(std::min(request.path.size(), route.path.size()));
  if (route.is_general()) {
    absl::StatusOr<std::string> subdomain = SubdomainOf(request);
    if (!subdomain.ok()) return subdomain.status();
    proxied.host_prefix = *std::move(subdomain);
    if (request.method == "GET") proxied.request.method = "GET";
  }
  if (route.with_paths_below() &&
      !std::all_of(proxied.request.target.begin(), proxied.request.target.end(), IsPathCharacter))
    return absl::InvalidArgumentError(
        "the path has a character that is not a letter, a digit, or one of . - _ / +");
  if (!request.query.empty()) absl::StrAppend(&proxied.request.target, "?", request.query);

  const HeaderFilter filter(*request.headers);
  std::string tags;
  for (const auto& [name, value] : *request.headers) {
    if (absl::EqualsIgnoreCase(name, kAdditionalTags)) {
      if (!value.empty()) absl::StrAppend(&tags, tags.empty() ? "" : ",", value);
      continue;
    }
    if (route.is_general() && !IsForwardedByEvp(name)) continue;
    if (filter.PassesOn(name)) proxied.request.headers.emplace_back(name, value);
  }
  AddHeader(kAdditionalTags, MergeTags(tags, additions.tags), proxied.request.headers);
  if (route.is_general()) {
    AddHeader("X-Datadog-AgentDefaultEnv", additions.env, proxied.request.headers);
    AddHeader("Via", additions.via, proxied.request.headers);
  }
  proxied.request.body = std::make_shared<const std::string>(request.TakeBody());
  return proxied;
}

}  // namespace thaw
