// Parses the executable's arguments. Lambda starts it without any.

#ifndef THAW_CC_EXTENSION_COMMAND_LINE_H_
#define THAW_CC_EXTENSION_COMMAND_LINE_H_

#include <string>
#include <string_view>

#include "absl/types/span.h"

namespace thaw {

struct CommandLine {
  enum class Action { kRun, kHelp, kVersion, kCheckConfig, kRefuse };
  Action action = Action::kRun;
  bool connect = false;  // with kCheckConfig: also tries the key source and the intake
  std::string problem;   // reason of kRefuse
};

// `arguments`: without the program's own name.
CommandLine ParseCommandLine(absl::Span<const std::string_view> arguments);

// Returns the output of --help.
std::string_view HelpText();

}  // namespace thaw

#endif  // THAW_CC_EXTENSION_COMMAND_LINE_H_
