#include "cc/agent/proxied_request.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_set.h"
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
};

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

}  // namespace

absl::Span<const ProxyRoute> ProxyRoutes() { return kRoutes; }

ProxiedRequest MakeProxiedRequest(const ProxyRoute& route, HttpServerRequest& request,
                                  std::string_view additional_tags) {
  ProxiedRequest proxied;
  proxied.route = &route;
  proxied.request.target = request.query.empty() ? std::string(route.intake_path)
                                                 : absl::StrCat(route.intake_path, "?", request.query);

  const HeaderFilter filter(*request.headers);
  std::string tags;
  for (const auto& [name, value] : *request.headers) {
    if (absl::EqualsIgnoreCase(name, kAdditionalTags)) {
      if (!value.empty()) absl::StrAppend(&tags, tags.empty() ? "" : ",", value);
      continue;
    }
    if (filter.PassesOn(name)) proxied.request.headers.emplace_back(name, value);
  }
  if (std::string merged = MergeTags(tags, additional_tags); !merged.empty())
    proxied.request.headers.emplace_back(kAdditionalTags, std::move(merged));
  proxied.request.body = std::make_shared<const std::string>(request.TakeBody());
  return proxied;
}

}  // namespace thaw
