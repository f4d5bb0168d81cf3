#include "cc/extension/command_line.h"

#include "absl/strings/str_cat.h"

namespace thaw {

CommandLine ParseCommandLine(absl::Span<const std::string_view> arguments) {
  if (arguments.empty()) return {};
  if (arguments.size() > 1)
    return {CommandLine::Action::kRefuse,
            absl::StrCat("one argument at most, not ", arguments.size(), "; see --help")};
  const std::string_view argument = arguments.front();
  if (argument == "--help" || argument == "-h") return {CommandLine::Action::kHelp, ""};
  if (argument == "--version") return {CommandLine::Action::kVersion, ""};
  if (argument == "--check-config") return {CommandLine::Action::kCheckConfig, ""};
  return {CommandLine::Action::kRefuse, absl::StrCat("unknown argument ", argument, "; see --help")};
}

std::string_view HelpText() {
  return R"(usage: datadog-agent [--help | --version | --check-config]

The thaw extension for AWS Lambda. Lambda starts it without arguments, from the layer's folder extensions/,
beside a function; it takes the function's traces on 127.0.0.1:8126 and delivers them to Datadog.

  --check-config  prints the configuration that the environment and datadog.yaml come to, as JSON with secrets
                  masked, and on standard error what is wrong with them; exits with 1 if anything is
  --version       prints the version
  --help          prints this

Configuration: DD_ variables, then datadog.yaml in the folder that LAMBDA_TASK_ROOT names (/var/task). Most
wanted: DD_API_KEY, DD_SITE, DD_FLUSH_TIMEOUT, DD_SERVERLESS_FLUSH_STRATEGY, DD_MAX_IDLE_PER_HOST.

Exit status: 0 after Lambda's shutdown; 1 if --check-config found something, or Lambda's API was lost;
2 for arguments that are refused, or where there is no Lambda (AWS_LAMBDA_RUNTIME_API is not set).
)";
}

}  // namespace thaw
