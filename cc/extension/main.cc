// The executable that Lambda runs beside a function.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/log/log.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cc/base/cancellation.h"
#include "cc/base/printable.h"
#include "cc/base/seeded_random.h"
#include "cc/base/task.h"
#include "cc/base/version.h"
#include "cc/config/config.h"
#include "cc/config/config_json.h"
#include "cc/config/environment.h"
#include "cc/config/log_level.h"
#include "cc/config/yaml_file.h"
#include "cc/extension/command_line.h"
#include "cc/extension/config_check.h"
#include "cc/extension/extension.h"
#include "cc/extension/log_output.h"
#include "cc/extension/process_signals.h"
#include "cc/net/io/event_loop.h"
#include "cc/net/io/system_random.h"
#include "cc/net/io/tcp_network.h"

namespace thaw {
namespace {

constexpr int kFound = 1;
constexpr int kRefused = 2;

// Whether the parent had closed standard output. /dev/null has its number since.
bool output_was_closed = false;

void Print(FILE* where, std::string_view text) { std::fwrite(text.data(), 1, text.size(), where); }

// Returns whether everything printed to standard output is written; otherwise says so.
bool FlushOutput() {
  errno = output_was_closed ? EBADF : 0;
  if (!output_was_closed && std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return true;
  Print(stderr, absl::StrCat("datadog-agent: standard output can't be written: ",
                             errno != 0 ? std::strerror(errno) : "an error", "\n"));
  return false;
}

// Prints a text that was asked for. Returns the exit status.
int Answer(std::string_view text) {
  Print(stdout, text);
  return FlushOutput() ? 0 : kFound;
}

Config Configure(const Environment& environment) {
  const YamlFile file = ReadYamlFile(environment);
  Config config = LoadConfig(environment, file.text);
  if (file.warning.has_value()) config.warnings.push_back(*file.warning);
  return config;
}

// Runs the trial to its end; returns whether it succeeded.
bool Connect(const Config& config) {
  EventLoop loop;
  const std::unique_ptr<Network> network = MakeTcpNetwork(loop);
  SeededRandom random(DrawSeed());
  std::optional<ConnectionTrial> ended;
  Spawn<ConnectionTrial>(loop,
                         TryConnection(loop, loop, *network, config, [&random] { return random.Fraction(); }),
                         [&](ConnectionTrial trial) {
                           ended = std::move(trial);
                           loop.Stop();
                         });
  loop.Run();
  for (const std::string& line : ended->lines) Print(stderr, absl::StrCat(Printable(line), "\n"));
  return ended->succeeded;
}

int CheckConfig(const Environment& environment, bool connect) {
  const Config config = Configure(environment);
  Print(stdout, absl::StrCat(ToJson(config), "\n"));
  const bool shown = FlushOutput();
  const std::vector<std::string> problems = ProblemsOf(environment, config);
  for (const std::string& problem : problems) Print(stderr, absl::StrCat(Printable(problem), "\n"));
  // The trial's own lines report its result. A user who wants to see more sets DD_LOG_LEVEL.
  InstallLogOutput(config.log_level > LogLevel::kInfo ? config.log_level : LogLevel::kError);
  const bool connected = !connect || Connect(config);
  return shown && problems.empty() && connected ? 0 : kFound;
}

int RunUnderLambda(const Environment& environment, std::string_view program) {
  const std::string runtime_api = environment.Get("AWS_LAMBDA_RUNTIME_API").value_or("");
  if (runtime_api.empty()) {
    Print(
        stderr,
        "datadog-agent: AWS_LAMBDA_RUNTIME_API is not set: this program is run by AWS Lambda; see --help\n");
    return kRefused;
  }
  // A write to a closed connection returns an error instead.
  std::signal(SIGPIPE, SIG_IGN);
  if (const absl::Status able = EventLoop::Check(); !able.ok()) {
    Print(stderr, absl::StrCat("datadog-agent: ", able.message(), "\n"));
    return kRefused;
  }
  const Config config = Configure(environment);
  InstallLogOutput(config.log_level);
  for (const ConfigWarning& warning : config.warnings) {
    if (warning.is_error) {
      LOG(ERROR) << warning.text;
    } else {
      LOG(WARNING) << warning.text;
    }
  }
  LOG(INFO) << StartLine(config);

  EventLoop loop;
  Cancellation stop;
  const ProcessSignals signals(loop, stop);
  Extension extension(
      loop, environment, config,
      {.name = std::string(program.substr(program.rfind('/') + 1)), .runtime_api = runtime_api});
  Spawn<int>(loop, extension.Run(stop), [](int status) {
    // All work is done, and destroying everything would take time that Lambda bills.
    _exit(status);
  });
  loop.Run();
  return 0;
}

// Opens the standard descriptors that the parent closed. Otherwise the next file or connection would get such
// a number, and the log would be written into it.
void HoldStandardDescriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) >= 0) continue;
    output_was_closed = output_was_closed || descriptor == STDOUT_FILENO;
    static_cast<void>(open("/dev/null", O_RDWR));
  }
}

int Main(std::string_view program, const std::vector<std::string_view>& arguments) {
  const CommandLine command = ParseCommandLine(arguments);
  switch (command.action) {
    case CommandLine::Action::kHelp:
      return Answer(HelpText());
    case CommandLine::Action::kVersion:
      return Answer(absl::StrCat("thaw ", kVersion, "\n"));
    case CommandLine::Action::kCheckConfig:
      return CheckConfig(Environment::OfProcess(), command.connect);
    case CommandLine::Action::kRefuse:
      Print(stderr, absl::StrCat("datadog-agent: ", Printable(command.problem), "\n"));
      return kRefused;
    case CommandLine::Action::kRun:
      break;
  }
  return RunUnderLambda(Environment::OfProcess(), program);
}

}  // namespace
}  // namespace thaw

int main(int count, char** values) {
  thaw::HoldStandardDescriptors();
  return thaw::Main(count > 0 ? values[0] : "", {values + (count > 0 ? 1 : 0), values + count});
}
