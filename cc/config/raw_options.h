// Reads the options from the environment and datadog.yaml as text, each with its source's name. Only the
// YAML's form is checked here; cc/config/config.h parses the texts.

#ifndef THAW_CC_CONFIG_RAW_OPTIONS_H_
#define THAW_CC_CONFIG_RAW_OPTIONS_H_

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cc/config/environment.h"

namespace thaw {

struct ConfigWarning {
  std::string source;     // "DD_SITE", "datadog.yaml: site", "datadog.yaml"
  std::string text;       // names the source too; secrets are masked
  bool is_error = false;  // the whole source is lost, not one value: logged at error
};

using NameSet = std::set<std::string, std::less<>>;

struct RawText {
  std::string source;
  std::string text;  // never empty; without white space around it
  int line = 0;      // of datadog.yaml, from 1; 0 for a variable
};

// The texts found for each option, the preferred one first; cc/config/options.inc has the names and where
// they are looked up. An empty text counts as absent, since Lambda's console leaves such variables behind. A
// list becomes one text with commas, and a YAML map of endpoints the JSON that its variable would have.
struct RawOptions {
  using Texts = std::vector<RawText>;

#define THAW_OPTION(name, ...) Texts name;
#include "cc/config/options.inc"

  // Warnings about YAML that can't be parsed, so that all of it is ignored; about lists and maps where a text
  // is needed; and about unknown names.
  std::vector<ConfigWarning> warnings;
};

// `yaml_text` is the content of datadog.yaml; it may be empty.
RawOptions ReadRawOptions(const Environment& environment, std::string_view yaml_text);

}  // namespace thaw

#endif  // THAW_CC_CONFIG_RAW_OPTIONS_H_
