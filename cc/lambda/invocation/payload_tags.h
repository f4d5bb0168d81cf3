// The event or the response of an invocation as tags, one for each value, for those who ask for it
// (DD_CAPTURE_LAMBDA_PAYLOAD; off unless asked for: payloads hold what is nobody's business).
//
//   AddPayloadTags("function.request", event.root, options, tags);
//   // {"a": [{"b": 1}]} is function.request.a.0.b = "1"
//
// A text that holds JSON is taken apart as well. What is named like a secret is hidden, whatever it is.

#ifndef THAW_CC_LAMBDA_INVOCATION_PAYLOAD_TAGS_H_
#define THAW_CC_LAMBDA_INVOCATION_PAYLOAD_TAGS_H_

#include <cstddef>
#include <string_view>

#include "boost/json/fwd.hpp"
#include "cc/lambda/invocation/trace_context.h"

namespace thaw {

struct PayloadTagOptions {
  bool enabled = false;       // DD_CAPTURE_LAMBDA_PAYLOAD
  size_t max_depth = 10;      // DD_CAPTURE_LAMBDA_PAYLOAD_MAX_DEPTH; what is deeper is one value, as JSON
  size_t max_value = 4096;    // bytes of one value, cut between characters
  size_t max_tags = 1000;     // of one payload
  size_t max_bytes = 262144;  // of one payload's names and values
};

// Adds nothing unless enabled. Returns how many values did not fit.
int64_t AddPayloadTags(std::string_view name, const boost::json::value& payload,
                       const PayloadTagOptions& options, SpanTags& tags);

}  // namespace thaw

#endif  // THAW_CC_LAMBDA_INVOCATION_PAYLOAD_TAGS_H_
