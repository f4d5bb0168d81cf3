#include "cc/lambda/invocation/step_functions_context.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "boost/json/value.hpp"
#include "cc/lambda/invocation/event_json.h"
#include "cc/lambda/invocation/nested_json.h"
#include "cc/lambda/invocation/trace_carriers.h"
#include "cc/lambda/sha256.h"

namespace thaw {
namespace {

namespace json = boost::json;

// Makes an id of eight bytes of a digest; it is never 0 and fits 63 bits.
uint64_t IdOf(const std::array<uint8_t, 32>& digest, size_t first) {
  uint64_t id = 0;
  for (size_t i = first; i < first + 8; ++i) id = id << 8 | digest[i];
  id &= INT64_MAX;
  return id == 0 ? 1 : id;
}

}  // namespace

bool IsStep(const json::value& at) {
  return !TextAt(at, {"Execution", "Id"}).empty() && !TextAt(at, {"State", "Name"}).empty() &&
         !TextAt(at, {"State", "EnteredTime"}).empty();
}

const json::value* StepOf(const json::value& event) {
  for (const json::value* at : {&event, FindAt(event, {"Payload"}), FindAt(event, {"_datadog"}),
                                FindAt(event, {"Payload", "_datadog"})})
    if (at != nullptr && IsStep(*at)) return at;
  return nullptr;
}

TraceContext ContextOfStepObject(const json::value& step) {
  const auto carried = [](const json::value& at) {
    return ExtractTraceContext(CarrierOf(&at),
                               {.styles = {PropagationStyle::kDatadog, PropagationStyle::kTraceContext}});
  };
  std::optional<TraceContext> trace = carried(step);
  std::string_view root = TextAt(step, {"RootExecutionId"});
  json::value started_by;
  if (!trace && root.empty()) {
    const json::value input = NestedJson(FindAt(step, {"Execution", "Input"}));
    started_by = NestedJson(FindAt(input, {"_datadog"}));
    // A bus that starts a state machine hands it its event.
    if (started_by.is_null()) {
      const json::value detail = NestedJson(FindAt(input, {"detail"}));
      started_by = NestedJson(FindAt(detail, {"_datadog"}));
    }
    trace = carried(started_by);
    root = TextAt(started_by, {"RootExecutionId"});
    if (root.empty()) root = TextAt(started_by, {"Execution", "Id"});
  }
  const auto count = [&step](std::initializer_list<std::string_view> path) {
    return static_cast<int>(std::clamp(NumberAt(step, path).value_or(0), 0.0, 1e9));
  };
  TraceContext context = ContextOfStep({.execution_id = TextAt(step, {"Execution", "Id"}),
                                        .root_execution_id = root,
                                        .state_name = TextAt(step, {"State", "Name"}),
                                        .entered_time = TextAt(step, {"State", "EnteredTime"}),
                                        .retry_count = count({"State", "RetryCount"}),
                                        .redrive_count = count({"Execution", "RedriveCount"})});
  if (!trace) return context;
  context.trace_id = trace->trace_id;
  context.trace_id_high = trace->trace_id_high;
  context.tags = std::move(trace->tags);
  return context;
}

TraceContext ContextOfStep(const StepFunctionsStep& step) {
  const std::array<uint8_t, 32> trace =
      Sha256(step.root_execution_id.empty() ? step.execution_id : step.root_execution_id);
  std::string parent = absl::StrCat(step.execution_id, "#", step.state_name, "#", step.entered_time);
  if (step.retry_count != 0 || step.redrive_count != 0)
    absl::StrAppend(&parent, "#", step.retry_count, "#", step.redrive_count);
  TraceContext context{.trace_id = IdOf(trace, 8),
                       .trace_id_high = IdOf(trace, 0),
                       .parent_id = IdOf(Sha256(parent), 0),
                       .sampling_priority = 1,
                       .origin = "states"};
  context.tags.emplace(kTraceIdHighTag, absl::StrCat(absl::Hex(context.trace_id_high, absl::kZeroPad16)));
  return context;
}

}  // namespace thaw
