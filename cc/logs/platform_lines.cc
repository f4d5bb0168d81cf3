#include "cc/logs/platform_lines.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace thaw {
namespace {

std::string_view Or(std::string_view text, std::string_view otherwise) {
  return text.empty() ? otherwise : text;
}

double Milliseconds(absl::Duration duration) { return absl::ToDoubleMilliseconds(duration); }

// Returns how long the handler of a managed instance ran.
std::optional<absl::Duration> RuntimeOf(const PlatformReport& record) {
  for (const TelemetrySpan& span : record.spans)
    if (span.name == "responseLatency") return span.duration;
  return record.duration;
}

void AppendTimeout(std::optional<absl::Duration> duration, std::string& line) {
  absl::StrAppend(&line, " Task timed out");
  if (duration.has_value())
    absl::StrAppend(&line, absl::StrFormat(" after %.2f seconds", absl::ToDoubleSeconds(*duration)));
}

}  // namespace

std::string InitStartLine(const PlatformInitStart& record) {
  return absl::StrCat("INIT_START Runtime Version: ", Or(record.runtime_version, "?"),
                      " Runtime Version ARN: ", Or(record.runtime_version_arn, "?"));
}

std::string StartLine(const PlatformStart& record) {
  return absl::StrCat("START RequestId: ", record.request_id, " Version: ", Or(record.version, "$LATEST"));
}

std::string EndLine(const PlatformRuntimeDone& record) {
  std::string line = absl::StrCat("END RequestId: ", record.request_id);
  switch (record.status) {
    case TelemetryStatus::kTimeout:
      AppendTimeout(record.duration, line);
      break;
    case TelemetryStatus::kError:
    case TelemetryStatus::kFailure:
      absl::StrAppend(&line, " Task failed: \"", record.error_type, "\"");
      break;
    default:
      break;
  }
  return line;
}

std::string ReportLine(const PlatformReport& record, std::optional<absl::Duration> runtime) {
  std::string line = absl::StrCat("REPORT RequestId: ", record.request_id);
  const auto add_time = [&line](std::string_view name, std::optional<absl::Duration> duration) {
    if (duration.has_value())
      absl::StrAppend(&line, " ", name, ": ", absl::StrFormat("%.2f", Milliseconds(*duration)), " ms");
  };
  add_time("Duration", record.duration);
  add_time("Runtime Duration", runtime);
  if (runtime.has_value() && record.duration.has_value())
    add_time("Post Runtime Duration", *record.duration - *runtime);
  if (record.billed_duration.has_value())
    absl::StrAppend(&line, " Billed Duration: ", absl::ToInt64Milliseconds(*record.billed_duration), " ms");
  if (record.memory_size_megabytes.has_value())
    absl::StrAppend(&line, " Memory Size: ", *record.memory_size_megabytes, " MB");
  if (record.max_memory_used_megabytes.has_value())
    absl::StrAppend(&line, " Max Memory Used: ", *record.max_memory_used_megabytes, " MB");
  add_time("Init Duration", record.init_duration);
  return line;
}

std::string ManagedReportLine(const PlatformReport& record) {
  std::string line = absl::StrCat("REPORT RequestId: ", record.request_id);
  const std::optional<absl::Duration> runtime = RuntimeOf(record);
  if (runtime.has_value())
    absl::StrAppend(&line, absl::StrFormat(" Runtime Duration: %.2f ms", Milliseconds(*runtime)));
  switch (record.status) {
    case TelemetryStatus::kTimeout:
      AppendTimeout(runtime, line);
      break;
    case TelemetryStatus::kError:
    case TelemetryStatus::kFailure:
      absl::StrAppend(&line, " Task failed", record.error_type.empty() ? " with an unknown error" : ": ",
                      record.error_type);
      break;
    default:
      break;
  }
  return line;
}

LogStatus StatusOfOutcome(TelemetryStatus status) {
  const bool failed = status == TelemetryStatus::kTimeout || status == TelemetryStatus::kError ||
                      status == TelemetryStatus::kFailure;
  return failed ? LogStatus::kError : LogStatus::kInfo;
}

}  // namespace thaw
