#include "cc/extension/log_output.h"

#include <unistd.h>

#include <string>

#include "absl/base/log_severity.h"
#include "absl/log/globals.h"
#include "absl/log/initialize.h"
#include "absl/log/log_entry.h"
#include "absl/log/log_sink.h"
#include "absl/log/log_sink_registry.h"
#include "absl/strings/str_cat.h"

namespace thaw {
namespace {

std::string_view LevelOf(const absl::LogEntry& entry) {
  if (entry.verbosity() != absl::LogEntry::kNoVerbosityLevel) return "DEBUG";
  switch (entry.log_severity()) {
    case absl::LogSeverity::kInfo:
      return "INFO";
    case absl::LogSeverity::kWarning:
      return "WARN";
    default:
      return "ERROR";
  }
}

class StandardError : public absl::LogSink {
 public:
  void Send(const absl::LogEntry& entry) override {
    // One write, so that lines of several processes don't mix; what can't be written has nowhere to go.
    const std::string line = absl::StrCat("THAW | ", LevelOf(entry), " | ", entry.text_message(), "\n");
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
  }
};

}  // namespace

void InstallLogOutput(LogLevel level) {
  static StandardError* const output = new StandardError;  // outlives whatever logs last
  absl::AddLogSink(output);
  // The library's own lines go nowhere else.
  absl::SetStderrThreshold(absl::LogSeverityAtLeast::kInfinity);
  absl::SetMinLogLevel(level == LogLevel::kError  ? absl::LogSeverityAtLeast::kError
                       : level == LogLevel::kWarn ? absl::LogSeverityAtLeast::kWarning
                                                  : absl::LogSeverityAtLeast::kInfo);
  if (level >= LogLevel::kDebug) absl::SetGlobalVLogLevel(level == LogLevel::kTrace ? 2 : 1);
  absl::InitializeLog();
}

}  // namespace thaw
