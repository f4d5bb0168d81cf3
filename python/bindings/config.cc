// Config: the result of the environment and a datadog.yaml.

#include "cc/config/config.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cc/config/config_json.h"
#include "cc/config/environment.h"
#include "python/bindings/bindings.h"
#include "python/bindings/values.h"

namespace thaw::python {
namespace {

using GivenEnvironment = std::optional<std::map<GivenText, GivenText>>;

Config FromEnvironment(const GivenEnvironment& given, const GivenText& yaml) {
  if (!given.has_value()) return LoadConfig(Environment::OfProcess(), yaml.text);
  return LoadConfig(Environment(Environment::Variables(given->begin(), given->end())), yaml.text);
}

// Returns the endpoints in the form that a flusher takes.
std::vector<std::pair<std::string, std::string>> AdditionalEndpoints(const Config& self) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const AdditionalEndpoint& endpoint : self.additional_endpoints) {
    for (const std::string& key : endpoint.keys) pairs.emplace_back(endpoint.url, key);
  }
  return pairs;
}

std::vector<std::string> Warnings(const Config& self) {
  std::vector<std::string> texts;
  for (const ConfigWarning& warning : self.warnings) texts.push_back(warning.text);
  return texts;
}

}  // namespace

void BindConfig(py::module_& module) {
  py::class_<Config> type(module, "Config",
                          R"(The configuration that the DD_ variables and a datadog.yaml make.

Every value is usable: for an invalid one there is a warning, which names the value that is used instead. The
environment overrides the YAML. A repr and the JSON mask secrets.

>>> import thaw
>>> config = thaw.Config.from_environment({"DD_SITE": "datadoghq.eu", "DD_IDLE_TIMEOUT": "soon"})
>>> config.trace_url
'https://trace.agent.datadoghq.eu'
>>> config.warnings
['DD_IDLE_TIMEOUT is "soon": it is not a number of seconds ...; the default, 15 s, is kept']
>>> thaw.Config.from_environment({}, yaml="max_idle_per_host: 7").client_options.max_idle_per_host
7
)");
  type.def_static("from_environment", &FromEnvironment,
                  "Reads a configuration. `environment`: variables and their values; os.environ if not "
                  "given. `yaml`: the text of a datadog.yaml. Raises nothing: see `warnings`.",
                  py::arg("environment") = py::none(), py::arg("yaml") = GivenText());
  type.def_property_readonly(
      "environment", [](const Config& self) { return std::string(ToString(self.environment)); },
      "Where the process runs: on-demand, snap-start, provisioned-concurrency, lambda-managed-instances, "
      "lambda (it doesn't say which) or outside Lambda.");
  type.def_property_readonly("site", [](const Config& self) { return self.site; }, "The intake's domain.");
  type.def_property_readonly(
      "api_key", [](const Config& self) { return self.api_key; }, "The key; empty if there is none.");
  type.def_property_readonly(
      "trace_url", [](const Config& self) { return self.trace_url; },
      "Base URL of traces and stats, as a flusher takes it.");
  type.def_property_readonly("additional_endpoints", &AdditionalEndpoints,
                             "(base URL, API key) of each further endpoint that gets the same data, as a "
                             "flusher takes them.");
  type.def_property_readonly(
      "flush_timeout", [](const Config& self) { return ToSeconds(self.flush_timeout); },
      "The deadline of a flush, in seconds.");
  type.def_property_readonly(
      "flush_strategy", [](const Config& self) { return ToString(self.flush_strategy); },
      "When the extension flushes: 'default', 'end', 'end,<ms>', 'periodically,<ms>' or "
      "'continuously,<ms>'.");
  type.def_property_readonly(
      "outbox_bytes", [](const Config& self) { return self.outbox_bytes; },
      "The most bytes that the extension keeps undelivered: an eighth of the function's memory.");
  type.def_property_readonly(
      "compression_level", [](const Config& self) { return self.compression_level; }, "The level of zstd.");
  type.def_property_readonly(
      "client_options", [](const Config& self) { return self.client; }, "A copy of the client's options.");
  type.def_property_readonly("warnings", &Warnings,
                             "A sentence for each bad value: which one, what is wrong, and what is used "
                             "instead.");
  type.def("to_json", &ToJson, "Returns the configuration as indented JSON, secrets masked.");
  type.def("__repr__", [](const Config& self) {
    py::dict shown;
    shown["environment"] = std::string(ToString(self.environment));
    shown["trace_url"] = self.trace_url;
    shown["warnings"] = self.warnings.size();
    return "<thaw." + Repr("Config", shown) + ">";
  });
}

}  // namespace thaw::python
