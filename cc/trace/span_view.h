// A span as an observer sees it after all processing (names normalised, values obfuscated, function tags in
// place), and the tracer that sent it.
//
//   class Concentrator : public SpanObserver {
//     void OnSpan(const TracerView& tracer, const SpanView& span) override { ... }
//   };
//   Concentrator concentrator;
//   processor.Process(body, format, headers, &concentrator);
//
// The views are of the request's bytes and of the processor's memory: they are valid until the observer
// returns. All text is UTF-8.

#ifndef THAW_CC_TRACE_SPAN_VIEW_H_
#define THAW_CC_TRACE_SPAN_VIEW_H_

#include <cstdint>
#include <string_view>

#include "absl/types/span.h"

namespace thaw {

struct SpanMeta {
  std::string_view key;
  std::string_view value;
};

struct SpanMetric {
  std::string_view key;
  double value = 0;
};

struct SpanView {
  std::string_view service;
  std::string_view name;
  std::string_view resource;
  std::string_view type;
  uint64_t trace_id = 0;  // the low 64 bits
  uint64_t span_id = 0;
  uint64_t parent_id = 0;  // 0: none
  int64_t start = 0;       // ns since 1970
  int64_t duration = 0;    // ns
  int32_t error = 0;       // 0: none
  bool top_level = false;  // the first of its service in its trace
  bool measured = false;   // the tracer asks for stats of it
  // Each key comes once, unless the tracer sent it twice.
  absl::Span<const SpanMeta> meta;
  absl::Span<const SpanMetric> metrics;
};

// Describes the process that a request's spans come from.
struct TracerView {
  std::string_view language;
  std::string_view tracer_version;
  std::string_view runtime_id;
  std::string_view container_id;
};

// Receives each span whose stats are computed here.
class SpanObserver {
 public:
  virtual ~SpanObserver() = default;
  virtual void OnSpan(const TracerView& tracer, const SpanView& span) = 0;
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_SPAN_VIEW_H_
