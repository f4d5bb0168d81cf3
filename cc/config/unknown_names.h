// Finds names in the environment and in datadog.yaml that are unknown and look like a typing error.
//
//   MisspelledVariables(environment, {"DD_SITE"});  // DD_STIE: "… is not read; did you mean DD_SITE?"
//
// Tracers and libraries have DD_ variables of their own, so a variable counts as misspelled only if it is
// close to a known one. datadog.yaml belongs to the extension alone: each unknown key in it is reported.

#ifndef THAW_CC_CONFIG_UNKNOWN_NAMES_H_
#define THAW_CC_CONFIG_UNKNOWN_NAMES_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cc/config/environment.h"
#include "cc/config/raw_options.h"
#include "cc/config/yaml_document.h"

namespace thaw {

// Returns the member of `known` that differs least from `name`, regardless of case, or nullopt if none is
// close: at most one insertion, deletion, replacement or swap of neighbours in names up to 5 characters, two
// up to 12, three beyond. A prefix "DD_" that both have counts neither as length nor as likeness.
std::optional<std::string> NearestName(std::string_view name, const NameSet& known);

// Returns a warning for each variable that begins with DD_ or DATADOG_, in any case, is not in `known` and is
// close to a name there. `known` has the names with DD_; each counts as known with DATADOG_, too.
std::vector<ConfigWarning> MisspelledVariables(const Environment& environment, const NameSet& known);

// Returns a warning for each key of the document that leads to no path in `known`; at most 20, the last of
// which counts the others.
std::vector<ConfigWarning> UnknownYamlKeys(const YamlDocument& document, const NameSet& known);

}  // namespace thaw

#endif  // THAW_CC_CONFIG_UNKNOWN_NAMES_H_
