// The tags of a span that its stats depend on, found in one walk, and the decision whether it has stats.
//
//   const StatsTags tags = StatsTags::Of(span);
//   if (HasStats(span, tags)) Use(encoder.Encode(span, tags));
//
// The fields are views of the span.

#ifndef THAW_CC_STATS_STATS_TAGS_H_
#define THAW_CC_STATS_STATS_TAGS_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "cc/trace/span_view.h"

namespace thaw {

// Spans of these kinds have stats, whether or not they are the first of their service.
inline constexpr std::string_view kStatsSpanKinds[] = {"client", "consumer", "producer", "server"};

struct StatsTags {
  std::string_view span_kind;
  std::string_view http_method;
  std::string_view http_endpoint;   // or else the route
  std::string_view service_source;  // the tracer's source of the service's name
  std::string_view base_service;
  std::string_view origin;
  uint32_t http_status = 0;  // 0: none
  std::optional<uint8_t> grpc_status;
  // The span is unfinished and will come again.
  bool is_snapshot = false;

  static StatsTags Of(const SpanView& span);

  // Returns whether the span is the calling side of a call to a peer.
  bool is_call() const;
  // Returns whether a synthetic test caused the span.
  bool is_synthetic() const { return origin.starts_with("synthetics"); }
};

bool HasStats(const SpanView& span, const StatsTags& tags);

}  // namespace thaw

#endif  // THAW_CC_STATS_STATS_TAGS_H_
