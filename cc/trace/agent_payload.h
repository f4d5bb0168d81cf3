// The body of a request to the trace intake: an AgentPayload message with the payloads of many tracers.
//
//   AgentPayloadBuilder builder;
//   builder.Add(payload);
//   builder.Add(other);
//   builder.FinishInto(body);
//
// SplitAgentPayload() cuts a body that is too large, or that the intake refused as too large (413), in two.

#ifndef THAW_CC_TRACE_AGENT_PAYLOAD_H_
#define THAW_CC_TRACE_AGENT_PAYLOAD_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "cc/trace/trace_payload.h"

namespace thaw {

// Payloads of one process become one TracerPayload, in the order they came. Added payloads must not move or
// die until Finish().
class AgentPayloadBuilder {
 public:
  void Add(const TracePayload& payload);
  bool empty() const { return groups_.empty(); }
  // Returns an upper bound of the body's size.
  size_t size_bound() const { return size_bound_; }
  // Returns an upper bound of size_bound() after Add(payload).
  size_t size_bound_with(const TracePayload& payload) const {
    return size_bound_ + payload.size() + kFraming;
  }
  // Replaces the content of `body` with the encoded body; the builder is empty afterwards.
  void FinishInto(std::string& body);
  std::string Finish() {
    std::string body;
    FinishInto(body);
    return body;
  }

 private:
  static constexpr size_t kFraming = 16;
  static constexpr size_t kConstantFields = 18;

  struct Group {
    std::string_view process_fields;
    size_t chunk_bytes = 0;
    std::vector<std::string_view> chunks;
  };
  std::vector<Group> groups_;
  size_t size_bound_ = kConstantFields;
};

// Cuts `body` into two bodies that hold the same spans: between TracerPayloads, or else between traces, or
// else between the spans of its only trace. Each part of a trace keeps its priority and origin, and its first
// span carries the trace's tags (`_dd.p.*` and the sampling priority of its root). Returns nothing if the
// body has only one span or is no AgentPayload.
std::vector<std::string> SplitAgentPayload(std::string_view body);

// Cuts `body` into parts of at most `max_bytes` each. A larger span is a part by itself: only the intake can
// say whether it accepts it.
absl::StatusOr<std::vector<std::string>> SplitToFit(std::string body, size_t max_bytes);

}  // namespace thaw

#endif  // THAW_CC_TRACE_AGENT_PAYLOAD_H_
