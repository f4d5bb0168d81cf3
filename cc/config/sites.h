// The known sites of Datadog. They serve warnings only: a site that is not among them is used all the same.
//
//   IsKnownSite("us3.datadoghq.com");            // true
//   KnownSiteAbove("trace.agent.datadoghq.eu");  // "datadoghq.eu"

#ifndef THAW_CC_CONFIG_SITES_H_
#define THAW_CC_CONFIG_SITES_H_

#include <string_view>

namespace thaw {

bool IsKnownSite(std::string_view site);

// Returns the site that a host belongs to, where a host was given for a site; empty: none is known.
std::string_view KnownSiteAbove(std::string_view host);

}  // namespace thaw

#endif  // THAW_CC_CONFIG_SITES_H_
