// The table of options as data. cc/config/options.inc has the rows.
//
//   for (const OptionRow& row : kOptionTable)
//     for (const OptionSource& source : SourcesOf(row)) …
//
// Any thread.

#ifndef THAW_CC_CONFIG_OPTION_TABLE_H_
#define THAW_CC_CONFIG_OPTION_TABLE_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace thaw {

// Identifies an option by the name of its row.
enum class Option {
#define THAW_OPTION(name, ...) name,
#include "cc/config/options.inc"
};

// The forms of the value at an option's path in datadog.yaml.
enum class YamlForm {
  kText,
  kList,       // a list becomes one text with commas; a text is a list of one
  kTags,       // a list or a text; an item may have spaces
  kJson,       // any value, which becomes JSON; a text is JSON already
  kEndpoints,  // a map from URL to keys, which becomes JSON; a text is JSON already
};

// How values are shown in warnings and in the JSON.
enum class Secrecy {
  kPublic,
  kUrl,     // without user, password and query
  kKey,     // by its last four characters
  kHidden,  // not at all
};

// The sections of docs/configuration.md.
enum class Section { kDestinations, kApiKey, kFlushes, kData, kContexts, kLog, kLambda };

struct OptionRow {
  Option option;
  std::string_view name;
  std::string_view member;   // of Config: "site", "client.proxy_url"
  std::string_view sources;  // as in options.inc
  YamlForm form;
  Secrecy secrecy;
  Section section;
  std::string_view help;
};

inline constexpr OptionRow kOptionTable[] = {
#define THAW_OPTION(name, member, sources, form, parse, secrecy, section, help) \
  {Option::name, #name, #member, sources, YamlForm::form, Secrecy::secrecy, Section::section, help},
#include "cc/config/options.inc"
};

constexpr const OptionRow& RowOf(Option option) { return kOptionTable[static_cast<size_t>(option)]; }

// Returns the group of the option in the JSON: "client"; empty if it stands outside of all groups.
constexpr std::string_view GroupOf(const OptionRow& row) {
  const size_t dot = row.member.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : row.member.substr(0, dot);
}

// Returns the option's path in the JSON: "client.proxy_url".
std::string JsonPathOf(const OptionRow& row);

struct OptionSource {
  bool is_yaml = false;
  std::string name;  // the variable, or the dotted path in datadog.yaml
};

// Returns the sources of an option, the preferred one first, without the DATADOG_ names.
std::vector<OptionSource> SourcesOf(const OptionRow& row);

// Returns the other name of a variable: "DATADOG_SITE" for "DD_SITE", "" for a variable without one.
std::string OtherNameOf(std::string_view variable);

}  // namespace thaw

#endif  // THAW_CC_CONFIG_OPTION_TABLE_H_
