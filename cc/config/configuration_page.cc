#include "cc/config/configuration_page.h"

#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cc/config/config.h"
#include "cc/config/environment_kind.h"
#include "cc/config/option_table.h"

namespace thaw {
namespace {

constexpr std::string_view kBeginning =
    R"(<!-- Printed by `bazel run //cc/config:print_configuration_page`, from cc/config/options.inc. -->

# Configuration of the extension

An option is read from the environment, then from `datadog.yaml` in the folder that `LAMBDA_TASK_ROOT` names
(`/var/task`). If a row names several variables or keys, the first one with a valid value is used. Each
variable `DD_X` is read as `DATADOG_X`, too; `DD_X` takes precedence.

An invalid value causes a warning that names the variable, and is ignored: nothing in the configuration can
end the process. A `datadog.yaml` that can't be parsed causes an error that names line and
column, and nothing of it is used; a `datadog.yml` is not read, and causes a warning. A `DD_` or `DATADOG_`
variable that is close to the name of an option, and a key of `datadog.yaml` that no option has, cause
warnings that name the likely option.

`datadog-agent --check-config` prints the effective configuration as JSON, with secrets masked. Its member
`origins` names the variable, or the line of `datadog.yaml`, that each value comes from; an option that is not
listed there has its default. Standard error gets a line for each problem (a missing API key and rules,
filters and certificate files that can't be used among them), and the exit code is 1 if there is any. With
`--connect` it also gets the API key from its source and sends the intake one request without traces.

If a row has two defaults, the first is for environments that may freeze, which is everywhere in Lambda but
on managed instances.
)";

struct SectionText {
  Section section;
  std::string_view title;
  std::string_view before;  // Markdown before the table
  std::string_view after;   // Markdown after it
};

constexpr SectionText kSections[] = {
    {.section = Section::kDestinations, .title = "Where data is sent", .before = "", .after = ""},
    {.section = Section::kApiKey,
     .title = "The API key",
     .before =
         "The first source that is configured is used, in the order of this table; if it fails, the next one is.",
     .after =
         "The value that is kept in AWS may be the key as it is, a text in quotation marks, a list of one item, or a\n"
         "JSON object with the key as `dd_api_key` or `apiKey`."},
    {.section = Section::kFlushes, .title = "Flushes and connections", .before = "", .after = ""},
    {.section = Section::kData, .title = "Data that the function sends", .before = "", .after = ""},
    {.section = Section::kContexts, .title = "Contexts and payloads", .before = "", .after = ""},
    {.section = Section::kLog,
     .title = "The extension's own log",
     .before = "",
     .after = "The same counts are at `GET http://127.0.0.1:8126/debug/thaw`."},
    {.section = Section::kLambda,
     .title = "Variables that Lambda sets",
     .before =
         "Lambda sets these, and not the user. `AWS_LAMBDA_INITIALIZATION_TYPE` is read as well: it names\n"
         "the kind of environment.",
     .after = ""},
};

std::string Code(std::string_view text) { return absl::StrCat("`", text, "`"); }

std::string DefaultCell(const OptionRow& row) {
  const std::string frozen = DefaultOf(row.option, EnvironmentKind::kOnDemand);
  const std::string running = DefaultOf(row.option, EnvironmentKind::kOutsideLambda);
  if (frozen != running) return absl::StrCat(frozen, " or ", running);
  const bool is_literal = frozen != "none" && frozen != "never" && frozen.find(' ') == std::string::npos;
  return is_literal ? Code(frozen) : frozen;
}

std::string LineOf(const OptionRow& row) {
  std::vector<std::string> variables;
  std::vector<std::string> paths;
  for (const OptionSource& source : SourcesOf(row))
    (source.is_yaml ? paths : variables).push_back(Code(source.name));
  const std::string path_cell = absl::StrJoin(paths, ", ");
  return absl::StrCat("| ", absl::StrJoin(variables, ", "), " |", path_cell.empty() ? "" : " ", path_cell,
                      " | ", row.help, " | ", DefaultCell(row), " |\n");
}

}  // namespace

std::string ConfigurationPage() {
  std::string page(kBeginning);
  for (const SectionText& section : kSections) {
    absl::StrAppend(&page, "\n## ", section.title, "\n\n");
    if (!section.before.empty()) absl::StrAppend(&page, section.before, "\n\n");
    absl::StrAppend(&page, "| variable | in `datadog.yaml` | meaning | default |\n|---|---|---|---|\n");
    for (const OptionRow& row : kOptionTable)
      if (row.section == section.section) absl::StrAppend(&page, LineOf(row));
    if (!section.after.empty()) absl::StrAppend(&page, "\n", section.after, "\n");
  }
  return page;
}

}  // namespace thaw
