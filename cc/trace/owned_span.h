// A span that owns its texts, for spans that the extension makes itself.

#ifndef THAW_CC_TRACE_OWNED_SPAN_H_
#define THAW_CC_TRACE_OWNED_SPAN_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/time/time.h"

namespace thaw {

// Tags of a span; sorted, so that equal tags encode to equal bytes.
using SpanTags = std::map<std::string, std::string, std::less<>>;
using SpanMetrics = std::map<std::string, double, std::less<>>;

struct OwnedSpan {
  std::string service;
  std::string name;
  std::string resource;
  std::string type;
  uint64_t trace_id = 0;
  uint64_t span_id = 0;
  uint64_t parent_id = 0;
  absl::Time start;
  absl::Duration duration;
  bool is_error = false;
  SpanTags tags;
  SpanMetrics metrics;
  SpanTags meta_struct;  // values are MessagePack
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_OWNED_SPAN_H_
