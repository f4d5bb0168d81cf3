#include "cc/extension/command_line.h"

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"

namespace thaw {

CommandLine ParseCommandLine(absl::Span<const std::string_view> arguments) {
  using Action = CommandLine::Action;
  const auto refuse = [](std::string problem) {
    return CommandLine{.action = Action::kRefuse, .problem = absl::StrCat(problem, "; see --help")};
  };
  const auto is_help = [](std::string_view argument) { return argument == "--help" || argument == "-h"; };
  if (absl::c_any_of(arguments, is_help)) return {.action = Action::kHelp};
  CommandLine line;
  for (const std::string_view argument : arguments) {
    if (argument == "--connect") {
      line.connect = true;
    } else if (argument != "--version" && argument != "--check-config") {
      return refuse(absl::StrCat("unknown argument ", argument));
    } else if (line.action != Action::kRun) {
      return refuse("--version and --check-config are given once, and not together");
    } else {
      line.action = argument == "--version" ? Action::kVersion : Action::kCheckConfig;
    }
  }
  if (line.connect && line.action != Action::kCheckConfig)
    return refuse("--connect goes with --check-config");
  return line;
}

std::string_view HelpText() {
  return R"(usage: datadog-agent [--help | --version | --check-config [--connect]]

The thaw extension for AWS Lambda. Lambda starts it without arguments, from the layer's folder extensions/,
beside a function, whose traces, stats, logs and metrics it delivers to Datadog. Tracers send to
127.0.0.1:8126, clients of DogStatsD to 127.0.0.1:8125.

  --check-config  prints the configuration that follows from the environment and datadog.yaml, as JSON with
                  secrets masked; standard error gets one line for each problem: invalid values, a missing API key,
                  misspelled names, rules or certificates that can't be parsed; exits with 1 if there is any
  --connect       with --check-config: also gets the API key from its source and sends one request without
                  traces to the intake, within 10 s, and prints the result on standard error; exits with 1 if
                  that fails
  --version       prints the version
  --help          prints this

Configuration comes from DD_ variables, then from datadog.yaml in the folder that LAMBDA_TASK_ROOT names
(/var/task). Most important: DD_API_KEY, DD_SITE, DD_FLUSH_TIMEOUT, DD_SERVERLESS_FLUSH_STRATEGY,
DD_MAX_IDLE_PER_HOST. docs/configuration.md lists all.

Exit status: 0 after Lambda's shutdown; 1 if --check-config found a problem, or Lambda's API can't be reached;
2 for invalid arguments, or outside Lambda (AWS_LAMBDA_RUNTIME_API is not set).
)";
}

}  // namespace thaw
