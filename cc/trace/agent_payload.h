// The body of a request to the trace intake: an AgentPayload message of many tracers' payloads.
//
//   AgentPayloadBuilder builder;
//   builder.Add(payload); builder.Add(other);
//   builder.FinishInto(body);
//
// Also how such a body is cut in two, when it is larger than it may be or the intake says so (413).

#ifndef THAW_CC_TRACE_AGENT_PAYLOAD_H_
#define THAW_CC_TRACE_AGENT_PAYLOAD_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cc/trace/trace_payload.h"

namespace thaw {

// Payloads of one process become one TracerPayload, in the order they came. The payloads are referred to
// until Finish() and must not move.
class AgentPayloadBuilder {
 public:
  void Add(const TracePayload& payload);
  bool empty() const { return groups_.empty(); }
  // An upper bound of the body's size.
  size_t size_bound() const { return size_bound_; }
  // What size_bound() would be after Add(payload), at most.
  size_t size_bound_with(const TracePayload& payload) const {
    return size_bound_ + payload.size() + kFraming;
  }
  // The body, instead of what `body` held; the builder is empty afterwards.
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

// `body` as two bodies that hold the same spans: cut between TracerPayloads, or else between traces, or else
// between the spans of its only trace. Each part of a trace keeps its priority and origin, and on its first
// span the trace's tags (`_dd.p.*` and the sampling priority of its root). Empty if there is but one span,
// or the body is no AgentPayload.
std::vector<std::string> SplitAgentPayload(std::string_view body);

// `body` in parts of at most `max_bytes` each. A span that is larger is a part by itself: only the intake can
// say whether it takes it.
std::vector<std::string> SplitToFit(std::string body, size_t max_bytes);

}  // namespace thaw

#endif  // THAW_CC_TRACE_AGENT_PAYLOAD_H_
