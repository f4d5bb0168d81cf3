// Turns the event or the response of an invocation into tags, one for each value. Off unless
// DD_CAPTURE_LAMBDA_PAYLOAD asks for it, since payloads may be confidential.
//
//   AddPayloadTags("function.request", event.root, options, tags);
//   // {"a": [{"b": 1}]} is function.request.a.0.b = "1"
//
// A text that holds JSON is parsed as well. Values whose names look like a secret's are hidden.

#ifndef THAW_CC_LAMBDA_INVOCATION_PAYLOAD_TAGS_H_
#define THAW_CC_LAMBDA_INVOCATION_PAYLOAD_TAGS_H_

#include <cstddef>
#include <string_view>

#include "boost/json/fwd.hpp"
#include "cc/lambda/invocation/trace_context.h"

namespace thaw {

struct PayloadTagOptions {
  bool enabled = false;       // DD_CAPTURE_LAMBDA_PAYLOAD
  size_t max_depth = 10;      // DD_CAPTURE_LAMBDA_PAYLOAD_MAX_DEPTH; a deeper value is one tag, as JSON
  size_t max_value = 4096;    // bytes of one value, cut between characters
  size_t max_tags = 1000;     // per payload
  size_t max_bytes = 262144;  // per payload, names and values
};

// Adds nothing unless enabled. Returns how many values did not fit.
int64_t AddPayloadTags(std::string_view name, const boost::json::value& payload,
                       const PayloadTagOptions& options, SpanTags& tags);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_PAYLOAD_TAGS_H_
