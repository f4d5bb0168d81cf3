#include "cc/config/sites.h"

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace thaw {
namespace {

// The domains of Datadog's regions ("Getting started with Datadog sites" in its documentation) and its
// staging. A site that ends in another one comes before it.
constexpr std::string_view kDatadogSites[] = {
    "us3.datadoghq.com", "us5.datadoghq.com", "ap1.datadoghq.com", "ap2.datadoghq.com", "datadoghq.com",
    "datadoghq.eu",      "us2.ddog-gov.com",  "ddog-gov.com",      "datad0g.com",
};

}  // namespace

bool IsKnownSite(std::string_view site) { return absl::c_linear_search(kDatadogSites, site); }

std::string_view KnownSiteAbove(std::string_view host) {
  for (const std::string_view site : kDatadogSites) {
    std::string_view above = host;
    if (absl::ConsumeSuffix(&above, site) && absl::EndsWith(above, ".")) return site;
  }
  return {};
}

}  // namespace thaw
