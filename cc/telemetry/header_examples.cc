// Compiles the examples in the headers of this room. Each is the body of a function, whose parameters and whatever
// stands above it declare the names that the example uses. tools/header_examples.py explains it.

#include <variant>

#include "cc/telemetry/json_elements.h"
#include "cc/telemetry/platform_records.h"
#include "cc/telemetry/telemetry_record.h"
#include "cc/telemetry/telemetry_records.h"

namespace thaw {
namespace {

void Take(std::string_view text);

void JsonElementsExample(std::string_view body) {
#include "cc/telemetry/json_elements.h.example"
}

void Take(const TelemetryRecord& record);

void PlatformRecordsExample(const boost::json::object& object, int64_t ignored, TelemetryRecord& record) {
#include "cc/telemetry/platform_records.h.example"
}

void Finish(const std::string& request_id);

void TelemetryRecordExample(const TelemetryRecord& record) {
#include "cc/telemetry/telemetry_record.h.example"
}

void Add(const TelemetryCounts& counts);

void TelemetryRecordsExample(std::string_view body, absl::Time now) {
#include "cc/telemetry/telemetry_records.h.example"
}

}  // namespace
}  // namespace thaw
