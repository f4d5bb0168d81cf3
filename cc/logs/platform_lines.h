// The lines that Lambda writes into a function's log itself, made of platform records: START, END, REPORT and
// INIT_START.
//
//   const std::string line = EndLine(done);   // "END RequestId: 8f5…"
//
// Pure functions. Source of the forms: AWS's documentation of Lambda's logs; what follows RequestId of END is
// Datadog's.

#ifndef THAW_CC_LOGS_PLATFORM_LINES_H_
#define THAW_CC_LOGS_PLATFORM_LINES_H_

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "cc/logs/log_text.h"
#include "cc/telemetry/telemetry_records.h"

namespace thaw {

std::string InitStartLine(const PlatformInitStart& record);
std::string StartLine(const PlatformStart& record);
std::string EndLine(const PlatformRuntimeDone& record);
// `runtime` is how long the handler of this invocation ran, if that is known.
std::string ReportLine(const PlatformReport& record, std::optional<absl::Duration> runtime);
// The line of a managed instance, which has no END: its outcome is in the report.
std::string ManagedReportLine(const PlatformReport& record);

// Returns error for an invocation that failed in any way.
LogStatus StatusOfOutcome(TelemetryStatus status);

}  // namespace thaw

#endif  // THAW_CC_LOGS_PLATFORM_LINES_H_
