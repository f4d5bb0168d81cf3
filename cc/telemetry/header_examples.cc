// Compiles the examples in the headers of this room. Each is the body of a function, whose parameters and whatever
// stands above it declare the names that the example uses. tools/header_examples.py explains it.

#include <variant>

#include "cc/telemetry/json_elements.h"
#include "cc/telemetry/telemetry_records.h"

namespace thaw {
namespace {

void Take(std::string_view text);

void JsonElementsExample(std::string_view body) {
#include "cc/telemetry/json_elements.h.example"
}

void Add(const TelemetryCounts& counts);

void TelemetryRecordsExample(std::string_view body, absl::Time now) {
#include "cc/telemetry/telemetry_records.h.example"
}

}  // namespace
}  // namespace thaw
