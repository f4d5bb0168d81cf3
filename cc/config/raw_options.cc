#include "cc/config/raw_options.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"
#include "cc/base/status_macros.h"
#include "cc/config/option_table.h"
#include "cc/config/unknown_names.h"
#include "cc/config/yaml_document.h"

namespace thaw {
namespace {

using FoundText = absl::StatusOr<std::optional<std::string>>;

FoundText ListAt(const YamlDocument& yaml, std::string_view path) {
  THAW_ASSIGN_OR_RETURN(const std::vector<std::string> items, yaml.List(path));
  return absl::StrJoin(items, ",");
}

// Returns a list of tags as one text. Each item is one tag whatever characters it has: the comma at the end
// marks the text as a list with commas, in which spaces do not separate tags (tag_list.h).
FoundText TagsAt(const YamlDocument& yaml, std::string_view path) {
  const FoundText text = yaml.Text(path);
  if (text.ok()) return text;
  THAW_ASSIGN_OR_RETURN(const std::vector<std::string> items, yaml.List(path));
  if (items.empty()) return std::nullopt;
  return absl::StrCat(absl::StrJoin(items, ","), ",");
}

// Returns the map as JSON, or the text that is there instead.
FoundText EndpointsAt(const YamlDocument& yaml, std::string_view path) {
  THAW_ASSIGN_OR_RETURN(const std::optional<YamlDocument::MapOfLists> endpoints, yaml.Lists(path));
  if (!endpoints.has_value()) return yaml.Text(path);
  if (endpoints->empty()) return std::nullopt;
  boost::json::object object;
  for (const auto& [url, keys] : *endpoints) object[url] = boost::json::array(keys.begin(), keys.end());
  return boost::json::serialize(object);
}

// Returns what is at the path, in the form that the option's variable would have.
FoundText TextOf(YamlForm form, const YamlDocument& yaml, std::string_view path) {
  switch (form) {
    case YamlForm::kText:
      return yaml.Text(path);
    case YamlForm::kList:
      return ListAt(yaml, path);
    case YamlForm::kTags:
      return TagsAt(yaml, path);
    case YamlForm::kJson:
      return yaml.Json(path);
    case YamlForm::kEndpoints:
      return EndpointsAt(yaml, path);
  }
  return std::nullopt;
}

class Reader {
 public:
  Reader(const Environment& environment, std::string_view yaml_text) : environment_(environment) {
    absl::StatusOr<YamlDocument> parsed = YamlDocument::Parse(yaml_text);
    if (parsed.ok()) {
      yaml_ = *std::move(parsed);
    } else {
      Warn("datadog.yaml", absl::StrCat("datadog.yaml is not used at all: ", parsed.status().message()),
           /*is_error=*/true);
    }
  }

  // Reads the texts of an option from all its sources.
  void Read(const OptionRow& row, RawOptions::Texts& texts) {
    for (const OptionSource& source : SourcesOf(row)) {
      if (source.is_yaml) {
        FromYaml(texts, source.name, row.form);
      } else {
        FromVariable(texts, source.name);
      }
    }
  }

  // Returns the warnings, with those about unknown names. Call it after all options were read.
  std::vector<ConfigWarning> TakeWarnings() && {
    for (ConfigWarning& warning : MisspelledVariables(environment_, variables_))
      warnings_.push_back(std::move(warning));
    if (yaml_.has_value()) {
      for (ConfigWarning& warning : UnknownYamlKeys(*yaml_, paths_)) warnings_.push_back(std::move(warning));
    }
    return std::move(warnings_);
  }

 private:
  void FromVariable(RawOptions::Texts& texts, const std::string& name) {
    variables_.insert(name);
    Add(texts, {.source = name}, environment_.Get(name));
    if (const std::string other = OtherNameOf(name); !other.empty())
      Add(texts, {.source = other}, environment_.Get(other));
  }
  void FromYaml(RawOptions::Texts& texts, const std::string& path, YamlForm form) {
    paths_.insert(path);
    if (!yaml_.has_value()) return;
    std::string source = absl::StrCat("datadog.yaml: ", path);
    FoundText found = TextOf(form, *yaml_, path);
    if (found.ok()) {
      Add(texts, {.source = std::move(source), .line = yaml_->Line(path)}, *std::move(found));
    } else {
      Warn(std::move(source), absl::StrCat("datadog.yaml, ", found.status().message(), "; it is not used"));
    }
  }
  // Adds `origin` with the text, unless that is absent or empty.
  static void Add(RawOptions::Texts& texts, RawText origin, const std::optional<std::string>& text) {
    if (!text.has_value()) return;
    origin.text = absl::StripAsciiWhitespace(*text);
    if (!origin.text.empty()) texts.push_back(std::move(origin));
  }
  void Warn(std::string source, std::string text, bool is_error = false) {
    // A fault in a map is found again with every path through it.
    const auto same = [&text](const ConfigWarning& warning) { return warning.text == text; };
    if (std::any_of(warnings_.begin(), warnings_.end(), same)) return;
    warnings_.push_back({.source = std::move(source), .text = std::move(text), .is_error = is_error});
  }

  const Environment& environment_;
  std::optional<YamlDocument> yaml_;
  // The names of all options; DATADOG_ names are left out.
  NameSet variables_;
  NameSet paths_;
  std::vector<ConfigWarning> warnings_;
};

}  // namespace

RawOptions ReadRawOptions(const Environment& environment, std::string_view yaml_text) {
  RawOptions raw;
  Reader reader(environment, yaml_text);
#define THAW_OPTION(name, ...) reader.Read(RowOf(Option::name), raw.name);
#include "cc/config/options.inc"
  raw.warnings = std::move(reader).TakeWarnings();
  return raw;
}

}  // namespace thaw
