#include "python/bindings/log_lines.h"

#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "absl/base/log_severity.h"
#include "absl/base/no_destructor.h"
#include "absl/log/globals.h"
#include "absl/log/initialize.h"
#include "absl/log/log_entry.h"
#include "absl/log/log_sink.h"
#include "absl/log/log_sink_registry.h"
#include "absl/strings/str_cat.h"
#include "cc/base/printable.h"

namespace thaw::python {
namespace {

thread_local int quiet = 0;

class StandardError : public absl::LogSink {
 public:
  void Send(const absl::LogEntry& entry) override {
    if (quiet > 0 && entry.log_severity() != absl::LogSeverity::kFatal) return;
    std::string line = absl::StrCat("thaw: ", absl::LogSeverityName(entry.log_severity()), ": ");
    AppendPrintable(line, entry.text_message());
    line += '\n';
    std::string_view rest = line;
    while (!rest.empty()) {
      const ssize_t written = write(STDERR_FILENO, rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return;
      rest.remove_prefix(static_cast<size_t>(written));
    }
  }
};

}  // namespace

void InstallLogLines() {
  static absl::NoDestructor<StandardError> sink;
  absl::AddLogSink(sink.get());
  absl::SetStderrThreshold(absl::LogSeverityAtLeast::kInfinity);
  absl::SetMinLogLevel(absl::LogSeverityAtLeast::kWarning);
  absl::InitializeLog();
}

NoLogLines::NoLogLines() { ++quiet; }
NoLogLines::~NoLogLines() { --quiet; }

}  // namespace thaw::python
