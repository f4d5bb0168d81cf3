// Reads the members of the platform's records, one function for each type.
//
//   const PlatformType* const type = FindPlatformType("platform.report");
//   if (type != nullptr && type->read(JsonMembers(&object, ignored), record)) Take(record);
//
// Pure: any thread.

#ifndef THAW_CC_TELEMETRY_PLATFORM_RECORDS_H_
#define THAW_CC_TELEMETRY_PLATFORM_RECORDS_H_

#include <optional>
#include <string_view>

#include "absl/time/time.h"
#include "cc/base/json_members.h"
#include "cc/telemetry/telemetry_record.h"

namespace thaw {

struct PlatformType {
  std::string_view name;
  // Reads a record's members into `into`, and returns whether it is useful: one of an invocation needs a
  // request id.
  bool (*read)(const JsonMembers& members, TelemetryRecord& into);
};

// Returns the type with this name; nullptr if it is not known.
const PlatformType* FindPlatformType(std::string_view name);

// Reads a time as the platform writes it (RFC 3339); nullopt if it is none.
std::optional<absl::Time> ParseTelemetryTime(std::string_view text);

}  // namespace thaw

#endif  // THAW_CC_TELEMETRY_PLATFORM_RECORDS_H_
