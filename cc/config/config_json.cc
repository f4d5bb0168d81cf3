#include "cc/config/config_json.h"

#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "cc/base/mask.h"
#include "cc/config/flush_strategy.h"
#include "cc/config/log_level.h"
#include "cc/config/masked_value.h"
#include "cc/config/option_table.h"
#include "cc/config/pretty_json.h"
#include "cc/net/client_options.h"
#include "cc/net/destination.h"

namespace thaw {
namespace {

// Writes the values of options in the order of the table, with an object for each group.
class ConfigJson {
 public:
  explicit ConfigJson(const Config& config) : config_(config) {
    json_.Open('{');
    json_.Add("environment", ToString(config.environment));
  }

  template <typename T>
  void Add(const OptionRow& row, const T& value) {
    BeginGroup(GroupOf(row));
    AddValue(row.name, value, row.secrecy);
    // No option sets this one; it follows from flush_timeout.
    if (row.option == Option::max_connections_per_host)
      json_.Add("exchange_timeout", config_.client.exchange_timeout);
  }

  std::string Finish() && {
    BeginGroup("");
    json_.Open('{', "origins");
    for (const auto& [option, origin] : config_.origins) json_.Add(option, origin);
    json_.Close('}');
    json_.Open('[', "warnings");
    for (const ConfigWarning& warning : config_.warnings) json_.Add(warning.text);
    json_.Close(']');
    json_.Close('}');
    return std::move(json_).Take();
  }

 private:
  void BeginGroup(std::string_view group) {
    if (group == group_) return;
    if (!group_.empty()) json_.Close('}');
    if (!group.empty()) json_.Open('{', group);
    group_ = group;
  }
  void AddValue(std::string_view name, const std::string& value, Secrecy secrecy) {
    json_.Add(name, MaskedValue(value, secrecy));
  }
  void AddValue(std::string_view name, bool value, Secrecy) { json_.Add(name, value); }
  void AddValue(std::string_view name, int value, Secrecy) {
    if (value >= ClientOptions::kUnlimited) {
      json_.Add(name, "unlimited");
    } else {
      json_.Add(name, value);
    }
  }
  void AddValue(std::string_view name, size_t value, Secrecy) { json_.Add(name, static_cast<int>(value)); }
  void AddValue(std::string_view name, absl::Duration value, Secrecy) {
    if (value == absl::InfiniteDuration()) {
      json_.Add(name, "never");
    } else {
      json_.Add(name, value);
    }
  }
  void AddValue(std::string_view name, const FlushStrategy& value, Secrecy) {
    json_.Add(name, ToString(value));
  }
  void AddValue(std::string_view name, LogLevel value, Secrecy) { json_.Add(name, ToString(value)); }
  void AddValue(std::string_view name, const std::vector<std::string>& values, Secrecy secrecy) {
    json_.Open('[', name);
    for (const std::string& value : values) json_.Add(MaskedValue(value, secrecy));
    json_.Close(']');
  }
  void AddValue(std::string_view name, const std::vector<AdditionalEndpoint>& endpoints, Secrecy) {
    json_.Open('{', name);
    for (const AdditionalEndpoint& endpoint : endpoints) {
      json_.Open('[', MaskUrl(endpoint.url));
      for (const std::string& key : endpoint.keys) json_.Add(MaskSecret(key));
      json_.Close(']');
    }
    json_.Close('}');
  }

  const Config& config_;
  PrettyJson json_;
  std::string_view group_;  // the open one; empty outside of all groups
};

}  // namespace

std::string ToJson(const Config& config) {
  ConfigJson json(config);
#define THAW_OPTION(name, member, ...) json.Add(RowOf(Option::name), config.member);
#define THAW_ADDED_OPTION(...)  // the option that it is added to shows its values
#include "cc/config/options.inc"
  return std::move(json).Finish();
}

}  // namespace thaw
