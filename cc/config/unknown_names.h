// Finds names in the environment and in datadog.yaml that no option has and that look like a typing error.
//
//   MisspelledVariables(environment, {"DD_SITE"});  // DD_STIE: "… is not read; did you mean DD_SITE?"
//
// Tracers and libraries have DD_ variables of their own, so a variable counts as misspelled only if it is
// close to one that is read here. datadog.yaml is the extension's alone: each key in it that is not read is
// named.

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

// The member of `known` that differs least from `name`, regardless of case; nothing if none is close: one
// insertion, deletion, replacement or swap of neighbours in names up to 5 characters, two up to 12, three
// beyond. A prefix "DD_" that both have counts neither as length nor as likeness.
std::optional<std::string> NearestName(std::string_view name, const NameSet& known);

// A warning for each variable that begins with DD_, in any case, is not in `known` and is close to a name
// there.
std::vector<ConfigWarning> MisspelledVariables(const Environment& environment, const NameSet& known);

// A warning for each key of the document that leads to no path in `known`; 20 at most, the last of which
// counts the others.
std::vector<ConfigWarning> UnknownYamlKeys(const YamlDocument& document, const NameSet& known);

}  // namespace thaw

#endif  // THAW_CC_CONFIG_UNKNOWN_NAMES_H_
