// Compiles the examples in the headers of this room. Each is the body of a function, whose parameters and whatever
// stands above it declare the names that the example uses. tools/header_examples.py explains it.

#include <iostream>

#include "absl/log/log.h"
#include "absl/status/status.h"
#include "cc/base/executor.h"
#include "cc/base/status_macros.h"
#include "cc/clock/clock.h"
#include "cc/config/config.h"
#include "cc/config/config_json.h"
#include "cc/config/configuration_page.h"
#include "cc/config/environment.h"
#include "cc/config/flush_strategy.h"
#include "cc/config/masked_value.h"
#include "cc/config/option_table.h"
#include "cc/config/pretty_json.h"
#include "cc/config/sites.h"
#include "cc/config/tag_list.h"
#include "cc/config/unknown_names.h"
#include "cc/config/yaml_document.h"
#include "cc/config/yaml_file.h"
#include "cc/config/yaml_source.h"
#include "cc/net/client_factory.h"
#include "cc/net/random.h"

namespace thaw {
namespace {

void ConfigExample(Executor& executor, Clock& clock, Network& network, RandomFraction random,
                   std::vector<std::string>& warnings, std::string_view yaml_text) {
#include "cc/config/config.h.example"
}

void ConfigJsonExample(const Config& config) {
#include "cc/config/config_json.h.example"
}

void ConfigurationPageExample() {
#include "cc/config/configuration_page.h.example"
}

void EnvironmentExample(std::string_view yaml_text) {
#include "cc/config/environment.h.example"
}

absl::Status FlushStrategyExample() {
#include "cc/config/flush_strategy.h.example"
  return absl::OkStatus();
}

void MaskedValueExample(PrettyJson& json, const OptionRow& row, const std::string& value) {
#include "cc/config/masked_value.h.example"
}

void OptionTableExample() {
#include "cc/config/option_table.h.example"
}

void PrettyJsonExample() {
#include "cc/config/pretty_json.h.example"
}

void SitesExample() {
#include "cc/config/sites.h.example"
}

void TagListExample() {
#include "cc/config/tag_list.h.example"
}

void UnknownNamesExample(const Environment& environment) {
#include "cc/config/unknown_names.h.example"
}

absl::Status YamlDocumentExample(std::string_view text) {
#include "cc/config/yaml_document.h.example"
  return absl::OkStatus();
}

void YamlFileExample(const Environment& environment) {
#include "cc/config/yaml_file.h.example"
}

absl::Status YamlSourceExample(std::string_view text, size_t offset_of_scalar, std::string_view value) {
#include "cc/config/yaml_source.h.example"
  return absl::OkStatus();
}

}  // namespace
}  // namespace thaw
