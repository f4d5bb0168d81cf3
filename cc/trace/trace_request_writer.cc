#include "cc/trace/trace_request_writer.h"

#include <cstdint>
#include <string_view>

#include "cc/base/msgpack_writer.h"

namespace thaw {

std::string EncodeTraceRequest(absl::Span<const OwnedSpan> trace) {
  MsgpackWriter out;
  const auto text = [&out](std::string_view key, std::string_view value) {
    out.String(key);
    out.String(value);
  };
  const auto number = [&out](std::string_view key, int64_t value) {
    out.String(key);
    out.Signed(value);
  };
  const auto id = [&out](std::string_view key, uint64_t value) {
    out.String(key);
    out.Unsigned(value);
  };
  out.Array(1);
  out.Array(trace.size());
  for (const OwnedSpan& span : trace) {
    out.Map(13);
    text("service", span.service);
    text("name", span.name);
    text("resource", span.resource);
    text("type", span.type);
    id("trace_id", span.trace_id);
    id("span_id", span.span_id);
    id("parent_id", span.parent_id);
    number("start", absl::ToUnixNanos(span.start));
    number("duration", absl::ToInt64Nanoseconds(span.duration));
    number("error", span.is_error ? 1 : 0);
    out.String("meta");
    out.Map(span.tags.size());
    for (const auto& [key, value] : span.tags) text(key, value);
    out.String("metrics");
    out.Map(span.metrics.size());
    for (const auto& [key, value] : span.metrics) {
      out.String(key);
      out.Double(value);
    }
    out.String("meta_struct");
    out.Map(span.meta_struct.size());
    for (const auto& [key, value] : span.meta_struct) {
      out.String(key);
      out.Binary(value);
    }
  }
  return out.Take();
}

}  // namespace thaw
