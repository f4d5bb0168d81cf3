// Field numbers of the trace intake's protobuf messages.
//
// Source: the published schema of the Datadog agent's trace payloads (agent_payload.proto,
// tracer_payload.proto, span.proto).

#ifndef THAW_CC_TRACE_TRACE_FIELDS_H_
#define THAW_CC_TRACE_TRACE_FIELDS_H_

#include <cstdint>

namespace thaw {

struct AgentPayloadField {
  static constexpr uint32_t kTracerPayloads = 5;
  static constexpr uint32_t kTargetTps = 8;
  static constexpr uint32_t kErrorTps = 9;
};

struct TracerPayloadField {
  static constexpr uint32_t kContainerId = 1;
  static constexpr uint32_t kLanguageName = 2;
  static constexpr uint32_t kLanguageVersion = 3;
  static constexpr uint32_t kTracerVersion = 4;
  static constexpr uint32_t kRuntimeId = 5;
  static constexpr uint32_t kChunks = 6;
  static constexpr uint32_t kTags = 7;
  static constexpr uint32_t kEnv = 8;
  static constexpr uint32_t kHostname = 9;
  static constexpr uint32_t kAppVersion = 10;
};

struct TraceChunkField {
  static constexpr uint32_t kPriority = 1;
  static constexpr uint32_t kOrigin = 2;
  static constexpr uint32_t kSpans = 3;
};

struct SpanField {
  static constexpr uint32_t kService = 1;
  static constexpr uint32_t kName = 2;
  static constexpr uint32_t kResource = 3;
  static constexpr uint32_t kTraceId = 4;
  static constexpr uint32_t kSpanId = 5;
  static constexpr uint32_t kParentId = 6;
  static constexpr uint32_t kStart = 7;
  static constexpr uint32_t kDuration = 8;
  static constexpr uint32_t kError = 9;
  static constexpr uint32_t kMeta = 10;
  static constexpr uint32_t kMetrics = 11;
  static constexpr uint32_t kType = 12;
  static constexpr uint32_t kMetaStruct = 13;
  static constexpr uint32_t kSpanLinks = 14;
  static constexpr uint32_t kSpanEvents = 15;
};

struct SpanLinkField {
  static constexpr uint32_t kTraceId = 1;
  static constexpr uint32_t kTraceIdHigh = 2;
  static constexpr uint32_t kSpanId = 3;
  static constexpr uint32_t kAttributes = 4;
  static constexpr uint32_t kTracestate = 5;
  static constexpr uint32_t kFlags = 6;
};

struct SpanEventField {
  static constexpr uint32_t kTimeUnixNano = 1;
  static constexpr uint32_t kName = 2;
  static constexpr uint32_t kAttributes = 3;
};

// Fields of AttributeAnyValue and AttributeArrayValue; the latter has no array.
struct AttributeField {
  static constexpr uint32_t kType = 1;
  static constexpr uint32_t kString = 2;
  static constexpr uint32_t kBool = 3;
  static constexpr uint32_t kInt = 4;
  static constexpr uint32_t kDouble = 5;
  static constexpr uint32_t kArray = 6;
  static constexpr uint32_t kArrayValues = 1;  // a field of AttributeArray
};

// The metric that holds a trace's sampling priority, and the priority of a chunk that has none.
// Values of AttributeField::kType.
struct AttributeType {
  static constexpr uint32_t kBool = 1;
  static constexpr uint32_t kInt = 2;
  static constexpr uint32_t kDouble = 3;
  static constexpr uint32_t kArray = 4;
};

inline constexpr char kSamplingPriorityMetric[] = "_sampling_priority_v1";
inline constexpr int32_t kNoPriority = -128;

}  // namespace thaw

#endif  // THAW_CC_TRACE_TRACE_FIELDS_H_
