// Recognises spans of the function's own plumbing, which say nothing about the function: calls of the Runtime
// API, of this extension's listeners and of the X-Ray daemon, and name lookups.

#ifndef THAW_CC_TRACE_PROCESS_NOISE_FILTER_H_
#define THAW_CC_TRACE_PROCESS_NOISE_FILTER_H_

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "cc/trace/span_record.h"
#include "cc/trace/span_tags.h"

namespace thaw {

// The values of a span's known tags, by MetaTag; empty where the span lacks the tag.
using KnownMeta = std::array<std::string_view, kMetaTags>;

class NoiseFilter {
 public:
  // `runtime_api`: where this environment's Runtime API is, as "host:port"; may be empty.
  explicit NoiseFilter(std::string_view runtime_api);

  bool IsNoise(const SpanRecord& span, const KnownMeta& meta) const;

 private:
  struct Address {
    std::string host;
    std::string port;
  };

  const std::vector<Address> plumbing_;
};

}  // namespace thaw

#endif  // THAW_CC_TRACE_PROCESS_NOISE_FILTER_H_
