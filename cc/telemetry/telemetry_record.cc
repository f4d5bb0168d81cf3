#include "cc/telemetry/telemetry_record.h"

namespace thaw {

std::string_view ToString(TelemetryStatus status) {
  switch (status) {
    case TelemetryStatus::kUnknown:
      return "unknown";
    case TelemetryStatus::kSuccess:
      return "success";
    case TelemetryStatus::kError:
      return "error";
    case TelemetryStatus::kFailure:
      return "failure";
    case TelemetryStatus::kTimeout:
      return "timeout";
  }
  return "unknown";
}

}  // namespace thaw
